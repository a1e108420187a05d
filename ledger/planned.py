"""Planned work: what will be worked on, from when until when; nothing that is away then counts as failed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update

from ledger import audit
from ledger.connection import Ledger
from ledger.errors import N_, UnknownOutageError
from ledger.records import Actor, new_id, plain, stamp
from ledger.schema import PLANNED


@dataclass(frozen=True, slots=True)
class Planned:
    """Work on what `selector` chooses, in [began, until), in the name of `person`."""

    id: str
    selector: str
    began: str
    until: str
    why: str
    person: str
    made_at: str
    cancelled_at: str | None = None


def plan(ledger: Ledger, *, selector: str, began: datetime, until: datetime, why: str, actor: Actor) -> str:
    """Write down planned work and return its id."""
    made = ledger.clock()
    row = {"selector": plain(selector), "began": stamp(began), "until": stamp(until), "why": plain(why)}
    work = new_id(made)
    with ledger.write() as connection:
        connection.execute(insert(PLANNED).values(id=work, person=plain(actor.person), made_at=stamp(made), **row))
        audit.append(connection, ledger, actor, "outage.plan", {"planned": work, **row})
    return work


def cancel(ledger: Ledger, work: str, *, actor: Actor) -> None:
    """Take planned work back: it ends now, or never begins. Raises UnknownOutageError."""
    with ledger.write() as connection:
        wanted = PLANNED.c.id == work, PLANNED.c.cancelled_at.is_(None)
        if not connection.execute(update(PLANNED).where(*wanted).values(cancelled_at=stamp(ledger.clock()))).rowcount:
            raise UnknownOutageError(N_("the ledger knows no planned work {work} that could be cancelled"), work=work)
        audit.append(connection, ledger, actor, "outage.cancel", {"planned": work})


def planned(ledger: Ledger, after: datetime) -> tuple[Planned, ...]:
    """Return the work that is planned to end after that moment and was not cancelled, the first to begin first."""
    wanted = select(PLANNED).where(PLANNED.c.until > stamp(after), PLANNED.c.cancelled_at.is_(None))
    with ledger.read() as connection:
        return tuple(_planned(row) for row in connection.execute(wanted.order_by(PLANNED.c.began, PLANNED.c.id)))


def _planned(row: Row[Any]) -> Planned:
    return Planned(**row._mapping)
