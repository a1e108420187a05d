"""Which lines there are between the real routers of a province, and how their ends are called: a pure function."""

from collections.abc import Collection, Iterator
from ipaddress import IPv4Address

from inventory.model import Link, Province
from lab.scene import WanEnd

_FIRST = IPv4Address("198.18.128.0")  # of the range for benchmarks, which nobody routes; two addresses a line
_COSTS = (10, 100)  # of OSPF: an uplink, a backup


def trunks(province: Province, routers: Collection[str]) -> dict[str, tuple[WanEnd, ...]]:
    """Return the ends of lines at each of `routers`, by its id: a line for each declared link between two of them."""
    gateways = {
        device.office: device.id for device in province.devices.values() if device.gateway and device.id in routers
    }
    found: dict[str, list[WanEnd]] = {}
    for number, (link, cost) in enumerate(_links(province, gateways)):
        child, parent = gateways[link.office], gateways[link.parent]
        for side, (name, peer) in enumerate(((child, parent), (parent, child))):
            ends = found.setdefault(name, [])
            address = f"{_FIRST + 2 * number + side}/31"
            up = side == 0 and cost == _COSTS[0]
            ends.append(WanEnd(link.id, peer, f"wan{len(ends) + 1}", address, cost, up))
    return {name: tuple(ends) for name, ends in found.items()}


def _links(province: Province, gateways: Collection[str]) -> Iterator[tuple[Link, int]]:
    for office in province.offices.values():
        for link, cost in zip((office.uplink, office.backup), _COSTS, strict=True):
            if link and link.office in gateways and link.parent in gateways:
                yield link, cost
