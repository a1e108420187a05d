"""Two folders change places in one step: at every moment each name stands for one or the other, whole."""

import ctypes
import errno
import os
from pathlib import Path

from ledger.errors import N_, BadBackupError

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2  # of linux/fs.h
_UNSUPPORTED = (errno.EINVAL, errno.ENOSYS, errno.EXDEV, errno.ENOTSUP)


def exchange(one: Path, other: Path) -> None:
    """Let two paths of one file system change places. Raises OSError, BadBackupError where that cannot be done."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE):
        number = ctypes.get_errno()
        if number in _UNSUPPORTED:
            raise BadBackupError(
                N_("{folder} lies on a file system that cannot exchange two folders at once; move the province"),
                folder=one,
            )
        raise OSError(number, os.strerror(number), str(one))
