"""rules/tests*.yml: what must fire, and what must not, for `promtool test rules`.

The places in it are invented, as the rules know none; times are counted in intervals, or in minutes where a rule is.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from exporters.kit.alert import annotations_of, labels_of
from exporters.kit.prometheus import RULE_FILES
from exporters.kit.recording import RECORDING_GROUPS
from exporters.kit.rules import ALERTING_GROUPS, ALERTS
from exporters.kit.settings import duration

MINUTE, HOUR = 60, 3600
STATES = ("up", "degraded", "down", "unreachable", "maintenance", "unknown")
Said = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Expected:
    """Whether an alert fires `after` so many seconds: `fires` holds the labels of each, `values` what texts show."""

    after: int
    alert: str
    fires: tuple[Said, ...] = ()
    values: Said = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scenario:
    """Series by name and labels, with Prometheus' notation of values, one every `step` seconds."""

    name: str
    step: int
    series: Mapping[str, str]
    expected: tuple[Expected, ...]


def rule_tests(scenarios: Iterable[Scenario], every: int) -> dict[str, Any]:
    """Return a file of rule tests; the rules are evaluated `every` so many seconds."""
    return {
        "rule_files": [file.rpartition("/")[2] for file in RULE_FILES],
        "evaluation_interval": duration(every),
        "group_eval_order": [*RECORDING_GROUPS, *ALERTING_GROUPS],
        "tests": [_test(scenario) for scenario in scenarios],
    }


def _test(scenario: Scenario) -> dict[str, Any]:
    return {
        "name": scenario.name,
        "interval": duration(scenario.step),
        "input_series": [{"series": series, "values": values} for series, values in scenario.series.items()],
        "alert_rule_test": [_expected(expected) for expected in scenario.expected],
    }


def _expected(expected: Expected) -> dict[str, Any]:
    alert = ALERTS[expected.alert]
    return {
        "eval_time": duration(expected.after),
        "alertname": alert.name,
        "exp_alerts": [
            {
                "exp_labels": {**labels_of(alert), **said},
                "exp_annotations": annotations_of(alert, _Fields({**said, **expected.values})),
            }
            for said in expected.fires
        ],
    }


class _Fields(dict[str, str]):
    """A label that an alert does not have is shown as nothing."""

    def __missing__(self, key: str) -> str:
        return ""


def one_hot(kind: str, name: str, *course: tuple[str, int]) -> Iterator[tuple[str, str]]:
    """Yield the series of a thing that is in each state of `course` for so many steps."""
    for state in STATES:
        values = " ".join(f"{int(state == now)}+0x{steps - 1}" for now, steps in course)
        yield f'tuyen_{kind}_state{{{kind}="{name}", state="{state}", job="tuyen", instance="watch"}}', values
