"""What the ledger knows of a period, and of which nodes it knows it on which days. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cached_property
from zoneinfo import ZoneInfo

from exporters.reports.figures import Period
from exporters.reports.losses import NodeKey
from exporters.reports.stretches import microseconds
from ledger.outages import Outage
from ledger.watching import Span

_NO_DAYS: frozenset[date] = frozenset()


@dataclass(frozen=True)
class Evidence:
    """Outages with their roots, when a watch was on, and the days on which anything is known of a node.

    A node has the days on which the watch counted something of it, by its kind and id. On days that others of its kind
    have and it has not, nothing is known of it, although the watch was on; before its first one, it did not exist.
    Where nothing has any day, as after thirteen months, all of that kind was known whenever a watch was on.
    """

    outages: Sequence[Outage]
    spans: Sequence[Span]
    known_days: Mapping[NodeKey, frozenset[date]]

    @cached_property
    def _counted(self) -> Mapping[str, frozenset[date]]:
        """The days on which anything was counted, by kind."""
        found: dict[str, set[date]] = {}
        for (kind, _name), days in self.known_days.items():
            found.setdefault(kind, set()).update(days)
        return {kind: frozenset(days) for kind, days in found.items()}

    @cached_property
    def _fallen(self) -> Mapping[NodeKey, tuple[str, ...]]:
        """When the outages of each node began."""
        found: dict[NodeKey, list[str]] = {}
        for outage in self.outages:
            found.setdefault((outage.kind, outage.node), []).append(outage.began)
        return {node: tuple(moments) for node, moments in found.items()}

    def missing(self, node: NodeKey, period: Period) -> frozenset[date]:
        """Return the days of the period on which nothing is known of a node, although others were counted."""
        lacking = self._counted.get(node[0], _NO_DAYS) - self.known_days.get(node, _NO_DAYS)
        return lacking - self._days_of_outages(node, period) if lacking else _NO_DAYS

    def since(self, node: NodeKey, period: Period) -> int | None:
        """Return from when on a node exists in a period, in microseconds; None: nothing is known of it."""
        counted = self._counted.get(node[0], _NO_DAYS)
        if not counted:
            return period.begin
        own = counted - self.missing(node, period)
        if not own:
            return None
        if min(own) == min(counted):
            return period.begin
        return microseconds(datetime.combine(min(own), time(), ZoneInfo(period.zone)))

    def _days_of_outages(self, node: NodeKey, period: Period) -> frozenset[date]:
        """Return the days on which a node was seen to fall: it must have been there."""
        zone = ZoneInfo(period.zone)
        moments = (datetime.fromisoformat(began) for began in self._fallen.get(node, ()))
        return frozenset(max(moment.astimezone(zone).date(), period.first) for moment in moments)
