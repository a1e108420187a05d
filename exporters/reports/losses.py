"""What each office and service lost: its outages as stretches that do not overlap, each with its grade and its root.

The root is found again from the ledger's rows, as people may have said meanwhile what caused it: what is only behind
planned work is planned, too, and an outage of which a person told the cause is its own root.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from exporters.outages.node import GRADES, Cause, Grade, Kind
from exporters.reports.stretches import read
from inventory.model import Province
from inventory.topology import State
from ledger.outages import Outage

NodeKey = tuple[str, str]  # kind and id, as the ledger keeps them
_COUNTED = (Kind.OFFICE, Kind.SERVICE)
_RANKS: Mapping[Grade, int] = {Grade.MAINTENANCE: 0, Grade.AWAY: 1, Grade.DEGRADED: 2}


@dataclass(frozen=True, slots=True)
class Loss:
    """A stretch [begin, end), in microseconds, in which a node was out. `behind`: its root lies upstream of it."""

    begin: int
    end: int
    grade: Grade
    behind: bool
    root: Outage

    @property
    def cause(self) -> str:
        """Whose fault it was: the root's cause; upstream where the ledger has lost the root."""
        return self.root.cause


def losses(province: Province, outages: Iterable[Outage], until: int) -> dict[NodeKey, tuple[Loss, ...]]:
    """Return what every office and service lost; what lasts does so until `until`.

    Where outages of a node overlap, planned work goes over all, away over degraded, and its own over what it is behind.
    """
    known = {outage.id: outage for outage in outages}
    found: dict[NodeKey, list[Loss]] = {}
    for outage in known.values():
        if outage.kind in _COUNTED:
            loss = _loss(province, outage, _root(outage, known), until)
            if loss.begin < loss.end:
                found.setdefault((outage.kind, outage.node), []).append(loss)
    return {node: tuple(_apart(own)) for node, own in found.items()}


def office_of(outage: Outage) -> str:
    """Return the office that an outage is at; of a service, the service."""
    if outage.kind == Kind.DEVICE:
        return outage.node.rpartition(".")[2]
    return outage.node.rpartition(".")[0] if outage.kind == Kind.LINK else outage.node


def _root(outage: Outage, known: Mapping[str, Outage]) -> Outage:
    """Follow an outage to the one that caused it, as far as it is known."""
    seen: set[str] = set()
    while outage.root and outage.root in known and not outage.cause_by and outage.id not in seen:
        seen.add(outage.id)
        outage = known[outage.root]
    return outage


def _loss(province: Province, outage: Outage, root: Outage, until: int) -> Loss:
    end = until if outage.ended is None else min(read(outage.ended), until)
    planned = outage.state == State.MAINTENANCE or root.cause == Cause.MAINTENANCE
    grade = Grade.MAINTENANCE if planned else GRADES[State(outage.state)]
    return Loss(read(outage.began), end, grade, _is_behind(province, outage, root), root)


def _is_behind(province: Province, outage: Outage, root: Outage) -> bool:
    """Whether the root lies elsewhere: at another office; of a service, at neither itself nor one of its machines."""
    if root is outage:
        return outage.cause == Cause.UPSTREAM  # its root is lost
    if outage.kind == Kind.OFFICE:
        return root.kind == Kind.SERVICE or office_of(root) != outage.node
    service = province.services.get(outage.node)
    own = {probe.device for probe in service.probes} if service else set()
    return root.kind != Kind.DEVICE or root.node not in own


def _apart(found: Sequence[Loss]) -> Iterator[Loss]:
    """Yield the losses of one node so that at any moment there is one, in order of time."""
    ordered = sorted(found, key=lambda loss: (loss.begin, loss.end))
    if all(earlier.end <= later.begin for earlier, later in pairwise(ordered)):
        yield from ordered
        return
    moments = sorted({moment for loss in ordered for moment in (loss.begin, loss.end)})
    for begin, end in pairwise(moments):
        over = [loss for loss in ordered if loss.begin <= begin and end <= loss.end]
        if over:
            yield replace(min(over, key=_rank), begin=begin, end=end)


def _rank(loss: Loss) -> tuple[int, bool, int, str]:
    return _RANKS[loss.grade], loss.behind, loss.begin, loss.root.id
