"""What the loop of a rollout is handed: sites that do the work, gates that judge, people who are told.

They are handed in as values, so that this room imports none of those who give them, and tests can play any of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from playbooks.rollout.state import Result


class Dispatch(NamedTuple):
    """One device to be worked on. `id` is never used for anything else; `again` when it was dispatched before."""

    id: str
    device: str
    step: str  # "apply" or "rollback"
    again: bool = False  # by a controller that died: the device may be at target, or still be worked on


class Report(NamedTuple):
    """What came of a dispatch. `changed` is False when it is certain that nothing was changed."""

    id: str
    device: str
    result: Result
    reason: str = ""
    changed: bool = True


class Site(Protocol):
    """Where dispatches are carried out: a pool in this process, or later a relay at a district."""

    def dispatch(self, work: Sequence[Dispatch], report: Callable[[Report], None]) -> None:
        """Begin, and return at once; `report` is called once for each dispatch, from any thread."""

    def stop(self) -> None:
        """End what is under way, cleanly, and return when nothing is left.

        What was not finished is not reported: it is at work in the ledger, and is dispatched again later.
        """


class Judgement(StrEnum):
    """What a gate says."""

    WELL = "well"
    ILL = "ill"
    UNKNOWN = "unknown"  # it cannot be told: the rollout pauses, it does not go on


@dataclass(frozen=True, slots=True)
class Verdict:
    """A gate's judgement; `why` is for people, empty when all is well."""

    judgement: Judgement
    why: str = ""


Look = Callable[[Sequence[str]], Verdict]  # asks how the devices with these ids, their offices and services are
Fitness = Callable[[Sequence[str]], Mapping[str, str]]  # device -> why it must not be worked on now; absent when it may


class Notice(NamedTuple):
    """Something that people should be told: `kind` is paused, failed, approval, ended, rolled-back or trouble."""

    kind: str
    rollout: str
    say: Callable[[], str]

    @property
    def text(self) -> str:
        """What is told, in the language that is spoken where it is asked for: readers have their own."""
        return self.say()


Notify = Callable[[Notice], None]
