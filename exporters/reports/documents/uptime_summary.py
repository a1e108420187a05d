"""What management reads of an uptime report: a few sentences, each true without the tables."""

from collections.abc import Iterator
from fractions import Fraction

from exporters.reports.documents import terms
from exporters.reports.documents.say import Say, speaker
from exporters.reports.documents.spelling import change, in_words, number, share
from exporters.reports.figures import Row, UptimeReport
from inventory.language import N_


def summary(report: UptimeReport, language: str) -> tuple[str, ...]:
    """Return the sentences, the most important one first."""
    say = speaker(language)
    return (
        *_provisional(report, say),
        _availability(report, say, language),
        *_outages(report, say, language),
        *_worst(report, say, language),
        *_coverage(report, say, language),
    )


def scope(report: UptimeReport, language: str = "") -> str:
    """Return the name of what the report is about: by itself, or within a sentence of a language."""
    return terms.within(report.under_name or report.name, language)


def _provisional(report: UptimeReport, say: Say) -> Iterator[str]:
    if report.period.provisional:
        until = terms.moment(report.period.until, report.period.zone)
        yield say(N_("The period has not ended: figures up to {until:%H:%M on %d/%m/%Y} only."), until=until)


def _availability(report: UptimeReport, say: Say, language: str) -> str:
    period, total = terms.period(report.period, say), report.total
    whole = total.now.all_hours.availability
    if whole is None:
        return say(N_("There are no figures for {period}: no watch was on."), period=period)
    told = say(
        N_("Over {period}, the {offices} offices of {scope} were available for {share} of the time"),
        period=period,
        offices=number(total.offices, 0, language),
        scope=scope(report, language),
        share=share(whole, language),
    )
    working = total.now.working_hours.availability
    if working is not None:
        told = say(N_("{told}; in working hours for {share}"), told=told, share=share(working, language))
    return say(N_("{told}, {comparison}."), told=told, comparison=_comparison(report, say, language))


def _comparison(report: UptimeReport, say: Say, language: str) -> str:
    before = terms.period(report.before, say)
    in_working_hours = report.total.working_change
    difference = report.total.change if in_working_hours is None else in_working_hours
    if difference is None:
        return say(N_("and there are no figures for {before} to compare with"), before=before)
    points = change(abs(difference), language).lstrip("+")
    if change(difference, language) == points:
        return say(N_("as in {before}"), before=before)
    if difference > 0:
        return say(N_("which is {points} percentage points more than in {before}"), points=points, before=before)
    return say(N_("which is {points} percentage points less than in {before}"), points=points, before=before)


def _outages(report: UptimeReport, say: Say, language: str) -> Iterator[str]:
    now = report.total.now
    if now.all_hours.availability is None:
        return
    if not now.all_hours.away:
        yield say(N_("No outage took anything away from the offices."))
        return
    told = say(
        N_("Number of outages: {outages}; they cost the offices {away} altogether"),
        outages=number(now.outages, 0, language),
        away=in_words(now.all_hours.away, language),
    )
    costliest = max(report.causes, key=lambda row: row.now.away, default=None)
    if costliest is not None and costliest.now.away:
        part = share(Fraction(costliest.now.away, now.all_hours.away), language)
        word = terms.cause(costliest.cause, say)
        told = say(N_("{told}; the cause that cost most was {cause} ({part})"), told=told, cause=word, part=part)
    repair = now.time_to_repair
    if repair is not None:
        told = say(N_("{told}; repair took {repair} on average"), told=told, repair=in_words(repair, language))
    yield told + "."


def _worst(report: UptimeReport, say: Say, language: str) -> Iterator[str]:
    for row in report.worst[:1]:
        yield say(
            N_("The office most affected was {name}: available for {share}, away for {away}."),
            name=terms.within(row.name, language),
            share=_best_known(row, language),
            away=in_words(row.now.all_hours.away, language),
        )


def _best_known(row: Row, language: str) -> str:
    availability = row.now.all_hours.availability
    return "–" if availability is None else share(availability, language)


def _coverage(report: UptimeReport, say: Say, language: str) -> Iterator[str]:
    coverage = report.total.now.all_hours.coverage
    if coverage is not None and coverage < 1:
        yield say(
            N_("The figures rest on {coverage} of the period; the rest was not watched and is not counted."),
            coverage=share(coverage, language),
        )
