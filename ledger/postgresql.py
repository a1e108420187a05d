"""PostgreSQL: the same ledger for several controllers; one advisory lock makes writers queue up."""

import os
import socket

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError

from ledger.errors import N_, LedgerAbsentError

_KEY = 0x7475_7965  # "tuye": the advisory lock's number, in 32 bits
_WRITER = text(
    "SELECT application_name FROM pg_stat_activity JOIN pg_locks USING (pid)"
    " WHERE locktype = 'advisory' AND objid = :key AND granted AND pg_locks.database ="
    " (SELECT oid FROM pg_database WHERE datname = current_database())"
)


def engine(url: URL, patience: float) -> Engine:
    """Return an engine for the database at `url`. Raises LedgerAbsentError."""
    name = f"tuyen {os.getpid()} {socket.gethostname()}"
    try:
        made = create_engine(
            url,
            connect_args={"connect_timeout": max(2, round(patience)), "application_name": name},
            pool_pre_ping=True,  # the server may have been restarted since
            max_overflow=-1,
        )
    except ModuleNotFoundError as error:
        raise LedgerAbsentError(
            N_("a ledger in PostgreSQL needs the package {package}"), package="psycopg[binary]"
        ) from error
    event.listen(made, "begin", lambda connection: _begin(connection, patience))
    return made


def _begin(connection: Connection, patience: float) -> None:
    if not connection.get_execution_options().get("tuyen_write"):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {max(1, round(patience * 1000))}")
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_KEY})")


def writer(made: Engine) -> str:
    """Return who holds the write lock, such as "tuyen 812 controller-1"; empty when nobody is seen."""
    try:
        with made.connect() as connection:
            return str(connection.execute(_WRITER, {"key": _KEY}).scalar() or "")
    except DBAPIError:  # the message that wants to know is about a worse thing
        return ""
