"""Open the ledger: SQLite in a file by default, PostgreSQL by URL, the same code on top.

Every write holds the one write lock of the ledger from its first statement on (BEGIN IMMEDIATE; on PostgreSQL an
advisory lock), so that what it reads is still true when it commits, and the audit chain never forks.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Self

from sqlalchemy import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError

from ledger import postgresql, sqlite
from ledger.errors import N_, LedgerAbsentError, LedgerLockedError
from ledger.faults import translated
from ledger.records import now
from ledger.upgrade import upgrade

FILE = Path(".tuyen", "ledger.sqlite")  # below the province's folder
PATIENCE = 10.0  # seconds to wait for another writer


@dataclass(frozen=True)
class Ledger:
    """An open ledger, for all threads of this process.

    `name` is how messages call it, without a password; `file` is None on PostgreSQL; `writer` says who holds the lock.
    """

    engine: Engine
    name: str
    file: Path | None
    writer: Callable[[], str]
    patience: float = PATIENCE
    clock: Callable[[], datetime] = now
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def is_shared(self) -> bool:
        """Whether other machines may use it, too."""
        return self.file is None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees the ledger as it is now, whatever is written meanwhile. Raises LedgerError."""
        with translated(self.name, self.writer), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection that alone may write; commits at the end, or leaves nothing. Raises LedgerError."""
        with self._one_thread(), translated(self.name, self.writer), self.engine.connect() as plain:
            connection = plain.execution_options(tuyen_write=True)
            with connection.begin():
                yield connection

    @contextmanager
    def _one_thread(self) -> Iterator[None]:
        # threads take turns here, not in the database, whose waiting is by polling and unfair
        if not self._turn.acquire(timeout=self.patience):
            raise LedgerLockedError(
                N_("{ledger} is locked: another thread of this process has been writing for over {seconds} s"),
                ledger=self.name,
                seconds=f"{self.patience:g}",
            )
        try:
            yield
        finally:
            self._turn.release()

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


def open_ledger(place: Path | str, *, patience: float = PATIENCE, clock: Callable[[], datetime] = now) -> Ledger:
    """Open the ledger at `place`, a file or a database's URL; make it, or upgrade it, when needed.

    `patience`: seconds to wait for another writer; `clock` gives the times that are written. Raises LedgerError.
    """
    ledger = connect(place, patience=patience, clock=clock)
    try:
        upgrade(ledger)
    except BaseException:
        ledger.close()
        raise
    return ledger


def connect(place: Path | str, *, patience: float = PATIENCE, clock: Callable[[], datetime] = now) -> Ledger:
    """Return the ledger at `place` as it is, not upgraded. Raises LedgerError."""
    url = _url(place)
    shown = url.render_as_string(hide_password=True)
    if url.drivername == "sqlite" and url.database:
        file = Path(url.database)
        return Ledger(sqlite.engine(file, patience), str(file), file, partial(sqlite.writer, file), patience, clock)
    if url.drivername == "postgresql+psycopg":
        engine = postgresql.engine(url, patience)
        return Ledger(engine, shown, None, partial(postgresql.writer, engine), patience, clock)
    raise LedgerAbsentError(N_("{url}: a ledger is kept in SQLite (a path) or in PostgreSQL (a URL)"), url=shown)


def _url(place: Path | str) -> URL:
    if isinstance(place, Path) or "://" not in place:
        return URL.create("sqlite", database=str(place))
    try:
        url = make_url(place)
    except ArgumentError:  # its text holds the URL, and with it perhaps a password
        raise LedgerAbsentError(
            N_("the ledger's address cannot be read; write it as {example}"), example="postgresql://user@host/database"
        ) from None
    return url.set(drivername="postgresql+psycopg") if url.drivername in ("postgres", "postgresql") else url
