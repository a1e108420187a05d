"""SQLite: a file that all accounts of the group may write, WAL, and writers that queue up at BEGIN IMMEDIATE."""

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event

from ledger.errors import N_, LedgerDamagedError, LedgerFullError
from ledger.faults import translated
from ledger.folders import make_folder
from ledger.proc import command_of

_MODE = 0o660  # all of the group tuyen write, nobody else reads
_SMALLEST = 512  # bytes; SQLite's smallest page
_PAUSE = 0.02  # seconds between two tries
_WRITE_LOCK = "120"  # the byte of the -shm file that SQLite locks for a writer: WAL_WRITE_LOCK in its wal.c


def engine(file: Path, patience: float) -> Engine:
    """Return an engine for `file`, which is made when it is not there. Raises LedgerError."""
    _make(file)
    with translated(str(file), lambda: writer(file)):
        _switch_to_wal(file, patience)
    made = create_engine(URL.create("sqlite", database=str(file)), connect_args={"timeout": patience}, max_overflow=-1)
    event.listen(made, "connect", _prepare)
    event.listen(made, "begin", _begin)
    return made


def _make(file: Path) -> None:
    # Only a new file is opened by hand: closing a descriptor of one that SQLite has open here would drop its locks.
    if file.exists():
        _check_size(file)
        return
    try:
        make_folder(file.parent)
        descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _MODE)
    except FileExistsError:
        return  # another process was first, or a file stands where the folder should be: SQLite will say so
    except OSError as error:
        raise LedgerFullError(
            N_("{ledger} cannot be made: {reason}"), ledger=file, reason=error.strerror or error
        ) from error
    os.fchmod(descriptor, _MODE)  # whatever the umask says
    os.close(descriptor)


def _check_size(file: Path) -> None:
    # SQLite takes a file that is shorter than its header for an empty one, and would write over what is left of it
    if file.is_file() and 0 < (size := file.stat().st_size) < _SMALLEST:
        raise LedgerDamagedError(
            N_("{ledger} is damaged: only {size} bytes are left of it; bring back a copy of it"), ledger=file, size=size
        )


def _switch_to_wal(file: Path, patience: float) -> None:
    # SQLite does not wait for the lock that the switch needs, and two processes may open a new ledger at once
    deadline = time.monotonic() + patience
    with closing(sqlite3.connect(file, timeout=patience)) as connection:
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(_PAUSE)
            else:
                return


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where we say so
    connection.text_factory = _text
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")  # what is written before a device is touched survives a power cut


def _text(stored: bytes) -> str:
    """Return text as it is stored, bytes that are no UTF-8 as surrogates: the audit must be able to read them."""
    return stored.decode("utf-8", "surrogateescape")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("tuyen_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def writer(file: Path) -> str:
    """Return which process writes into `file` now, such as "812 (tuyen run patch)"; empty when none is seen."""
    try:
        inode = file.with_name(f"{file.name}-shm").stat().st_ino
        locks = [line.split() for line in Path("/proc/locks").read_text(encoding="ascii").splitlines()]
    except OSError:
        return ""
    for lock in locks:  # 1: POSIX  ADVISORY  WRITE 812 fe:00:1051 120 120
        if lock[1:4] == ["POSIX", "ADVISORY", "WRITE"] and lock[5].endswith(f":{inode}") and lock[6] == _WRITE_LOCK:
            return command_of(int(lock[4]))
    return ""
