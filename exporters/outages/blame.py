"""What everything that is out is out for: the cause, the node whose fault it is, and what tells so. Pure.

Power is told by a UPS that ran on its battery before the silence, or by neighbours that fell together: several devices
of an office that itself answers, or several offices of one parent over lines of different providers.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from exporters.outages.node import Cause, Fault, Kind, Node
from exporters.outages.rules import Rules
from exporters.outages.standing import Standing, links_of
from inventory.topology import State, ways_of

_SILENT = (State.DOWN, State.UNREACHABLE)


class Battery(NamedTuple):
    """A UPS of an office said that it runs on its battery: when last (Unix seconds), which, and in which words."""

    at: float
    device: str
    reason: str


@dataclass
class Blame:
    """Finds the faults of one moment. `fell` tells since when a node is out; `planned` what is worked on, and why."""

    standing: Standing
    batteries: Mapping[str, Battery]  # by office
    planned: Mapping[Node, str]
    fell: Callable[[Node], float]
    rules: Rules
    _offices: dict[str, Fault | None] = field(default_factory=dict)
    _services: dict[str, Fault | None] = field(default_factory=dict)

    def faults(self) -> dict[Node, Fault]:
        """Return the fault of everything that is out."""
        return dict(self._faults())

    def _faults(self) -> Iterator[tuple[Node, Fault]]:
        for office in self.standing.offices_out:
            if fault := self._office(office):
                yield Node(Kind.OFFICE, office), fault
        for office, devices in self.standing.devices_out.items():
            for device in devices:
                if fault := self._device(office, device):
                    yield Node(Kind.DEVICE, device), fault
        yield from self._links()
        for service in self.standing.province.services:
            if fault := self._service(service):
                yield Node(Kind.SERVICE, service), fault

    def _office(self, office: str) -> Fault | None:
        if office not in self._offices:
            self._offices[office] = None  # ways that lead in a circle end here
            self._offices[office] = self._find_office(office)
        return self._offices[office]

    def _find_office(self, office: str) -> Fault | None:
        node, state = Node(Kind.OFFICE, office), self.standing.state(Node(Kind.OFFICE, office))
        if state in (State.UP, State.UNKNOWN, State.MAINTENANCE):
            return None
        if why := self.planned.get(node):
            return _maintenance(why)
        if state is State.UNREACHABLE:
            return self._behind(office)
        return self._degraded_office(office) if state is State.DEGRADED else self._silent_office(office)

    def _behind(self, office: str) -> Fault:
        """Return the fault of an office whose ways are all shut: that of the first of them that is known."""
        for way in ways_of(self.standing.province.offices[office]):
            if fault := self._office(way):
                return _follows(Node(Kind.OFFICE, way), fault, State.UNREACHABLE)
        return Fault(State.UNREACHABLE, Cause.UNKNOWN, None, self._evidence(Node(Kind.OFFICE, office)))

    def _silent_office(self, office: str) -> Fault:
        node = Node(Kind.OFFICE, office)
        evidence = self._evidence(node)
        if why := self._work_on_gateway(office):
            return _maintenance(why)
        if battery := self._battery_before(node):
            return Fault(State.DOWN, Cause.POWER, None, {**evidence, "ups": battery.device, "said": battery.reason})
        others = self._fallen_offices(office)
        if len(others) >= self.rules.neighbours and len(self._providers(others)) > 1:
            return Fault(State.DOWN, Cause.POWER, self._first(others, node), {**evidence, "together": others})
        if not links_of(self.standing.province.offices[office]):
            return Fault(State.DOWN, Cause.UNKNOWN, None, evidence)
        return Fault(State.DOWN, Cause.LINK, None, evidence)

    def _work_on_gateway(self, office: str) -> str:
        """Return why a silent office is worked on as well: all of it is behind its gateways, and each of them is."""
        devices = self.standing.province.devices_of[office]
        found = [self.planned.get(Node(Kind.DEVICE, device.id), "") for device in devices if device.gateway]
        return found[0] if found and all(found) else ""

    def _battery_before(self, node: Node) -> Battery | None:
        """Return what a UPS said, if that was not too long before the office fell silent."""
        battery = self.batteries.get(node.id)
        return battery if battery and self.fell(node) - battery.at <= self.rules.battery_memory else None

    def _fallen_offices(self, office: str) -> list[str]:
        """Return the offices of the same parent, this one among them, that are down since about the same moment."""
        own, down = self.fell(Node(Kind.OFFICE, office)), self.standing.offices_down
        others = down[self.standing.province.offices[office].parent]
        return sorted(o for o in others if abs(self.fell(Node(Kind.OFFICE, o)) - own) <= self.rules.together)

    def _providers(self, offices: list[str]) -> set[str]:
        declared = (self.standing.province.offices[office].uplink for office in offices)
        return {link.provider for link in declared if link}

    def _first(self, names: list[str], node: Node) -> Node | None:
        """Return the one of some nodes of a kind that fell first; None when it is `node` itself."""
        first = min((Node(node.kind, name) for name in names), key=lambda other: (self.fell(other), other))
        return None if first == node else first

    def _degraded_office(self, office: str) -> Fault:
        """Return the fault of an office that answers: that of its device which is worst off."""
        found = [(Node(Kind.DEVICE, d), self._device(office, d)) for d in self.standing.devices_out.get(office, ())]
        faults = [(node, fault) for node, fault in found if fault]
        if not faults:
            return Fault(State.DEGRADED, Cause.UNKNOWN, None, self._evidence(Node(Kind.OFFICE, office)))
        real = [one for one in faults if one[1].cause is not Cause.MAINTENANCE] or faults
        node, fault = min(real, key=lambda one: (one[1].state is not State.DOWN, self.fell(one[0]), one[0]))
        state = State.MAINTENANCE if fault.cause is Cause.MAINTENANCE else State.DEGRADED
        return Fault(state, fault.cause, fault.root or node, self._evidence(Node(Kind.OFFICE, office)))

    def _device(self, office: str, device: str) -> Fault | None:
        node, state = Node(Kind.DEVICE, device), self.standing.state(Node(Kind.DEVICE, device))
        if state in (State.UP, State.UNKNOWN):
            return None
        if why := self.planned.get(node):
            return _maintenance(why)
        if self.standing.health.offices.get(office) in _SILENT and state in _SILENT and (its := self._office(office)):
            return _follows(Node(Kind.OFFICE, office), its, state)
        return self._own(office, node, state)

    def _own(self, office: str, node: Node, state: State) -> Fault:
        """Return the fault of a device that is out by itself, in an office that answers."""
        evidence, battery = self._evidence(node), self.batteries.get(office)
        if state is State.DEGRADED:
            if battery and battery.device == node.id:
                return Fault(state, Cause.POWER, None, evidence)
            if node.id in self.standing.lossy:
                return Fault(state, Cause.LINK, Node(Kind.LINK, f"{office}.uplink"), evidence)
            return Fault(state, Cause.DEVICE, None, evidence)
        together = self._fallen_devices(office, node)
        if len(together) >= self.rules.neighbours:
            ups = Node(Kind.DEVICE, battery.device) if battery and battery.device != node.id else None
            evidence |= {"together": together}
            return Fault(state, Cause.POWER, ups or self._first(together, node), evidence)
        return Fault(state, Cause.DEVICE, None, evidence)

    def _fallen_devices(self, office: str, node: Node) -> list[str]:
        """Return the devices of an office, `node` among them, that fell silent at about the same moment.

        The gateway is the link's end: when it is among them, the power is not told by it.
        """
        own = self.fell(node)
        found = [
            device
            for device in self.standing.devices_out.get(office, ())
            if self.standing.health.devices[device] is State.DOWN
            and abs(self.fell(Node(Kind.DEVICE, device)) - own) <= self.rules.together
        ]
        return [] if any(self.standing.province.devices[device].gateway for device in found) else sorted(found)

    def _links(self) -> Iterator[tuple[Node, Fault]]:
        for office, fault in self._offices.items():
            state = self.standing.health.offices.get(office)
            if fault is None or state not in _SILENT:
                continue
            if fault.cause not in (Cause.LINK, Cause.UPSTREAM, Cause.MAINTENANCE):
                continue  # without power at its end, nothing is known of the line
            follows = _follows(Node(Kind.OFFICE, office), fault, state)
            own = Fault(follows.state, fault.cause, follows.root, follows.evidence)
            for link in links_of(self.standing.province.offices[office]):
                yield Node(Kind.LINK, link.id), own
        for gateway, reason in self.standing.lossy.items():
            office = self.standing.province.devices[gateway].office
            node = Node(Kind.LINK, f"{office}.uplink")
            why = self.planned.get(node)
            yield node, _maintenance(why) if why else Fault(State.DEGRADED, Cause.LINK, None, {"why": reason})

    def _service(self, service: str) -> Fault | None:
        if service not in self._services:
            self._services[service] = None
            self._services[service] = self._find_service(service)
        return self._services[service]

    def _find_service(self, service: str) -> Fault | None:
        node = Node(Kind.SERVICE, service)
        state = self.standing.state(node)
        if state is State.UNKNOWN:
            return None
        fault = self._needed(service, state) if state is State.UP else self._failed(service, state)
        fault = fault or self._without_users(service)
        return _maintenance(why) if fault and (why := self.planned.get(node)) else fault

    def _failed(self, service: str, state: State) -> Fault:
        """Return the fault of a service whose answers are bad: that of its machine, of what it needs, or its own."""
        province = self.standing.province
        for device in dict.fromkeys(probe.device for probe in province.services[service].probes):
            fault = self._device(province.devices[device].office, device)
            if fault and fault.state is not State.DEGRADED:
                return _follows(Node(Kind.DEVICE, device), fault, state)
        evidence = {"why": self.standing.health.reasons.get(service, "")}
        return self._needed(service, state) or Fault(state, Cause.DEVICE, None, evidence)

    def _needed(self, service: str, state: State) -> Fault | None:
        """Return the fault of a service that another one, which it cannot work without, has; at best degraded."""
        for other in self.standing.province.services[service].needs:
            fault = self._service(other)
            if fault and self.standing.state(Node(Kind.SERVICE, other)) in _SILENT:
                return _follows(Node(Kind.SERVICE, other), fault, State.DEGRADED if state is State.UP else state)
        return None

    def _without_users(self, service: str) -> Fault | None:
        offices, cut = self.standing.province.services[service].offices, self.standing.cut_off(service)
        if not offices or len(cut) < self.rules.cut_off * len(offices):
            return None
        roots = [(fault.root or Node(Kind.OFFICE, office)) for office in cut if (fault := self._office(office))]
        evidence = {"cut_off": len(cut), "offices": len(offices)}
        root = max(sorted(set(roots)), key=roots.count, default=None)
        return Fault(State.DEGRADED, Cause.UPSTREAM, root, evidence)

    def _evidence(self, node: Node) -> dict[str, object]:
        return {"why": self.standing.health.reasons.get(node.id, "")}


def _maintenance(why: str) -> Fault:
    return Fault(State.MAINTENANCE, Cause.MAINTENANCE, None, {"why": why})


def _follows(way: Node, fault: Fault, state: State) -> Fault:
    """Return the fault of what is only behind `way`; what is behind planned work is planned, too."""
    evidence = {"behind": way.id}
    root = fault.root or way
    if fault.cause is Cause.MAINTENANCE:
        return Fault(State.MAINTENANCE, Cause.MAINTENANCE, root, evidence)
    return Fault(state, Cause.UPSTREAM, root, evidence)
