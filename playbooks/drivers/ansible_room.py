"""A private folder for a run of Ansible: for rendered files, and sockets, whose paths must be short.

It lies in memory where it can. Should we be killed, our children work on in it; a later run removes it.
"""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

_MEMORY = Path("/dev/shm")  # noqa: S108  (what is made in it is private, by mkdtemp)
_PREFIX = "tuyen-ansible-"
_YOUNG = 60.0  # seconds in which a folder may not have its lock yet


class Room(NamedTuple):
    """The folder, and a descriptor whose lock says that it is in use; children inherit it."""

    path: Path
    lock: int


@contextmanager
def own_room() -> Iterator[Room]:
    """Make a room for the block; those that nobody uses any more are removed."""
    memory = _MEMORY if os.access(_MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    _sweep(memory)
    path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=memory))
    lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield Room(path, lock)
    finally:
        os.close(lock)
        shutil.rmtree(path, ignore_errors=True)


def _sweep(folder: Path) -> None:
    for path in folder.glob(f"{_PREFIX}*"):
        with suppress(OSError):  # in use, not ours, or gone meanwhile
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if time.time() - os.fstat(lock).st_mtime > _YOUNG:
                    shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(lock)
