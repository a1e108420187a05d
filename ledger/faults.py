"""What a database's error means for the person who reads it: one table a database."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from ledger.errors import (
    N_,
    LedgerAbsentError,
    LedgerDamagedError,
    LedgerError,
    LedgerFullError,
    LedgerLockedError,
)

_PRIMARY = 0xFF  # the low byte of SQLite's extended codes is the kind
_SQLITE: Mapping[int, type[LedgerError]] = {
    sqlite3.SQLITE_BUSY: LedgerLockedError,
    sqlite3.SQLITE_LOCKED: LedgerLockedError,
    sqlite3.SQLITE_READONLY: LedgerFullError,
    sqlite3.SQLITE_IOERR: LedgerFullError,
    sqlite3.SQLITE_FULL: LedgerFullError,
    sqlite3.SQLITE_CANTOPEN: LedgerFullError,
    sqlite3.SQLITE_PERM: LedgerFullError,
    sqlite3.SQLITE_CORRUPT: LedgerDamagedError,
    sqlite3.SQLITE_NOTADB: LedgerDamagedError,
}
_POSTGRESQL: Mapping[str, type[LedgerError]] = {  # by SQLSTATE, or its class, the first two letters
    "55P03": LedgerLockedError,
    "25006": LedgerFullError,
    "53": LedgerFullError,
    "58": LedgerFullError,
    "XX": LedgerDamagedError,
    "08": LedgerAbsentError,
    "28": LedgerAbsentError,
    "3D": LedgerAbsentError,
    "42501": LedgerAbsentError,
    "57P": LedgerAbsentError,
}
_MESSAGES: Mapping[type[LedgerError], str] = {
    LedgerLockedError: N_("{ledger} is locked by another process; try again later ({reason})"),
    LedgerFullError: N_("{ledger} cannot be written: the disk is full or broken, or may only be read ({reason})"),
    LedgerDamagedError: N_("{ledger} is damaged, or is no ledger; bring back a copy of it ({reason})"),
    LedgerAbsentError: N_("{ledger} does not let us in: {reason}"),
}


@contextmanager
def translated(name: str, writer: Callable[[], str]) -> Iterator[None]:
    """Raise what the database says as an error of ours; what it means nothing to us is a defect, and passes."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        said = error.orig if isinstance(error, DBAPIError) else error
        kind = _kind(said)
        if kind is None:
            raise
        raise _error(kind, name, str(said).partition("\n")[0], writer) from error


def _kind(said: BaseException | None) -> type[LedgerError] | None:
    if isinstance(said, sqlite3.Error):
        return _SQLITE.get(getattr(said, "sqlite_errorcode", 0) & _PRIMARY)
    state = getattr(said, "sqlstate", None)
    if state is None:  # psycopg could not reach the server, or lost it
        return LedgerAbsentError if type(said).__name__ == "OperationalError" else None
    return next((_POSTGRESQL[key] for key in (state, state[:3], state[:2]) if key in _POSTGRESQL), None)


def _error(kind: type[LedgerError], name: str, reason: str, writer: Callable[[], str]) -> LedgerError:
    holder = writer() if kind is LedgerLockedError else ""
    if holder:
        return LedgerLockedError(N_("{ledger} is locked by {holder}; try again later"), ledger=name, holder=holder)
    return kind(_MESSAGES[kind], ledger=name, reason=reason)
