"""Runs and their tasks as they happen; each function is one transaction, and on disk when it returns."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from ledger import audit
from ledger.connection import Ledger
from ledger.errors import N_, IllegalMoveError
from ledger.history import read_run, task_of
from ledger.presence import busy
from ledger.records import Actor, Move, Run, Task, new_id, plain, stamp, who
from ledger.schema import RUN, TASK
from ledger.states import OPEN, SETTLED, Outcome, State, check_move

_MUTABLE = ("state", "reason", "began_at", "ended_at", "changes", "log", "revert_until")
_MOVE = (
    update(TASK)
    .where(TASK.c.run == bindparam("its_run"), TASK.c.device == bindparam("its_device"))
    .values({name: bindparam(name) for name in _MUTABLE})
)


def begin_run(
    ledger: Ledger, *, job: str, job_digest: str, plan_digest: str, actor: Actor, command: str, run: str = ""
) -> str:
    """Write down that a run begins and return its id, which sorts by time; `command` must hold no secret.

    `run` is an id that was made before.
    """
    began = ledger.clock()
    values = {"job": job, "job_digest": job_digest, "plan_digest": plan_digest, "command": plain(command)}
    run = run or new_id(began)
    with ledger.write() as connection:
        connection.execute(insert(RUN).values(id=run, started_at=stamp(began), **values, **who(actor)))
        audit.append(connection, ledger, actor, "run.begin", {"run": run, **values})
    return run


def intend(ledger: Ledger, run: str, devices: Mapping[str, str]) -> None:
    """Write down which devices the run is going to touch, each with the fingerprint of its state before.

    Raises DeviceBusyError when another controller has begun with one of them meanwhile.
    """
    with ledger.write() as connection:
        for error in busy(connection, ledger, devices):
            raise error
        actor = _open_run(connection, run).actor
        at = stamp(ledger.clock())
        rows = [asdict(Task(run, device, State.INTENDED, "", at, before=before)) for device, before in devices.items()]
        if rows:
            connection.execute(insert(TASK), rows)
        entries = (
            ("task.intend", {"run": run, "device": device, "before": before}) for device, before in devices.items()
        )
        audit.append_many(connection, ledger, actor, entries)


def move(
    ledger: Ledger,
    run: str,
    device: str,
    state: State,
    *,
    reason: str = "",
    changes: int | None = None,
    log: str | None = None,
    revert_until: datetime | None = None,
) -> Task:
    """Write down what becomes of one device; see `move_many`."""
    return move_many(ledger, run, [Move(device, state, reason, changes, log, revert_until)])[0]


def move_many(ledger: Ledger, run: str, moves: Sequence[Move]) -> tuple[Task, ...]:
    """Write down what becomes of devices of a run, all or nothing, and return their tasks, in the order of `moves`.

    Raises IllegalMoveError, also for a device that was not intended; UnknownRunError.
    """
    with ledger.write() as connection:
        actor = read_run(connection, run).actor
        return _move(connection, ledger, run, moves, actor)


def _move(connection: Connection, ledger: Ledger, run: str, moves: Sequence[Move], actor: Actor) -> tuple[Task, ...]:
    tasks = _tasks(connection, run, {move.device for move in moves})
    at = stamp(ledger.clock())
    moved = []
    for step in moves:
        if step.device not in tasks:
            raise IllegalMoveError(
                N_("{device}: the run {run} never intended to touch it"), device=step.device, run=run
            )
        tasks[step.device] = _after(tasks[step.device], step, at)
        moved.append(tasks[step.device])
    if moved:
        connection.execute(_MOVE, [_row(task) for task in tasks.values()])
    ended = (("task.end", _told(task)) for task in moved if task.state not in OPEN)
    audit.append_many(connection, ledger, actor, ended)
    return tuple(moved)


def _tasks(connection: Connection, run: str, devices: Iterable[str]) -> dict[str, Task]:
    wanted = select(TASK).where(TASK.c.run == run, TASK.c.device.in_(sorted(devices)))
    return {row.device: task_of(row) for row in connection.execute(wanted)}


def _after(task: Task, step: Move, at: str) -> Task:
    check_move(task.device, task.state, step.state)
    armed = stamp(step.revert_until) if step.revert_until else task.revert_until
    return replace(
        task,
        state=step.state,
        reason=plain(step.reason),
        began_at=task.began_at or (at if step.state in (State.APPLYING, State.VERIFYING) else None),
        ended_at=None if step.state in OPEN else at,
        changes=task.changes if step.changes is None else step.changes,
        log=task.log if step.log is None else plain(step.log),
        revert_until=None if step.state in SETTLED else armed,
    )


def _row(task: Task) -> dict[str, Any]:
    return {"its_run": task.run, "its_device": task.device, **{name: getattr(task, name) for name in _MUTABLE}}


def _told(task: Task) -> dict[str, Any]:
    return {
        "run": task.run,
        "device": task.device,
        "state": task.state,
        "reason": task.reason,
        "changes": task.changes,
    }


def end_run(ledger: Ledger, run: str, outcome: Outcome) -> None:
    """Write down how the run ended. Raises IllegalMoveError while one of its devices is still under way."""
    with ledger.write() as connection:
        begun = _open_run(connection, run)
        under_way = TASK.c.run == run, TASK.c.state.in_(sorted(OPEN))
        if device := connection.scalar(select(TASK.c.device).where(*under_way).limit(1)):
            raise IllegalMoveError(N_("the run {run} cannot end: {device} is still under way"), run=run, device=device)
        _end(connection, ledger, run, outcome, begun.actor)


def _end(connection: Connection, ledger: Ledger, run: str, outcome: Outcome, actor: Actor) -> None:
    ended = {"ended_at": stamp(ledger.clock()), "outcome": outcome}
    connection.execute(update(RUN).where(RUN.c.id == run).values(ended))
    audit.append(connection, ledger, actor, "run.end", {"run": run, "outcome": outcome})


def interrupt(ledger: Ledger, run: str, *, reason: str, actor: Actor) -> tuple[Task, ...]:
    """End a run whose controller is gone or was stopped: every device that is under way becomes interrupted.

    Returns those, whose state the next run has to ask of the device. A run that has ended stays as it is.
    """
    with ledger.write() as connection:
        if read_run(connection, run).ended_at is not None:
            return ()
        wanted = select(TASK.c.device).where(TASK.c.run == run, TASK.c.state.in_(sorted(OPEN)))
        devices = connection.scalars(wanted.order_by(TASK.c.device)).all()
        moves = [Move(device, State.INTERRUPTED, reason) for device in devices]
        moved = _move(connection, ledger, run, moves, actor)
        _end(connection, ledger, run, Outcome.INTERRUPTED, actor)
    return moved


def _open_run(connection: Connection, run: str) -> Run:
    found = read_run(connection, run)
    if found.ended_at is not None:
        raise IllegalMoveError(N_("the run {run} has ended"), run=run)
    return found
