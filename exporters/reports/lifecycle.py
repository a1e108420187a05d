"""The lifecycle report: how old equipment is, and what is no longer under warranty or supported. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta

from exporters.reports.equipment import AgeRow, DeviceRow, LifecycleReport
from exporters.reports.scope import Scope
from inventory.calendar import years_after
from inventory.model import Device, Province

WITHIN = 180  # days in which what ends is told as ending
_AGES = (3, 5, 8)  # whole years at which the next class of age begins
_STATES = ("ended", "ending", "valid", "missing")


def lifecycle(scope: Scope, as_of: date, within: int = WITHIN) -> LifecycleReport:
    """Return the report as of a day; what was bought later did not exist then."""
    chosen = {office.id for office in scope.offices}
    rows = tuple(
        _device_row(scope.province, device, as_of, within)
        for device in scope.province.devices.values()
        if device.office in chosen and (device.bought is None or device.bought <= as_of)
    )
    return LifecycleReport(
        province=scope.province.id,
        name=scope.province.name,
        under=scope.under,
        under_name=scope.name if scope.under else "",
        as_of=as_of,
        within=within,
        devices=rows,
        total=_age_row("total", scope.under or scope.province.id, scope.name, rows, as_of),
        tiers=tuple(_tiers(scope.province, rows, as_of)),
        districts=tuple(_districts(scope.province, rows, as_of)),
        roles=tuple(_grouped("role", rows, as_of, lambda row: (row.role, row.role))),
        types=tuple(_grouped("type", rows, as_of, lambda row: (_type_of(row), _type_of(row)))),
        warranty_due=_due(rows, lambda row: row.warranty, lambda row: row.warranty_state),
        support_due=_due(rows, lambda row: row.end_of_support, lambda row: row.support_state),
        missing=tuple(row for row in rows if None in (row.bought, row.warranty, row.end_of_support)),
    )


def _device_row(province: Province, device: Device, as_of: date, within: int) -> DeviceRow:
    office, kind = province.offices[device.office], province.device_types[device.type]
    return DeviceRow(
        id=device.id,
        role=device.role,
        manufacturer=kind.manufacturer,
        model=kind.model,
        serial=device.serial,
        office=office.id,
        office_name=office.name,
        district=office.district,
        tier=office.tier,
        bought=device.bought,
        age_days=(as_of - device.bought).days if device.bought else None,
        warranty=device.warranty,
        warranty_state=_state(device.warranty, as_of, within),
        end_of_support=kind.end_of_support,
        support_state=_state(kind.end_of_support, as_of, within),
    )


def _state(last: date | None, as_of: date, within: int) -> str:
    """Return how a cover stands whose last day is `last`."""
    if last is None:
        return "missing"
    if last < as_of:
        return "ended"
    return "ending" if last - as_of <= timedelta(days=within) else "valid"


def _tiers(province: Province, rows: Sequence[DeviceRow], as_of: date) -> Iterator[AgeRow]:
    for tier in province.tiers:
        if own := [row for row in rows if row.tier == tier]:
            yield _age_row("tier", tier, tier, own, as_of)


def _districts(province: Province, rows: Sequence[DeviceRow], as_of: date) -> Iterator[AgeRow]:
    own = [row for row in rows if row.district]
    return _grouped("district", own, as_of, lambda row: (row.district, _unit_name(province, row.district)))


def _unit_name(province: Province, unit: str) -> str:
    return province.units[unit].name.on(province.as_of)


def _type_of(row: DeviceRow) -> str:
    return f"{row.manufacturer} {row.model}"


def _grouped(
    kind: str, rows: Iterable[DeviceRow], as_of: date, named: Callable[[DeviceRow], tuple[str, str]]
) -> Iterator[AgeRow]:
    """Yield a line for each group, in the order of their first devices; `named` tells a device's group and its name."""
    groups: dict[tuple[str, str], list[DeviceRow]] = {}
    for row in rows:
        groups.setdefault(named(row), []).append(row)
    for (name, title), own in groups.items():
        yield _age_row(kind, name, title, own, as_of)


def _age_row(kind: str, name: str, title: str, rows: Sequence[DeviceRow], as_of: date) -> AgeRow:
    bought = [row.bought for row in rows if row.bought]
    ages = [0, 0, 0, 0]
    for day in bought:
        ages[sum(years_after(day, years) <= as_of for years in _AGES)] += 1
    warranty = [row.warranty_state for row in rows]
    support = [row.support_state for row in rows]
    return AgeRow(
        kind,
        name,
        title,
        len(rows),
        len(bought),
        sum((as_of - day).days for day in bought),
        min(bought, default=None),
        (ages[0], ages[1], ages[2], ages[3]),
        *(warranty.count(state) for state in _STATES),
        *(support.count(state) for state in _STATES),
    )


def _due(
    rows: Iterable[DeviceRow], last: Callable[[DeviceRow], date | None], state: Callable[[DeviceRow], str]
) -> tuple[DeviceRow, ...]:
    """Return what has ended or is ending, the earliest first."""
    due = [(day, row.id, row) for row in rows if state(row) in ("ended", "ending") and (day := last(row))]
    return tuple(row for _day, _id, row in sorted(due, key=lambda one: one[:2]))
