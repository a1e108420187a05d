"""The files of alerting rules: the table of all groups."""

from collections.abc import Mapping
from typing import Any

from exporters.kit.alert import Alert, rule_of
from exporters.kit.course_alerts import ROLLOUT_ALERTS, SERVICE_ALERTS, WATCH_ALERTS
from exporters.kit.machine_alerts import NODE_ALERTS, PROBE_ALERTS
from exporters.kit.office_alerts import OFFICE_ALERTS
from exporters.kit.settings import KitSettings

GROUPS: Mapping[str, tuple[Alert, ...]] = {
    "offices": OFFICE_ALERTS,
    "probes": PROBE_ALERTS,
    "nodes": NODE_ALERTS,
    "services": SERVICE_ALERTS,
    "rollouts": ROLLOUT_ALERTS,
    "watch": WATCH_ALERTS,
}
ALERTS: Mapping[str, Alert] = {alert.name: alert for group in GROUPS.values() for alert in group}


def alerting_groups(settings: KitSettings) -> dict[str, Any]:
    """Return the file of alerting rules."""
    return {
        "groups": [
            {"name": f"tuyen-{name}", "rules": [rule_of(alert, settings) for alert in alerts]}
            for name, alerts in GROUPS.items()
        ]
    }
