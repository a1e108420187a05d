"""The one setting of the host that many booted machines need more of, and its return when the last lab has gone.

Every systemd watches files through inotify, and the kernel counts the watches of all of a user's namespaces
together. The setting as it was lies in a file that each lab holds a shared lock on; who can lock it alone is the last.
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

_SETTING = Path("/proc/sys/fs/inotify/max_user_instances")
_ENOUGH = 8192
_NOTE = Path("/run/tuyen-lab.inotify")


def raise_limits() -> int:
    """Raise the setting, and return the open file that says that we need it. Raises OSError."""
    while True:
        note = os.open(_NOTE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if _lock(note, fcntl.LOCK_EX):
            _raise(note)
        fcntl.flock(note, fcntl.LOCK_SH)
        if os.fstat(note).st_nlink and int(_SETTING.read_text()) >= _ENOUGH:
            return note
        os.close(note)  # the last lab has just gone, and taken the note with it


def restore_limits() -> None:
    """Put the setting back as it was, unless a lab still needs it. Raises OSError."""
    with suppress(FileNotFoundError):
        note = os.open(_NOTE, os.O_RDWR | os.O_CLOEXEC)
        if _lock(note, fcntl.LOCK_EX):
            before = os.pread(note, 32, 0)
            if before and int(_SETTING.read_text()) == _ENOUGH:
                _SETTING.write_bytes(before)
            _NOTE.unlink(missing_ok=True)
        os.close(note)


def _raise(note: int) -> None:
    now = int(_SETTING.read_text())
    if now < _ENOUGH:
        os.pwrite(note, b"%d\n" % now, 0)
        _SETTING.write_text(str(_ENOUGH))


def _lock(note: int, how: int) -> bool:
    try:
        fcntl.flock(note, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
