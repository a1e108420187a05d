"""The province at a glance, as values: how many offices are up, and the offices of each district. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from exporters.outages.node import Kind, Node
from exporters.page.snapshot import Snapshot
from exporters.page.words import TROUBLE_FIRST
from inventory.language import _
from inventory.topology import State, worst

Count = tuple[str, int]  # a state, and how many are in it


@dataclass(frozen=True, slots=True)
class Summary:
    """How the province stands. `offices` and `services` hold each state that there is, the worst first.

    `state` is that of the offices; where all are up, that of the services shows in `tone`.
    """

    state: str
    tone: str
    count: int
    away: int
    offices: tuple[Count, ...]
    services: tuple[Count, ...]


@dataclass(frozen=True, slots=True)
class Chip:
    """An office in its district."""

    id: str
    name: str
    state: str


@dataclass(frozen=True, slots=True)
class District:
    """The offices of a district; `hall` is the id of its own office, "" when there is none."""

    id: str
    name: str
    hall: str
    state: str
    up: int
    counts: tuple[Count, ...]  # of those that are not up
    offices: tuple[Chip, ...]


@dataclass(frozen=True, slots=True)
class ServiceChip:
    """A service."""

    id: str
    name: str
    state: str


def summary(snapshot: Snapshot) -> Summary:
    """Return how the province stands."""
    offices = _states(snapshot, Kind.OFFICE, snapshot.province.offices)
    services = _states(snapshot, Kind.SERVICE, snapshot.province.services)
    state, found = worst(offices), Counter(offices)
    tone = worst(services) if state is State.UP and services else state
    away = found[State.DOWN] + found[State.UNREACHABLE]
    return Summary(str(state), str(tone), len(offices), away, _counts(offices), _counts(services))


def district(snapshot: Snapshot, name: str) -> District:
    """Return the offices of one district; "" are those of the province itself: all, where there are no districts."""
    province = snapshot.province
    offices = [province.offices[office] for office in snapshot.districts.get(name, ())]
    states = _states(snapshot, Kind.OFFICE, [office.id for office in offices])
    chips = tuple(Chip(office.id, office.name, str(state)) for office, state in zip(offices, states, strict=True))
    unit = province.units.get(name)
    others = _("Provincial offices") if len(snapshot.districts) > 1 else province.name
    title = unit.name.on(province.as_of) if unit else others
    hall = name if name in province.offices else ""
    out = tuple(count for count in _counts(states) if count[0] != "up")
    return District(name, title, hall, str(worst(states)), states.count(State.UP), out, chips)


def services(snapshot: Snapshot) -> tuple[ServiceChip, ...]:
    """Return the services."""
    states = _states(snapshot, Kind.SERVICE, snapshot.province.services)
    known = zip(snapshot.province.services.values(), states, strict=True)
    return tuple(ServiceChip(service.id, service.name, str(state)) for service, state in known)


def _states(snapshot: Snapshot, kind: Kind, names: Iterable[str]) -> list[State]:
    return [snapshot.state(Node(kind, name)) for name in names]


def _counts(states: Iterable[State]) -> tuple[Count, ...]:
    found = Counter(map(str, states))
    return tuple((state, found[state]) for state in TROUBLE_FIRST if found[state])
