"""Carrying out a plan: the ledger first, then the device, then the ledger.

intended -> (revert armed) -> applying -> verifying, on new connections -> (disarmed) -> changed
A device on which something fails is put back when a revert is armed, and left as it is, and told, when not.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

from inventory.language import _
from ledger.connection import Ledger
from ledger.records import Move
from ledger.runs import move_many
from ledger.states import State
from playbooks.checking import unforeseen
from playbooks.drivers import can
from playbooks.errors import PlaybookError, ReachError, RevertError
from playbooks.event import Change, Doing, Outcome
from playbooks.guard import Guard
from playbooks.job import Step
from playbooks.plan import DevicePlan
from playbooks.target import Target
from playbooks.work import Events, Work, done_of


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a device. `changes` are those that were really made; `surprises` are those no plan had told."""

    device: str
    state: State
    reason: str = ""
    changes: tuple[Change, ...] = ()
    surprises: tuple[Change, ...] = ()


@dataclass
class Application:
    """One plan being carried out on devices whose intents are in the ledger already."""

    work: Work
    ledger: Ledger
    run: str
    guard: Guard | None  # of a risky job
    results: dict[str, Result] = field(default_factory=dict)
    _until: dict[str, datetime] = field(default_factory=dict)  # when an armed revert fires, by device
    _why: dict[str, str] = field(default_factory=dict)  # what went wrong on a device that is to be put back
    _made: Events = field(default_factory=dict)

    def carry_out(self, targets: Sequence[Target], planned: Sequence[DevicePlan]) -> dict[str, Result]:
        """Bring the targets to what was planned; at the end each has a result. Raises PlaybookError, LedgerError."""
        good = self._verify(self._do(Step.APPLY, targets))
        self._settle(self._confirm(good), {device.device: device for device in planned})
        self._put_back(targets)
        return self.results

    def roll_back(self, targets: Sequence[Target]) -> dict[str, Result]:
        """Bring the targets back to what was before the job. Raises PlaybookError, LedgerError."""
        self._settle(self._confirm(self._do(Step.ROLLBACK, targets)), {})
        self._put_back(targets)
        return self.results

    def _do(self, step: Step, targets: Sequence[Target]) -> list[Target]:
        """Arm the reverts, do the step, and return the targets on which it went well."""
        ready = self._arm(targets)
        self._move(ready, State.APPLYING)
        self._made = self.work.perform(step, ready)
        return self._sift(ready, self._made)

    def _arm(self, targets: Sequence[Target]) -> list[Target]:
        """Arm the revert of each target; one on which that fails is not touched."""
        if self.guard is None:
            return list(targets)
        guard = self.guard

        def arm(target: Target) -> None:
            self.work.listen(Doing(target.id, _("arming the revert")))
            if until := guard.arm(target):
                self._until[target.id] = until

        failures = self._each(targets, arm)
        for device, error in failures.items():
            state = State.UNREACHABLE if isinstance(error, ReachError) else State.FAILED
            self._end(device, state, _("not touched, as no revert could be armed: {reason}").format(reason=error))
        return [target for target in targets if target.id not in failures]

    def _sift(self, targets: Sequence[Target], heard: Events) -> list[Target]:
        """Return the targets on which a step went well; the others end here, or are to be put back."""
        good = []
        for target in targets:
            done = done_of(heard[target.id])
            if done.outcome is Outcome.DONE:
                good.append(target)
            elif target.id in self._until:
                self._why[target.id] = done.reason
            else:
                unreachable = done.outcome is Outcome.UNREACHABLE
                self._end(target.id, State.UNREACHABLE if unreachable else State.FAILED, done.reason)
        return good

    def _verify(self, targets: Sequence[Target]) -> list[Target]:
        if not can(self.work.job, Step.VERIFY):
            return list(targets)
        self._move(targets, State.VERIFYING)
        return self._sift(targets, self.work.perform(Step.VERIFY, targets))

    def _confirm(self, targets: Sequence[Target]) -> list[Target]:
        """Come back to each guarded target on a new connection and disarm its revert."""
        if self.guard is None:
            return list(targets)
        failures = self._each([target for target in targets if target.id in self._until], self.guard.confirm)
        for device, error in failures.items():
            self._why[device] = _("it could not be confirmed: {reason}").format(reason=error)
        return [target for target in targets if target.id not in failures]

    def _settle(self, targets: Sequence[Target], planned: dict[str, DevicePlan]) -> None:
        for target in targets:
            events = self._made[target.id]
            changes = tuple(event for event in events if isinstance(event, Change))
            surprises = unforeseen(planned[target.id], events) if target.id in planned else ()
            state = State.CHANGED if changes else State.UNCHANGED
            self._end(target.id, state, "", changes, surprises)

    def _put_back(self, targets: Sequence[Target]) -> None:
        """See each target on which something went wrong back to what it was before."""
        if self.guard is None or not self._why:
            return
        guard = self.guard

        def undo(target: Target) -> None:
            self.work.listen(Doing(target.id, _("waiting until it has returned to what it was")))
            unknown = guard.undo(target, self._until[target.id])
            why = self._why[target.id]
            if unknown:
                message = _("{why}; it returns by itself, but that was not seen: {reason}")
                self._end(target.id, State.UNREACHABLE, message.format(why=why, reason=unknown))
            else:
                self._end(target.id, State.REVERTED, _("{why}; it returned to what it was").format(why=why))

        self._each([target for target in targets if target.id in self._why], undo)

    def _move(self, targets: Iterable[Target], state: State) -> None:
        moves = [Move(target.id, state, revert_until=self._until.get(target.id)) for target in targets]
        if moves:
            move_many(self.ledger, self.run, moves)

    def _end(
        self,
        device: str,
        state: State,
        reason: str,
        changes: tuple[Change, ...] = (),
        surprises: tuple[Change, ...] = (),
    ) -> None:
        move_many(self.ledger, self.run, [Move(device, state, reason, changes=len(changes))])
        self.results[device] = Result(device, state, reason, changes, surprises)

    def _each(self, targets: Sequence[Target], do: Callable[[Target], None]) -> dict[str, PlaybookError]:
        """Do something with every target at once; return the failures by device."""
        failures: dict[str, PlaybookError] = {}

        def attempt(target: Target) -> None:
            try:
                do(target)
            except (ReachError, RevertError) as error:
                failures[target.id] = error

        with ThreadPoolExecutor(self.work.parallel) as pool:
            list(pool.map(attempt, targets))
        return failures
