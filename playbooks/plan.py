"""Plans: what a job would change where, as a value. Content-addressed; nothing is asked or done once it is made."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from inventory.language import _
from playbooks.errors import PlanError, UnreadablePlanError
from playbooks.event import Change, Done, Event, Note, Outcome

SCHEMA = 1


class State(StrEnum):
    """What a check found of a device."""

    CHANGE = "change"
    AT_TARGET = "at-target"
    NOT_APPLICABLE = "not-applicable"
    UNREACHABLE = "unreachable"
    FAILED = "failed"  # it could be asked, and the asking failed


@dataclass(frozen=True, slots=True)
class DevicePlan:
    """What would change on one device; `values` is the digest of the job's variables there, secrets by name only."""

    device: str
    state: State
    values: str
    changes: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()
    reason: str = ""

    @property
    def fingerprint(self) -> str:
        """A digest of the state and of what would change: another one means that the device has moved since."""
        return digest([self.state, self.values, [change[1:] for change in self.changes]])


@dataclass(frozen=True, slots=True)
class Plan:
    """One job for some devices, in the order of the inventory. `sets` are what --set said."""

    job: str
    job_digest: str
    province: str
    selector: str
    sets: Mapping[str, Any]
    made_by: str
    made_at: str  # ISO, UTC
    devices: tuple[DevicePlan, ...]

    @property
    def digest(self) -> str:
        """The plan's address: a digest of everything in it."""
        return digest(_content(self))

    def in_state(self, *states: State) -> tuple[DevicePlan, ...]:
        """Return the devices that are in one of `states`."""
        return tuple(device for device in self.devices if device.state in states)


def plan_device(device: str, values: str, events: Iterable[Event]) -> DevicePlan:
    """Return what the events of a check say about one device."""
    changes: list[Change] = []
    notes: list[str] = []
    done = Done(device, Outcome.FAILED, _("the driver said nothing of it"))
    for event in events:
        if isinstance(event, Change):
            changes.append(event)
        elif isinstance(event, Note):
            notes.append(event.text)
        elif isinstance(event, Done):
            done = event
    found = State.CHANGE if changes else State.AT_TARGET
    state = found if done.outcome is Outcome.DONE else State(done.outcome.value)
    return DevicePlan(device, state, values, tuple(changes), tuple(notes), done.reason)


def digest(value: Any) -> str:
    """Return the SHA-256 (hex) of a value as JSON with sorted keys."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def write_plan(plan: Plan, path: Path) -> None:
    """Write a plan, whole or not at all. Raises PlanError."""
    written = path.parent / f".{path.name}.new"
    content = {"schema": SCHEMA, "digest": plan.digest, **_content(plan)}
    try:
        written.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        written.replace(path)
    except OSError as error:
        with suppress(OSError):
            written.unlink()
        message = _("the plan cannot be written to {path}: {reason}")
        raise PlanError(message.format(path=path, reason=error.strerror)) from error


def read_plan(path: Path) -> Plan:
    """Return the plan in a file. Raises UnreadablePlanError, also when it was changed since it was written."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        plan = _plan(content)
        whole = content.get("schema") == SCHEMA and content.get("digest") == plan.digest
    except OSError as error:
        reason: object = error.strerror
    except (ValueError, KeyError, TypeError, RecursionError):
        reason = _("it is no whole plan")
    else:
        if whole:
            return plan
        reason = _("it was changed after it was made")
    raise UnreadablePlanError(
        _("the plan {path} cannot be used: {reason}; make a new one with --plan-out").format(path=path, reason=reason)
    )


def _content(plan: Plan) -> dict[str, Any]:
    devices = [
        {
            "device": device.device,
            "state": device.state,
            "values": device.values,
            "reason": device.reason,
            "notes": list(device.notes),
            "changes": [change._asdict() for change in device.changes],
        }
        for device in plan.devices
    ]
    return {
        "job": plan.job,
        "job_digest": plan.job_digest,
        "province": plan.province,
        "selector": plan.selector,
        "sets": dict(plan.sets),
        "made_by": plan.made_by,
        "made_at": plan.made_at,
        "devices": devices,
    }


def _plan(content: Mapping[str, Any]) -> Plan:
    devices = tuple(
        DevicePlan(
            device=entry["device"],
            state=State(entry["state"]),
            values=entry["values"],
            changes=tuple(Change(**change) for change in entry["changes"]),
            notes=tuple(entry["notes"]),
            reason=entry["reason"],
        )
        for entry in content["devices"]
    )
    keys = ("job", "job_digest", "province", "selector", "sets", "made_by", "made_at")
    return Plan(**{key: content[key] for key in keys}, devices=devices)
