"""How everything stands: devices and offices as judged, links by what answers behind them, services by their users.

A link is judged by its office: which of two links carries an office's packets cannot be seen from here, so both are up
while it answers. A service is as its own answers say; it is degraded, too, when what it cannot work without is out, or
when too many of its users' offices are cut off.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import cached_property

from exporters.health import Health
from exporters.outages.node import Kind, Node
from inventory.model import Link, Office, Province
from inventory.topology import State

_SILENT = (State.DOWN, State.UNREACHABLE)


@dataclass(frozen=True)
class Standing:
    """The states of one moment. `asked` are the devices that are asked anything; `lossy` maps gateways to the reason.

    Of a lossy one, pings get lost, and nothing else is wrong.
    """

    province: Province
    health: Health
    asked: Set[str]
    lossy: Mapping[str, str]

    def state(self, node: Node) -> State:
        """Return the state of a node as it is seen, whatever was planned."""
        if node.kind is Kind.LINK:
            return self._link(node.id)
        if node.kind is Kind.SERVICE:
            return self.health.services.get(node.id, State.UNKNOWN)
        states = self.health.devices if node.kind is Kind.DEVICE else self.health.offices
        return states.get(node.id, State.UNKNOWN)

    def _link(self, link: str) -> State:
        state = self.health.offices.get(link.rpartition(".")[0], State.UNKNOWN)
        return State.UP if state is State.DEGRADED else state

    def is_known(self, node: Node) -> bool:
        """Whether the node is declared, and a device asked, still."""
        if node.kind is Kind.LINK:
            office = self.province.offices.get(node.id.rpartition(".")[0])
            return office is not None and node.id in {own.id for own in links_of(office)}
        if node.kind is Kind.DEVICE:
            return node.id in self.asked
        declared: Mapping[Kind, Mapping[str, object]] = {
            Kind.OFFICE: self.province.offices,
            Kind.SERVICE: self.province.services,
        }
        return node.id in declared[node.kind]

    @cached_property
    def devices_out(self) -> Mapping[str, tuple[str, ...]]:
        """The devices that are not up, by the office they stand in."""
        found: dict[str, list[str]] = {}
        for device, state in self.health.devices.items():
            if state is not State.UP:
                found.setdefault(self.province.devices[device].office, []).append(device)
        return {office: tuple(devices) for office, devices in found.items()}

    @cached_property
    def offices_out(self) -> tuple[str, ...]:
        """The offices that are not up."""
        return tuple(office for office, state in self.health.offices.items() if state is not State.UP)

    @cached_property
    def offices_down(self) -> Mapping[str, tuple[str, ...]]:
        """The offices that are down themselves, by the office that their uplink leads to."""
        found: dict[str, list[str]] = {}
        for office in self.offices_out:
            if self.health.offices[office] is State.DOWN:
                found.setdefault(self.province.offices[office].parent, []).append(office)
        return {parent: tuple(offices) for parent, offices in found.items()}

    def cut_off(self, service: str) -> tuple[str, ...]:
        """Return the offices that depend on a service and cannot reach it, whatever the service is."""
        offices = self.health.offices
        return tuple(o for o in self.province.services[service].offices if offices.get(o) in _SILENT)


def links_of(office: Office) -> tuple[Link, ...]:
    """Return the links of an office: its uplink, and its backup."""
    return tuple(link for link in (office.uplink, office.backup) if link)
