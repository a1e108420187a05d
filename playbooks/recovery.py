"""After a controller that died: what it left under way becomes interrupted, and the devices are asked.

A device whose revert is still armed is told to return at once: nobody confirmed the change, so there is none.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Event

from inventory.language import N_, _
from ledger.connection import Ledger
from ledger.history import find_run, tasks_of_device, unfinished_runs
from ledger.locks import is_held
from ledger.records import Actor, Task
from ledger.runs import interrupt, move
from ledger.states import State
from playbooks import revert
from playbooks.guard import GRACE, see_back
from playbooks.target import Target

_LOST = frozenset({State.INTERRUPTED, State.UNREACHABLE})
_SETTLED = {
    revert.State.REVERTED: (State.REVERTED, N_("it returned to what it was, as nobody had confirmed the change")),
    revert.State.CONFIRMED: (State.CHANGED, N_("the change had been confirmed")),
}


@dataclass(frozen=True, slots=True)
class Recovered:
    """A device that an earlier run was lost on, and what is known of it now."""

    run: str
    device: str
    state: State
    reason: str


def run_lock(run: str) -> str:
    """Return the name of the lock that a living controller holds for its run."""
    return f"run-{run}"


def end_dead_runs(ledger: Ledger, locks: Path, actor: Actor) -> Iterator[Task]:
    """End the runs whose controller is gone, and yield the devices that they left under way."""
    for run in unfinished_runs(ledger, lambda run: is_held(locks, run_lock(run))):
        reason = _("the controller went away in the middle")
        yield from interrupt(ledger, run.id, reason=reason, actor=actor)


def recover(ledger: Ledger, locks: Path, targets: Iterable[Target], actor: Actor) -> list[Recovered]:
    """End dead runs, and settle what is open on the targets, whose locks are ours. Raises LedgerError."""
    found = [Recovered(task.run, task.device, task.state, task.reason) for task in end_dead_runs(ledger, locks, actor)]
    told = {(one.run, one.device): one for one in found}
    for target in targets:
        for task in tasks_of_device(ledger, target.id, limit=5):
            if task.state in _LOST and task.revert_until:
                told[task.run, task.device] = _settle(ledger, task, target)
    return list(told.values())


def _settle(ledger: Ledger, task: Task, target: Target) -> Recovered:
    """Ask a device what became of its armed revert, wait until that has happened, and write it down."""
    assert task.revert_until
    deadline = max(time.time(), datetime.fromisoformat(task.revert_until).timestamp()) + GRACE
    found = see_back(target, task.run, deadline, Event())
    if found.state not in _SETTLED:
        return Recovered(task.run, task.device, task.state, found.told or task.reason)
    state, reason = _SETTLED[found.state]
    moved = move(ledger, task.run, task.device, state, reason=_(reason))
    return Recovered(task.run, task.device, moved.state, moved.reason)


def mark_found(ledger: Ledger, job: str, at_target: Iterable[str]) -> None:
    """Write down that devices which an earlier run of the same job was lost on are at its target after all."""
    for device in at_target:
        for task in tasks_of_device(ledger, device, limit=5):
            if task.state in _LOST and find_run(ledger, task.run).job == job:
                move(ledger, task.run, device, State.CHANGED, reason=_("found at its target by a later run"))
