"""One lock a device, held by the process that acts on it and by all children that it hands the descriptor to.

A lock is an flock on <folder>/<device>.lock. The kernel frees it when the last process that has the descriptor is gone,
also after kill -9; so a second run waits for what a dead one left behind. Lock files are never deleted: another process
may just be opening one.
"""

import errno
import fcntl
import os
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Self
from urllib.parse import quote

from ledger.errors import N_, DeviceBusyError, LedgerFullError
from ledger.folders import make_folder
from ledger.holder import Holder, read_holder, this_process, write_holder
from ledger.proc import command_of, having_open
from ledger.records import here

FOLDER = Path(".tuyen", "locks")  # below the province's folder
_MODE = 0o660  # all of the group tuyen may lock, whoever made the file
_PAUSE = 0.05  # seconds between two tries
_GLANCE = 0.002  # seconds; `is_held` holds a free lock for less, and must not be taken for a holder


@dataclass(frozen=True, slots=True)
class DeviceLock:
    """A lock that is ours. Give `descriptor` to children by `subprocess.Popen(..., pass_fds=[lock.descriptor])`."""

    device: str
    descriptor: int

    def release(self) -> None:
        """Let go of it; children that have the descriptor hold it on, until the last of them has ended."""
        os.close(self.descriptor)  # LOCK_UN would take it from the children, too

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.release()


@dataclass(frozen=True, slots=True)
class Taken:
    """What `take_all` got: the locks that are ours, and why the others are not, both sorted by device."""

    locks: tuple[DeviceLock, ...]
    busy: tuple[DeviceBusyError, ...]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        for lock in self.locks:
            lock.release()


def take(folder: Path, device: str, *, person: str, doing: str, patience: float) -> DeviceLock:
    """Take the lock of `device`, waiting at most `patience` seconds. Raises DeviceBusyError, LedgerFullError.

    `person` and `doing` tell others who holds it; no secret may be in them.
    """
    return _take(folder, device, this_process(person, doing), time.monotonic() + patience)


def take_all(folder: Path, devices: Iterable[str], *, person: str, doing: str, patience: float) -> Taken:
    """Take the locks that can be had within `patience` seconds altogether. Raises LedgerFullError, and then holds none.

    They are taken in sorted order: two runs never wait for each other.
    """
    holder = this_process(person, doing)
    deadline = time.monotonic() + patience
    locks, busy = [], []
    with ExitStack() as undo:
        for device in sorted(set(devices)):
            try:
                locks.append(undo.enter_context(_take(folder, device, holder, deadline)))
            except DeviceBusyError as error:
                busy.append(error)
        undo.pop_all()
    return Taken(tuple(locks), tuple(busy))


def is_held(folder: Path, device: str) -> bool:
    """Say whether anybody holds the lock of `device` now; `take` tells who. Raises LedgerFullError."""
    if not _file(folder, device).exists():
        return False
    descriptor = _open(folder, device)
    try:
        return not _try(descriptor)
    finally:
        os.close(descriptor)


def _take(folder: Path, device: str, holder: Holder, deadline: float) -> DeviceLock:
    descriptor = _open(folder, device)
    try:
        if not _wait(descriptor, deadline):
            _refuse(device, _file(folder, device), read_holder(descriptor))
        _sign(descriptor, holder, _file(folder, device))
    except BaseException:
        os.close(descriptor)
        raise
    return DeviceLock(device, descriptor)


def _sign(descriptor: int, holder: Holder, file: Path) -> None:
    try:
        write_holder(descriptor, holder)
    except OSError as error:
        reason = error.strerror or error
        raise LedgerFullError(N_("the lock {file} cannot be written: {reason}"), file=file, reason=reason) from error


def _wait(descriptor: int, deadline: float) -> bool:
    while not _try(descriptor):
        if time.monotonic() >= deadline:
            time.sleep(_GLANCE)
            return _try(descriptor)
        time.sleep(_PAUSE)
    return True


def _file(folder: Path, device: str) -> Path:
    return folder / f"{quote(device, safe='')}.lock"


def _open(folder: Path, device: str) -> int:
    file = _file(folder, device)
    try:
        make_folder(folder)
        descriptor = os.open(file, os.O_CREAT | os.O_RDWR, _MODE)
    except OSError as error:
        raise LedgerFullError(
            N_("the lock {file} cannot be opened: {reason}"), file=file, reason=error.strerror or error
        ) from error
    state = os.fstat(descriptor)
    if state.st_uid == os.geteuid() and state.st_mode & 0o777 != _MODE:
        os.fchmod(descriptor, _MODE)  # whatever the umask says
    return descriptor


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EAGAIN, errno.EACCES):
            raise
        return False
    return True


def _refuse(device: str, file: Path, holder: Holder | None) -> NoReturn:
    if holder is None:
        raise DeviceBusyError(device, "", N_("{device} is held by a process that has just begun; try again"))
    told = {"person": holder.person, "since": here(holder.since), "doing": holder.doing}
    if not holder.is_dead():
        text = N_("{device} is held by {person} (process {process}) since {since}: {doing}")
        raise DeviceBusyError(device, _line(holder), text, **told, process=holder.pid)
    left = ", ".join(command_of(process) for process in having_open(file) if process != os.getpid())
    text = N_(
        "{device}: the run of {person} since {since} ({doing}) is dead, but what it started still acts: {left};"
        " wait until that has ended"
    )
    raise DeviceBusyError(device, _line(holder), text, **told, left=left or "?")


def _line(holder: Holder) -> str:
    return f"{holder.person} {holder.pid} {holder.since} {holder.doing}"
