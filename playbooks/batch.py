"""One step of a job for some devices: what a driver is given."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from playbooks.event import Event
from playbooks.job import Job, Step
from playbooks.mask import Mask
from playbooks.target import Target

Tell = Callable[[Event], None]


class Keepable(Protocol):
    """Something that takes long to start, and is idle between two steps."""

    def close(self) -> None:
        """End it."""


class Kept:
    """What a driver keeps from one step of a run to the next; all of it ends with the run. Safe for threads."""

    def __init__(self) -> None:
        self._idle: deque[Keepable] = deque()

    def take(self) -> Keepable | None:
        """Return one that is idle, which is the caller's from now on."""
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def put(self, idle: Keepable) -> None:
        """Keep it for the next step."""
        self._idle.append(idle)

    def close(self) -> None:
        """End all that is idle."""
        while one := self.take():
            one.close()


@dataclass(frozen=True, slots=True)
class Batch:
    """One step for some devices, in one call of a driver.

    The driver tells `tell` what happens, from any thread, ending with one Done a device, and returns when nothing
    that it started is left, but what it has put into `kept`. All text that leaves it (events, logs) has gone through
    `mask`. It appends what it hears to `log(device)`. Child processes inherit `locks`. When `stop` is set it ends soon,
    cleanly: devices that were not finished are told FAILED with the reason "interrupted".
    """

    job: Job
    step: Step
    targets: tuple[Target, ...]
    folder: Path  # of the run, private to us; exists
    tell: Tell
    mask: Mask
    stop: threading.Event = field(default_factory=threading.Event)
    locks: tuple[int, ...] = ()  # open descriptors
    parallel: int = 20  # devices at a time
    kept: Kept | None = None  # without it nothing is kept

    def child(self, command: Sequence[str]) -> list[str]:
        """Return the command line of a child process.

        The child of a risky job ends when we do: nobody would confirm what it goes on to change, and it would change
        it while the device returns to what it was. Others may finish the device that they are at.
        """
        return ["setpriv", "--pdeathsig=TERM", "--", *command] if self.job.risky else list(command)

    def log(self, device: str) -> Path:
        """Return the file for everything that is heard of a device in this run; drivers append to it."""
        return self.folder / f"{device}.log"
