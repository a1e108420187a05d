"""The files of alerting rules: the table of all groups."""

from collections.abc import Mapping
from typing import Any

from exporters.kit.alert import Alert, rule_of
from exporters.kit.course_alerts import ROLLOUT_ALERTS, SERVICE_ALERTS, WATCH_ALERTS
from exporters.kit.machine_alerts import NODE_ALERTS, PROBE_ALERTS
from exporters.kit.office_alerts import OFFICE_ALERTS
from exporters.kit.settings import KitSettings

ALERTING_GROUPS: Mapping[str, tuple[Alert, ...]] = {
    "tuyen-offices-alerts": OFFICE_ALERTS,
    "tuyen-probes-alerts": PROBE_ALERTS,
    "tuyen-nodes-alerts": NODE_ALERTS,
    "tuyen-services-alerts": SERVICE_ALERTS,
    "tuyen-rollouts-alerts": ROLLOUT_ALERTS,
    "tuyen-watch-alerts": WATCH_ALERTS,
}
ALERTS: Mapping[str, Alert] = {alert.name: alert for group in ALERTING_GROUPS.values() for alert in group}


def alerting_groups(settings: KitSettings) -> dict[str, Any]:
    """Return the file of alerting rules."""
    return {
        "groups": [
            {"name": name, "rules": [rule_of(alert, settings) for alert in alerts]}
            for name, alerts in ALERTING_GROUPS.items()
        ]
    }
