"""One period worked out: what each office and service of a scope went through in it. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from exporters.outages.node import Kind
from exporters.reports.accounts import Account, Cost, account, together
from exporters.reports.clock import Clock, watched, working
from exporters.reports.figures import Period
from exporters.reports.losses import NodeKey, losses
from exporters.reports.scope import Scope
from exporters.reports.stretches import Pair, microseconds, read
from inventory.model import Province
from ledger.outages import Outage
from ledger.watching import Span

_NEVER = Account()


@dataclass(frozen=True)
class Evidence:
    """What the ledger knows of a period: outages with their roots, when a watch was on, and since when nodes are known.

    `first_days` has the first day of the period of which anything is known of a node, by kind and id. What has a later
    one than the first of its kind did not exist before; what has none at all is not known in the period. Without any
    of a kind, all of that kind existed throughout.
    """

    outages: Sequence[Outage]
    spans: Sequence[Span]
    first_days: Mapping[NodeKey, date]


@dataclass(frozen=True)
class Side:
    """One of the two periods, worked out."""

    period: Period
    spans: tuple[Pair, ...]
    accounts: Mapping[NodeKey, Account]

    def of(self, kind: Kind, names: Iterable[str]) -> Account:
        """Return what some offices, or services, went through together."""
        return together(self.accounts[str(kind), name] for name in names)

    def costs(self, kind: Kind) -> Iterator[Cost]:
        """Yield what each office, or service, suffered from each root."""
        for (of_kind, _name), one in self.accounts.items():
            if of_kind == kind:
                yield from one.costs


def side(scope: Scope, period: Period, known: Evidence) -> Side:
    """Work out what each office and service of the scope went through in one period."""
    spans = watched(period, known.spans)
    lost = losses(scope.province, known.outages, period.until)
    clocks: dict[frozenset[int], Clock] = {}
    accounts: dict[NodeKey, Account] = {}
    since = _existence(period, known)
    asked = _asked(scope.province)
    for node, offices in _nodes(scope):
        hours = _hours(scope.province, offices)
        if hours not in clocks:
            windows = [scope.province.working_hours[position].window for position in sorted(hours)]
            clocks[hours] = Clock(period, spans, working(scope.province, period, windows))
        first = since(node) if node in asked else None
        found = lost.get(node, ())
        accounts[node] = _NEVER if first is None else account(node[1], found, clocks[hours], first)
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


def _existence(period: Period, known: Evidence) -> Callable[[NodeKey], int | None]:
    """Return a function that tells from when on a node counts, in microseconds; None: not in this period."""
    zone = ZoneInfo(period.zone)
    earliest: dict[str, date] = {}
    for (kind, _name), day in known.first_days.items():
        earliest[kind] = min(day, earliest.get(kind, day))
    fallen: dict[NodeKey, str] = {}
    for outage in known.outages if earliest else ():
        node = (outage.kind, outage.node)
        fallen[node] = min(outage.began, fallen.get(node, outage.began))  # as text, times of the ledger sort

    def since(node: NodeKey) -> int | None:
        first = known.first_days.get(node)
        if node[0] not in earliest or first == earliest[node[0]]:
            return period.begin
        seen = microseconds(datetime.combine(first, time(), zone)) if first else None
        fell = read(fallen[node]) if node in fallen else None
        return min((moment for moment in (seen, fell) if moment is not None), default=None)

    return since
