"""The uptime report: from outages and the times of the watch to figures. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from exporters.outages.node import Grade, Kind
from exporters.reports import period as periods
from exporters.reports.accounts import Account, Cost, cause_figures, figures
from exporters.reports.evidence import Evidence
from exporters.reports.figures import CauseFigures, CauseRow, HolidayRow, Incident, Period, Row, Stretch, UptimeReport
from exporters.reports.losses import office_of
from exporters.reports.scope import Scope
from exporters.reports.sides import Side, side
from exporters.reports.stretches import read
from inventory.model import Office, Province, Service

MOST = 10  # lines of what was worst
Sides = tuple[Side, Side]  # of the period, and of the one before it


def uptime(scope: Scope, period: Period, now: Evidence, before: Evidence) -> UptimeReport:
    """Return the report of a period; `before` is what is known of the period before it."""
    province = scope.province
    sides = side(scope, period, now), side(scope, periods.before(period), before)
    offices = tuple(_office_row(office, sides) for office in scope.offices)
    return UptimeReport(
        province=province.id,
        name=province.name,
        under=scope.under,
        under_name=scope.name if scope.under else "",
        as_of=province.as_of,
        period=period,
        before=sides[1].period,
        spans=tuple(Stretch(*pair) for pair in sides[0].spans),
        holidays=tuple(_holidays(province, period)),
        total=_sum("province", scope.under or province.id, scope.name, scope.offices, sides),
        tiers=tuple(_tiers(scope, sides)),
        districts=tuple(_districts(scope, sides)),
        offices=offices,
        services=tuple(_service_row(service, scope, sides) for service in scope.services),
        causes=_causes(Kind.OFFICE, sides),
        service_causes=_causes(Kind.SERVICE, sides),
        worst=_worst(offices),
        incidents=_incidents(scope, sides[0]),
    )


def _holidays(province: Province, period: Period) -> Iterator[HolidayRow]:
    for day, holiday in province.holidays.items():
        if period.first <= day <= period.last:
            yield HolidayRow(day, holiday.name, holiday.working)


def _tiers(scope: Scope, sides: Sides) -> Iterator[Row]:
    for tier in scope.province.tiers:
        if offices := [office for office in scope.offices if office.tier == tier]:
            yield _sum("tier", tier, tier, offices, sides)


def _districts(scope: Scope, sides: Sides) -> Iterator[Row]:
    """Yield the districts in the order of their first offices; the province's own offices lie in none."""
    grouped: dict[str, list[Office]] = {}
    for office in scope.offices:
        grouped.setdefault(office.district, []).append(office)
    for district, offices in grouped.items():
        if district:
            name = scope.province.units[district].name.on(scope.province.as_of)
            yield _sum("district", district, name, offices, sides)


def _sum(kind: str, name: str, title: str, offices: Sequence[Office], sides: Sides) -> Row:
    """Return the line of several offices."""
    names = [office.id for office in offices]
    now, before = (one.of(Kind.OFFICE, names) for one in sides)
    return _row((kind, name, title), "", "", len(names), (now, before), sides)


def _office_row(office: Office, sides: Sides) -> Row:
    now, before = (one.of(Kind.OFFICE, [office.id]) for one in sides)
    return _row(("office", office.id, office.name), office.tier, office.district, 1, (now, before), sides)


def _service_row(service: Service, scope: Scope, sides: Sides) -> Row:
    now, before = (one.of(Kind.SERVICE, [service.id]) for one in sides)
    users = len({office.id for office in scope.offices}.intersection(service.offices))
    return _row(("service", service.id, service.name), "", "", users, (now, before), sides)


def _row(
    named: tuple[str, str, str],
    tier: str,
    district: str,
    offices: int,
    accounts: tuple[Account, Account],
    sides: Sides,
) -> Row:
    now, before = (figures(one, its.period) for one, its in zip(accounts, sides, strict=True))
    return Row(*named, tier, district, offices, now, before)


def _causes(kind: Kind, sides: Sides) -> tuple[CauseRow, ...]:
    """Return what the causes cost, what cost most first."""
    now, before = (cause_figures(one.costs(kind)) for one in sides)
    none = CauseFigures()
    unknown = none if sides[1].is_observed(kind) else None
    rows = (CauseRow(cause, now.get(cause, none), before.get(cause, unknown)) for cause in {**now, **before})
    return tuple(sorted(rows, key=lambda row: (-row.now.away, -row.now.maintenance, -row.now.degraded, row.cause)))


def _worst(offices: Iterable[Row]) -> tuple[Row, ...]:
    """Return the offices that were away, the least available in working hours first."""
    away = [row for row in offices if row.now.all_hours.away]
    return tuple(sorted(away, key=_badness)[:MOST])


def _badness(row: Row) -> tuple[Fraction, Fraction]:
    worked, whole = row.now.working_hours.availability, row.now.all_hours.availability
    return (Fraction(1) if worked is None else worked), (Fraction(1) if whole is None else whole)


def _incidents(scope: Scope, one: Side) -> tuple[Incident, ...]:
    """Return the root outages that took most time of offices away."""
    grouped: dict[str, list[Cost]] = {}
    for cost in one.costs(Kind.OFFICE):
        if cost.loss.grade is Grade.AWAY:
            grouped.setdefault(cost.loss.root.id, []).append(cost)
    worst = sorted(grouped.values(), key=lambda costs: (-_time(costs), costs[0].loss.root.began, costs[0].loss.root.id))
    return tuple(_incident(scope.province, costs) for costs in worst[:MOST])


def _time(costs: Iterable[Cost]) -> int:
    return sum(cost.time for cost in costs)


def _incident(province: Province, costs: Sequence[Cost]) -> Incident:
    root = costs[0].loss.root
    place = office_of(root)
    named: Office | Service | None = province.offices.get(place) or province.services.get(place)
    return Incident(
        id=root.id,
        kind=root.kind,
        node=root.node,
        name=named.name if named else place,
        cause=root.cause,
        began=read(root.began),
        ended=read(root.ended) if root.ended else None,
        away=_time(costs),
        offices=len({cost.node for cost in costs}),
        note=root.note,
    )
