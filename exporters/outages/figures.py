"""Outages as metrics: how many are open, and for how many seconds things were out, by cause."""

from collections import Counter
from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from exporters.outages.keeping import Keeping
from exporters.outages.node import Cause, Kind


class OutageCollector(Collector):
    """Tells what a keeping knows at the moment of a scrape; every kind and cause has its series."""

    def __init__(self, keeping: Keeping) -> None:
        self._keeping = keeping

    def collect(self) -> Iterable[Family]:
        """Return the families."""
        outages = self._keeping.memory.open.values()
        open_now = Counter((outage.node.kind, outage.fault.cause) for outage in outages)
        number = GaugeMetricFamily("tuyen_outage_open", "Outages that last, by cause.", labels=["kind", "cause"])
        roots = GaugeMetricFamily(
            "tuyen_outage_roots_open", "Outages that last and follow from no other.", labels=["cause"]
        )
        seconds = CounterMetricFamily(
            "tuyen_outage_seconds", "Seconds of all outages since the watch started.", labels=["kind", "cause"]
        )
        for cause in Cause:
            roots.add_metric([cause], sum(one.root is None and one.fault.cause is cause for one in outages))
            for kind in Kind:
                number.add_metric([kind, cause], open_now[kind, cause])
                seconds.add_metric([kind, cause], self._keeping.seconds.get((kind, cause), 0.0))
        yield from (number, roots, seconds)
        written = "Whether this watch writes outages down."
        yield GaugeMetricFamily("tuyen_outage_ledger_open", written, self._keeping.book.is_open)
