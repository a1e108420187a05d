"""Outages: intervals in which something was not up. What kinds, states and causes mean is not known here.

The watch, which alone holds the lease `WATCH`, opens, changes and closes them; a database lets no node have two open
ones. What people say of them goes into the audit chain in the same transaction.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, insert, or_, select, update

from ledger import audit
from ledger.connection import Ledger
from ledger.errors import N_, UnknownOutageError
from ledger.leases import check_token
from ledger.records import Actor, plain, stamp
from ledger.schema import OUTAGE

WATCH = "watch"  # the lease of the one who writes outages


@dataclass(frozen=True, slots=True)
class Outage:
    """A node was not up in [began, ended); `ended` is None while it lasts. Times are as the ledger keeps them.

    `root` is the id of the outage that it follows from, None when it is one itself; `evidence` is JSON.
    `cause_by` is the person who said what caused it, "" where it was found; an acknowledgement ends by itself.
    """

    id: str
    kind: str
    node: str
    began: str
    ended: str | None
    state: str
    cause: str
    root: str | None
    evidence: Mapping[str, Any]
    cause_by: str = ""
    note: str = ""
    noted_by: str = ""
    acked_until: str | None = None
    acked_by: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """A new outage."""

    id: str
    kind: str
    node: str
    began: datetime
    state: str
    cause: str
    root: str | None
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Altered:
    """An open outage is seen in another light. A cause that a person gave stays."""

    id: str
    state: str
    cause: str
    root: str | None
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Closed:
    """An outage is over; with `ended` at its beginning it never was one, and nothing is left of its time."""

    id: str
    ended: datetime


Change = Opened | Altered | Closed


def record(ledger: Ledger, changes: Sequence[Change], *, token: int) -> None:
    """Write down what the watch found, all or nothing, in that order. Raises LeaseLostError."""
    with ledger.write() as connection:
        check_token(connection, WATCH, token)
        for change in changes:
            if isinstance(change, Opened):
                connection.execute(insert(OUTAGE).values(_row(change)))
            elif isinstance(change, Altered):
                _alter(connection, change)
            else:
                one = update(OUTAGE).where(OUTAGE.c.id == change.id, OUTAGE.c.ended.is_(None))
                connection.execute(one.values(ended=stamp(change.ended)))


def _row(opened: Opened) -> dict[str, Any]:
    return {
        "id": opened.id,
        "kind": opened.kind,
        "node": plain(opened.node),
        "began": stamp(opened.began),
        "state": opened.state,
        "cause": opened.cause,
        "cause_by": "",
        "root": opened.root,
        "evidence": _json(opened.evidence),
        "note": "",
        "noted_by": "",
        "acked_by": "",
    }


def _alter(connection: Connection, change: Altered) -> None:
    found = {"root": change.root, "cause": change.cause, "evidence": _json(change.evidence)}
    one = OUTAGE.c.id == change.id
    connection.execute(update(OUTAGE).where(one).values(state=change.state))
    connection.execute(update(OUTAGE).where(one, OUTAGE.c.cause_by == "").values(found))


def _json(value: Mapping[str, Any]) -> str:
    return plain(json.dumps(value, ensure_ascii=False, sort_keys=True))


def open_outages(ledger: Ledger) -> tuple[Outage, ...]:
    """Return the outages that last, oldest first."""
    return _outages(ledger, select(OUTAGE).where(OUTAGE.c.ended.is_(None)).order_by(OUTAGE.c.began, OUTAGE.c.id))


def outages_between(
    ledger: Ledger, since: datetime, until: datetime, kind: str = "", *, roots: bool = False
) -> tuple[Outage, ...]:
    """Return the outages of which any part lies in [since, until), oldest first.

    With a `kind`, only those of it; and with `roots`, those of other kinds, too, that follow from none.
    """
    lasted = or_(OUTAGE.c.ended.is_(None), OUTAGE.c.ended > stamp(since))
    wanted = select(OUTAGE).where(and_(OUTAGE.c.began < stamp(until), lasted))
    if kind:
        wanted = wanted.where(or_(OUTAGE.c.kind == kind, OUTAGE.c.root.is_(None)) if roots else OUTAGE.c.kind == kind)
    return _outages(ledger, wanted.order_by(OUTAGE.c.began, OUTAGE.c.id))


def following(ledger: Ledger, root: str) -> tuple[Outage, ...]:
    """Return the outages that follow from the one of that id, oldest first."""
    return _outages(ledger, select(OUTAGE).where(OUTAGE.c.root == root).order_by(OUTAGE.c.began, OUTAGE.c.id))


def find_outage(ledger: Ledger, key: str) -> Outage:
    """Return the outage of that id, or the newest of the node of that id, its open one first.

    Raises UnknownOutageError.
    """
    wanted = select(OUTAGE).where(or_(OUTAGE.c.id == key, OUTAGE.c.node == key))
    order = OUTAGE.c.id != key, OUTAGE.c.ended.is_not(None), OUTAGE.c.began.desc()
    found = _outages(ledger, wanted.order_by(*order).limit(1))
    if not found:
        raise UnknownOutageError(N_("the ledger knows no outage {outage}"), outage=key)
    return found[0]


def note(ledger: Ledger, outage: str, text: str, *, actor: Actor, cause: str | None = None) -> None:
    """Write down what a person knows of an outage, and its cause if they name one. Raises UnknownOutageError."""
    said = {"note": plain(text), "noted_by": plain(actor.person)}
    if cause is not None:
        said |= {"cause": cause, "cause_by": plain(actor.person)}
    _say(ledger, outage, said, actor, "outage.note", {"note": text, "cause": cause})


def acknowledge(ledger: Ledger, outage: str, until: datetime, *, actor: Actor) -> None:
    """Write down that a person takes care of an outage, so that nobody is alerted until then. UnknownOutageError."""
    said = {"acked_until": stamp(until), "acked_by": plain(actor.person)}
    _say(ledger, outage, said, actor, "outage.ack", {"until": stamp(until)})


def _say(
    ledger: Ledger, outage: str, said: Mapping[str, str], actor: Actor, action: str, told: Mapping[str, Any]
) -> None:
    with ledger.write() as connection:
        if not connection.execute(update(OUTAGE).where(OUTAGE.c.id == outage).values(said)).rowcount:
            raise UnknownOutageError(N_("the ledger knows no outage {outage}"), outage=outage)
        row = connection.execute(select(OUTAGE.c.kind, OUTAGE.c.node).where(OUTAGE.c.id == outage)).one()
        audit.append(connection, ledger, actor, action, {"outage": outage, row.kind: row.node, **told})


def _outages(ledger: Ledger, wanted: Select[Any]) -> tuple[Outage, ...]:
    with ledger.read() as connection:
        return tuple(_outage(row) for row in connection.execute(wanted))


def _outage(row: Row[Any]) -> Outage:
    return Outage(**{**row._mapping, "evidence": json.loads(row.evidence)})
