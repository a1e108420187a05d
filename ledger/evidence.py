"""Rollouts compared with the audit chain: what was altered, added or removed behind the ledger's back.

The chain holds the plan's digest and every event of a rollout, so that nobody can write an approval into the tables
unseen. It must hold itself: call `ledger.audit.verify` first.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, select

from ledger.connection import Ledger
from ledger.errors import N_
from ledger.rollouts import canonical, digest
from ledger.schema import AUDIT, ROLLOUT, ROLLOUT_EVENT

_AT_ONCE = 1000  # rows in memory while comparing
Place = tuple[str, int]  # a rollout, and the number of an event, or 0 for the rollout itself
_EVENT = ("at", "kind", "device", "wave", "details", "person", "token")
_HEAD = ("name", "job", "plan_digest", "author", "account", "origin")


class Alteration(NamedTuple):
    """A rollout's event, or with number 0 the rollout itself, that is not what the chain tells (why: a template)."""

    rollout: str
    seq: int
    why: str


def verify_rollouts(ledger: Ledger) -> Iterator[Alteration]:
    """Yield what is not as the audit chain tells, sorted by rollout and event."""
    with ledger.read() as connection:
        told, there = dict(_told(connection)), dict(_there(connection))
    for place in sorted(told.keys() | there.keys()):
        if place not in there:
            yield Alteration(*place, N_("it was there once, and is gone"))
        elif place not in told:
            yield Alteration(*place, N_("the audit trail knows nothing of it"))
        elif told[place] != there[place]:
            yield Alteration(*place, N_("it is not what was written"))


def _mark(values: Iterable[object]) -> bytes:
    return hashlib.sha256(repr(tuple(values)).encode("utf-8", "surrogateescape")).digest()


def _told(connection: Connection) -> Iterator[tuple[Place, bytes]]:
    """Yield a mark of what the chain tells of each place."""
    ended: dict[str, str] = {}
    heads: dict[str, tuple[object, ...]] = {}
    wanted = select(AUDIT).where(AUDIT.c.action.startswith("rollout.")).order_by(AUDIT.c.seq)
    for row in connection.execution_options(yield_per=_AT_ONCE).execute(wanted):
        details = json.loads(row.details)
        rollout = details["rollout"]
        if "events" not in details:
            told = {**details, "author": row.person, "account": row.account, "origin": row.origin}
            heads[rollout] = tuple(told[name] for name in _HEAD)
            continue
        if details["ends"]:
            ended[rollout] = details["at"]
        elif details.get("reopens"):
            ended.pop(rollout, None)
        for event in details["events"]:
            yield (rollout, event["seq"]), _mark(_event(row, details, event))
    for rollout, head in heads.items():
        yield (rollout, 0), _mark((*head, head[2], ended.get(rollout)))


def _event(row: Row[Any], details: Mapping[str, Any], event: Mapping[str, Any]) -> Iterator[object]:
    told = {
        **event,
        "at": details["at"],
        "token": details["token"],
        "kind": row.action.partition(".")[2],
        "details": canonical(event["details"]),
        "person": row.person,
    }
    return (told[name] for name in _EVENT)


def _there(connection: Connection) -> Iterator[tuple[Place, bytes]]:
    """Yield a mark of what the tables hold at each place."""
    reading = connection.execution_options(yield_per=_AT_ONCE)
    for row in reading.execute(select(ROLLOUT_EVENT)):
        yield (row.rollout, row.seq), _mark(row._mapping[name] for name in _EVENT)
    for row in reading.execute(select(ROLLOUT)):
        head = [row._mapping[name] for name in _HEAD]
        yield (row.id, 0), _mark((*head, digest(str(row.plan)), row.ended_at))
