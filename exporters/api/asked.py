"""A question as the answers see it: who asks, what everything is like now, and what the ledger remembers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from exporters.access.visitor import Visitor
from exporters.api.problems import ProblemError
from exporters.api.queries import Chosen, Query
from exporters.outages.node import Kind, Node
from exporters.page.snapshot import Snapshot
from exporters.page.troubles import office_of
from exporters.rollouts import RolloutFigures
from inventory.language import _
from inventory.model import Province
from inventory.selector import SelectorError, select_devices, select_offices
from ledger.connection import Ledger

Q = TypeVar("Q", bound=Query)
S = TypeVar("S")


@dataclass(frozen=True)
class Asked(Generic[Q]):
    """One question of `visitor`. `ledger` opens it, and may raise LedgerError; `rollouts` reads them from it."""

    query: Q
    visitor: Visitor
    snapshot: Snapshot
    ledger: Callable[[], Ledger] = field(repr=False)
    rollouts: Callable[[], tuple[RolloutFigures, ...]] = field(repr=False)

    @property
    def province(self) -> Province:
        """The province."""
        return self.snapshot.province

    @property
    def zone(self) -> ZoneInfo:
        """The province's own time."""
        return ZoneInfo(self.province.time_zone)

    @cached_property
    def now(self) -> datetime:
        """The time, as the ledger has it."""
        return self.ledger().clock()

    @cached_property
    def inside(self) -> frozenset[str]:
        """The offices that the visitor may look into."""
        return self.visitor.offices(self.province)

    @cached_property
    def offices(self) -> frozenset[str]:
        """Those of them that the selector chooses, by themselves. Raises ProblemError."""
        return self.inside & {office.id for office in self._select(select_offices)}

    @cached_property
    def devices(self) -> frozenset[str]:
        """The devices in them that the selector chooses. Raises ProblemError."""
        return frozenset(one.id for one in self._select(select_devices) if one.office in self.inside)

    @cached_property
    def places(self) -> frozenset[str]:
        """The offices where any of these devices stands."""
        return frozenset(self.province.devices[one].office for one in self.devices)

    def _select(self, select: Callable[[Province, str], tuple[S, ...]]) -> tuple[S, ...]:
        selector = self.query.selector if isinstance(self.query, Chosen) else ""
        try:
            return select(self.province, selector)
        except SelectorError as error:
            if not self.visitor.under:
                raise ProblemError("selector", str(error), {"selector": str(error)}) from error
            told = _("the selector '{text}' cannot be read, or names what is not there").format(text=selector)
            raise ProblemError("selector", told, {"selector": told}) from error  # no names of other districts' devices

    def is_wanted(self, node: Node) -> bool:
        """Whether the visitor may see a node, and the selector chooses it: services only where there is none."""
        selector = self.query.selector if isinstance(self.query, Chosen) else ""
        if node.kind is Kind.SERVICE:
            return not selector and node.id in self.province.services
        if node.kind is Kind.DEVICE and selector:
            return node.id in self.devices
        return office_of(self.province, node) in (self.places if selector else self.inside)

    def is_told(self, node: Node) -> bool:
        """Whether the visitor may know what the probes say of a node: of a service they name all its devices."""
        service = self.province.services.get(node.id) if node.kind is Kind.SERVICE else None
        if service is not None:
            return all(self.province.devices[probe.device].office in self.inside for probe in service.probes)
        return office_of(self.province, node) in self.inside
