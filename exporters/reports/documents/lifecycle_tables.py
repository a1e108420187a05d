"""The tables of a lifecycle report, on paper and in its workbook."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType

from exporters.reports.documents import terms
from exporters.reports.documents.document import Bars, Chart, Column, Form, Table, Value
from exporters.reports.documents.say import Say
from exporters.reports.equipment import AgeRow, DeviceRow, LifecycleReport
from inventory.language import N_

_YEAR = Fraction(1461, 4)  # days
_AGES = (N_("below 3 years"), N_("3 to 5 years"), N_("5 to 8 years"), N_("8 years or more"))
_STATES: Mapping[str, str] = MappingProxyType(
    {"ended": N_("has ended"), "ending": N_("ending soon"), "valid": N_("still valid"), "missing": N_("not known")}
)
_FIRST_COLUMN: Mapping[str, str] = MappingProxyType(
    {"total": N_("Name"), "tier": N_("Tier"), "district": N_("District"), "role": N_("Role"), "type": N_("Type")}
)


def groups(rows: Sequence[AgeRow], say: Say, total: AgeRow | None = None) -> Table:
    """Return groups of devices side by side, and the whole below them."""
    lines = [*rows, *([total] if total else [])]
    return Table(
        columns=(
            Column(say(_FIRST_COLUMN[rows[0].kind]), width=30),
            Column(say(N_("Number of devices")), Form.COUNT, 10),
            Column(say(N_("Mean age (years)")), Form.NUMBER, 11),
            Column(say(N_("5 years or older")), Form.COUNT, 11),
            Column(say(N_("Warranty ended")), Form.COUNT, 11),
            Column(say(N_("Support ended")), Form.COUNT, 11),
            Column(say(N_("Purchase not known")), Form.COUNT, 12),
        ),
        rows=tuple(_group(row, say) for row in lines),
        strong=frozenset({len(rows)}) if total else frozenset(),
    )


def _group(row: AgeRow, say: Say) -> tuple[Value, ...]:
    return (
        _name(row, say),
        row.devices,
        _years(row.mean_age_days),
        row.ages[2] + row.ages[3],
        row.warranty_ended,
        row.support_ended,
        row.devices - row.dated,
    )


def _name(row: AgeRow, say: Say) -> str:
    if row.kind == "total":
        return say(N_("Altogether"))
    words = {"tier": terms.tier, "role": terms.role}
    return terms.first_capital(words[row.kind](row.id, say)) if row.kind in words else row.name


def _years(days: Fraction | None) -> Fraction | None:
    return None if days is None else days / _YEAR


def ages(total: AgeRow, say: Say) -> Bars:
    """Return devices by age, as bars."""
    bars = tuple((terms.first_capital(say(words)), count) for words, count in zip(_AGES, total.ages, strict=True))
    return Bars(say(N_("Devices by age")), bars, Form.COUNT)


def due(devices: Sequence[DeviceRow], say: Say, note: str = "") -> Table:
    """Return devices with the dates that end or have ended."""
    return Table(
        columns=(
            Column(say(N_("Device")), width=28),
            Column(say(N_("Model")), width=28),
            Column(say(N_("Serial number")), width=18),
            Column(say(N_("Office")), width=28),
            Column(say(N_("Bought")), Form.DAY, 12),
            Column(say(N_("Warranty until")), Form.DAY, 12),
            Column(say(N_("Support until")), Form.DAY, 12),
        ),
        rows=tuple(
            (
                one.id,
                f"{one.manufacturer} {one.model}".strip(),
                one.serial or None,
                one.office_name,
                one.bought,
                one.warranty,
                one.end_of_support,
            )
            for one in devices
        ),
        note=note,
        size=11,
    )


def overview(report: LifecycleReport, say: Say) -> Table:
    """Return all levels and the whole, in full."""
    return wide((*report.tiers, report.total), say)


def wide(rows: Sequence[AgeRow], say: Say) -> Table:
    """Return groups of devices with everything that was counted."""
    columns = (
        Column(say(N_("Name")), width=34),
        Column(say(N_("Number of devices")), Form.COUNT, 10, bars=True),
        Column(say(N_("Purchase known")), Form.COUNT, 10),
        Column(say(N_("Mean age (years)")), Form.NUMBER, 10),
        Column(say(N_("Oldest bought")), Form.DAY, 12),
        *(Column(say(words), Form.COUNT, 10) for words in _AGES),
        Column(say(N_("Warranty ended")), Form.COUNT, 10),
        Column(say(N_("Warranty ending")), Form.COUNT, 10),
        Column(say(N_("Warranty valid")), Form.COUNT, 10),
        Column(say(N_("Warranty not known")), Form.COUNT, 10),
        Column(say(N_("Support ended")), Form.COUNT, 10),
        Column(say(N_("Support ending")), Form.COUNT, 10),
        Column(say(N_("Support valid")), Form.COUNT, 10),
        Column(say(N_("Support not known")), Form.COUNT, 10),
    )
    return Table(columns, tuple(_wide(row, say) for row in rows))


def _wide(row: AgeRow, say: Say) -> tuple[Value, ...]:
    return (
        _name(row, say),
        row.devices,
        row.dated,
        _years(row.mean_age_days),
        row.oldest,
        *row.ages,
        row.warranty_ended,
        row.warranty_ending,
        row.warranty_valid,
        row.warranty_missing,
        row.support_ended,
        row.support_ending,
        row.support_valid,
        row.support_missing,
    )


def charts(rows: Sequence[AgeRow], say: Say) -> tuple[Chart, ...]:
    """Return a chart of how many devices each group has."""
    return (Chart(say(N_("Number of devices")), 0, 1, 0, len(rows), Form.COUNT),) if rows else ()


def devices(found: Sequence[DeviceRow], say: Say) -> Table:
    """Return devices with all that is known of their dates."""
    columns = (
        Column(say(N_("Device")), width=30),
        Column(say(N_("Role")), width=16),
        Column(say(N_("Manufacturer")), width=16),
        Column(say(N_("Model")), width=24),
        Column(say(N_("Serial number")), width=18),
        Column(say(N_("Office")), width=28),
        Column(say(N_("Tier")), width=12),
        Column(say(N_("Bought")), Form.DAY, 12),
        Column(say(N_("Age (years)")), Form.NUMBER, 9),
        Column(say(N_("Warranty until")), Form.DAY, 12),
        Column(say(N_("Warranty")), width=14),
        Column(say(N_("Support until")), Form.DAY, 12),
        Column(say(N_("Support")), width=14),
    )
    return Table(columns, tuple(_device(one, say) for one in found))


def _device(one: DeviceRow, say: Say) -> tuple[Value, ...]:
    return (
        one.id,
        terms.role(one.role, say),
        one.manufacturer,
        one.model,
        one.serial or None,
        one.office_name,
        terms.tier(one.tier, say),
        one.bought,
        _years(None if one.age_days is None else Fraction(one.age_days)),
        one.warranty,
        say(_STATES[one.warranty_state]),
        one.end_of_support,
        say(_STATES[one.support_state]),
    )
