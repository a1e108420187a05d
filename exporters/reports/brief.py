"""A report in a few lines of plain text, for e-mails and terminals."""

from collections.abc import Iterator

from exporters.reports.documents import terms
from exporters.reports.documents.say import Say, speaker
from exporters.reports.documents.spelling import in_words, share
from exporters.reports.documents.uptime_summary import scope, summary
from exporters.reports.figures import Incident, Row, UptimeReport
from inventory.language import N_


def brief(report: UptimeReport, language: str) -> str:
    """Return what management should know of a period, in Vietnamese ("vi") or English ("en")."""
    say = speaker(language)
    title = say(N_("{scope}: {period}"), scope=scope(report), period=terms.period(report.period, say))
    lines = [title, "", *summary(report, language)]
    lines += _list(say(N_("Services that were away:")), list(_services(report, say, language)))
    incidents = [_incident(one, report.period.zone, say, language) for one in report.incidents]
    return "\n".join([*lines, *_list(say(N_("Outages that cost most:")), incidents)]) + "\n"


def _list(heading: str, items: list[str]) -> list[str]:
    return ["", heading, *(f"- {item}" for item in items)] if items else []


def _services(report: UptimeReport, say: Say, language: str) -> Iterator[str]:
    for row in report.services:
        if row.now.all_hours.away:
            yield _service(row, say, language)


def _service(row: Row, say: Say, language: str) -> str:
    known = row.now.all_hours.availability
    return say(
        N_("{name}: away for {away}, available for {share}"),
        name=row.name,
        away=in_words(row.now.all_hours.away, language),
        share="–" if known is None else share(known, language),
    )


def _incident(one: Incident, zone: str, say: Say, language: str) -> str:
    began, ended = terms.moment(one.began, zone), terms.moment(one.ended, zone)
    until = f"{ended:%d/%m %H:%M}" if ended else say(N_("it lasts"))
    told = say(
        N_("{place}, {cause}: {began} – {until}, {offices} offices, {away}"),
        place=terms.place(one),
        cause=terms.cause(one.cause, say),
        began=f"{began:%d/%m %H:%M}",
        until=until,
        offices=one.offices,
        away=in_words(one.away, language),
    )
    return f"{told} ({one.note})" if one.note else told
