"""An alert as a value: what it asks, how long that must hold, how bad it is, and its words in both languages."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from exporters.kit.recording import BELIEVED
from exporters.kit.settings import KitSettings, duration
from inventory.language import in_language

LANGUAGES = ("vi", "en")
_LABELS = ("name", "office", "cause", "device", "about", "service", "rollout", "mountpoint", "instance")
# What texts may hold: a label of the alert, or its value in one of three forms.
FIELDS: Mapping[str, str] = {
    **{label: f"{{{{ $labels.{label} }}}}" for label in _LABELS},
    "percent": "{{ $value | humanizePercentage }}",
    "span": "{{ $value | humanizeDuration }}",
}


class Severity(StrEnum):
    """Critical: somebody gets up for it. Warning: it is looked at in working hours."""

    CRITICAL = "critical"
    WARNING = "warning"


class Scope(StrEnum):
    """What an alert is about; inhibition goes by it."""

    OFFICE = "office"
    LINK = "link"
    DEVICE = "device"
    SERVICE = "service"
    ROLLOUT = "rollout"
    WATCH = "watch"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alerting rule, for Prometheus 2.42 or newer.

    It must hold for `rounds` (`KitSettings.round`) or for `seconds`, whichever is longer.

    `kept`: while the watch is silent or has just begun, what fires goes on firing; for texts without a value.
    `lasts`: for so many rounds it goes on firing after its end, so that what it mutes has ended before.
    """

    name: str
    scope: Scope
    severity: Severity
    expr: str
    summary: str  # marked by N_, with fields of `FIELDS`
    advice: str
    rounds: int = 0
    seconds: int = 0
    kept: bool = False
    lasts: int = 0


def wait_of(alert: Alert, settings: KitSettings) -> int:
    """Return for how many seconds the alert must hold before it fires."""
    return max(alert.rounds * settings.round, alert.seconds)


def rule_of(alert: Alert, settings: KitSettings) -> dict[str, Any]:
    """Return the alert as Prometheus' rule files have it."""
    lasts = {"keep_firing_for": duration(alert.lasts * settings.round)} if alert.lasts else {}
    return {
        "alert": alert.name,
        "expr": _kept(alert) if alert.kept else alert.expr,
        "for": duration(wait_of(alert, settings)),
        **lasts,
        "labels": labels_of(alert),
        "annotations": annotations_of(alert, FIELDS),
    }


def labels_of(alert: Alert) -> dict[str, str]:
    """Return the labels that every instance of the alert has."""
    return {"severity": alert.severity.value, "scope": alert.scope.value}


def annotations_of(alert: Alert, fields: Mapping[str, str]) -> dict[str, str]:
    """Return the texts in both languages, with `fields` filled in."""
    texts = {"summary": alert.summary, "description": alert.advice}
    return {
        f"{key}_{language}": in_language(text, language).format_map(fields)
        for language in LANGUAGES
        for key, text in texts.items()
    }


def _kept(alert: Alert) -> str:
    firing = f'ALERTS{{alertname="{alert.name}", alertstate="firing"}}'
    before = f"max without (alertname, alertstate, severity, scope) ({firing})"
    return f"{alert.expr}\nor ({before} unless on () {BELIEVED})"
