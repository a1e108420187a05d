"""What is out now, as it is shown to whom: roots first, what follows from each below it. Pure.

The public is told of offices and services only. What follows from something that a reader is not shown, such as a
device, stands for itself.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from exporters.outages.node import Kind, Node
from exporters.page.snapshot import Snapshot, Trouble
from exporters.page.view import View
from inventory.language import _
from inventory.model import Province
from inventory.topology import State

_ORDER = {Kind.OFFICE: 0, Kind.LINK: 1, Kind.SERVICE: 2, Kind.DEVICE: 3}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that is out. `href` is "" where there is no page of it; `why` is what the probes said, for staff."""

    id: str
    kind: str
    name: str
    href: str
    state: str
    cause: str
    since: float
    because: str = ""  # the name of what it follows from
    why: str = ""
    confirmed: bool = True


@dataclass(frozen=True, slots=True)
class Root:
    """Something that is out by itself, and what is out because of it."""

    line: Line
    behind: tuple[Line, ...]


def roots(snapshot: Snapshot, view: View) -> tuple[Root, ...]:
    """Return what is out, the latest first."""
    visible = visible_to(snapshot.province, view)
    shown = {node: trouble for node, trouble in snapshot.troubles.items() if visible(node)}
    behind: dict[Node, list[Trouble]] = {}
    tops = []
    for trouble in shown.values():
        if trouble.root in shown and trouble.root is not None and trouble.root != trouble.node:
            behind.setdefault(_top(shown, trouble.root), []).append(trouble)
        else:
            tops.append(trouble)
    inside = view.inside(snapshot.province)
    made = [Root(line(snapshot, top, inside), _lines(snapshot, top, behind.get(top.node, ()), inside)) for top in tops]
    return tuple(sorted(made, key=lambda root: (root.line.state == "maintenance", -root.line.since, root.line.name)))


def _top(shown: Mapping[Node, Trouble], node: Node) -> Node:
    seen = {node}
    while (root := shown[node].root) in shown and root is not None and root not in seen:
        seen.add(root)
        node = root
    return node


def _lines(snapshot: Snapshot, top: Trouble, found: Collection[Trouble], inside: frozenset[str]) -> tuple[Line, ...]:
    """Return what follows from a root; of an office that is named, devices and links are not named again."""
    named = {trouble.node.id for trouble in (top, *found) if trouble.node.kind is Kind.OFFICE}
    told = (Kind.OFFICE, Kind.SERVICE)
    own = [one for one in found if one.node.kind in told or office_of(snapshot.province, one.node) not in named]
    ordered = sorted(own, key=lambda one: (_ORDER[one.node.kind], one.node.id))
    return tuple(line(snapshot, trouble, inside) for trouble in ordered)


def line(snapshot: Snapshot, trouble: Trouble, inside: frozenset[str]) -> Line:
    """Return one thing that is out; what the probes said only for offices `inside` the reader's view."""
    province, node = snapshot.province, trouble.node
    told = office_of(province, node) in inside
    root = trouble.root if trouble.root != node else None
    return Line(
        id=f"{node.kind}.{node.id}",
        kind=str(node.kind),
        name=name_of(province, node, told=told),
        href=address_of(province, node),
        state=str(trouble.state),
        cause=str(trouble.cause),
        since=trouble.since,
        because=name_of(province, root, told=office_of(province, root) in inside) if root else "",
        why=snapshot.reasons.get(node.id, "") if told and _says_more(trouble) else "",
        confirmed=bool(trouble.id),
    )


def _says_more(trouble: Trouble) -> bool:
    """Whether the reason tells what is not told anyway by the state, the cause, or the device that is the root."""
    if trouble.node.kind is Kind.OFFICE:
        return trouble.state is State.DEGRADED and trouble.root is None
    return trouble.state is not State.UNREACHABLE


def visible_to(province: Province, view: View) -> Callable[[Node], bool]:
    """Return what tells whether a node may be shown to a reader."""
    inside = view.inside(province)

    def visible(node: Node) -> bool:
        if node.kind is Kind.OFFICE:
            return node.id in province.offices
        if node.kind is Kind.SERVICE:
            return node.id in province.services
        return office_of(province, node) in inside

    return visible


def office_of(province: Province, node: Node) -> str:
    """Return the office that a node belongs to; "" for a service, or for what is not declared any more.

    What a service's probes say tells of devices: it is shown to those who see all of the province's own offices.
    """
    if node.kind is Kind.OFFICE:
        return node.id if node.id in province.offices else ""
    if node.kind is Kind.DEVICE:
        device = province.devices.get(node.id)
        return device.office if device else ""
    if node.kind is Kind.LINK:
        office = node.id.rpartition(".")[0]
        return office if office in province.offices else ""
    service = province.services.get(node.id)
    first = service.probes[0].device if service else ""
    return province.devices[first].office if first in province.devices else ""


def name_of(province: Province, node: Node, *, told: bool) -> str:
    """Return what a node is called; a device that the reader is not told of is one of its office."""
    office = province.offices.get(office_of(province, node))
    place = office.name if office else ""
    if node.kind is Kind.OFFICE:
        return place or node.id
    if node.kind is Kind.SERVICE:
        service = province.services.get(node.id)
        return service.name if service else node.id
    if node.kind is Kind.LINK:
        backup = node.id.endswith(".backup")
        return (_("{office}, backup link") if backup else _("{office}, uplink")).format(office=place or node.id)
    if not told:
        return _("a device at {office}").format(office=place) if place else _("a device")
    return node.id


def address_of(province: Province, node: Node) -> str:
    """Return the path of the page that tells of a node."""
    if node.kind is Kind.SERVICE:
        return "/services"
    office = office_of(province, node)
    return f"/offices/{office}" if office else ""
