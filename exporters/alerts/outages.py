"""Troubles that are outages: only those that follow from no other; what is behind them is counted."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from exporters.alerts.source import place_of
from exporters.alerts.trouble import Trouble, trouble
from exporters.kit.office_alerts import ALWAYS_ON
from exporters.outages.node import GRADES, Cause, Grade, Kind, Node
from inventory.model import Province
from inventory.topology import State
from ledger.outages import Outage

NAMES = {Kind.OFFICE: ("OfficeDown", "OfficeUnreachable"), Kind.DEVICE: ("DeviceDown",)}
_KINDS = {name: kind for kind, names in NAMES.items() for name in names}


class Outages:
    """Tells of offices and devices. `rows` are the outages that last, and those that ended of late."""

    def __init__(self, province: Callable[[], Province]) -> None:
        self._province = province
        self._open: Mapping[Node, Outage] = {}
        self._ended: Mapping[Node, float] = {}
        self._behind: Mapping[str, int] = {}

    def take(self, rows: Sequence[Outage]) -> None:
        """Take the outages as the ledger has them now."""
        self._open = {Node(Kind(one.kind), one.node): one for one in rows if one.ended is None}
        over = sorted((seconds(one.ended), Node(Kind(one.kind), one.node)) for one in rows if one.ended is not None)
        self._ended = {node: ended for ended, node in over}
        offices = (one.root for node, one in self._open.items() if node.kind is Kind.OFFICE and _is_away(one))
        self._behind = Counter(root for root in offices if root)

    def acknowledged(self, at: float) -> set[Node]:
        """Return what somebody takes care of, so that nobody is told of it."""
        return {node for node, one in self._open.items() if one.acked_until and seconds(one.acked_until) > at}

    def troubles(self, _at: float) -> Iterator[Trouble]:
        """Yield what is away by its own fault."""
        for node, one in self._open.items():
            if one.root is None and _is_away(one) and (found := self._trouble(node, one)):
                ups = str(one.evidence.get("ups", ""))
                yield replace(found, behind=self._behind.get(one.id, 0), why=one.cause, ups=ups)

    def _trouble(self, node: Node, outage: Outage) -> Trouble | None:
        province, began = self._province(), seconds(outage.began)
        if node.kind is Kind.OFFICE and (office := province.offices.get(node.id)):
            name = "OfficeUnreachable" if outage.state == State.UNREACHABLE else "OfficeDown"
            labels = {"name": office.name, "district": office.district, "tier": office.tier, "cause": office.id}
            return trouble(name, node.id, began, office=office.id, **labels)
        device = province.devices.get(node.id)
        if node.kind is Kind.DEVICE and device and device.role in ALWAYS_ON:
            return trouble("DeviceDown", node.id, began, **place_of(province, device))
        return None

    def node(self, trouble: Trouble) -> Node | None:
        """Return what is out; None for a trouble that is no outage."""
        kind = _KINDS.get(trouble.name)
        return Node(kind, trouble.about) if kind else None

    def ended(self, trouble: Trouble, at: float) -> float | None:
        """Return when it came back; None while the ledger has it away, or worked on."""
        node = self.node(trouble)
        one = self._open.get(node) if node else None
        if one and (_is_away(one) or one.cause == Cause.MAINTENANCE):
            return None
        return max(self._ended.get(node, at), trouble.since) if node else at


def _is_away(outage: Outage) -> bool:
    return GRADES.get(State(outage.state)) is Grade.AWAY


def seconds(text: str) -> float:
    """Return a time of the ledger in Unix seconds."""
    return datetime.fromisoformat(text).timestamp()
