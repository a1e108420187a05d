"""What the ledger knows of runs and devices; nothing here writes."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Row, func, select

from ledger.connection import Ledger
from ledger.errors import N_, UnknownRunError
from ledger.records import Actor, Run, Task
from ledger.schema import RUN, TASK
from ledger.states import OPEN, State


def find_run(ledger: Ledger, run: str) -> Run:
    """Return the run of that id. Raises UnknownRunError."""
    with ledger.read() as connection:
        return read_run(connection, run)


def read_run(connection: Connection, run: str) -> Run:
    """Return the run of that id, within a transaction. Raises UnknownRunError."""
    found = connection.execute(select(RUN).where(RUN.c.id == run)).one_or_none()
    if found is None:
        raise UnknownRunError(N_("the ledger knows no run {run}"), run=run)
    return run_of(found)


def history(ledger: Ledger, device: str | None = None, limit: int = 50) -> tuple[Run, ...]:
    """Return the newest runs, newest first; only those that intended to touch `device`, when it is given."""
    wanted = select(RUN).order_by(RUN.c.id.desc()).limit(limit)
    if device is not None:
        wanted = wanted.where(RUN.c.id.in_(select(TASK.c.run).where(TASK.c.device == device)))
    with ledger.read() as connection:
        return tuple(run_of(row) for row in connection.execute(wanted))


def tasks(ledger: Ledger, run: str) -> tuple[Task, ...]:
    """Return the tasks of a run, sorted by device."""
    wanted = select(TASK).where(TASK.c.run == run).order_by(TASK.c.device)
    with ledger.read() as connection:
        return tuple(task_of(row) for row in connection.execute(wanted))


def tasks_of_device(ledger: Ledger, device: str, limit: int = 50) -> tuple[Task, ...]:
    """Return what was done to a device, newest first."""
    wanted = select(TASK).where(TASK.c.device == device).order_by(TASK.c.run.desc()).limit(limit)
    with ledger.read() as connection:
        return tuple(task_of(row) for row in connection.execute(wanted))


def counts(ledger: Ledger, runs: Iterable[str]) -> Mapping[str, Mapping[State, int]]:
    """Return how many devices of each run are in which state; a run without devices is left out."""
    wanted = select(TASK.c.run, TASK.c.state, func.count()).where(TASK.c.run.in_(list(runs)))
    found: defaultdict[str, dict[State, int]] = defaultdict(dict)
    with ledger.read() as connection:
        for run, state, number in connection.execute(wanted.group_by(TASK.c.run, TASK.c.state)):
            found[run][State(state)] = number
    return dict(found)


def unfinished_runs(ledger: Ledger, is_alive: Callable[[str], bool]) -> tuple[Run, ...]:
    """Return the runs that never ended and whose controller, asked by run id, is not alive; oldest first."""
    with ledger.read() as connection:
        rows = connection.execute(select(RUN).where(RUN.c.ended_at.is_(None)).order_by(RUN.c.id)).all()
    return tuple(run_of(row) for row in rows if not is_alive(row.id))


def unfinished(ledger: Ledger, is_alive: Callable[[str], bool]) -> tuple[Task, ...]:
    """Return the devices that those runs left under way, sorted by run and device."""
    dead = [run.id for run in unfinished_runs(ledger, is_alive)]
    wanted = select(TASK).where(TASK.c.run.in_(dead), TASK.c.state.in_(sorted(OPEN)))
    with ledger.read() as connection:
        return tuple(task_of(row) for row in connection.execute(wanted.order_by(TASK.c.run, TASK.c.device)))


def run_of(row: Row[Any]) -> Run:
    """Return a row of the table `run` as a value."""
    fields = dict(row._mapping)
    return Run(actor=Actor(fields.pop("person"), fields.pop("account"), fields.pop("origin")), **fields)


def task_of(row: Row[Any]) -> Task:
    """Return a row of the table `task` as a value."""
    return Task(**{**row._mapping, "state": State(row.state)})
