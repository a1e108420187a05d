"""An uptime report as a document."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from exporters.reports.documents import terms
from exporters.reports.documents import uptime_tables as tables
from exporters.reports.documents.document import Block, Document, Paragraph, Points, Section
from exporters.reports.documents.letterhead import letterhead_of
from exporters.reports.documents.say import Say, speaker
from exporters.reports.documents.spelling import day
from exporters.reports.documents.uptime_sheets import sheets
from exporters.reports.documents.uptime_summary import scope, summary
from exporters.reports.figures import UptimeReport
from inventory.language import N_
from inventory.letterhead import Letterhead


def uptime_document(report: UptimeReport, language: str, letterhead: Letterhead | None = None) -> Document:
    """Return the report in the form that is signed, and the sheets of its workbook."""
    say, subject = speaker(language), _subject(report, language)
    return Document(
        language=language,
        letterhead=letterhead or letterhead_of(report.name, language),
        name=say(N_("REPORT")),
        subject=subject,
        until=report.period.last + timedelta(days=1),
        opening=(Paragraph(" ".join(summary(report, language))),),
        sections=tuple(_sections(report, subject, say)),
        appendices=tuple(_appendices(report, say)),
        sheets=sheets(report, language, subject, methods(report, say)),
    )


def _subject(report: UptimeReport, language: str) -> str:
    say = speaker(language)
    return say(
        N_("Availability of the one-stop system's infrastructure in {scope}, {period}"),
        scope=scope(report, language),
        period=terms.period(report.period, say),
    )


def _sections(report: UptimeReport, subject: str, say: Say) -> Iterator[Section]:
    yield Section(say(N_("Figures of the whole")), (tables.key_figures(report, say),))
    if report.tiers:
        yield Section(say(N_("By tier and district")), tuple(_by_place(report, say)))
    if report.services:
        yield Section(say(N_("By service")), (_services(report, say),))
    yield Section(say(N_("Causes")), tuple(_causes(report, say)))
    if report.worst:
        yield Section(say(N_("Offices that need attention")), tuple(_attention(report, say)))
    closing = Paragraph(say(N_("This is the report on {subject}./."), subject=_lowered(subject)))
    yield Section(say(N_("How this was counted")), (Points(methods(report, say)), closing))


def _lowered(subject: str) -> str:
    return subject[:1].lower() + subject[1:]


def _by_place(report: UptimeReport, say: Say) -> Iterator[Block]:
    yield tables.groups(report.tiers, say, report.total)
    away = [row for row in report.districts if row.now.all_hours.away]
    if away and len(report.districts) > 1:
        yield tables.away_by_district(report.districts, say)
    if len(report.districts) > 1:
        yield tables.groups(report.districts, say)


def _services(report: UptimeReport, say: Say) -> Block:
    note = say(N_("A service is judged from where its users sit: it is away when they cannot reach it."))
    return replace(tables.groups(report.services, say), note=note)


def _causes(report: UptimeReport, say: Say) -> Iterator[Block]:
    if not report.causes:
        yield Paragraph(say(N_("There was nothing to find a cause for.")))
        return
    if any(row.now.away for row in report.causes):
        yield tables.away_by_cause(report.causes, say)
    yield tables.causes(report.causes, say)


def _attention(report: UptimeReport, say: Say) -> Iterator[Block]:
    districts = {row.id: row.name for row in report.districts}
    yield Paragraph(say(N_("These offices lost most, by working hours first. The appendices tell of all of them.")))
    yield tables.offices(report.worst, districts, say)


def _appendices(report: UptimeReport, say: Say) -> Iterator[Section]:
    if report.incidents:
        table = tables.incidents(report.incidents, report.period.zone, say)
        yield Section(say(N_("The outages that cost most")), (table,), landscape=True)
    districts = {row.id: row.name for row in report.districts}
    if report.offices:
        yield Section(say(N_("All offices")), (tables.offices(report.offices, districts, say),))


def methods(report: UptimeReport, say: Say) -> tuple[str, ...]:
    """Return what a reader must know to trust the figures."""
    whole, watched = report.period.until - report.period.begin, sum(span.end - span.begin for span in report.spans)
    told = [
        say(N_("Availability is the time in which something served, degraded or not, of the time that was watched.")),
        say(N_("Planned maintenance counts neither as up nor as away; what was not watched is not counted at all.")),
        say(N_("Figures of several offices are sums: an hour of ten offices is ten hours.")),
        say(N_("An outage is told once, where it began; those behind it are counted with its cause.")),
        say(N_("Shares are cut off after two digits and never rounded up; the workbook holds the exact figures.")),
        say(N_("Names and districts are those of {day}."), day=day(report.as_of)),
    ]
    if watched < whole:
        told.append(say(N_("The watch was on in {count} stretches of the period."), count=len(report.spans)))
    return (*told, *_holidays(report, say))


def _holidays(report: UptimeReport, say: Say) -> Iterator[str]:
    closed = [f"{row.name} ({day(row.day)})" for row in report.holidays if not row.working]
    opened = [day(row.day) for row in report.holidays if row.working]
    if closed:
        yield say(N_("Holidays, not in working hours: {days}."), days=", ".join(closed))
    if opened:
        yield say(N_("Days on which offices were open in exchange: {days}."), days=", ".join(opened))
