"""The text of /metrics equals prometheus_client's own for the same samples, whatever they hold."""

from collections.abc import Iterable, Mapping

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from exporters.exposition import Exposition
from exporters.reading import Meaning, Metric

MEANINGS: Mapping[str, Meaning] = {
    "tuyen_a": Meaning("gauge", 'One with a \\ and a\nnew line and "quotes".'),
    "tuyen_b_total": Meaning("counter", "Two."),
}
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)
VALUE = st.floats() | st.integers(-10, 10**15).map(float)
SAMPLES = st.dictionaries(st.tuples(TEXT, TEXT), st.tuples(VALUE, VALUE), max_size=8)


class _Oracle(Collector):
    def __init__(self, samples: Mapping[tuple[str, str], tuple[float, float]]) -> None:
        self._samples = samples

    def collect(self) -> Iterable[Family]:
        if self._samples:
            gauge = GaugeMetricFamily("tuyen_a", MEANINGS["tuyen_a"].help, labels=["about", "device"])
            counter = CounterMetricFamily("tuyen_b", MEANINGS["tuyen_b_total"].help, labels=["device"])
            for (device, phase), (first, second) in self._samples.items():
                gauge.add_metric([phase, device], first)
                counter.add_metric([f"{device}/{phase}"], second)
            yield gauge
            yield counter


@given(SAMPLES)
def test_the_text_is_the_same(samples: dict[tuple[str, str], tuple[float, float]]) -> None:
    exposition = Exposition(MEANINGS)
    for (device, phase), (first, second) in samples.items():
        labels = (("device", device),)
        exposition.put(("a", device, phase), labels, [Metric("tuyen_a", (("about", phase),), first)])
        exposition.put(("b", device, phase), (("device", f"{device}/{phase}"),), [Metric("tuyen_b_total", (), second)])
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Oracle(samples))
    assert exposition.text().encode() == generate_latest(registry)


def test_a_new_reading_replaces_all_lines_of_the_old_one() -> None:
    exposition = Exposition(MEANINGS)
    exposition.put("k", (), [Metric("tuyen_a", (("x", "1"),), 1), Metric("tuyen_a", (("x", "2"),), 2)])
    exposition.put("k", (), [Metric("tuyen_b_total", (), 3)])
    assert [line for line in exposition.text().splitlines() if line[0] != "#"] == ["tuyen_b_total 3.0"]
    exposition.drop("k")
    exposition.drop("k")
    assert exposition.text() == ""


def test_lines_of_one_name_and_labels_of_their_own_stand_side_by_side() -> None:
    exposition = Exposition(MEANINGS)
    metrics = [
        Metric("tuyen_b_total", (), 3),
        Metric("tuyen_a", (("x", "1"),), 1),
        Metric("tuyen_a", (("x", "2"),), 2),
    ]
    exposition.put("k", (("device", "d"),), metrics)
    exposition.put("l", (), [Metric("tuyen_b_total", (), 4)])
    assert [line for line in exposition.text().splitlines() if line[0] != "#"] == [
        'tuyen_a{device="d",x="1"} 1.0',
        'tuyen_a{device="d",x="2"} 2.0',
        'tuyen_b_total{device="d"} 3.0',
        "tuyen_b_total 4.0",
    ]
