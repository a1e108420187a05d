"""Planned work that is under way or to come, as it is shown to whom. Pure.

The public is told of offices, all of which is worked on or cut off, and of services, and when; what is being done, and
to which devices, is for staff.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from exporters.outages.node import Kind, Node
from exporters.outages.work import Coming
from exporters.page.snapshot import Snapshot
from exporters.page.troubles import address_of, name_of, office_of
from exporters.page.view import View
from inventory.model import Province

SHOWN = 20  # works at most
_NAMED = (Kind.OFFICE, Kind.SERVICE, Kind.DEVICE)  # in this order


@dataclass(frozen=True, slots=True)
class Place:
    """What is worked on, and the path of its page."""

    name: str
    href: str


@dataclass(frozen=True, slots=True)
class Work:
    """Work in [began, until), in Unix seconds. `why` and `person` are for staff, and "" for others."""

    began: float
    until: float
    under_way: bool
    places: tuple[Place, ...]
    why: str
    person: str


@dataclass(frozen=True, slots=True)
class Planned:
    """The first of the works, and how many later ones there are that are not shown."""

    shown: tuple[Work, ...]
    more: int


def planned(snapshot: Snapshot, view: View, office: str) -> Planned:
    """Return the work on what a reader may see; on one office and its devices, or, for "", on all."""
    province, inside = snapshot.province, view.inside(snapshot.province)
    told = [(one, tuple(_named(province, one.nodes, inside, office))) for one in snapshot.coming]
    found = [_work(province, one, nodes, inside) for one, nodes in told if nodes]
    return Planned(tuple(found[:SHOWN]), max(0, len(found) - SHOWN))


def _named(province: Province, nodes: Sequence[Node], inside: frozenset[str], office: str) -> Iterator[Node]:
    """Yield what is told of what is worked on; of an office that all of is, no devices."""
    apart = inside - {node.id for node in nodes if node.kind is Kind.OFFICE}
    for kind in _NAMED:
        for node in nodes:
            if node.kind is kind and (kind is not Kind.DEVICE or apart):
                at = office_of(province, node)
                if at and office in ("", at) and (kind is not Kind.DEVICE or at in apart):
                    yield node


def _work(province: Province, coming: Coming, nodes: Sequence[Node], inside: frozenset[str]) -> Work:
    told = all(office_of(province, node) in inside for node in coming.nodes)
    return Work(
        began=coming.began,
        until=coming.until,
        under_way=coming.under_way,
        places=tuple(Place(name_of(province, node, told=True), address_of(province, node)) for node in nodes),
        why=coming.why if told else "",
        person=coming.person if told else "",
    )
