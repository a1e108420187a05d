"""Troubles of the lines to offices: pings of their routers are lost or take long, over ten minutes as in the kit."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from exporters.alerts.trouble import Trouble, trouble
from exporters.kit.office_alerts import MOST_LOSS, SLOW, SLOW_SATELLITE
from exporters.questions import Question
from exporters.reading import Reading
from exporters.watch import Watch
from inventory.model import Office
from inventory.topology import State

LOSS, DELAY = NAMES = ("LinkLoss", "LinkSlow")
WINDOW = 600.0  # seconds: what the kit's rules average over
FEWEST = 5  # pings, of which something can be said
_PING, _LOSS, _TRIP = "icmp", "tuyen_probe_icmp_loss_ratio", "probe_icmp_duration_seconds"
_SILENT = (State.DOWN, State.UNREACHABLE)


class Ping(NamedTuple):
    """When it was sent (Unix seconds), which share of it was lost, and how long it took; None where it was lost."""

    at: float
    loss: float
    trip: float | None


@dataclass
class _Line:
    """The pings of an office's router, and since when they have been bad, by alert."""

    pings: deque[Ping] = field(default_factory=deque)
    since: dict[str, float] = field(default_factory=dict)


class Lines:
    """Keeps the pings of the last minutes. While an office is silent they tell of its outage, not of its line."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._lines: dict[str, _Line] = {}  # by office
        watch.listeners.append(self.take)

    def take(self, question: Question, reading: Reading) -> None:
        """Keep a ping of a router."""
        device = self._watch.province.devices[question.device]
        if device.role != "router" or question.module.probe != _PING or question.service or not reading.asked:
            return
        said = {metric.name: metric.value for metric in reading.metrics if metric.name in (_LOSS, _TRIP)}
        loss = said.get(_LOSS, 0.0) if reading.heard else 1.0
        self._lines.setdefault(device.office, _Line()).pings.append(Ping(reading.at, loss, said.get(_TRIP)))

    def troubles(self, at: float) -> Iterator[Trouble]:
        """Yield what is wrong with lines; muted behind one that is as bad: one bad line, one alert."""
        offices, states = self._watch.province.offices, self._watch.health().offices
        bad: dict[tuple[str, str], float] = {}
        for office in [*self._lines]:
            if office not in offices:
                del self._lines[office]
            else:
                bad |= self._judge(offices[office], states.get(office, State.UNKNOWN), at)
        for (name, office), value in bad.items():
            found = self._trouble(name, offices[office], value)
            yield replace(found, muted=(name, offices[office].parent) in bad)

    def _judge(self, office: Office, state: State, at: float) -> dict[tuple[str, str], float]:
        line = self._lines[office.id]
        while line.pings and line.pings[0].at < at - WINDOW:
            line.pings.popleft()
        if state in _SILENT:
            line.pings.clear()
        if len(line.pings) < FEWEST:
            return {}
        loss, trip = _means(line.pings)
        medium = office.uplink.medium if office.uplink else ""
        found = {LOSS: loss} if loss > MOST_LOSS else {}
        if trip > (SLOW_SATELLITE if medium == "satellite" else SLOW):
            found[DELAY] = trip
        line.since = {name: line.since.get(name, at) for name in found}
        return {(name, office.id): value for name, value in found.items()}

    def _trouble(self, name: str, office: Office, value: float) -> Trouble:
        labels = {"office": office.id, "name": office.name, "district": office.district}
        return replace(trouble(name, office.id, self._lines[office.id].since[name], **labels), value=value)

    def ended(self, trouble: Trouble, at: float) -> float | None:
        """Return now, once enough pings tell that the line is well again, or there is no such office."""
        if trouble.office not in self._watch.province.offices:
            return at
        line = self._lines.get(trouble.office)
        return at if line and len(line.pings) >= FEWEST else None


def _means(pings: deque[Ping]) -> tuple[float, float]:
    trips = [ping.trip for ping in pings if ping.trip is not None]
    return sum(ping.loss for ping in pings) / len(pings), sum(trips) / len(trips) if trips else 0.0
