"""What the ledger tells: runs, tasks, rollouts and who did it, as frozen values.

All times are UTC, ISO 8601 text that sorts.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from ledger.states import State

_UNWRITABLE = re.compile("[\0\ud800-\udfff]")


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


def stamp(time: datetime) -> str:
    """Return a time as the ledger keeps it: UTC with microseconds, such as 2026-11-25T19:36:50.000000Z."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def here(time: str) -> str:
    """Return a time of the ledger as this machine's clock shows it: 2026-11-26 02:36:50+07:00; other text as it is."""
    try:
        return datetime.fromisoformat(time).astimezone().isoformat(" ", "seconds")
    except ValueError:  # whoever wrote it, it must not hide what it is about
        return time


def plain(text: str) -> str:
    """Return `text` as every database takes it: no bytes that are no UTF-8, no NUL; those become U+FFFD."""
    return _UNWRITABLE.sub("\ufffd", text)


def new_id(began: datetime) -> str:
    """Return an id such as 20261125T193650123-7f3a9c: the time in UTC to the millisecond, and three random bytes."""
    digits = stamp(began).translate({ord(mark): None for mark in "-:."})
    return f"{digits[:18]}-{secrets.token_hex(3)}"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: `person` as people.yaml knows them, the `account` of the machine, and from where they came.

    `origin` is the address that SSH_CONNECTION names, or "local".
    """

    person: str
    account: str
    origin: str = "local"


def who(actor: Actor) -> dict[str, str]:
    """Return an actor as the columns of that name."""
    return {name: plain(text) for name, text in asdict(actor).items()}


@dataclass(frozen=True, slots=True)
class Run:
    """One command that acts on devices. `ended_at` and `outcome` are None while it runs, or when it died."""

    id: str
    job: str
    job_digest: str
    plan_digest: str
    actor: Actor
    command: str
    started_at: str
    ended_at: str | None = None
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """One device in one run.

    `before` is the fingerprint of the device's state that the plan was made from; `log` a path relative to the
    province's state folder; `revert_until` the time at which the device returns by itself, None when nothing is armed.
    """

    run: str
    device: str
    state: State
    reason: str
    intended_at: str
    began_at: str | None = None
    ended_at: str | None = None
    before: str = ""
    changes: int = 0
    log: str = ""
    revert_until: str | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """What becomes of a task; None leaves a field as it is. `revert_until` is forgotten once the device has settled."""

    device: str
    state: State
    reason: str = ""
    changes: int | None = None
    log: str | None = None
    revert_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rollout:
    """A job carried to many devices, as it was planned; what became of it is in its events.

    `plan_digest` is the SHA-256 (hex) of the plan as canonical JSON; `actor` is the author; `ended_at` is None while
    anything may still happen.
    """

    id: str
    name: str
    job: str
    plan_digest: str
    actor: Actor
    made_at: str
    ended_at: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """What is going to be written down about a rollout. `wave` is -1 where it is about none, `details` is JSON."""

    kind: str
    device: str = ""
    wave: int = -1
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RolloutEvent:
    """One thing that happened to a rollout; `seq` counts from 1 within it, without gaps.

    `person` caused it; `token` is that of the controller's lease, None where a person did it from outside the loop.
    """

    rollout: str
    seq: int
    at: str
    kind: str
    device: str
    wave: int
    details: Mapping[str, Any]
    person: str
    token: int | None
