"""A lifecycle report as a document: how old the equipment is, and what is no longer covered."""

from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction

from exporters.reports.documents import lifecycle_tables as tables
from exporters.reports.documents import terms
from exporters.reports.documents.document import Block, Document, Paragraph, Points, Section, Sheet
from exporters.reports.documents.letterhead import letterhead_of
from exporters.reports.documents.say import Say, speaker
from exporters.reports.documents.spelling import day, number, share
from exporters.reports.equipment import LifecycleReport
from inventory.language import N_
from inventory.letterhead import Letterhead

_ON_PAPER = 200  # devices that an appendix lists; the workbook lists all
_YEAR = Fraction(1461, 4)  # days


def lifecycle_document(report: LifecycleReport, language: str, letterhead: Letterhead | None = None) -> Document:
    """Return the report in the form that is signed, and the sheets of its workbook."""
    say, subject = speaker(language), _subject(report, language)
    return Document(
        language=language,
        letterhead=letterhead or letterhead_of(report.name, language),
        name=say(N_("REPORT")),
        subject=subject,
        until=report.as_of + timedelta(days=1),
        opening=(Paragraph(" ".join(summary(report, language))),),
        sections=tuple(_sections(report, subject, say)),
        appendices=tuple(_appendices(report, say)),
        sheets=tuple(_sheets(report, language)),
    )


def _subject(report: LifecycleReport, language: str) -> str:
    say, scope = speaker(language), terms.within(report.under_name or report.name, language)
    return say(N_("The age and cover of equipment in {scope} as of {day}"), scope=scope, day=day(report.as_of))


def summary(report: LifecycleReport, language: str) -> tuple[str, ...]:
    """Return what management reads, each sentence true without the tables."""
    say, total = speaker(language), report.total
    return (
        say(
            N_("{scope} has {devices} devices; the purchase of {dated} is known."),
            scope=report.under_name or report.name,
            devices=number(total.devices, 0, language),
            dated=number(total.dated, 0, language),
        ),
        *_ages(report, say, language),
        say(
            N_("The warranty of {ended} has ended, that of {ending} ends within {within} days."),
            ended=number(total.warranty_ended, 0, language),
            ending=number(total.warranty_ending, 0, language),
            within=report.within,
        ),
        say(
            N_("The maker no longer supports {ended}, and support of {ending} ends within {within} days."),
            ended=number(total.support_ended, 0, language),
            ending=number(total.support_ending, 0, language),
            within=report.within,
        ),
        say(
            N_("Of {missing} devices at least one of these dates is not known."),
            missing=number(len(report.missing), 0, language),
        ),
    )


def _ages(report: LifecycleReport, say: Say, language: str) -> Iterator[str]:
    total = report.total
    if total.mean_age_days is not None:
        yield say(
            N_("They are {years} years old on average; {share} of them are 5 years or older."),
            years=number(total.mean_age_days / _YEAR, 1, language),
            share=share(Fraction(total.ages[2] + total.ages[3], total.dated), language),
        )


def _sections(report: LifecycleReport, subject: str, say: Say) -> Iterator[Section]:
    total = report.total
    overview: list[Block] = []
    if report.tiers:
        overview.append(tables.groups(report.tiers, say, total))
    if total.dated:
        overview.append(tables.ages(total, say))
    yield Section(say(N_("By tier")), tuple(overview))
    for title, rows in (
        (N_("By district"), report.districts),
        (N_("By role"), report.roles),
        (N_("By type"), report.types),
    ):
        if rows:
            yield Section(say(title), (tables.groups(rows, say),))
    closing = Paragraph(say(N_("This is the report on {subject}./."), subject=subject[:1].lower() + subject[1:]))
    yield Section(say(N_("How this was counted")), (Points(_methods(report, say)), closing))


def _methods(report: LifecycleReport, say: Say) -> tuple[str, ...]:
    return (
        say(N_("Dates are those of the inventory; a device without one is told as not known, and is in no average.")),
        say(N_("A warranty ends after its last day; support ends on the day that the maker has announced.")),
        say(N_("Ages are of whole years from the purchase: 5 to 8 means 5 or more, and less than 8.")),
        say(N_("'Ending' means within {within} days of {day}."), within=report.within, day=day(report.as_of)),
    )


def _appendices(report: LifecycleReport, say: Say) -> Iterator[Section]:
    for title, devices in (
        (N_("Devices whose warranty has ended or is ending"), report.warranty_due),
        (N_("Devices whose support has ended or is ending"), report.support_due),
    ):
        if devices:
            more = len(devices) - _ON_PAPER
            note = say(N_("And {more} more; the workbook lists all of them."), more=more) if more > 0 else ""
            yield Section(say(title), (tables.due(devices[:_ON_PAPER], say, note),), landscape=True)


def _sheets(report: LifecycleReport, language: str) -> Iterator[Sheet]:
    say, subject = speaker(language), _subject(report, language)
    yield Sheet(say(N_("Summary")), (subject, "", *summary(report, language)), (tables.overview(report, say),))
    for title, rows in (
        (N_("Districts"), report.districts),
        (N_("Roles"), report.roles),
        (N_("Types"), report.types),
    ):
        yield Sheet(say(title), tables=(tables.wide(rows, say),), charts=tables.charts(rows, say))
    yield Sheet(say(N_("Warranty")), tables=(tables.devices(report.warranty_due, say),))
    yield Sheet(say(N_("Support")), tables=(tables.devices(report.support_due, say),))
    yield Sheet(say(N_("Dates not known")), tables=(tables.devices(report.missing, say),))
    yield Sheet(say(N_("Devices")), tables=(tables.devices(report.devices, say),))
    yield Sheet(say(N_("How it is counted")), (subject, "", *_methods(report, say)))
