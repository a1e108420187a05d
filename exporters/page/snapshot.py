"""How everything stands at one moment, as a value: what all that is shown is made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from exporters.outages.course import Open
from exporters.outages.keeping import Keeping
from exporters.outages.node import Cause, Fault, Kind, Node
from exporters.outages.standing import Standing, links_of
from exporters.outages.work import Coming
from inventory.model import Province
from inventory.topology import State

_NONE: Mapping[Kind, Mapping[str, State]] = {kind: {} for kind in Kind}


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is out now. `since` is Unix seconds; `id` is that of its outage, "" until it is confirmed."""

    node: Node
    state: State
    cause: Cause
    root: Node | None
    since: float
    id: str = ""


@dataclass(frozen=True)
class Snapshot:
    """The states by kind and id, what is out, the reasons as the probes tell them, and the work that is planned.

    `version` counts changes.
    """

    province: Province
    states: Mapping[Kind, Mapping[str, State]] = field(default_factory=lambda: _NONE)
    troubles: Mapping[Node, Trouble] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    coming: tuple[Coming, ...] = ()
    version: int = 0

    def state(self, node: Node) -> State:
        """Return the state of a node; what is not known is unknown."""
        return self.states[node.kind].get(node.id, State.UNKNOWN)

    @cached_property
    def districts(self) -> Mapping[str, tuple[str, ...]]:
        """The offices of each district by its id; "" are those of the province itself, and come first."""
        found: dict[str, list[str]] = {"": []}
        for office in self.province.offices.values():
            found.setdefault(office.district, []).append(office.id)
        return {district: tuple(offices) for district, offices in found.items() if offices}


class Looking:
    """Takes snapshots of a watch; one that shows nothing new is the last one."""

    def __init__(self, keeping: Keeping) -> None:
        self._keeping = keeping
        self.latest = Snapshot(keeping.watch.province)
        self._seen: Standing | None = None

    def look(self) -> Snapshot:
        """Return how everything stands now, as of the keeping's last look; nothing is done twice for the same one."""
        standing, last = self._keeping.standing, self.latest
        if standing is None or standing is self._seen:
            return last
        self._seen = standing
        states = _states(standing, self._keeping.faults)
        now = (standing.province, states, self._troubles(), dict(standing.health.reasons), self._coming())
        if now != (last.province, last.states, last.troubles, last.reasons, last.coming):
            self.latest = Snapshot(*now, last.version + 1)
        return self.latest

    def _troubles(self) -> dict[Node, Trouble]:
        memory, faults = self._keeping.memory, self._keeping.faults
        found = {node: self._trouble(node, fault, memory.open.get(node)) for node, fault in faults.items()}
        for node, outage in memory.open.items():
            if node not in faults and self._is_unknown(node):
                found[node] = self._trouble(node, outage.fault, outage)
        return found

    def _coming(self) -> tuple[Coming, ...]:
        return self._keeping.coming(self._keeping.memory.at)

    def _is_unknown(self, node: Node) -> bool:
        """Whether what was out before a restart has not been heard of since."""
        standing = self._keeping.standing
        return standing is not None and standing.is_known(node) and standing.state(node) is State.UNKNOWN

    def _trouble(self, node: Node, fault: Fault, outage: Open | None) -> Trouble:
        turn = self._keeping.memory.turns.get(node)
        if outage and outage.fault.grade is fault.grade:
            told = outage.fault if outage.said else fault
            return Trouble(node, fault.state, told.cause, told.root, outage.began, outage.id)
        since = turn.since if turn else self._keeping.memory.at
        return Trouble(node, fault.state, fault.cause, fault.root, since)


def _states(standing: Standing, faults: Mapping[Node, Fault]) -> Mapping[Kind, Mapping[str, State]]:
    """Return what `Keeping.states` tells, but copied where it is as judged: most of 15,000 devices are up."""
    health, offices = standing.health, standing.province.offices.values()
    judged = {Kind.DEVICE: dict(health.devices), Kind.OFFICE: dict(health.offices)}
    for (kind, name), fault in faults.items():
        if kind in judged and judged[kind].get(name, State.UP) is not State.UP:
            judged[kind][name] = fault.state
    links = (Node(Kind.LINK, link.id) for office in offices for link in links_of(office))
    services = (Node(Kind.SERVICE, service) for service in health.services)
    by_link = {node.id: faults[node].state if node in faults else _of_link(standing.state(node)) for node in links}
    by_service = {node.id: faults[node].state if node in faults else standing.state(node) for node in services}
    return {**judged, Kind.LINK: by_link, Kind.SERVICE: by_service}


def _of_link(state: State) -> State:
    """Return the state of a line without a fault: of one whose end is silent nothing is known."""
    return state if state is State.UP else State.UNKNOWN
