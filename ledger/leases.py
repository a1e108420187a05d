"""Leases: which controller drives something that is there once, such as a rollout.

A lease ends by itself unless it is renewed; one whose holder is a dead process of this machine may be taken at once.
Each time it changes hands its token grows, and whoever writes with an older one is refused (fencing): whatever the
clocks say, two may believe that they hold it, but only one of them can write.
"""

import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from ledger import audit
from ledger.connection import Ledger
from ledger.errors import N_, LeaseHeldError, LeaseLostError
from ledger.holder import Holder, this_process
from ledger.records import Actor, here, plain, stamp
from ledger.schema import LEASE


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease as it was when it was read: who holds it (a person, and their process on a host), since and until when.

    `token` counts how often it changed hands.
    """

    name: str
    token: int
    person: str
    host: str
    pid: int
    since: str
    until: str


def acquire(ledger: Ledger, name: str, *, actor: Actor, seconds: float) -> Lease:
    """Take the lease of that name for so many seconds, in the name of `actor`. Raises LeaseHeldError.

    The same process cannot take it twice.
    """
    with ledger.write() as connection:
        now = ledger.clock()
        before = _read(connection, name)
        if before is not None and not is_free(before, now):
            _refuse(before)
        row = _row(actor, now, seconds) | {"name": name, "token": before.token + 1 if before else 1}
        if before is None:
            connection.execute(insert(LEASE).values(row))
        else:
            connection.execute(update(LEASE).where(LEASE.c.name == name).values(row))
        told = {"name": name, "token": row["token"], "host": row["host"], "process": row["pid"]}
        audit.append(connection, ledger, actor, "lease.acquire", told | {"from": before.holder if before else ""})
        return _lease(_read(connection, name))


def renew(ledger: Ledger, lease: Lease, *, seconds: float) -> Lease:
    """Keep the lease for so many seconds from now on, also when it has run out and nobody took it.

    Raises LeaseLostError.
    """
    with ledger.write() as connection:
        check_token(connection, lease.name, lease.token)
        until = stamp(ledger.clock() + timedelta(seconds=seconds))
        connection.execute(update(LEASE).where(LEASE.c.name == lease.name).values(until=until))
        return _lease(_read(connection, lease.name))


def release(ledger: Ledger, lease: Lease, *, actor: Actor) -> None:
    """Give the lease back: nothing can be written with its token any more. One that was lost stays as it is."""
    with ledger.write() as connection:
        ours = LEASE.c.name == lease.name, LEASE.c.token == lease.token
        if connection.execute(update(LEASE).where(*ours).values(until="", token=LEASE.c.token + 1)).rowcount:
            audit.append(connection, ledger, actor, "lease.release", {"name": lease.name, "token": lease.token})


def held(ledger: Ledger, name: str) -> Lease | None:
    """Return who holds the lease of that name now; None when it may be taken."""
    with ledger.read() as connection:
        found = _read(connection, name)
        return None if found is None or is_free(found, ledger.clock()) else _lease(found)


def check_token(connection: Connection, name: str, token: int) -> None:
    """Raise LeaseLostError unless `token` is the newest of the lease of that name."""
    found = _read(connection, name)
    if found is not None and found.token == token:
        return
    if found is None or not found.until:
        raise LeaseLostError(
            N_("{lease}: nobody holds it, and we do not any more (token {token})"), **_named(name, token)
        )
    raise LeaseLostError(
        N_(
            "{lease}: we do not hold it any more (token {token}):"
            " {person} on {host} (process {process}) took it {since}"
        ),
        **_named(name, token),
        **_told(found),
    )


def _named(name: str, token: int) -> dict[str, object]:
    return {"lease": name, "token": token}


def _read(connection: Connection, name: str) -> Any:
    return connection.execute(select(LEASE).where(LEASE.c.name == name)).one_or_none()


def _row(actor: Actor, now: datetime, seconds: float) -> dict[str, Any]:
    ours = this_process(plain(actor.person), "", lambda: now)
    until = stamp(now + timedelta(seconds=seconds))
    process = {"pid": ours.pid, "began": ours.began, "space": ours.space}
    return {"holder": ours.person, "host": socket.gethostname(), "since": ours.since, "until": until, **process}


def is_free(row: Row[Any], now: datetime) -> bool:
    """Say whether a row of the table `lease` holds no more: it has run out, or its holder is certainly dead."""
    holder = Holder(row.pid, row.holder, row.since, "", row.began, row.space)
    return bool(row.until <= stamp(now)) or holder.is_dead()


def _refuse(row: Row[Any]) -> None:
    raise LeaseHeldError(
        N_("{lease} is held by {person} on {host} (process {process}) since {since}; unless renewed, until {until}"),
        lease=row.name,
        until=here(row.until),
        **_told(row),
    )


def _told(row: Row[Any]) -> dict[str, object]:
    return {"person": row.holder, "host": row.host, "process": row.pid, "since": here(row.since)}


def _lease(row: Row[Any]) -> Lease:
    return Lease(row.name, row.token, row.holder, row.host, row.pid, row.since, row.until)
