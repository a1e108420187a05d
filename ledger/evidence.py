"""Rollouts and runs compared with the audit chain: what was altered, added or removed behind the ledger's back.

The chain holds the plan's digest and every event of a rollout, so that nobody can write an approval into the tables
unseen; and of each run who began it, with what, and what became of each device (not when, nor where its log lies). It
must hold itself: call `ledger.audit.verify` first.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Row, select

from ledger.connection import Ledger
from ledger.errors import N_
from ledger.rollouts import canonical, digest
from ledger.schema import AUDIT, ROLLOUT, ROLLOUT_EVENT, RUN, TASK
from ledger.states import OPEN

_AT_ONCE = 1000  # rows in memory while comparing
Place = TypeVar("Place", tuple[str, int], tuple[str, str])
_EVENT = ("at", "kind", "device", "wave", "details", "person", "token")
_HEAD = ("name", "job", "plan_digest", "author", "account", "origin")
_RUN = ("job", "job_digest", "plan_digest", "command", "person", "account", "origin")
_TASK = ("state", "reason", "changes")


class Alteration(NamedTuple):
    """A rollout's event, or with number 0 the rollout itself, that is not what the chain tells (why: a template)."""

    rollout: str
    seq: int
    why: str


class RunAlteration(NamedTuple):
    """What a run did to a device, or without one the run itself, that is not what the chain tells (why: a template)."""

    run: str
    device: str
    why: str


def verify_rollouts(ledger: Ledger) -> Iterator[Alteration]:
    """Yield what is not as the audit chain tells, sorted by rollout and event."""
    with ledger.read() as connection:
        told, there = dict(_told(connection)), dict(_there(connection))
    return (Alteration(*place, why) for place, why in _differences(told, there))


def verify_runs(ledger: Ledger) -> Iterator[RunAlteration]:
    """Yield what is not as the audit chain tells, sorted by run and device."""
    with ledger.read() as connection:
        told, there = _runs_told(connection), dict(_runs_there(connection))
    return (RunAlteration(*place, why) for place, why in _differences(told, there))


def _differences(told: Mapping[Place, bytes], there: Mapping[Place, bytes]) -> Iterator[tuple[Place, str]]:
    for place in sorted(told.keys() | there.keys()):
        if place not in there:
            yield place, N_("it was there once, and is gone")
        elif place not in told:
            yield place, N_("the audit trail knows nothing of it")
        elif told[place] != there[place]:
            yield place, N_("it is not what was written")


def _mark(values: Iterable[object]) -> bytes:
    return hashlib.sha256(repr(tuple(values)).encode("utf-8", "surrogateescape")).digest()


def _told(connection: Connection) -> Iterator[tuple[tuple[str, int], bytes]]:
    """Yield a mark of what the chain tells of each event of a rollout, by number, and of each rollout, as number 0."""
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


def _there(connection: Connection) -> Iterator[tuple[tuple[str, int], bytes]]:
    """Yield a mark of what the tables hold of each event and each rollout."""
    reading = connection.execution_options(yield_per=_AT_ONCE)
    for row in reading.execute(select(ROLLOUT_EVENT)):
        yield (row.rollout, row.seq), _mark(row._mapping[name] for name in _EVENT)
    for row in reading.execute(select(ROLLOUT)):
        head = [row._mapping[name] for name in _HEAD]
        yield (row.id, 0), _mark((*head, digest(str(row.plan)), row.ended_at))


def _runs_told(connection: Connection) -> dict[tuple[str, str], bytes]:
    """Return a mark of what the chain tells of each device of a run, and of each run, as device ""."""
    begun: dict[tuple[str, str], tuple[object, ...]] = {}
    ended: dict[tuple[str, str], tuple[object, ...]] = {}
    wanted = select(AUDIT).where(AUDIT.c.action.startswith("run.") | AUDIT.c.action.startswith("task."))
    reading = connection.execution_options(yield_per=_AT_ONCE)
    for row in reading.execute(wanted.order_by(AUDIT.c.seq)):
        details = json.loads(row.details)
        place = details["run"], details.get("device", "")
        if row.action == "run.begin":
            told = {**details, "person": row.person, "account": row.account, "origin": row.origin}
            begun[place] = tuple(told[name] for name in _RUN)
        elif row.action == "task.intend":
            begun[place] = (details["before"],)
        elif row.action == "run.end":
            ended[place] = (details["outcome"],)
        elif row.action == "task.end":
            ended[place] = tuple(details[name] for name in _TASK)
    return {place: _mark((*begun.get(place, ()), *ended.get(place, ()))) for place in begun.keys() | ended.keys()}


def _runs_there(connection: Connection) -> Iterator[tuple[tuple[str, str], bytes]]:
    """Yield a mark of what the tables hold of each run and each of its devices."""
    reading = connection.execution_options(yield_per=_AT_ONCE)
    for row in reading.execute(select(RUN)):
        ends = () if row.outcome is None else (row.outcome,)
        yield (row.id, ""), _mark((*(row._mapping[name] for name in _RUN), *ends))
    for row in reading.execute(select(TASK)):
        became = () if row.state in OPEN else (row._mapping[name] for name in _TASK)
        yield (row.run, row.device), _mark((row.before, *became))
