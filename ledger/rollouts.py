"""Rollouts: their plans, and what happened to them, as events that are only ever added.

Each function that writes is one transaction, and on disk when it returns. What the kinds of events mean is not known
here. Every event is in the audit chain, too, and `ledger.evidence` compares them.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from ledger import audit
from ledger.connection import Ledger
from ledger.errors import N_, IllegalMoveError, OutdatedError, UnknownRolloutError
from ledger.leases import check_token
from ledger.records import Actor, Draft, new_id, plain, stamp, who
from ledger.schema import ROLLOUT, ROLLOUT_EVENT


def lease_name(rollout: str) -> str:
    """Return the name of the lease whose holder drives the rollout of that id."""
    return f"rollout {rollout}"


def create(
    ledger: Ledger, *, name: str, job: str, plan: Mapping[str, Any], actor: Actor, first: Sequence[Draft] = ()
) -> str:
    """Write down a rollout as `actor` planned it, and return its id, which sorts by time.

    `plan` is JSON without secrets. `first` is what happens to it at once: two people may start it in the same moment,
    so IllegalMoveError is raised when one of that name is under way.
    """
    made = ledger.clock()
    content = _text(plan)
    told = {"rollout": new_id(made), "name": plain(name), "job": plain(job), "plan_digest": digest(content)}
    row = {key: value for key, value in told.items() if key != "rollout"} | who(actor)
    row |= {"id": told["rollout"], "author": row.pop("person"), "made_at": stamp(made), "plan": content}
    with ledger.write() as connection:
        if first:
            _check_name(connection, name)
        connection.execute(insert(ROLLOUT).values(row))
        audit.append(connection, ledger, actor, "rollout.create", told)
        if first:
            _add(connection, ledger, told["rollout"], 0, first, actor=actor)
    return told["rollout"]


def check_name(ledger: Ledger, name: str) -> None:
    """Raise IllegalMoveError when a rollout of that name is under way."""
    with ledger.read() as connection:
        _check_name(connection, name)


def _check_name(connection: Connection, name: str) -> None:
    wanted = select(ROLLOUT.c.id).where(ROLLOUT.c.name == plain(name), ROLLOUT.c.ended_at.is_(None))
    if found := connection.scalar(wanted.limit(1)):
        raise IllegalMoveError(
            N_("{name} is under way already ({id}); look at it with: tuyen rollout status {name}"), name=name, id=found
        )


def append(
    ledger: Ledger,
    rollout: str,
    drafts: Sequence[Draft],
    *,
    actor: Actor,
    token: int | None = None,
    after: int | None = None,
    ends: bool = False,
    reopens: bool = False,
) -> tuple[int, ...]:
    """Write down what happens to a rollout, all or nothing, and return the events' numbers, in the order of `drafts`.

    `token` is that of the lease `lease_name(rollout)`: LeaseLostError is raised unless it is the newest; None is for
    what people do from outside the loop. `after` is the last event that was known when this was decided: OutdatedError
    is raised when there are newer ones. `ends`: nothing can happen after this but what `reopens` it, and takes the end
    away. Raises IllegalMoveError when the rollout has ended, UnknownRolloutError.
    """
    with ledger.write() as connection:
        last = _admit(connection, rollout, token, after, reopens=reopens)
        return _add(connection, ledger, rollout, last, drafts, actor=actor, token=token, ends=ends, reopens=reopens)


def _add(
    connection: Connection,
    ledger: Ledger,
    rollout: str,
    last: int,
    drafts: Sequence[Draft],
    *,
    actor: Actor,
    token: int | None = None,
    ends: bool = False,
    reopens: bool = False,
) -> tuple[int, ...]:
    """Add events after number `last`, and return their numbers."""
    at = stamp(ledger.clock())
    rows = [_row(rollout, seq, draft) for seq, draft in enumerate(drafts, last + 1)]
    if rows:
        common = {"at": at, "person": plain(actor.person), "token": token}
        connection.execute(insert(ROLLOUT_EVENT), [row | common for row in rows])
        told = {"rollout": rollout, "at": at, "token": token, "ends": ends, "reopens": reopens}
        audit.append_many(connection, ledger, actor, _told(told, rows))
    if rows and (ends or reopens):
        connection.execute(update(ROLLOUT).where(ROLLOUT.c.id == rollout).values(ended_at=at if ends else None))
    return tuple(row["seq"] for row in rows)


def _admit(connection: Connection, rollout: str, token: int | None, after: int | None, *, reopens: bool) -> int:
    """Return the number of the last event, when more may be written."""
    if token is not None:
        check_token(connection, lease_name(rollout), token)
    newest = select(func.max(ROLLOUT_EVENT.c.seq)).where(ROLLOUT_EVENT.c.rollout == ROLLOUT.c.id).scalar_subquery()
    found = connection.execute(select(ROLLOUT.c.ended_at, newest).where(ROLLOUT.c.id == rollout)).one_or_none()
    if found is None:
        raise UnknownRolloutError(N_("the ledger knows no rollout {rollout}"), rollout=rollout)
    ended_at, last = found
    if ended_at is not None and not reopens:
        raise IllegalMoveError(N_("the rollout {rollout} has ended"), rollout=rollout)
    if after is not None and after != (last or 0):
        raise OutdatedError(N_("something has happened to the rollout {rollout} meanwhile"), rollout=rollout)
    return last or 0


def _row(rollout: str, seq: int, draft: Draft) -> dict[str, Any]:
    return {
        "rollout": rollout,
        "seq": seq,
        "kind": plain(str(draft.kind)),
        "device": plain(draft.device),
        "wave": draft.wave,
        "details": _text(draft.details),
    }


def _text(value: Any) -> str:
    # what no database takes is replaced first, so that reading this and writing it again gives the same text
    return canonical(json.loads(plain(canonical(value))))


def _told(told: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    # one row of the chain for all events of a kind: a wave of a hundred devices is one row, not a hundred
    kinds: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        event = {"seq": row["seq"], "device": row["device"], "wave": row["wave"], "details": json.loads(row["details"])}
        kinds.setdefault(row["kind"], []).append(event)
    for kind, events in kinds.items():
        yield f"rollout.{kind}", {**told, "events": events}


def canonical(value: Any) -> str:
    """Return JSON of one form: sorted keys, no spaces. Raises TypeError for what JSON does not know."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(content: str) -> str:
    """Return the SHA-256 (hex) of a plan as canonical JSON."""
    return hashlib.sha256(content.encode()).hexdigest()
