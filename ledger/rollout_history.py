"""What the ledger knows of rollouts; nothing here writes."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, Select, or_, select

from ledger.connection import Ledger
from ledger.errors import N_, UnknownRolloutError
from ledger.records import Actor, Rollout, RolloutEvent
from ledger.schema import ROLLOUT, ROLLOUT_EVENT

_HEADS = select(*(column for column in ROLLOUT.c if column.name != "plan"))  # plans are long


def find_rollout(ledger: Ledger, key: str) -> Rollout:
    """Return the rollout of that id, or else the newest of that name. Raises UnknownRolloutError."""
    wanted = _HEADS.where(or_(ROLLOUT.c.id == key, ROLLOUT.c.name == key))
    found = _rollouts(ledger, wanted.order_by(ROLLOUT.c.id != key, ROLLOUT.c.id.desc()).limit(1))
    if not found:
        raise UnknownRolloutError(N_("the ledger knows no rollout {rollout}"), rollout=key)
    return found[0]


def rollouts(ledger: Ledger, *, name: str | None = None, limit: int = 50) -> tuple[Rollout, ...]:
    """Return the newest rollouts, newest first; only those of that name, when it is given."""
    wanted = _HEADS.order_by(ROLLOUT.c.id.desc()).limit(limit)
    return _rollouts(ledger, wanted if name is None else wanted.where(ROLLOUT.c.name == name))


def unended(ledger: Ledger) -> tuple[Rollout, ...]:
    """Return the rollouts to which something may still happen, oldest first."""
    return _rollouts(ledger, _HEADS.where(ROLLOUT.c.ended_at.is_(None)).order_by(ROLLOUT.c.id))


def _rollouts(ledger: Ledger, wanted: Select[Any]) -> tuple[Rollout, ...]:
    with ledger.read() as connection:
        return tuple(_rollout(row) for row in connection.execute(wanted))


def _rollout(row: Row[Any]) -> Rollout:
    fields = dict(row._mapping)
    return Rollout(actor=Actor(fields.pop("author"), fields.pop("account"), fields.pop("origin")), **fields)


def plan_of(ledger: Ledger, rollout: str) -> Mapping[str, Any]:
    """Return the plan of the rollout of that id, as it was written. Raises UnknownRolloutError."""
    with ledger.read() as connection:
        found = connection.scalar(select(ROLLOUT.c.plan).where(ROLLOUT.c.id == rollout))
    if found is None:
        raise UnknownRolloutError(N_("the ledger knows no rollout {rollout}"), rollout=rollout)
    plan: Mapping[str, Any] = json.loads(found)
    return plan


def events(ledger: Ledger, rollout: str, after: int = 0) -> tuple[RolloutEvent, ...]:
    """Return what happened to the rollout of that id after event number `after`, in order."""
    wanted = select(ROLLOUT_EVENT).where(ROLLOUT_EVENT.c.rollout == rollout, ROLLOUT_EVENT.c.seq > after)
    return _events(ledger, wanted.order_by(ROLLOUT_EVENT.c.seq))


def events_of_device(ledger: Ledger, device: str, limit: int = 50) -> tuple[RolloutEvent, ...]:
    """Return what happened to a device in all rollouts, newest first."""
    newest = ROLLOUT_EVENT.c.rollout.desc(), ROLLOUT_EVENT.c.seq.desc()
    return _events(ledger, select(ROLLOUT_EVENT).where(ROLLOUT_EVENT.c.device == device).order_by(*newest).limit(limit))


def _events(ledger: Ledger, wanted: Select[Any]) -> tuple[RolloutEvent, ...]:
    with ledger.read() as connection:
        return tuple(event_of(row) for row in connection.execute(wanted))


def event_of(row: Row[Any]) -> RolloutEvent:
    """Return a row of the table `rollout_event` as a value."""
    return RolloutEvent(**{**row._mapping, "details": json.loads(row.details)})
