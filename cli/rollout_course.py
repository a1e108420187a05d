"""How a rollout would go if all went well: when its waves begin and end, and what its links carry."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from cli.output import print_table, say
from cli.rollout_state import hours_by_device
from inventory.language import N_, _
from inventory.model import Province
from ledger.records import now
from playbooks.job import Job
from playbooks.rollout.estimate import LinkEstimate, WaveEstimate, estimate_links, estimate_waves, seconds_of
from playbooks.rollout.plan import RolloutPlan

WAVE_COLUMNS = {
    "wave": N_("WAVE"),
    "name": N_("NAME"),
    "count": N_("DEVICES"),
    "approvals": N_("APPROVALS"),
    "begins": N_("BEGINS"),
    "ends": N_("ENDS ABOUT"),
    "first": N_("AMONG THEM"),
}
LINK_COLUMNS = {
    "link": N_("LINK"),
    "provider": N_("PROVIDER"),
    "bandwidth": N_("BANDWIDTH"),
    "devices": N_("DEVICES"),
    "bytes": N_("BYTES"),
    "seconds": N_("SECONDS"),
}
_MOST_LINKS = 10  # in a table
Items = list[dict[str, Any]]


class Course:
    """How a rollout would go from now on, as people are told."""

    def __init__(self, province: Province, job: Job, plan: RolloutPlan, typical: float | None) -> None:
        """`typical`: how many seconds a device took in earlier runs, None when nobody knows. Raises PlanError."""
        self._province, self._job, self._plan = province, job, plan
        seconds = seconds_of(province, job, plan.devices, typical)
        hours = hours_by_device(province, plan, seconds)
        self._waves: Sequence[WaveEstimate] = estimate_waves(plan, plan.waves, hours, seconds, now())
        self._links: Sequence[LinkEstimate] = estimate_links(province, job, plan.devices)

    def summary(self) -> dict[str, Any]:
        """Return what is said of the whole."""
        last = self._waves[-1]
        ends = last.ends if len(self._waves) == len(self._plan.waves) else None
        return {
            "rollout": self._plan.name,
            "job": self._plan.job,
            "devices": len(self._plan.devices),
            "ends": ends.isoformat(timespec="seconds") if ends else None,
            "bytes": len(self._plan.devices) * self._job.shape.bytes,
        }

    def wave_items(self) -> Items:
        """Return the waves, with when they would begin and end, in UTC."""
        items: Items = []
        for number, wave in enumerate(self._plan.waves):
            guess = self._waves[number] if number < len(self._waves) else None
            items.append(
                {
                    "is": "wave",
                    "wave": number + 1,
                    "name": wave.name,
                    "devices": list(wave.devices),
                    "approvals": wave.approvals,
                    "begins": guess.begins.isoformat(timespec="seconds") if guess else None,
                    "ends": guess.ends.isoformat(timespec="seconds") if guess and guess.ends else None,
                }
            )
        return items

    def link_items(self) -> Items:
        """Return the links, those first that are full the longest."""
        return [
            {
                "is": "link",
                "link": one.link.id,
                "provider": one.link.provider,
                "bandwidth": one.link.bandwidth,
                "devices": one.devices,
                "bytes": one.bytes,
                "seconds": round(one.seconds, 1),
            }
            for one in self._links
        ]

    def show(self) -> None:
        """Print the waves, and the links that carry the most."""
        zone = self._province.time_zone
        rows = [
            {
                **item,
                "count": len(item["devices"]),
                "begins": local(item["begins"], zone),
                "ends": local(item["ends"], zone) or _("not within a week"),
                "first": _some(item["devices"]),
            }
            for item in self.wave_items()
        ]
        print_table(WAVE_COLUMNS, rows)
        say("")
        if self._job.shape.bytes:
            print_table(LINK_COLUMNS, self.link_items()[:_MOST_LINKS])
            say("")


def local(at: str | None, zone: str) -> str:
    """Return a time of the ledger, or of an item, as a clock on the wall shows it."""
    return datetime.fromisoformat(at).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M") if at else ""


def _some(devices: Iterable[str], most: int = 3) -> str:
    names = list(devices)
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")
