"""`tuyen report`: how available everything was, and how old the equipment is; on paper, in workbooks, by e-mail."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from cli.report_files import ReportFormat, suffix_of, target_of, write_document, write_json, write_text
from cli.report_tables import show_lifecycle, show_uptime
from cli.settings import Settings, example, settings
from inventory.language import _, current

if TYPE_CHECKING:
    from exporters.reports.figures import UptimeReport
    from inventory.letterhead import Letterhead
    from inventory.load import Loader
    from inventory.model import Province

DaysOf = Callable[[date], tuple[date, date]]  # from today to the first and the last day of a period
app = typer.Typer(help=_("What people sign: availability, outages and their causes, the age of equipment."))
MonthOption = Annotated[str, typer.Option("--month", help=_("a month: 2026-10; default: the last one that is over"))]
WeekOption = Annotated[str, typer.Option("--week", help=_("a week from Monday: 2026-W41"))]
DayOption = Annotated[str, typer.Option("--day", help=_("one day: 2026-10-05"))]
FromOption = Annotated[str, typer.Option("--from", help=_("the first day, together with --to"))]
ToOption = Annotated[str, typer.Option("--to", help=_("the last day, included"))]
UnderOption = Annotated[str, typer.Option("--under", help=_("only what lies under this unit, or this office"))]
AsOfOption = Annotated[
    str, typer.Option("--as-of", metavar="DAY", help=_("units and districts as they stood on that day"))
]
ReportFormatOption = Annotated[
    ReportFormat | None, typer.Option("--format", help=_("default: what the file's name ends with, else table"))
]
OutOption = Annotated[Path | None, typer.Option("--out", "-o", help=_("the file to write"))]
OutDirOption = Annotated[
    Path | None, typer.Option("--out-dir", help=_("a folder, for files of stable names: uptime-2026-10.pdf"))
]


@app.command(
    epilog=example(
        "tuyen report uptime --month 2026-10",
        "tuyen report uptime --month 2026-10 --out uptime.pdf",
        "tuyen report uptime --week 2026-W41 --under an-bien --out-dir reports --format xlsx",
    )
)
def uptime(
    context: typer.Context,
    month: MonthOption = "",
    week: WeekOption = "",
    day: DayOption = "",
    since: FromOption = "",
    until: ToOption = "",
    under: UnderOption = "",
    as_of: AsOfOption = "",
    offices: Annotated[bool, typer.Option("--offices", help=_("list every office, not only the worst"))] = False,
    form: ReportFormatOption = None,
    out: OutOption = None,
    out_dir: OutDirOption = None,
) -> None:
    """Tell how available offices and services were, for what causes not, and how that compares with before."""
    days = _days(month, week, day, since, until)
    issued = _uptime(settings(context), days or _last_month, under, as_of)
    _give(issued, "uptime", _form(form, out, ReportFormat.TABLE), out, out_dir, offices=offices)


@app.command(epilog=example("tuyen report daily", "tuyen report daily --format html --out-dir reports"))
def daily(
    context: typer.Context,
    day: DayOption = "",
    under: UnderOption = "",
    form: ReportFormatOption = None,
    out: OutOption = None,
    out_dir: OutDirOption = None,
) -> None:
    """Tell briefly how one day was, yesterday unless told otherwise."""
    issued = _uptime(settings(context), _days("", "", day, "", "") or _yesterday, under, "")
    _give(issued, "daily", _form(form, out, ReportFormat.TEXT), out, out_dir)


@app.command(epilog=example("tuyen report weekly", "tuyen report weekly --week 2026-W41 --format html --out week.html"))
def weekly(
    context: typer.Context,
    week: WeekOption = "",
    under: UnderOption = "",
    form: ReportFormatOption = None,
    out: OutOption = None,
    out_dir: OutDirOption = None,
) -> None:
    """Tell briefly how one week was, the last whole one unless told otherwise."""
    issued = _uptime(settings(context), _days("", week, "", "", "") or _last_week, under, "")
    _give(issued, "weekly", _form(form, out, ReportFormat.TEXT), out, out_dir)


@app.command(epilog=example("tuyen report lifecycle", "tuyen report lifecycle --within 365 --out lifecycle.xlsx"))
def lifecycle(
    context: typer.Context,
    as_of: Annotated[str, typer.Option("--as-of", metavar="DAY", help=_("as on that day; default: today"))] = "",
    within: Annotated[int, typer.Option(min=0, max=36500, help=_("days in which what ends is told as ending"))] = 180,
    under: UnderOption = "",
    form: ReportFormatOption = None,
    out: OutOption = None,
    out_dir: OutDirOption = None,
) -> None:
    """Tell how old equipment is, and whose warranty or support has ended or is ending."""
    from exporters.reports.items import lifecycle_items, lifecycle_summary
    from exporters.reports.lifecycle import lifecycle as work_out
    from exporters.reports.period import day as read_day
    from exporters.reports.scope import scope

    chosen = _form(form, out, ReportFormat.TABLE)
    loader = _loader(settings(context))
    province = _load(loader, as_of=as_of)
    on = read_day(as_of) if as_of else datetime.now(ZoneInfo(province.time_zone)).date()
    report = work_out(scope(province, under), on, within)
    target = target_of(chosen, out, out_dir, _name("lifecycle", on.isoformat(), under))
    if chosen is ReportFormat.JSON:
        write_json(lifecycle_items(report), lifecycle_summary(report), target)
    elif chosen is ReportFormat.TEXT:
        from exporters.reports.documents.lifecycle import summary

        write_text("\n".join(summary(report, current())) + "\n", target)
    elif target is None:
        show_lifecycle(report)
    else:
        write_document(report, chosen, target, province.letterhead)


def _give(
    issued: "tuple[UptimeReport, Letterhead | None]",
    command: str,
    form: ReportFormat,
    out: Path | None,
    out_dir: Path | None,
    *,
    offices: bool = False,
) -> None:
    """Show an uptime report, or write it into its file."""
    from exporters.reports.brief import brief
    from exporters.reports.items import uptime_items, uptime_summary

    report, letterhead = issued
    target = target_of(form, out, out_dir, _name(command, report.period.name, report.under))
    if form is ReportFormat.JSON:
        write_json(uptime_items(report), uptime_summary(report), target)
    elif form is ReportFormat.TEXT:
        write_text(brief(report, current()), target)
    elif target is None:
        show_uptime(report, offices=offices)
    else:
        write_document(report, form, target, letterhead)


def _form(form: ReportFormat | None, out: Path | None, default: ReportFormat) -> ReportFormat:
    """Return the form that was asked for, or that the file's name ends with."""
    if form or not out:
        return form or default
    return {suffix_of(one): one for one in ReportFormat}.get(out.suffix.lstrip(".").lower(), default)


