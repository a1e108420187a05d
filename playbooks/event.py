"""What drivers tell while they work: values, one a line in logs, safe to be told from any thread."""

from enum import StrEnum
from typing import NamedTuple


class Outcome(StrEnum):
    """How a step ended on one device."""

    DONE = "done"
    FAILED = "failed"
    UNREACHABLE = "unreachable"  # it never let us in, or went away
    NOT_APPLICABLE = "not-applicable"  # the machine lacks what the job is about; the reason says what


class Doing(NamedTuple):
    """What is being done to a device right now: live progress, kept nowhere."""

    device: str
    what: str


class Change(NamedTuple):
    """One thing that differs from the target (check), or was changed (apply).

    `diff` is a unified diff or the commands, "" where there is none. A change that is not `foreseen` is decided at
    apply: it lies behind something that is not there yet.
    """

    device: str
    what: str
    diff: str = ""
    foreseen: bool = True


class Note(NamedTuple):
    """Something a person should know that is no change, such as a capability that was left out."""

    device: str
    text: str


class Done(NamedTuple):
    """The step has ended on a device; exactly one a device and step. `reason` says why it is not DONE."""

    device: str
    outcome: Outcome
    reason: str = ""


Event = Doing | Change | Note | Done
