"""After a controller that died: what it left under way becomes interrupted, and the devices are asked.

A device whose revert is still armed is told to return at once: nobody confirmed the change, so there is none.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Event

from inventory.language import N_, _
from ledger.connection import Ledger
from ledger.history import find_run, tasks_of_device, unfinished_runs
from ledger.locks import is_held, take
from ledger.presence import is_present
from ledger.records import Actor, Task
from ledger.runs import interrupt, move
from ledger.states import State
from playbooks import revert
from playbooks.guard import see_back
from playbooks.target import Target

BIRTH = "run-new"  # the lock in which runs are born: none may be taken for dead before it holds its own
BIRTH_PATIENCE = 30.0  # seconds
_LOST = frozenset({State.INTERRUPTED, State.UNREACHABLE})
_SETTLED = {
    revert.State.REVERTED: (State.REVERTED, N_("it returned to what it was, as nobody had confirmed the change")),
    revert.State.CONFIRMED: (State.CHANGED, N_("the change had been confirmed")),
}
# By whether anything had been begun on the device.
_UNARMED = {
    False: (State.UNCHANGED, N_("nothing had been begun there")),
    True: (State.FAILED, N_("its revert is there no more, as if the machine were another one: look at it")),
}
_FOUND = {
    False: (State.UNCHANGED, N_("found at its target by a later run; nothing had been begun there")),
    True: (State.CHANGED, N_("found at its target by a later run")),
}
_LATELY = 5  # tasks of a device


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


def end_dead_runs(ledger: Ledger, locks: Path, actor: Actor) -> list[Task]:
    """End the runs whose controller is gone, and return the devices that they left under way."""
    with take(locks, BIRTH, person=actor.person, doing="recover", patience=BIRTH_PATIENCE):
        dead = unfinished_runs(ledger, lambda run: is_held(locks, run_lock(run)) or is_present(ledger, run))
    reason = _("the controller went away in the middle")
    return [task for run in dead for task in interrupt(ledger, run.id, reason=reason, actor=actor)]


def recover(
    ledger: Ledger, locks: Path, targets: Iterable[Target], actor: Actor, stop: Event, parallel: int = 20
) -> list[Recovered]:
    """End dead runs, and settle what is open on the targets, whose locks are ours. Raises LedgerError.

    Waits, unless `stop` is set, for devices that are still returning.
    """
    ended = end_dead_runs(ledger, locks, actor)
    told = {(task.run, task.device): Recovered(task.run, task.device, task.state, task.reason) for task in ended}
    guarded = [(target, task) for target in targets for task in _lost(ledger, target.id) if task.revert_until]
    with ThreadPoolExecutor(parallel) as pool:
        for one in pool.map(lambda pair: _settle(ledger, pair[0], pair[1], stop), guarded):
            told[one.run, one.device] = one
    return list(told.values())


def _lost(ledger: Ledger, device: str) -> Sequence[Task]:
    """Return what was lately begun on a device and is not known to have ended, newest first."""
    return [task for task in tasks_of_device(ledger, device, limit=_LATELY) if task.state in _LOST]


def _settle(ledger: Ledger, target: Target, task: Task, stop: Event) -> Recovered:
    """Ask a device what became of its armed revert, wait until that has happened, and write it down."""
    assert task.revert_until
    found = see_back(target, task.run, datetime.fromisoformat(task.revert_until).timestamp(), stop)
    settled = _UNARMED[task.began_at is not None] if found.state is revert.State.ABSENT else _SETTLED.get(found.state)
    if settled is None or (found.state is revert.State.ABSENT and found.told):
        return Recovered(task.run, task.device, task.state, found.told or task.reason)
    state, reason = settled
    moved = move(ledger, task.run, task.device, state, reason=_(reason))
    return Recovered(task.run, task.device, moved.state, moved.reason)


def mark_found(ledger: Ledger, job: str, at_target: Iterable[str]) -> None:
    """Write down that devices which the newest run of the same job was lost on are at its target after all."""
    for device in at_target:
        for task in tasks_of_device(ledger, device, limit=_LATELY):
            if find_run(ledger, task.run).job != job:
                continue
            if task.state not in _LOST:
                break  # this one has brought it there, not those before
            state, reason = _FOUND[task.began_at is not None]
            move(ledger, task.run, device, state, reason=_(reason))