def _name(command: str, of: str, under: str) -> str:
    return "-".join(filter(None, (command, of, under)))


def _uptime(options: Settings, days: DaysOf, under: str, as_of: str) -> "tuple[UptimeReport, Letterhead | None]":
    """Work out the report, and who issues it. Raises InventoryError, LedgerError."""
    from exporters.reports.period import before, period
    from exporters.reports.recorded import recorded
    from exporters.reports.scope import scope
    from exporters.reports.uptime import uptime as work_out

    loader = _loader(options)
    province = _load(loader, as_of=as_of)
    with options.ledger(province) as ledger:
        now = ledger.clock()
        today = now.astimezone(ZoneInfo(province.time_zone)).date()
        chosen = period(*days(today), province.time_zone, now)
        if not as_of:  # units are named as they were in that period, however late its report is made
            loader.day = min(today, chosen.last)
            province = _load(loader)
        earlier = recorded(ledger, before(chosen))
        return work_out(scope(province, under), chosen, recorded(ledger, chosen), earlier), province.letterhead


def _loader(options: Settings) -> "Loader":
    from inventory.load import Loader

    return Loader(options.folder())


def _load(loader: "Loader", as_of: str = "") -> "Province":
    """Load a province as on another day, when offices may stand whose units were no more, or not yet."""
    from exporters.reports.period import day

    loader.as_of = day(as_of) if as_of else None
    return loader.load()


def _days(month: str, week: str, day: str, since: str, until: str) -> DaysOf | None:
    """Return the days that the options name, None where they name none. PeriodError, typer.BadParameter."""
    from exporters.reports import period

    if sum(map(bool, (month, week, day, since or until))) > 1 or bool(since) != bool(until):
        raise typer.BadParameter(_("write one of --month, --week, --day, or --from together with --to"))
    if month:
        days = period.month(month)
    elif week:
        days = period.week(week)
    elif day or since:
        days = period.day(day or since), period.day(day or until)
    else:
        return None
    return lambda _today: days


def _last_month(today: date) -> tuple[date, date]:
    last = today.replace(day=1) - timedelta(days=1)
    return last.replace(day=1), last


def _last_week(today: date) -> tuple[date, date]:
    monday = today - timedelta(days=today.isoweekday() + 6)
    return monday, monday + timedelta(days=6)


def _yesterday(today: date) -> tuple[date, date]:
    return today - timedelta(days=1), today - timedelta(days=1)
