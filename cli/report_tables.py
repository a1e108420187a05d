"""Reports as tables for people."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from cli.output import print_table, say
from inventory.language import N_, _, current

if TYPE_CHECKING:
    from fractions import Fraction

    from exporters.reports.equipment import AgeRow, DeviceRow, LifecycleReport
    from exporters.reports.figures import CauseRow, Incident, Row, UptimeReport

ROWS = {
    "name": N_("WHAT"),
    "offices": N_("OFFICES"),
    "all": N_("AVAILABLE"),
    "working": N_("WORKING HOURS"),
    "change": N_("CHANGE"),
    "outages": N_("OUTAGES"),
    "away": N_("AWAY"),
    "degraded": N_("DEGRADED"),
    "maintenance": N_("MAINTENANCE"),
    "unknown": N_("UNKNOWN"),
    "repair": N_("MEAN REPAIR"),
    "longest": N_("LONGEST"),
}
CAUSES = {
    "cause": N_("CAUSE"),
    "outages": N_("OUTAGES"),
    "own": N_("AWAY"),
    "behind": N_("AWAY BEHIND IT"),
    "nodes": N_("BEHIND IT"),
    "degraded": N_("DEGRADED"),
    "maintenance": N_("MAINTENANCE"),
    "before": N_("AWAY BEFORE"),
}
INCIDENTS = {
    "place": N_("WHERE"),
    "cause": N_("CAUSE"),
    "began": N_("SINCE"),
    "ended": N_("UNTIL"),
    "offices": N_("OFFICES"),
    "away": N_("AWAY"),
    "note": N_("NOTE"),
}
AGES = {
    "name": N_("WHAT"),
    "devices": N_("DEVICES"),
    "age": N_("MEAN AGE"),
    "under_3": N_("< 3 YEARS"),
    "to_5": N_("3-5"),
    "to_8": N_("5-8"),
    "over": N_("8 +"),
    "warranty_ended": N_("WARRANTY ENDED"),
    "warranty_ending": N_("ENDING"),
    "support_ended": N_("SUPPORT ENDED"),
    "support_ending": N_("ENDING"),
    "missing": N_("DATES MISSING"),
}
DUE = {
    "id": N_("ID"),
    "model": N_("MODEL"),
    "office": N_("OFFICE"),
    "bought": N_("BOUGHT"),
    "warranty": N_("WARRANTY"),
    "support": N_("END OF SUPPORT"),
}
SHOWN = 20  # lines of what is due


def show_uptime(report: "UptimeReport", *, offices: bool) -> None:
    """Print an uptime report: sums, worst offices, causes, outages; every office if asked."""
    from exporters.reports.documents.say import speaker
    from exporters.reports.documents.uptime_summary import summary

    for sentence in summary(report, current()):
        say(sentence)
    say("")
    print_table(ROWS, _rows((report.total, *report.tiers, *report.districts, *report.services)))
    _section(
        _("Offices:") if offices else _("Worst offices:"), ROWS, _rows(report.offices if offices else report.worst)
    )
    _section(_("Causes, of offices:"), CAUSES, _causes(report.causes))
    _section(_("Causes, of services:"), CAUSES, _causes(report.service_causes))
    told = speaker(current())
    items = [_incident(one, report.period.zone, told) for one in report.incidents]
    _section(_("Outages that cost most:"), INCIDENTS, items)


def show_lifecycle(report: "LifecycleReport") -> None:
    """Print a lifecycle report: how old what is, and what is due first."""
    groups = (report.total, *report.tiers, *report.districts, *report.roles)
    print_table(AGES, [_age(row) for row in groups])
    for heading, due in ((_("Warranty ended or ending:"), report.warranty_due), (_("Support:"), report.support_due)):
        _section(heading, DUE, [_device(row) for row in due[:SHOWN]])
        if len(due) > SHOWN:
            say(_("... and {count} more").format(count=len(due) - SHOWN))


def _section(heading: str, columns: dict[str, str], items: Sequence[dict[str, Any]]) -> None:
    if items:
        say("")
        print_table(columns, items, title=heading)


def _rows(rows: "Iterable[Row]") -> list[dict[str, Any]]:
    from exporters.reports.documents.say import speaker
    from exporters.reports.documents.terms import name

    told = speaker(current())
    return [{"name": name(row, told), **_row(row)} for row in rows]


def _row(row: "Row") -> dict[str, Any]:
    from exporters.reports.documents.spelling import change, clock

    now, repair = row.now, row.now.time_to_repair
    return {
        "offices": row.offices,
        "all": _share(now.all_hours.availability),
        "working": _share(now.working_hours.availability),
        "change": "" if row.change is None else change(row.change, current()),
        "outages": now.outages,
        "away": clock(now.all_hours.away),
        "degraded": clock(now.all_hours.degraded),
        "maintenance": clock(now.all_hours.maintenance),
        "unknown": clock(now.all_hours.unknown),
        "repair": "" if repair is None else clock(repair),
        "longest": clock(now.longest),
    }


def _share(value: "Fraction | None") -> str:
    from exporters.reports.documents.spelling import share

    return _("no figures yet") if value is None else share(value, current())


def _causes(rows: "Iterable[CauseRow]") -> list[dict[str, Any]]:
    from exporters.reports.documents.say import speaker
    from exporters.reports.documents.spelling import clock
    from exporters.reports.documents.terms import cause

    told = speaker(current())
    return [
        {
            "cause": cause(row.cause, told),
            "outages": row.now.outages,
            "own": clock(row.now.own),
            "behind": clock(row.now.behind),
            "nodes": row.now.nodes_behind,
            "degraded": clock(row.now.degraded),
            "maintenance": clock(row.now.maintenance),
            "before": clock(row.before.away) if row.before else "",
        }
        for row in rows
    ]


def _incident(one: "Incident", zone: str, told: Any) -> dict[str, Any]:
    from exporters.reports.documents.spelling import clock
    from exporters.reports.documents.terms import cause, moment, place

    return {
        "place": place(one),
        "cause": cause(one.cause, told),
        "began": moment(one.began, zone),
        "ended": moment(one.ended, zone),
        "offices": one.offices,
        "away": clock(one.away),
        "note": one.note,
    }


def _age(row: "AgeRow") -> dict[str, Any]:
    from exporters.reports.documents.say import speaker
    from exporters.reports.documents.spelling import number
    from exporters.reports.documents.terms import tier

    mean = row.mean_age_days
    return {
        "name": tier(row.id, speaker(current())) if row.kind == "tier" else row.name,
        "devices": row.devices,
        "age": "" if mean is None else number(mean / 365, 1, current()),
        **dict(zip(("under_3", "to_5", "to_8", "over"), row.ages, strict=True)),
        "warranty_ended": row.warranty_ended,
        "warranty_ending": row.warranty_ending,
        "support_ended": row.support_ended,
        "support_ending": row.support_ending,
        "missing": row.warranty_missing + row.support_missing + row.devices - row.dated,
    }


def _device(row: "DeviceRow") -> dict[str, Any]:
    return {
        "id": row.id,
        "model": f"{row.manufacturer} {row.model}",
        "office": row.office_name,
        "bought": row.bought,
        "warranty": row.warranty,
        "support": row.end_of_support,
    }
