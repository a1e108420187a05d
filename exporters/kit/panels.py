"""A Grafana dashboard as values: panels in reading order, laid out in rows of 24 columns."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from inventory.language import N_, in_language

SCHEMA = 38  # of dashboards: Grafana 10; newer ones migrate it by themselves
_WIDE = 24  # columns
_SOURCE = {"type": "prometheus", "uid": "${source}"}
_STATE_COLOURS = {"up": "green", "degraded": "yellow", "down": "red", "unreachable": "purple", "unknown": "gray"}
_STATE_NUMBERS = {"up": 0, "degraded": 1, "unreachable": 2, "down": 3}
_STATE_TEXTS = {"up": N_("up"), "degraded": N_("degraded"), "unreachable": N_("unreachable"), "down": N_("down")}


@dataclass(frozen=True, slots=True)
class Query:
    """One question to Prometheus, and what its series are called, for example "{{device}}"."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel: kind is Grafana's (stat, timeseries, table, state-timeline, bargauge); units are Grafana's too."""

    kind: str
    title: str  # marked by N_
    queries: Sequence[Query]
    width: int = 12
    height: int = 8
    unit: str = "short"
    limits: Sequence[tuple[float | None, str]] = ()  # from this value on, this colour
    states: bool = False  # the values are 0 up, 1 degraded, 2 unreachable, 3 down
    hidden: Sequence[str] = ()  # columns of a table


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One dashboard; `variables` maps names to the queries that fill them."""

    name: str
    title: str  # marked by N_
    panels: Sequence[Panel]
    variables: Mapping[str, str] = field(default_factory=dict)


def state_number(kind: str, matchers: str = "") -> str:
    """Return the expression that turns one-hot states of a kind ("office", ...) into one number a thing."""
    parts = (
        f'{number} * max by ({kind}) (tuyen_{kind}_state{{state="{state}"{matchers}}})'
        for state, number in _STATE_NUMBERS.items()
        if number
    )
    return " + ".join(parts)


def dashboard_json(dashboard: Dashboard, province: str, language: str) -> dict[str, Any]:
    """Return what Grafana imports, in one language; the data source is asked for there."""
    return {
        "uid": f"tuyen-{dashboard.name}-{language}",
        "title": f"{in_language(dashboard.title, language)} - {province}",
        "tags": ["tuyen", language],
        "timezone": "browser",
        "editable": True,
        "schemaVersion": SCHEMA,
        "version": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": list(_variables(dashboard.variables))},
        "annotations": {"list": []},
        "links": [
            {"type": "dashboards", "title": "tuyen", "tags": ["tuyen", language], "asDropdown": True, "icon": "doc"}
        ],
        "panels": list(_placed(dashboard.panels, language)),
    }


def _variables(variables: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    yield {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    for name, query in variables.items():
        yield {
            "name": name,
            "type": "query",
            "datasource": _SOURCE,
            "query": {"query": query, "refId": name},
            "definition": query,
            "refresh": 2,
            "sort": 1,
        }


def _placed(panels: Iterable[Panel], language: str) -> Iterator[dict[str, Any]]:
    x = y = tallest = 0
    for number, panel in enumerate(panels, 1):
        if x + panel.width > _WIDE:
            x, y, tallest = 0, y + tallest, 0
        yield _panel(number, panel, {"h": panel.height, "w": panel.width, "x": x, "y": y}, language)
        x, tallest = x + panel.width, max(tallest, panel.height)


def _panel(number: int, panel: Panel, place: Mapping[str, int], language: str) -> dict[str, Any]:
    targets = [_target(position, query, table=panel.kind == "table") for position, query in enumerate(panel.queries)]
    return {
        "id": number,
        "type": panel.kind,
        "title": in_language(panel.title, language),
        "datasource": _SOURCE,
        "gridPos": dict(place),
        "targets": targets,
        "fieldConfig": {"defaults": _defaults(panel, language), "overrides": []},
        "options": _options(panel),
        "transformations": _transformations(panel),
    }


def _target(position: int, query: Query, *, table: bool) -> dict[str, Any]:
    moment = {"instant": True, "format": "table"} if table else {"instant": False, "range": True}
    return {
        "refId": chr(ord("A") + position),
        "datasource": _SOURCE,
        "expr": query.expr,
        "legendFormat": query.legend or "__auto",
        **moment,
    }


def _defaults(panel: Panel, language: str) -> dict[str, Any]:
    steps = [{"value": value, "color": colour} for value, colour in panel.limits or ((None, "green"),)]
    said: dict[str, Any] = {"unit": panel.unit, "thresholds": {"mode": "absolute", "steps": steps}}
    if panel.limits:
        said["color"] = {"mode": "thresholds"}
    if panel.states:
        said["mappings"] = [{"type": "value", "options": _state_options(language)}]
    return said


def _state_options(language: str) -> dict[str, Any]:
    return {
        str(number): {
            "text": in_language(_STATE_TEXTS[state], language),
            "color": _STATE_COLOURS[state],
            "index": number,
        }
        for state, number in _STATE_NUMBERS.items()
    }


def _options(panel: Panel) -> dict[str, Any]:
    if panel.kind in ("stat", "bargauge"):
        return {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}, "orientation": "auto"}
    if panel.kind == "timeseries":
        return {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}}
    return {}


def _transformations(panel: Panel) -> list[dict[str, Any]]:
    if panel.kind != "table":
        return []
    hidden = dict.fromkeys(("Time", *panel.hidden), True)
    return [{"id": "organize", "options": {"excludeByName": hidden}}]
