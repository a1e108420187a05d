"""The audit trail: rows chained by hashes, so that an altered, removed or reordered one shows.

A row's hash is the SHA-256 of the previous row's hash and of the row as canonical JSON (sorted keys, no spaces, UTF-8);
the first row follows 64 zeros. Removal of the newest rows cannot be seen from the chain alone: write `head` down
elsewhere, and hand it to `verify` later.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, insert, or_, select

from ledger.connection import Ledger
from ledger.errors import N_
from ledger.records import Actor, plain, stamp, who
from ledger.schema import AUDIT

FIRST = "0" * 64
_AT_ONCE = 1000  # rows in memory while verifying


class Head(NamedTuple):
    """The newest row: its number and its hash. An empty trail has number 0 and 64 zeros."""

    seq: int
    hash: str


class Break(NamedTuple):
    """A place where the chain does not hold: the row's number, and why (an English template, marked)."""

    seq: int
    why: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: who did what, when. `details` is a JSON object as text."""

    seq: int
    at: str
    actor: Actor
    action: str
    details: str
    hash: str


def append(connection: Connection, ledger: Ledger, actor: Actor, action: str, details: Mapping[str, Any]) -> Head:
    """Add a row within the transaction of `ledger.write()`; `details` must be JSON without secrets."""
    return append_many(connection, ledger, actor, [(action, details)])


def append_many(
    connection: Connection, ledger: Ledger, actor: Actor, entries: Iterable[tuple[str, Mapping[str, Any]]]
) -> Head:
    """Add a row for each (action, details), in their order, and return the new head."""
    last = head_of(connection)
    at = stamp(ledger.clock())
    rows: list[dict[str, Any]] = []
    for action, details in entries:
        seq = last.seq + 1
        row = {"seq": seq, "at": at, **who(actor), "action": action, "details": plain(_canonical(details))}
        rows.append({**row, "previous": last.hash, "hash": _hash(last.hash, row)})
        last = Head(seq, rows[-1]["hash"])
    if rows:
        connection.execute(insert(AUDIT), rows)
    return last


def _canonical(value: Any) -> str:
    # a column whose type was altered comes back as bytes, which no written row holds
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=lambda odd: [repr(odd)])


def _hash(previous: str, row: Mapping[str, Any]) -> str:
    # bytes that are no UTF-8 come back as surrogates: they too are hashed as they stand
    return hashlib.sha256(f"{previous}{_canonical(row)}".encode("utf-8", "surrogateescape")).hexdigest()


def head_of(connection: Connection, upto: int | None = None) -> Head:
    """Return the newest row's number and hash, as `connection` sees it; of the rows up to the number `upto`."""
    newest = select(AUDIT.c.seq, AUDIT.c.hash).order_by(AUDIT.c.seq.desc()).limit(1)
    if upto is not None:
        newest = newest.where(AUDIT.c.seq <= upto)
    found = connection.execute(newest).one_or_none()
    return Head(found.seq, found.hash) if found else Head(0, FIRST)


def head(ledger: Ledger) -> Head:
    """Return the newest row's number and hash, to be written down where the ledger's writers cannot reach."""
    with ledger.read() as connection:
        return head_of(connection)


def entries(ledger: Ledger, after: int = 0, limit: int = 1000) -> tuple[Entry, ...]:
    """Return the rows whose number is greater than `after`, oldest first, at most `limit`."""
    wanted = select(AUDIT).where(AUDIT.c.seq > after).order_by(AUDIT.c.seq).limit(limit)
    with ledger.read() as connection:
        return tuple(_entry(row) for row in connection.execute(wanted))


def _entry(row: Row[Any]) -> Entry:
    return Entry(row.seq, row.at, Actor(row.person, row.account, row.origin), row.action, row.details, row.hash)


def search(
    ledger: Ledger, *, device: str | None = None, person: str | None = None, since: str = "", limit: int = 50
) -> tuple[Entry, ...]:
    """Return the newest rows, newest first: about `device`, by `person` (or their account), not before `since`."""
    wanted = select(AUDIT).where(AUDIT.c.at >= since).order_by(AUDIT.c.seq.desc())
    if person is not None:
        wanted = wanted.where(or_(AUDIT.c.person == person, AUDIT.c.account == person))
    if device is not None:  # LIKE is coarse, and fast
        wanted = wanted.where(AUDIT.c.details.contains(_canonical(device), autoescape=True))
    with ledger.read() as connection:
        rows = connection.execution_options(yield_per=_AT_ONCE).execute(wanted)
        right = (row for row in rows if device is None or _is_about(row.details, device))
        return tuple(_entry(row) for row in islice(right, limit))


def _is_about(details: str, device: str) -> bool:
    try:
        told = json.loads(details)
        return device in [told.get("device"), *(event["device"] for event in told.get("events", ()))]
    except (ValueError, AttributeError, TypeError, KeyError):  # altered, which `verify` tells: whoever looks should see
        return True


def verify(ledger: Ledger, known: Head | None = None) -> Iterator[Break]:
    """Yield every place where the chain does not hold, in order; `known` is a head that was written down before.

    Raises LedgerDamagedError when the database itself is broken.
    """
    last = Head(0, FIRST)
    with ledger.read() as connection:
        rows = connection.execution_options(yield_per=_AT_ONCE).execute(select(AUDIT).order_by(AUDIT.c.seq))
        for row in rows:
            yield from (Break(row.seq, why) for why in _faults(last, row))
            if known and known.seq == row.seq and known.hash != row.hash:
                yield Break(row.seq, N_("it is not the row whose hash was written down"))
            last = Head(row.seq, row.hash)
    if known and known.seq > last.seq:
        yield Break(last.seq, N_("newer rows were there once, and are gone"))


def _faults(last: Head, row: Row[Any]) -> Iterator[str]:
    if row.seq != last.seq + 1:
        yield N_("rows before it are missing")
    elif row.previous != last.hash:
        yield N_("it does not follow from the row before it")
    content = {name: value for name, value in row._mapping.items() if name not in ("previous", "hash")}
    if row.hash != _hash(str(row.previous), content):
        yield N_("it is not what was written")
