"""Who holds a lock: what the holder wrote into the lock's file, and whether they are still there."""

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime

from ledger.proc import began, is_gone, pid_space
from ledger.records import now, stamp


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that took a lock: its number, who started it, since when (UTC), and what it does.

    `began` and `space` tell it from another process that was given the same number, or has it in another namespace.
    """

    pid: int
    person: str
    since: str
    doing: str
    began: str
    space: str

    def is_dead(self) -> bool:
        """Say whether the process is certainly gone; one in another PID namespace cannot be judged from here."""
        return self.space == pid_space() and is_gone(self.pid, self.began)


def this_process(person: str, doing: str, clock: Callable[[], datetime] = now) -> Holder:
    """Return ourselves, as a holder since now."""
    process = os.getpid()
    return Holder(process, person, stamp(clock()), doing, began(process), pid_space())


def write_holder(descriptor: int, holder: Holder) -> None:
    """Write `holder` into a lock's file, over whom it named before."""
    text = json.dumps(asdict(holder), sort_keys=True).encode()
    os.pwrite(descriptor, text, 0)
    os.ftruncate(descriptor, len(text))


def read_holder(descriptor: int) -> Holder | None:
    """Return who wrote themselves into a lock's file; None while they are about to."""
    try:
        return Holder(**json.loads(os.pread(descriptor, 65536, 0)))
    except (ValueError, TypeError):
        return None
