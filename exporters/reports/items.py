"""Reports for programs: flat items, and the rest of the report beside them. Times in seconds; the form is stable."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from fractions import Fraction
from typing import Any

from exporters.reports.equipment import AgeRow, DeviceRow, LifecycleReport
from exporters.reports.figures import (
    MICROSECONDS,
    Amounts,
    CauseFigures,
    CauseRow,
    Figures,
    Incident,
    Period,
    Row,
    UptimeReport,
)
from exporters.reports.stretches import moment_of
from ledger.records import stamp

Item = dict[str, Any]


def uptime_items(report: UptimeReport) -> list[Item]:
    """Return every line of the report: the whole, tiers, districts, offices and services."""
    return [_row_item(row) for row in report.rows()]


def uptime_summary(report: UptimeReport) -> Item:
    """Return what the report says beside its lines."""
    return {
        "report": "uptime",
        "province": report.province,
        "name": report.name,
        "under": report.under,
        "as_of": report.as_of.isoformat(),
        "period": _period_item(report.period),
        "before": _period_item(report.before),
        "watched": [{"from": _moment(span.begin), "until": _moment(span.end)} for span in report.spans],
        "holidays": [{**asdict(day), "day": day.day.isoformat()} for day in report.holidays],
        "causes": [_cause_item(row) for row in report.causes],
        "service_causes": [_cause_item(row) for row in report.service_causes],
        "worst": [row.id for row in report.worst],
        "incidents": [_incident_item(incident) for incident in report.incidents],
    }


def lifecycle_items(report: LifecycleReport) -> list[Item]:
    """Return every device with its dates."""
    return [_device_item(row) for row in report.devices]


def lifecycle_summary(report: LifecycleReport) -> Item:
    """Return what the report says beside the devices."""
    groups = (report.total, *report.tiers, *report.districts, *report.roles, *report.types)
    return {
        "report": "lifecycle",
        "province": report.province,
        "name": report.name,
        "under": report.under,
        "as_of": report.as_of.isoformat(),
        "within_days": report.within,
        "groups": [_age_item(row) for row in groups],
        "warranty_due": [row.id for row in report.warranty_due],
        "support_due": [row.id for row in report.support_due],
        "missing": [row.id for row in report.missing],
    }


def _row_item(row: Row) -> Item:
    return {
        "kind": row.kind,
        "id": row.id,
        "name": row.name,
        "tier": row.tier,
        "district": row.district,
        "offices": row.offices,
        **_figures_item(row.now),
        "change": _share(row.change),
        "working_change": _share(row.working_change),
        "before": _figures_item(row.before),
    }


def _figures_item(figures: Figures) -> Item:
    return {
        **_amounts_item("", figures.all_hours),
        **_amounts_item("working_", figures.working_hours),
        "outages": figures.outages,
        "repaired": figures.repaired,
        "repair_seconds": _seconds(figures.repair),
        "longest_seconds": _seconds(figures.longest),
    }


def _amounts_item(prefix: str, amounts: Amounts) -> Item:
    times = {f"{prefix}{name}_seconds": _seconds(value) for name, value in asdict(amounts).items()}
    return {f"{prefix}availability": _share(amounts.availability), **times}


def _cause_item(row: CauseRow) -> Item:
    return {"cause": row.cause, **_cost_item(row.now), "before": _cost_item(row.before or CauseFigures())}


def _cost_item(figures: CauseFigures) -> Item:
    return {
        "outages": figures.outages,
        "own_seconds": _seconds(figures.own),
        "behind_seconds": _seconds(figures.behind),
        "nodes_behind": figures.nodes_behind,
        "degraded_seconds": _seconds(figures.degraded),
        "maintenance_seconds": _seconds(figures.maintenance),
    }


def _incident_item(incident: Incident) -> Item:
    ended = None if incident.ended is None else _moment(incident.ended)
    times = {"began": _moment(incident.began), "ended": ended, "away_seconds": _seconds(incident.away)}
    known: Mapping[str, Any] = asdict(incident)
    return {**{key: known[key] for key in ("id", "kind", "node", "name", "cause", "offices", "note")}, **times}


def _period_item(period: Period) -> Item:
    return {
        "kind": period.kind,
        "name": period.name,
        "zone": period.zone,
        "first": period.first.isoformat(),
        "last": period.last.isoformat(),
        "from": _moment(period.begin),
        "until": _moment(period.until),
        "provisional": period.provisional,
    }


def _device_item(row: DeviceRow) -> Item:
    return {key: value.isoformat() if isinstance(value, date) else value for key, value in asdict(row).items()}


def _age_item(row: AgeRow) -> Item:
    years = dict(zip(("under_3", "3_to_5", "5_to_8", "8_or_more"), row.ages, strict=True))
    oldest = row.oldest.isoformat() if row.oldest else None
    return {**asdict(row), "oldest": oldest, "ages": years, "mean_age_days": _share(row.mean_age_days)}


def _seconds(microseconds: int) -> float:
    return microseconds / MICROSECONDS


def _share(value: Fraction | None) -> float | None:
    return None if value is None else float(value)


def _moment(at: int) -> str:
    return stamp(moment_of(at))
