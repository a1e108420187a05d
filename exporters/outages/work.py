"""Planned work as nodes: what of the province is being worked on at a moment, once or again and again."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from exporters.health import Health
from exporters.outages.blame import Blame
from exporters.outages.node import Cause, Kind, Node
from exporters.outages.rules import RULES
from exporters.outages.standing import Standing, links_of
from inventory.maintenance import current_span, next_spans
from inventory.model import Province
from inventory.selector import SelectorError, select_devices
from inventory.topology import State, ways_of
from ledger.planned import Planned
from ledger.records import stamp


@dataclass(frozen=True, slots=True)
class Coming:
    """Work that is under way or to come, in [began, until) (Unix seconds), on these nodes, or that cuts them off.

    `recurring` work is declared: its `id` tells where, and it is nobody's own. Any other is the ledger's.
    """

    id: str
    selector: str
    began: float
    until: float
    why: str
    person: str
    recurring: bool
    under_way: bool
    nodes: tuple[Node, ...]


class Works:
    """What is planned, and what that means in a province; worked out once, until either changes."""

    def __init__(self) -> None:
        self.planned: Sequence[Planned] = ()
        self._province: Province | None = None
        self._known: dict[str, tuple[Node, ...]] = {}
        self._hits: dict[str, tuple[Node, ...]] = {}

    def nodes(self, province: Province, at: float) -> Mapping[Node, str]:
        """Return what is being worked on at `at` (Unix seconds), and why."""
        self._turn_to(province)
        moment, zone = datetime.fromtimestamp(at, UTC), ZoneInfo(province.time_zone)
        found: dict[Node, str] = {}
        for recurring in province.maintenance:
            if current_span(recurring, moment, zone):
                found |= dict.fromkeys(self._chosen(province, recurring.select), recurring.why)
        for work in self.planned:
            if work.began <= stamp(moment) < work.until:
                found |= dict.fromkeys(self._chosen(province, work.selector), work.why)
        return found

    def coming(self, province: Province, at: float) -> tuple[Coming, ...]:
        """Return the work that is not over at `at`, of what comes again its next time; the first to begin first."""
        self._turn_to(province)
        moment = datetime.fromtimestamp(at, UTC)
        found = [*self._recurring(province, moment), *self._once(province, moment)]
        return tuple(sorted((work for work in found if work.nodes), key=lambda work: (work.began, work.id)))

    def _recurring(self, province: Province, at: datetime) -> Iterator[Coming]:
        for work in province.maintenance:
            nodes, name = self._hit(province, work.select), f"{work.place.file}:{work.place.line}"
            for began, until in next_spans(work, at, ZoneInfo(province.time_zone), 1):
                moments = began.timestamp(), until.timestamp()
                yield Coming(name, work.select, *moments, work.why, "", True, began <= at, nodes)

    def _once(self, province: Province, at: datetime) -> Iterator[Coming]:
        for work in self.planned:
            began, until = (datetime.fromisoformat(text) for text in (work.began, work.until))
            nodes = self._hit(province, work.selector)
            if until > at:
                moments = began.timestamp(), until.timestamp()
                yield Coming(work.id, work.selector, *moments, work.why, work.person, False, began <= at, nodes)

    def _turn_to(self, province: Province) -> None:
        if province is not self._province:
            self._province, self._known, self._hits = province, {}, {}

    def _hit(self, province: Province, selector: str) -> tuple[Node, ...]:
        if selector not in self._hits:
            chosen = self._chosen(province, selector)
            self._hits[selector] = tuple(sorted({*chosen, *cut_off_by(province, chosen)}))
        return self._hits[selector]

    def _chosen(self, province: Province, selector: str) -> tuple[Node, ...]:
        if selector not in self._known:
            self._known[selector] = tuple(sorted(nodes_of(province, selector)))
        return self._known[selector]


def nodes_of(province: Province, selector: str) -> Iterator[Node]:
    """Yield what a selector of devices chooses, and the offices, links and services all of whose devices it chooses.

    A selector that chooses nothing any more, because the province changed, yields nothing.
    """
    try:
        chosen = {device.id for device in select_devices(province, selector)}
    except SelectorError:
        return
    yield from (Node(Kind.DEVICE, device) for device in chosen)
    for office in province.offices.values():
        devices = [device.id for device in province.devices_of[office.id] if device.address]
        if devices and chosen.issuperset(devices):
            yield Node(Kind.OFFICE, office.id)
            yield from (Node(Kind.LINK, link.id) for link in links_of(office))
    for service in province.services.values():
        if service.probes and chosen.issuperset(probe.device for probe in service.probes):
            yield Node(Kind.SERVICE, service.id)


def cut_off_by(province: Province, nodes: Iterable[Node]) -> Iterator[Node]:
    """Yield the offices that nothing reaches while these are worked on: all gateways are, or all ways lead there."""
    chosen = {node.id for node in nodes if node.kind is Kind.DEVICE}
    gateways = {
        office: {device.id for device in devices if device.gateway} for office, devices in province.devices_of.items()
    }
    cut = {office for office, own in gateways.items() if own and own <= chosen}
    ways = {office.id: ways_of(office) for office in province.offices.values()}
    while behind := {office for office, own in ways.items() if own and office not in cut and cut.issuperset(own)}:
        cut |= behind
    yield from (Node(Kind.OFFICE, office) for office in cut)


def with_planned(province: Province, health: Health, planned: Mapping[Node, str]) -> Health:
    """Return the states with what is not up as it is worked on, or only as it is behind that, in maintenance."""
    if not planned:
        return health
    standing = Standing(province, health, health.devices.keys(), {})
    faults = Blame(standing, {}, planned, lambda _node: 0.0, RULES).faults()
    known = {Kind.DEVICE: dict(health.devices), Kind.OFFICE: dict(health.offices), Kind.SERVICE: dict(health.services)}
    reasons = dict(health.reasons)
    for node, fault in faults.items():
        if fault.cause is Cause.MAINTENANCE and node.id in known.get(node.kind, ()):
            known[node.kind][node.id] = State.MAINTENANCE
            reasons[node.id] = str(fault.evidence.get("why") or reasons.get(node.id, ""))
    return Health(known[Kind.DEVICE], known[Kind.OFFICE], known[Kind.SERVICE], reasons)
