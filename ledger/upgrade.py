"""Bring a ledger to the newest revision: Alembic, from within the package, in one transaction, after a backup."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from ledger.errors import N_, LedgerNewerError
from ledger.schema import HEAD

if TYPE_CHECKING:
    from ledger.connection import Ledger

SCRIPTS = "ledger:migrations"
KEPT_SCHEMA = "before_upgrade_from_"  # and the revision: what PostgreSQL keeps of a ledger before an upgrade


def upgrade(ledger: "Ledger", scripts: str = SCRIPTS, newest: str = HEAD) -> None:
    """Apply what is missing; a ledger that is up to date costs one query. Before, all of it is copied.

    A SQLite file is copied beside itself, as `ledger.sqlite.before-upgrade-from-0003`; in PostgreSQL the tables are
    copied into a schema of such a name, in the transaction that upgrades them.

    `scripts` is a folder of revisions as Alembic understands it. Several processes may do this at once: one upgrades,
    the others wait for it. Raises LedgerNewerError, and what `Ledger.write` raises.
    """
    with ledger.read() as connection:
        if revision_of(connection) == newest:
            return
    with ledger.write() as connection:
        revision = revision_of(connection)  # another process may have come first
        if revision != newest:
            _apply(ledger, connection, scripts, revision, newest)


def revision_of(connection: Connection) -> str | None:
    """Return the revision that a ledger has; None for a database without a ledger."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _apply(ledger: "Ledger", connection: Connection, scripts: str, revision: str | None, newest: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    configuration = Config(attributes={"connection": connection})
    configuration.set_main_option("script_location", scripts.replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(configuration).walk_revisions()}
    if revision is not None and revision not in known:
        raise LedgerNewerError(
            N_("{ledger} was written by a newer tuyen (revision {revision}); install that one or a newer one"),
            ledger=ledger.name,
            revision=revision,
        )
    if revision is not None:
        _keep(ledger, connection, revision)
    command.upgrade(configuration, newest)


def _keep(ledger: "Ledger", connection: Connection, revision: str) -> None:
    """Copy the ledger as it is at `revision`."""
    if ledger.file is not None:
        back_up(ledger.file, ledger.file.with_name(f"{ledger.file.name}.before-upgrade-from-{revision}"))
        return
    tables = inspect(connection).get_table_names()
    quoted = connection.dialect.identifier_preparer.quote
    schema = quoted(f"{KEPT_SCHEMA}{revision}")
    connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
    connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
    for table in map(quoted, tables):
        connection.exec_driver_sql(f"CREATE TABLE {schema}.{table} AS TABLE {table}")


def back_up(file: Path, copy: Path) -> None:
    """Copy a SQLite ledger while it is in use; `copy` appears when it is whole, and not before."""
    part = copy.with_name(f"{copy.name}.part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, file.stat().st_mode & 0o777))
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(part)) as target:
        source.backup(target)
    with part.open("rb") as whole:
        os.fsync(whole.fileno())
    part.replace(copy)
