"""The sheets of an uptime report's workbook: everything that paper has no room for, in exact numbers."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from exporters.reports.documents import terms
from exporters.reports.documents import uptime_tables as tables
from exporters.reports.documents.document import Chart, Column, Form, Sheet, Table, Value
from exporters.reports.documents.say import Say, speaker
from exporters.reports.documents.uptime_summary import summary
from exporters.reports.figures import CauseRow, Row, UptimeReport
from inventory.language import N_


class Wide(NamedTuple):
    """One column of figures."""

    words: str
    form: Form
    width: int
    value: Callable[[Row], Value]
    bars: bool = False


_FIGURES = (
    Wide(N_("Number of offices"), Form.COUNT, 9, lambda row: row.offices),
    Wide(N_("Availability"), Form.SHARE, 12, lambda row: row.now.all_hours.availability),
    Wide(N_("In working hours"), Form.SHARE, 12, lambda row: row.now.working_hours.availability),
    Wide(N_("Availability before"), Form.SHARE, 12, lambda row: row.before.all_hours.availability),
    Wide(N_("In working hours before"), Form.SHARE, 12, lambda row: row.before.working_hours.availability),
    Wide(N_("Number of outages"), Form.COUNT, 9, lambda row: row.now.outages),
    Wide(N_("Time away"), Form.DURATION, 13, lambda row: row.now.all_hours.away, bars=True),
    Wide(N_("of it behind"), Form.DURATION, 13, lambda row: row.now.all_hours.behind),
    Wide(N_("of it in working hours"), Form.DURATION, 13, lambda row: row.now.working_hours.away, bars=True),
    Wide(N_("Degraded"), Form.DURATION, 13, lambda row: row.now.all_hours.degraded),
    Wide(N_("Maintenance"), Form.DURATION, 13, lambda row: row.now.all_hours.maintenance),
    Wide(N_("Longest"), Form.DURATION, 13, lambda row: row.now.longest),
    Wide(N_("Mean time to repair"), Form.DURATION, 13, lambda row: row.now.time_to_repair),
    Wide(N_("Watched"), Form.DURATION, 13, lambda row: row.now.all_hours.observed),
    Wide(N_("Not watched"), Form.DURATION, 13, lambda row: row.now.all_hours.unknown),
    Wide(N_("Part watched"), Form.SHARE, 12, lambda row: row.now.all_hours.coverage),
)
_KINDS: Mapping[str, str] = MappingProxyType({"province": N_("Whole"), "tier": N_("Tier"), "district": N_("District")})


def sheets(report: UptimeReport, language: str, subject: str, methods: tuple[str, ...]) -> tuple[Sheet, ...]:
    """Return all sheets, the summary first."""
    say = speaker(language)
    zone = report.period.zone
    return (
        Sheet(say(N_("Summary")), (subject, "", *summary(report, language)), (tables.key_figures(report, say),)),
        _places(report, say),
        Sheet(say(N_("By office")), tables=(_offices(report, say),)),
        _rows(say(N_("By service")), report.services, say),
        Sheet(say(N_("By cause")), tables=(_causes(report, say),), charts=_cause_charts(report, say)),
        Sheet(say(N_("Costliest outages")), tables=(tables.incidents(report.incidents, zone, say),)),
        Sheet(say(N_("How it is counted")), (subject, "", *methods, "", *_spans(report, say))),
    )


def _places(report: UptimeReport, say: Say) -> Sheet:
    rows = (report.total, *report.tiers, *report.districts)
    columns = (Column(say(N_("Kind")), width=14), Column(say(N_("Name")), width=30), *_columns(say))
    lines = tuple((say(_KINDS[row.kind]), terms.first_capital(terms.name(row, say)), *_figures(row)) for row in rows)
    first = 1 + len(report.tiers)
    chart = Chart(say(N_("Time away by district")), 1, _at(N_("Time away")) + 2, first, len(rows) - first)
    title = say(N_("Tiers and districts"))
    return Sheet(title, tables=(Table(columns, lines),), charts=(chart,) if report.districts else ())


def _rows(title: str, rows: Iterable[Row], say: Say) -> Sheet:
    columns = (Column(say(N_("Name")), width=44), Column(say(N_("Id")), width=18), *_columns(say))
    return Sheet(title, tables=(Table(columns, tuple((row.name, row.id, *_figures(row)) for row in rows)),))


def _offices(report: UptimeReport, say: Say) -> Table:
    districts = {row.id: row.name for row in report.districts}
    columns = (
        Column(say(N_("Office")), width=30),
        Column(say(N_("Id")), width=22),
        Column(say(N_("District")), width=24),
        Column(say(N_("Tier")), width=14),
        *_columns(say)[1:],
    )
    lines = tuple(
        (row.name, row.id, districts.get(row.district), terms.tier(row.tier, say), *_figures(row)[1:])
        for row in report.offices
    )
    return Table(columns, lines)


def _columns(say: Say) -> tuple[Column, ...]:
    return tuple(Column(say(wide.words), wide.form, wide.width, wide.bars) for wide in _FIGURES)


def _figures(row: Row) -> tuple[Value, ...]:
    return tuple(wide.value(row) for wide in _FIGURES)


def _at(words: str) -> int:
    return [wide.words for wide in _FIGURES].index(words)


def _causes(report: UptimeReport, say: Say) -> Table:
    columns = (
        Column(say(N_("Kind")), width=12),
        Column(say(N_("Cause")), width=28),
        Column(say(N_("Number of outages")), Form.COUNT, 10),
        Column(say(N_("Time away")), Form.DURATION, 13, bars=True),
        Column(say(N_("its own")), Form.DURATION, 13),
        Column(say(N_("of it behind")), Form.DURATION, 13),
        Column(say(N_("How many were behind")), Form.COUNT, 12),
        Column(say(N_("Degraded")), Form.DURATION, 13),
        Column(say(N_("Maintenance")), Form.DURATION, 13),
        Column(say(N_("Outages before")), Form.COUNT, 12),
        Column(say(N_("Away before")), Form.DURATION, 13),
    )
    offices, services = say(N_("Office")), say(N_("Service"))
    lines = [_cause(offices, row, say) for row in report.causes]
    lines += [_cause(services, row, say) for row in report.service_causes]
    return Table(columns, tuple(lines))


def _cause_charts(report: UptimeReport, say: Say) -> tuple[Chart, ...]:
    if not report.causes:
        return ()
    return (Chart(say(N_("Time away by cause, offices")), 1, 3, 0, len(report.causes)),)


def _cause(of: str, row: CauseRow, say: Say) -> tuple[Value, ...]:
    now = row.now
    return (
        of,
        terms.first_capital(terms.cause(row.cause, say)),
        now.outages,
        now.away,
        now.own,
        now.behind,
        now.nodes_behind,
        now.degraded,
        now.maintenance,
        row.before.outages if row.before else None,
        row.before.away if row.before else None,
    )


def _spans(report: UptimeReport, say: Say) -> tuple[str, ...]:
    """Return when the watch was on, one stretch a line."""
    zone = report.period.zone
    return (
        say(N_("The watch was on:")),
        *(
            say(
                N_("{begin:%d/%m/%Y %H:%M:%S} to {end:%d/%m/%Y %H:%M:%S}"),
                begin=terms.moment(span.begin, zone),
                end=terms.moment(span.end, zone),
            )
            for span in report.spans
        ),
    )
