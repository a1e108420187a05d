"""What the ledger tells: runs, tasks and who did it, as frozen values. All times are UTC, ISO 8601 text that sorts."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from ledger.states import State


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


def stamp(time: datetime) -> str:
    """Return a time as the ledger keeps it: UTC with microseconds, such as 2026-11-25T19:36:50.000000Z."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def plain(text: str) -> str:
    """Return `text` as every database takes it: no bytes that are no UTF-8, no NUL; those become U+FFFD."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace").replace("\0", "\ufffd")


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
