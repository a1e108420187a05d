"""How plans and results are shown: a line a device, its changes below, and the sum at the end."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cli.output import console, print_table, safe, say
from inventory.language import N_, _

if TYPE_CHECKING:
    from playbooks.applying import Result
    from playbooks.event import Change
    from playbooks.plan import DevicePlan, Plan
    from playbooks.recovery import Recovered

STATES: Mapping[str, str] = {
    "change": N_("to change"),
    "at-target": N_("at target"),
    "not-applicable": N_("not applicable"),
    "unreachable": N_("unreachable"),
    "failed": N_("failed"),
    "busy": N_("busy"),
    "moved": N_("moved"),
    "changed": N_("changed"),
    "unchanged": N_("unchanged"),
    "reverted": N_("reverted"),
    "interrupted": N_("interrupted"),
}
STYLES: Mapping[str, str] = {
    "change": "yellow",
    "changed": "green",
    "at-target": "green",
    "unchanged": "green",
    "not-applicable": "dim",
    "unreachable": "magenta",
    "failed": "bold red",
    "reverted": "bold yellow",
    "busy": "cyan",
    "moved": "cyan",
    "interrupted": "bold red",
}
COLUMNS = {"device": N_("DEVICE"), "is": N_("STATE"), "count": N_("CHANGES"), "reason": N_("WHY")}


def plan_item(device: "DevicePlan") -> dict[str, Any]:
    """Return a device of a plan as a flat item, its changes as a list."""
    return {
        "device": device.device,
        "state": str(device.state),
        "reason": device.reason,
        "changes": [_change_item(change) for change in device.changes],
        "notes": list(device.notes),
    }


def result_item(result: "Result") -> dict[str, Any]:
    """Return the result on a device as a flat item."""
    return {
        "device": result.device,
        "state": str(result.state),
        "reason": result.reason,
        "changes": [_change_item(change) for change in result.changes],
        "surprises": [change.what for change in result.surprises],
    }


def plain_item(device: str, state: str, reason: str) -> dict[str, Any]:
    """Return a device that was not even asked, or is refused, in the form of the others."""
    return {"device": device, "state": state, "reason": reason, "changes": []}


def _change_item(change: "Change") -> dict[str, Any]:
    return {"what": change.what, "diff": change.diff, "foreseen": change.foreseen}


def show_items(items: Sequence[Mapping[str, Any]]) -> None:
    """Print a line a device: its state, how many changes, and why it is not as it should be."""
    from rich.text import Text

    rows = [
        {
            **item,
            "is": Text(_(STATES[item["state"]]), style=STYLES[item["state"]]),
            "count": len(item["changes"]) or "",
        }
        for item in items
    ]
    print_table(COLUMNS, rows)


def show_changes(items: Iterable[Mapping[str, Any]]) -> None:
    """Print what would change on each device; devices on which the same would change are told together."""
    groups: dict[str, tuple[list[str], Mapping[str, Any]]] = {}
    for item in items:
        if item["changes"] or item.get("notes"):
            groups.setdefault(repr((item["changes"], item.get("notes"))), ([], item))[0].append(item["device"])
    screen = console()
    for devices, item in groups.values():
        screen.print(", ".join(devices), style="bold")
        for line, style in _lines(item):
            screen.print(safe(line), style=style, markup=False, highlight=False)
        say("")


def _lines(item: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for change in item["changes"]:
        decided = "" if change["foreseen"] else " " + _("(decided at apply)")
        yield f"  * {change['what']}{decided}", ""
        for line in change["diff"].splitlines():
            yield f"      {line}", {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "dim")
    for note in item.get("notes", ()):
        yield f"  ! {note}", "dim"


def summary(items: Iterable[Mapping[str, Any]]) -> str:
    """Return how many devices are in which state, in the order of STATES."""
    counted = Counter(item["state"] for item in items)
    parts = [f"{counted[state]} {_(label)}" for state, label in STATES.items() if counted[state]]
    return ", ".join(parts) or _("no device")


def recovered_item(one: "Recovered") -> dict[str, Any]:
    """Return what is known of a device that an earlier run was lost on as a flat item."""
    return {"device": one.device, "run": one.run, "state": str(one.state), "reason": one.reason}


def show_recovered(found: "Iterable[Recovered]") -> None:
    """Say what runs that were cut short had left, and what is known of it now."""
    for one in found:
        say(
            _("an earlier run ({run}) was cut short on {device}: {state}; {reason}").format(
                run=one.run, device=one.device, state=_(STATES.get(one.state, str(one.state))), reason=one.reason
            )
        )


def plan_heading(plan: "Plan") -> str:
    """Return how a plan is called: its job, its address, and who made it when."""
    return _("plan {digest} of {job}, {made_by}, {made_at}").format(
        digest=plan.digest[:12], job=plan.job, made_by=plan.made_by, made_at=plan.made_at
    )
