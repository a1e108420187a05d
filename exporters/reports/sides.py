"""One period worked out: what each office and service of a scope went through in it. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache

from exporters.outages.node import Kind
from exporters.reports.accounts import Account, Cost, account, together
from exporters.reports.clock import Clock, watched, without, working
from exporters.reports.evidence import Evidence
from exporters.reports.figures import Period
from exporters.reports.losses import NodeKey, losses
from exporters.reports.scope import Scope
from exporters.reports.stretches import Pair
from inventory.model import Province

_NEVER = Account()


@dataclass(frozen=True)
class Side:
    """One of the two periods, worked out."""

    period: Period
    spans: tuple[Pair, ...]
    accounts: Mapping[NodeKey, Account]

    def of(self, kind: Kind, names: Iterable[str]) -> Account:
        """Return what some offices, or services, went through together."""
        return together(self.accounts[str(kind), name] for name in names)

    def is_observed(self, kind: Kind) -> bool:
        """Whether anything is known of any office, or service."""
        return any(one.all_hours.observed for (of_kind, _name), one in self.accounts.items() if of_kind == kind)

    def costs(self, kind: Kind) -> Iterator[Cost]:
        """Yield what each office, or service, suffered from each root."""
        for (of_kind, _name), one in self.accounts.items():
            if of_kind == kind:
                yield from one.costs


def side(scope: Scope, period: Period, known: Evidence) -> Side:
    """Work out what each office and service of the scope went through in one period."""
    spans = watched(period, known.spans)
    lost = losses(scope.province, known.outages, period.until)
    accounts: dict[NodeKey, Account] = {}
    asked = _asked(scope.province)

    @cache
    def clock(hours: frozenset[int], missing: frozenset[date]) -> Clock:
        windows = [scope.province.working_hours[position].window for position in sorted(hours)]
        return Clock(period, without(spans, period, missing), working(scope.province, period, windows))

    for node, offices in _nodes(scope):
        since = known.since(node, period) if node in asked else None
        its = clock(_hours(scope.province, offices), known.missing(node, period))
        accounts[node] = _NEVER if since is None else account(node[1], lost.get(node, ()), its, since)
    return Side(period, spans, accounts)


def _nodes(scope: Scope) -> Iterator[tuple[NodeKey, frozenset[str]]]:
    """Yield every office and service, and the offices whose working hours are its own."""
    for office in scope.offices:
        yield (str(Kind.OFFICE), office.id), frozenset({office.id})
    for service in scope.services:
        yield (str(Kind.SERVICE), service.id), frozenset(service.offices)


def _hours(province: Province, offices: frozenset[str]) -> frozenset[int]:
    """Return which of the province's working hours any of the offices keeps."""
    hours = enumerate(province.working_hours)
    return frozenset(position for position, kept in hours if not kept.offices.isdisjoint(offices))


def _asked(province: Province) -> frozenset[NodeKey]:
    """Return the offices and services of which anything is asked: nothing is known of the others, ever."""
    devices = [device for device in province.devices.values() if device.address and device.probes]
    probed = [province.devices[probe.device] for service in province.services.values() for probe in service.probes]
    return frozenset(
        {(str(Kind.OFFICE), device.office) for device in (*devices, *probed)}
        | {(str(Kind.SERVICE), service.id) for service in province.services.values()}
    )
