"""How rollouts are said to people: words for states, and a line for each thing that happens."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from inventory.language import N_, _

if TYPE_CHECKING:
    from playbooks.rollout.journal import Step
    from playbooks.rollout.plan import RolloutPlan
    from playbooks.rollout.state import Event

STATUS_STYLES: Mapping[str, str] = {
    "running": "green",
    "paused": "yellow",
    "failed": "bold red",
    "rolling-back": "bold yellow",
    "aborted": "magenta",
    "ended": "dim",
}
WAITING: Mapping[str, str] = {
    "": N_("nothing in particular"),
    "start": N_("the start"),
    "person": N_("a person: resume, abort or roll back"),
    "approval": N_("approval of wave {wave}"),
    "window": N_("a window in which its offices may be worked on"),
    "devices": N_("devices at work"),
    "owed": N_("devices that were away or postponed"),
    "bake": N_("the bake of wave {wave}"),
    "verdict": N_("the verdict on wave {wave}"),
}
RESULTS: Mapping[str, str] = {
    "done": N_("done"),
    "failed": N_("FAILED"),
    "unreachable": N_("does not answer"),
    "lost": N_("was lost in the middle"),
    "reverted": N_("returned to what it was"),
}
STEPS: Mapping[str, str] = {
    "apply": N_("apply"),
    "rollback": N_("roll back"),
}
_OF_ROLLOUT: Mapping[str, str] = {
    "started": N_("started"),
    "paused": N_("paused: {why}"),
    "resumed": N_("resumed"),
    "aborted": N_("aborted"),
    "rollback": N_("rolling back {count} devices"),
    "ended": N_("ended"),
}
_OF_WAVE: Mapping[str, str] = {
    "approved": N_("wave {number} ({wave}) approved by {person}"),
    "wave-began": N_("wave {number} ({wave}) begins: {size} devices"),
    "baking": N_("wave {number} ({wave}) has been tried; it must stay well for {bake:g} s"),
    "gate-passed": N_("wave {number} ({wave}) passed its gate"),
    "gate-failed": N_("wave {number} ({wave}) FAILED its gate: {why}"),
}
_OF_DEVICE: Mapping[str, str] = {
    "dispatched": N_("{device}: begun ({step})"),
    "postponed": N_("{device}: postponed: {why}"),
    "superseded": N_("{device}: left to a newer rollout"),
    "expired": N_("{device}: not done by the end date"),
}
_HAPPENED: Mapping[str, str] = {
    "dispatched": N_("begun"),
    "reported": N_("ended"),
    "postponed": N_("postponed"),
    "superseded": N_("left to a newer rollout"),
    "expired": N_("not done by the end date"),
}


def happened(kind: str, what: str) -> str:
    """Return what happened to a device, in two words; `what` is the step that was begun, or the result."""
    word = {**STEPS, **RESULTS}.get(what, what)
    return ": ".join(_(part) for part in (_HAPPENED.get(kind, kind), word) if part)


def moment(plan: "RolloutPlan", at: datetime, zone: ZoneInfo) -> str:
    """Return a time, with its day unless that is the one on which the rollout was planned: many go on for weeks."""
    planned, there = datetime.fromisoformat(plan.made_at).astimezone(zone), at.astimezone(zone)
    return f"{there:%H:%M:%S}" if there.date() == planned.date() else f"{there:%Y-%m-%d %H:%M:%S}"


def course(plan: "RolloutPlan", step: "Step", zone: ZoneInfo) -> str:
    """Return the line that tells an event; `zone` is that of the clocks on the wall."""
    event = step.event
    when = moment(plan, datetime.fromisoformat(event.at), zone)
    if event.kind == "approved" and step.before.approved == step.after.approved:
        return f"{when} " + _("an approval is not valid, and does not count")
    return f"{when} {_line(plan, event)}"


def _line(plan: "RolloutPlan", event: "Event") -> str:
    details, kind = event.details, str(event.kind)
    if kind == "reported":
        result = _(RESULTS.get(str(details.get("result")), "")) or "?"
        reason = str(details.get("reason") or "")
        return f"{event.device}: {result}" + (f": {reason}" if reason else "")
    if kind in _OF_DEVICE:
        step = str(details.get("step", ""))
        values = {"step": _(STEPS.get(step, step)), "why": details.get("why", "")}
        return _(_OF_DEVICE[kind]).format(device=event.device, **values)
    if kind in _OF_WAVE and 0 <= event.wave < len(plan.waves):
        wave = plan.waves[event.wave]
        values = {"person": details.get("person", ""), "why": details.get("why", ""), "bake": plan.gate.bake}
        text = _(_OF_WAVE[kind])
        return text.format(number=event.wave + 1, wave=wave.name, size=len(wave.devices), **values)
    why, count = details.get("why", ""), len(details.get("devices", ()))
    return _(_OF_ROLLOUT.get(kind, kind)).format(why=why, count=count).rstrip(": ")
