"""A scrape of 100,000 series, beside prometheus_client.generate_latest on the same samples; the texts are equal."""

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from benchmarks.figure import Figure, fastest
from exporters.exposition import Exposition
from exporters.reading import METRICS, Metric

NAMES = ("probe_success", "probe_duration_seconds", "tuyen_probe_snmp_uptime_seconds", "tuyen_probe_ntp_offset_seconds")
DEVICES = 25_000


class _Same(Collector):
    """The same samples, as prometheus_client has them."""

    def collect(self) -> Iterable[Family]:
        """Return one family a name."""
        for name in NAMES:
            family = GaugeMetricFamily(name, METRICS[name].help, labels=["device", "module"])
            for number in range(DEVICES):
                family.add_metric([f"box-{number}.office", "icmp"], _value(name, number))
            yield family


def _value(name: str, number: int) -> float:
    return number * 0.001 + len(name) / 7


def measure() -> Iterator[Figure]:
    """Yield the figure; fails if the texts differ."""
    exposition = Exposition({name: METRICS[name] for name in NAMES})
    for number in range(DEVICES):
        labels = (("device", f"box-{number}.office"), ("module", "icmp"))
        exposition.put(number, labels, [Metric(name, (), _value(name, number)) for name in NAMES])
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Same())
    if exposition.text().encode() != generate_latest(registry):
        raise SystemExit("the text of the scrape differs from prometheus_client's")
    ours = fastest(lambda: exposition.text().encode(), 5)
    peers = fastest(lambda: generate_latest(registry), 3)
    yield Figure("scrape of 100,000 series", ours, "s", "generate_latest", peers)
