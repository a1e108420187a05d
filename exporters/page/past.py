"""Outages as the ledger keeps them, as they are shown to whom. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from exporters.outages.node import Kind, Node
from exporters.page.troubles import address_of, name_of, office_of, visible_to
from exporters.page.view import View
from inventory.model import Province
from ledger.outages import Outage

_KINDS = {str(kind): kind for kind in Kind}
Wanted = Callable[[Outage, Node], bool]


@dataclass(frozen=True, slots=True)
class Entry:
    """An outage. `ended` is None while it lasts; what people said of it is for staff, and "" for others."""

    id: str
    kind: str
    name: str
    href: str
    state: str
    cause: str
    began: float
    ended: float | None
    because: str
    behind: int  # how many outages follow from it
    note: str = ""
    noted_by: str = ""
    acked_by: str = ""
    acked_until: float | None = None


@dataclass(frozen=True, slots=True)
class Entries:
    """Outages, the latest first, and how many earlier ones there are that are not shown."""

    shown: tuple[Entry, ...]
    more: int


def entries(
    province: Province, outages: Iterable[Outage], view: View, wanted: Wanted, *, limit: int, roots: bool = False
) -> Entries:
    """Return the `wanted` outages that a reader may see; `roots`: of those only what follows from no other."""
    known = tuple(outages)
    visible, inside = visible_to(province, view), view.inside(province)
    nodes = {outage.id: _node(outage) for outage in known}
    seen = {outage for outage, node in nodes.items() if visible(node)}
    behind = Counter(outage.root for outage in known if outage.root and outage.id in seen)
    chosen = [
        outage
        for outage in reversed(known)
        if outage.id in seen and not (roots and outage.root in seen) and wanted(outage, nodes[outage.id])
    ]
    made = (_entry(province, one, nodes.get(one.root or ""), inside, behind[one.id]) for one in chosen[:limit])
    return Entries(tuple(made), max(0, len(chosen) - limit))


def at_office(outages: Iterable[Outage], office: str) -> tuple[Outage, ...]:
    """Return those of an office and its devices, what they follow from, and what follows from them.

    A province has ten thousands in a season, and one look at one office should not cost a look at each of them.
    """
    known, end = tuple(outages), f".{office}"
    own = {one.id: one.root for one in known if one.node == office or one.node.endswith(end)}
    roots = frozenset(own.values())
    return tuple(one for one in known if one.id in own or one.root in own or one.id in roots)


def _node(outage: Outage) -> Node:
    return Node(_KINDS[outage.kind], outage.node)


def _entry(province: Province, outage: Outage, root: Node | None, inside: frozenset[str], behind: int) -> Entry:
    node = _node(outage)
    told = office_of(province, node) in inside
    return Entry(
        id=outage.id,
        kind=outage.kind,
        name=name_of(province, node, told=told),
        href=address_of(province, node),
        state=outage.state,
        cause=outage.cause,
        began=_seconds(outage.began),
        ended=_seconds(outage.ended) if outage.ended else None,
        because=name_of(province, root, told=office_of(province, root) in inside) if root else "",
        behind=behind,
        note=outage.note if told else "",
        noted_by=outage.noted_by if told else "",
        acked_by=outage.acked_by if told else "",
        acked_until=_seconds(outage.acked_until) if told and outage.acked_until else None,
    )


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
