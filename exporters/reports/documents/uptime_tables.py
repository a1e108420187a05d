"""The tables of an uptime report as they stand on paper."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType
from typing import NamedTuple

from exporters.reports.documents import terms
from exporters.reports.documents.document import Bars, Cell, Column, Form, Table, Value
from exporters.reports.documents.say import Say
from exporters.reports.figures import CauseRow, Figures, Incident, Row, UptimeReport
from inventory.language import N_


class KeyFigure(NamedTuple):
    """One line of what the report tells first."""

    words: str
    form: Form
    value: Callable[[Figures], int | Fraction | None]


KEY_FIGURES = (
    KeyFigure(N_("Availability, all hours"), Form.SHARE, lambda one: one.all_hours.availability),
    KeyFigure(N_("Availability, working hours"), Form.SHARE, lambda one: one.working_hours.availability),
    KeyFigure(N_("Number of outages"), Form.COUNT, lambda one: one.outages),
    KeyFigure(N_("Time away, sum of all offices"), Form.DURATION, lambda one: one.all_hours.away),
    KeyFigure(N_("– of it behind something else that was out"), Form.DURATION, lambda one: one.all_hours.behind),
    KeyFigure(N_("– of it in working hours"), Form.DURATION, lambda one: one.working_hours.away),
    KeyFigure(N_("Degraded, but serving"), Form.DURATION, lambda one: one.all_hours.degraded),
    KeyFigure(N_("Planned maintenance, not counted"), Form.DURATION, lambda one: one.all_hours.maintenance),
    KeyFigure(N_("Mean time to repair"), Form.DURATION, lambda one: one.time_to_repair),
    KeyFigure(N_("Longest time that one office was away"), Form.DURATION, lambda one: one.longest),
    KeyFigure(N_("Part of the period that was watched"), Form.SHARE, lambda one: one.all_hours.coverage),
)
_FIRST_COLUMN: Mapping[str, str] = MappingProxyType(
    {
        "tier": N_("Tier"),
        "district": N_("District"),
        "office": N_("Office"),
        "service": N_("Service"),
    }
)


def key_figures(report: UptimeReport, say: Say) -> Table:
    """Return the whole in the period and the one before."""
    now = report.total.now
    before = report.total.before if report.total.before.all_hours.observed else None
    return Table(
        columns=(
            Column(say(N_("Figure")), width=40),
            Column(terms.short_period(report.period, say), Form.COUNT, 15),
            Column(terms.short_period(report.before, say), Form.COUNT, 15),
            Column(say(N_("Change from before")), Form.COUNT, 12),
        ),
        rows=tuple(_key_row(figure, now, before, say) for figure in KEY_FIGURES),
        note=say(N_("Times are in hours; shares change by percentage points, all else by percent.")),
    )


def _key_row(figure: KeyFigure, now: Figures, before: Figures | None, say: Say) -> tuple[Value | Cell, ...]:
    value, earlier = figure.value(now), figure.value(before) if before else None
    return (
        say(figure.words),
        Cell(figure.form, value),
        Cell(figure.form, earlier),
        _changed(figure.form, value, earlier),
    )


def _changed(form: Form, now: int | Fraction | None, before: int | Fraction | None) -> Cell:
    if now is None or before is None:
        return Cell(Form.CHANGE, None)
    if form is Form.SHARE:
        return Cell(Form.CHANGE, Fraction(now - before))
    return Cell(Form.RELATIVE, Fraction(now - before) / before if before else None)


def groups(rows: Sequence[Row], say: Say, total: Row | None = None) -> Table:
    """Return tiers, districts or services side by side, and the whole below them."""
    kind = rows[0].kind
    counted = N_("Offices using it") if kind == "service" else N_("Number of offices")
    lines = [*rows, *([total] if total else [])]
    return Table(
        columns=(
            Column(say(_FIRST_COLUMN[kind]), width=28),
            Column(say(counted), Form.COUNT, 10),
            Column(say(N_("Availability")), Form.SHARE, 14),
            Column(say(N_("In working hours")), Form.SHARE, 13),
            Column(say(N_("Change from before")), Form.CHANGE, 11),
            Column(say(N_("Number of outages")), Form.COUNT, 11),
            Column(say(N_("Time away")), Form.DURATION, 13),
        ),
        rows=tuple(_group(row, say) for row in lines),
        strong=frozenset({len(rows)}) if total else frozenset(),
    )


def _group(row: Row, say: Say) -> tuple[Value, ...]:
    now = row.now
    return (
        say(N_("Altogether")) if row.kind == "province" else terms.first_capital(terms.name(row, say)),
        row.offices,
        now.all_hours.availability,
        now.working_hours.availability,
        row.change,
        now.outages,
        now.all_hours.away,
    )


def offices(rows: Iterable[Row], districts: Mapping[str, str], say: Say) -> Table:
    """Return offices, each with its district."""
    return Table(
        columns=(
            Column(say(N_("Office")), width=32),
            Column(say(N_("District")), width=25),
            Column(say(N_("Availability")), Form.SHARE, 14),
            Column(say(N_("In working hours")), Form.SHARE, 13),
            Column(say(N_("Number of outages")), Form.COUNT, 11),
            Column(say(N_("Time away")), Form.DURATION, 12),
            Column(say(N_("Longest")), Form.DURATION, 11),
        ),
        rows=tuple(
            (
                row.name,
                districts.get(row.district),
                row.now.all_hours.availability,
                row.now.working_hours.availability,
                row.now.outages,
                row.now.all_hours.away,
                row.now.longest,
            )
            for row in rows
        ),
        size=11,
    )


def causes(rows: Iterable[CauseRow], say: Say) -> Table:
    """Return what each cause cost, its own and behind it."""
    return Table(
        columns=(
            Column(say(N_("Cause")), width=23),
            Column(say(N_("Number of outages")), Form.COUNT, 10),
            Column(say(N_("Time away")), Form.DURATION, 12),
            Column(say(N_("of it behind")), Form.DURATION, 12),
            Column(say(N_("Degraded")), Form.DURATION, 13),
            Column(say(N_("Maintenance")), Form.DURATION, 15),
            Column(say(N_("Away before")), Form.DURATION, 12),
        ),
        rows=tuple(
            (
                terms.first_capital(terms.cause(row.cause, say)),
                row.now.outages,
                row.now.away,
                row.now.behind,
                row.now.degraded,
                row.now.maintenance,
                row.before.away if row.before else None,
            )
            for row in rows
        ),
    )


def incidents(found: Sequence[Incident], zone: str, say: Say) -> Table:
    """Return outages with their moments, the costliest first."""
    return Table(
        columns=(
            Column(say(N_("No.")), Form.COUNT, 5),
            Column(say(N_("Where")), width=28),
            Column(say(N_("Cause")), width=16),
            Column(say(N_("Began")), Form.MOMENT, 15),
            Column(say(N_("Ended")), Form.MOMENT, 15),
            Column(say(N_("Offices affected")), Form.COUNT, 9),
            Column(say(N_("Time away, sum")), Form.DURATION, 11),
            Column(say(N_("Note")), width=30),
        ),
        rows=tuple(_incident(number, one, zone, say) for number, one in enumerate(found, 1)),
        note=say(N_("Without an end: it lasted when the report was made.")),
    )


def _incident(number: int, one: Incident, zone: str, say: Say) -> tuple[Value, ...]:
    return (
        number,
        terms.place(one),
        terms.first_capital(terms.cause(one.cause, say)),
        terms.moment(one.began, zone),
        terms.moment(one.ended, zone),
        one.offices,
        one.away,
        one.note,
    )


def away_by_district(rows: Iterable[Row], say: Say) -> Bars:
    """Return how long an office of each district was away on average: bars of availability would all look alike."""
    bars = tuple((row.name, Fraction(row.now.all_hours.away, row.offices)) for row in rows if row.offices)
    return Bars(say(N_("Time away of an office on average, by district (h:min)")), bars, Form.DURATION)


def away_by_cause(rows: Iterable[CauseRow], say: Say) -> Bars:
    """Return what each cause cost, as bars."""
    bars = tuple((terms.first_capital(terms.cause(row.cause, say)), row.now.away) for row in rows if row.now.away)
    return Bars(say(N_("Time away by cause, sum of all offices (h:min)")), bars, Form.DURATION)
