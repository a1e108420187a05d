"""Carrying out a plan: the ledger first, then the device, then the ledger.

intended -> (revert armed) -> applying -> verifying, on new connections -> (disarmed) -> changed
A device on which something fails is put back when a revert is armed, and left as it is, and told, when not.
A risky job goes on by turns, as many devices at a time as are worked on at once: no revert is armed, and its time
running, while others are. Nothing is changed any more on a device that may have begun to return.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime

from inventory.language import _
from ledger.connection import Ledger
from ledger.records import Move
from ledger.runs import move_many
from ledger.states import State
from playbooks.checking import unforeseen
from playbooks.drivers import can
from playbooks.errors import PlaybookError, ReachError, RevertError
from playbooks.event import Change, Doing, Done, Outcome
from playbooks.guard import Guard, can_return
from playbooks.job import Step
from playbooks.plan import DevicePlan
from playbooks.target import Target
from playbooks.work import Events, Work, done_of

_MARGIN = 2.0  # seconds before a device may begin to return, in which nothing is changed any more


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
        plans = {device.device: device for device in planned}
        for some in self._turns(targets):
            self._finish(self._verify(self._do(Step.APPLY, some)), plans)
        self._put_back(targets)
        return self.results

    def roll_back(self, targets: Sequence[Target]) -> dict[str, Result]:
        """Bring the targets back to what was before the job. Raises PlaybookError, LedgerError."""
        for some in self._turns(targets):
            self._finish(self._do(Step.ROLLBACK, some), {})
        self._put_back(targets)
        return self.results

    def _turns(self, targets: Sequence[Target]) -> Iterator[Sequence[Target]]:
        size = self.work.parallel if self.guard else max(1, len(targets))
        return (targets[first : first + size] for first in range(0, len(targets), size))

    def _do(self, step: Step, targets: Sequence[Target]) -> list[Target]:
        """Arm the reverts, do the step, and return the targets on which it went well."""
        if self.work.stop.is_set():
            reason = _("interrupted before it was touched")
            self._end([Result(target.id, State.INTERRUPTED, reason) for target in targets])
            return []
        ready = self._arm(targets)
        self._move(ready, State.APPLYING)
        self._made = self.work.perform(step, ready, within=self._time_left(ready))
        return self._sift(ready, self._made)

    def _arm(self, targets: Sequence[Target]) -> list[Target]:
        """Arm the revert of each target; one on which that fails is not touched.

        It is written down before: were we killed now, the next run would know that the device may be about to return.
        """
        if self.guard is None:
            return list(targets)
        guard = self.guard
        at_latest = guard.at_latest()
        self._until |= {target.id: at_latest for target in targets if can_return(target.device)}
        self._move(targets, State.INTENDED)

        def arm(target: Target) -> None:
            self.work.listen(Doing(target.id, _("arming the revert")))
            if until := guard.arm(target):
                self._until[target.id] = until

        failures = self._each(targets, arm)
        told = _("not touched, as no revert could be armed: {reason}")
        self._end([Result(device, _lost(error), told.format(reason=error)) for device, error in failures.items()])
        return [target for target in targets if target.id not in failures]

    def _time_left(self, targets: Sequence[Target]) -> float | None:
        """Return for how many seconds the targets may be worked on; None where no revert is armed."""
        ends = [self._until[target.id] for target in targets if target.id in self._until]
        return max(1.0, (min(ends) - datetime.now(UTC)).total_seconds() - _MARGIN) if ends else None

    def _sift(self, targets: Sequence[Target], heard: Events) -> list[Target]:
        """Return the targets on which a step went well; the others end here, or are to be put back."""
        ends = {target.id: done_of(heard[target.id]) for target in targets}
        bad = {device: done for device, done in ends.items() if done.outcome is not Outcome.DONE}
        self._why |= {device: done.reason for device, done in bad.items() if device in self._until}
        self._end(
            [Result(one.device, self._ended(one), one.reason) for one in bad.values() if one.device not in self._why]
        )
        return [target for target in targets if target.id not in bad]

    def _ended(self, done: Done) -> State:
        """Return the state of a device on which a step did not go well; one that was cut short can be asked later."""
        if done.outcome is Outcome.UNREACHABLE:
            return State.UNREACHABLE
        cut_short = self.work.stop.is_set() and done.reason == _("interrupted")
        return State.INTERRUPTED if cut_short else State.FAILED

    def _verify(self, targets: Sequence[Target]) -> list[Target]:
        if not can(self.work.job, Step.VERIFY):
            return list(targets)
        self._move(targets, State.VERIFYING)
        return self._sift(targets, self.work.perform(Step.VERIFY, targets, within=self._time_left(targets)))

    def _finish(self, targets: Sequence[Target], planned: Mapping[str, DevicePlan]) -> None:
        """Confirm on a new connection what stays on guarded targets, and write down each at once; then the others."""
        guarded = [target for target in targets if target.id in self._until]
        self._end([self._result(target, planned) for target in targets if target.id not in self._until])

        def confirm(target: Target) -> None:
            assert self.guard
            self.guard.confirm(target, self._until[target.id])
            self._end([self._result(target, planned)])

        for device, error in self._each(guarded, confirm).items():
            self._why[device] = _("it could not be confirmed: {reason}").format(reason=error)

    def _result(self, target: Target, planned: Mapping[str, DevicePlan]) -> Result:
        events = self._made[target.id]
        changes = tuple(event for event in events if isinstance(event, Change))
        surprises = unforeseen(planned[target.id], events) if target.id in planned else ()
        return Result(target.id, State.CHANGED if changes else State.UNCHANGED, "", changes, surprises)

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
                self._end([Result(target.id, State.UNREACHABLE, message.format(why=why, reason=unknown))])
            else:
                self._end([Result(target.id, State.REVERTED, _("{why}; it returned to what it was").format(why=why))])

        self._each([target for target in targets if target.id in self._why], undo)

    def _move(self, targets: Iterable[Target], state: State) -> None:
        moves = [Move(target.id, state, revert_until=self._until.get(target.id)) for target in targets]
        if moves:
            move_many(self.ledger, self.run, moves)

    def _end(self, results: Iterable[Result]) -> None:
        """Write down what became of devices, all of them at once."""
        ended = {result.device: result for result in results}
        moves = [
            Move(one.device, one.state, one.reason, changes=len(one.changes), log=self.work.log_of(one.device))
            for one in ended.values()
        ]
        if moves:
            move_many(self.ledger, self.run, moves)
        self.results |= ended

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


def _lost(error: PlaybookError) -> State:
    return State.UNREACHABLE if isinstance(error, ReachError) else State.FAILED
