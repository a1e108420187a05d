"""The files of a lab in its state folder, and the lock that tells whether it is alive.

The lock is held by the lab's own processes, from before the first to the last: when it is free, nothing of
the lab is left, whatever else lies in the folder. So nobody has to trust a process id.
"""

import contextlib
import fcntl
import os
import shutil
import time
from pathlib import Path

from lab.tidy import tidy

CONTROL, LOCK, LOG, STATE, AUTHORITY, PRIVATE = "control", "lock", "lab.log", "lab.json", "ca.pem", "private"
MACHINES, GROUP, REPOSITORY = "machines", "group", "repository"  # real machines; which control group; their packages
STAY = b"stay\n"  # what the keeper reads when it may outlive the one who started it
_LEFTOVERS = (CONTROL, STATE, AUTHORITY)
_MOMENT = 0.3  # seconds that somebody who only looks may hold the lock


def open_folder(folder: Path) -> int:
    """Return an open file that stands for `folder`, to reach long paths through."""
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def take_lock(folder: Path) -> int | None:
    """Return the open, locked file; None when a lab is alive in `folder`. Makes the folder."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    end = time.monotonic() + _MOMENT
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                os.close(descriptor)
                return None
            time.sleep(0.02)
        else:
            return descriptor


def is_alive(folder: Path) -> bool:
    """Whether a lab is up, coming up or going down in `folder`."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def remove_leftovers(folder: Path) -> None:
    """Remove what a lab that is no longer alive has left in `folder`; its log stays."""
    for name in _LEFTOVERS:
        (folder / name).unlink(missing_ok=True)
    for name in (PRIVATE, MACHINES):
        with contextlib.suppress(OSError):
            (folder / name).rmdir()
    shutil.rmtree(folder / REPOSITORY, ignore_errors=True)
    tidy(folder / GROUP)
