"""The watch's metrics: readings as they come, states and facts as they change, and our own process beside them.

Geography stands in `tuyen_device_info` and `tuyen_office_info` only; join it with `* on (device) group_left (...)`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from exporters.exposition import Exposition, Labels
from exporters.questions import Question
from exporters.reading import METRICS, Meaning, Metric, Reading
from exporters.watch import Watch
from inventory.model import Device, Office, Province
from inventory.topology import State

OWN: Mapping[str, Meaning] = {
    "tuyen_device_info": Meaning("gauge", "What and where a device is; always 1."),
    "tuyen_office_info": Meaning("gauge", "What and where an office is; always 1."),
    "tuyen_device_state": Meaning("gauge", "1 for the state that the device is in, 0 for the others."),
    "tuyen_office_state": Meaning("gauge", "1 for the state that the office is in, 0 for the others."),
    "tuyen_service_state": Meaning("gauge", "1 for the state that the service is in, 0 for the others."),
    "tuyen_link_state": Meaning("gauge", "1 for the state that the link is in, 0 for the others."),
    "tuyen_warranty_end_timestamp_seconds": Meaning("gauge", "Unix time of the first day without warranty."),
    "tuyen_probes_total": Meaning("counter", "Questions put since the watch started."),
    "tuyen_probe_failures_total": Meaning("counter", "Questions whose answer was missing or wrong."),
}
SHOWN_STATES = (State.UP, State.DEGRADED, State.DOWN, State.UNREACHABLE, State.MAINTENANCE, State.UNKNOWN)
States = Iterable[tuple[tuple[str, str], State]]  # by kind and id


class WatchMetrics:
    """Keeps the text of /metrics for one watch."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._exposition = Exposition({**OWN, **METRICS})
        self._states: dict[tuple[str, str], State] = {}
        self._own = own_registry(watch)
        self.also: Callable[[], States] = tuple  # states that go over those of the watch
        watch.listeners.append(self.take)
        self.replace(watch.province)

    def take(self, question: Question, reading: Reading) -> None:
        """Write the lines of one reading."""
        tally = self._watch.tallies[question.key]
        metrics = (
            Metric("probe_success", (), reading.success),
            Metric("probe_duration_seconds", (), reading.seconds),
            Metric("tuyen_probes_total", (), tally.asked),
            Metric("tuyen_probe_failures_total", (), tally.failed),
            *reading.metrics,
        )
        self._exposition.put(question.key, question_labels(question), metrics)

    def replace(self, province: Province) -> None:
        """Write the facts of another version of the province, and forget what is no longer asked."""
        facts = {("info", "device", device) for device in province.devices}
        facts |= {("info", "office", office) for office in province.offices}
        for key in self._exposition.owners():
            if key not in facts and key not in self._watch.asked:
                self._exposition.drop(key)
        self._states.clear()
        for device in province.devices.values():
            self._exposition.put(("info", "device", device.id), (), _device_facts(province, device))
        for office in province.offices.values():
            self._exposition.put(("info", "office", office.id), (), _office_facts(office))

    def add(self, collector: Collector) -> None:
        """Serve what somebody else collects, too."""
        self._own.register(collector)

    def text(self) -> bytes:
        """Return the whole page. A reading that is overdue is left out rather than repeated."""
        self._drop_overdue()
        self._write_states()
        return self._exposition.text().encode() + generate_latest(self._own)

    def _drop_overdue(self) -> None:
        fresh = {key for key, _reading in self._watch.fresh()}
        for key in self._watch.latest.keys() - fresh:
            self._exposition.drop(key)

    def _write_states(self) -> None:
        health = self._watch.health()
        now = {
            (kind, name): state
            for kind, states in (("device", health.devices), ("office", health.offices), ("service", health.services))
            for name, state in states.items()
        }
        now |= {("device", name): State.UNKNOWN for name in self._watch.devices_asked - health.devices.keys()}
        now |= dict(self.also())
        for key in self._states.keys() - now.keys():
            self._exposition.drop(("state", *key))
        for key, state in now.items():
            if self._states.get(key) is not state:
                self._exposition.put(("state", *key), ((key[0], key[1]),), _state_metrics(key[0], state))
        self._states = now


def question_labels(question: Question) -> Labels:
    """Return the labels of a question's series; only what tells it from others."""
    labels: Labels = (("device", question.device), ("module", question.module.name))
    if question.service:
        labels += (("service", question.service), ("about", question.about))
    return labels


def _state_metrics(kind: str, state: State) -> Iterator[Metric]:
    for other in SHOWN_STATES:
        yield Metric(f"tuyen_{kind}_state", (("state", other.value),), other is state)


def _device_facts(province: Province, device: Device) -> Iterator[Metric]:
    device_type = province.device_types[device.type]
    labels = {
        "device": device.id,
        "office": device.office,
        "district": province.offices[device.office].district,
        "role": device.role,
        "address": device.address,
        "manufacturer": device_type.manufacturer,
        "model": device_type.model,
    }
    yield Metric("tuyen_device_info", tuple(labels.items()), 1)
    if device.warranty:
        end = _midnight_after(device.warranty, province.time_zone)
        yield Metric("tuyen_warranty_end_timestamp_seconds", (("device", device.id),), end)


def _midnight_after(day: date, time_zone: str) -> float:
    return datetime.combine(day + timedelta(days=1), time.min, ZoneInfo(time_zone)).timestamp()


def _office_facts(office: Office) -> Iterator[Metric]:
    labels = {
        "office": office.id,
        "name": office.name,
        "tier": office.tier,
        "kind": office.kind,
        "unit": office.unit,
        "district": office.district,
        "parent": office.parent,
        "provider": office.uplink.provider if office.uplink else "",
        "medium": office.uplink.medium if office.uplink else "",
        "island": office.island,
    }
    yield Metric("tuyen_office_info", tuple(labels.items()), 1)


class _WatchCollector(Collector):
    """How the watch itself is doing, read at the moment of a scrape."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def collect(self) -> Iterable[Family]:
        """Return the watch's own figures."""
        watch = self._watch
        yield GaugeMetricFamily("tuyen_watch_questions", "Questions that are asked at intervals.", len(watch.asked))
        yield GaugeMetricFamily("tuyen_watch_running", "Questions under way.", watch.running)
        yield CounterMetricFamily("tuyen_watch_postponed", "Questions that found no free place.", watch.postponed)
        good = "Whether the files of the province, as last read, are good."
        yield GaugeMetricFamily("tuyen_province_load_success", good, watch.load_good)
        loaded = "Unix time at which the province in use was read."
        yield GaugeMetricFamily("tuyen_province_load_timestamp_seconds", loaded, watch.loaded_at)


def own_registry(watch: Watch) -> CollectorRegistry:
    """Return a registry of the process and the watch itself."""
    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    registry.register(_WatchCollector(watch))
    return registry
