"""A copy of the whole ledger while it is written to, as of one moment; and a ledger made of such a copy.

SQLite by its online backup: one file. PostgreSQL by pg_dump and pg_restore, which must be of the server's version or
newer; the dump and the audit trail's head that is noted with it are of the same snapshot.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, inspect, select, text

from ledger.audit import Head, head_of, verify
from ledger.connection import Ledger, connect
from ledger.errors import N_, BadBackupError, LedgerAbsentError, LedgerDamagedError
from ledger.leases import held
from ledger.schema import LEASE
from ledger.upgrade import KEPT_SCHEMA, back_up, revision_of

_SECONDS = 3600  # that a dump may take
_DEBIAN = Path("/usr/lib/postgresql")  # where Debian keeps the programs of each version
_VERSION = re.compile(r"\) ([0-9]+)")


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy holds: its kind of database, its revision, the head of its audit trail, and where that is broken."""

    database: str
    revision: str
    head: Head
    breaks: int


def copy(ledger: Ledger, file: Path) -> Copied:
    """Write all of the ledger into `file`, which is not there yet. Raises LedgerError."""
    if ledger.file is not None:
        back_up(ledger.file, file)
        return look(file)
    return _dump(ledger, file)


def look(file: Path) -> Copied:
    """Return what a SQLite copy holds, after its pages were checked. Raises LedgerError."""
    with connect(file) as ledger:
        with ledger.read() as connection:
            said = str(connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar())
            if said != "ok":
                text_ = N_("{ledger} is damaged, or is no ledger; bring back a copy of it ({reason})")
                raise LedgerDamagedError(text_, ledger=file, reason=said)
            revision, head = revision_of(connection) or "", head_of(connection)
        return Copied("sqlite", revision, head, sum(1 for _break in verify(ledger)))


def _dump(ledger: Ledger, file: Path) -> Copied:
    breaks = sum(1 for _break in verify(ledger))
    with ledger.read() as connection:
        snapshot = connection.scalar(text("SELECT pg_export_snapshot()"))
        found = Copied("postgresql", revision_of(connection) or "", head_of(connection), breaks)
        program = _program("pg_dump", connection)
        words = ["--format=custom", "--no-owner", "--no-privileges", f"--exclude-schema={KEPT_SCHEMA}*"]
        words += [f"--snapshot={snapshot}", f"--file={file}"]
        _run(ledger, program, words)
    return found


def load(ledger: Ledger, dump: Path, wanted: Head) -> None:
    """Fill the empty PostgreSQL database `ledger` from a dump, all or nothing. Raises LedgerError.

    One whose audit trail already has the row `wanted` was filled before, and is left as it is.
    """
    with ledger.read() as connection:
        program = _program("pg_restore", connection)
        filled = bool(inspect(connection).get_table_names())
        same = filled and revision_of(connection) is not None and _has(connection, wanted)
    if same:
        return
    if filled:
        raise BadBackupError(
            N_("{ledger} is not empty; make an empty database, and name it as 'database' in province.yaml"),
            ledger=ledger.name,
        )
    words = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", str(dump)]
    _run(ledger, program, words)


def _has(connection: Connection, wanted: Head) -> bool:
    return wanted.seq > 0 and head_of(connection, upto=wanted.seq) == wanted


def _program(name: str, connection: Connection) -> str:
    """Return the oldest program of that name that serves the server's version. Raises LedgerAbsentError."""
    server = int(str(connection.scalar(text("SHOW server_version_num")))) // 10000
    fitting = sorted((version, str(path)) for version, path in _programs(name) if version >= server)
    if not fitting:
        raise LedgerAbsentError(
            N_("the server is PostgreSQL {server}: no {program} of that version or newer is here; install {package}"),
            server=server,
            program=name,
            package=f"postgresql-client-{server}",
        )
    return fitting[0][1]


def _programs(name: str) -> Iterator[tuple[int, Path]]:
    found = [*sorted(_DEBIAN.glob(f"*/bin/{name}"))]
    if usual := shutil.which(name):
        found.append(Path(usual))
    for path in found:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=60, check=False).stdout
        if version := _VERSION.search(said):
            yield int(version[1]), path


def _run(ledger: Ledger, program: str, words: list[str]) -> None:
    """Run a program on the ledger's database; the password goes by the environment, where only we look."""
    from psycopg.conninfo import make_conninfo

    url = ledger.engine.url
    where = {"host": url.host, "port": url.port, "user": url.username, "dbname": url.database}
    given = {name: str(value) for name, value in {**where, **url.query}.items() if value is not None}
    environment = {**os.environ, "LC_ALL": "C.UTF-8"} | ({"PGPASSWORD": url.password} if url.password else {})
    done = subprocess.run(
        [program, "--no-password", f"--dbname={make_conninfo('', **given)}", *words],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_SECONDS,
        check=False,
        env=environment,
    )
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if "error" in line] or done.stderr.splitlines() or ["?"]
        raise BadBackupError(
            N_("{program} failed on {ledger}: {reason}"), program=program, ledger=ledger.name, reason=said[0]
        )


def drivers(ledger: Ledger) -> tuple[str, ...]:
    """Return who holds a lease now, such as the watch or a rollout, as messages name them."""
    with ledger.read() as connection:
        if not inspect(connection).has_table(LEASE.name):
            return ()
        names = list(connection.scalars(select(LEASE.c.name).order_by(LEASE.c.name)))
    holders = [lease for name in names if (lease := held(ledger, name))]
    return tuple(f"{lease.name}: {lease.person}@{lease.host} ({lease.pid})" for lease in holders)
