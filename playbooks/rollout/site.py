"""The site of this machine: what is dispatched together is worked on together, one use of the engine a chunk.

A device is waited for while others hold its lock, settled when a dead run has left it, asked, and only then changed.
One that is at target already is done. Whatever breaks, each dispatch is reported, unless the site was stopped: what
it could not finish stays unreported, is at work in the ledger, and is dispatched again by the next controller.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from inventory.language import _
from ledger.errors import DeviceBusyError, IllegalMoveError, LedgerAbsentError, LedgerFullError, LedgerLockedError
from ledger.locks import FOLDER as LOCKS
from ledger.locks import is_held
from ledger.states import State as Ended
from playbooks.drivers import can
from playbooks.engine import Order, Session
from playbooks.errors import OwnFaultError
from playbooks.event import Event, Outcome
from playbooks.job import Step
from playbooks.plan import Plan
from playbooks.plan import State as Found
from playbooks.rollout.seams import Dispatch, Report
from playbooks.rollout.state import Result
from playbooks.work import done_of

Orders = Callable[[tuple[str, ...]], Order]  # what is wanted of those of the devices that are declared
Tell = Callable[[Report], None]

_PAUSE = 1.0  # seconds between two looks at a lock that others hold, or at a ledger that cannot be written
_PATIENCE = 300.0  # seconds to wait for a device that others hold: their question to a person may stand for a while
_MARGIN = 60.0  # seconds beyond a job's timeout in which what a dead controller started must have ended
# Passing troubles. The last two: somebody else is just beginning a run, or ended ours as that of a dead controller.
_PASSING = (LedgerLockedError, LedgerFullError, LedgerAbsentError, DeviceBusyError, IllegalMoveError)

_CHECKED: Mapping[Found, Result] = {
    Found.AT_TARGET: Result.DONE,
    Found.NOT_APPLICABLE: Result.FAILED,
    Found.UNREACHABLE: Result.UNREACHABLE,
    Found.FAILED: Result.FAILED,
}
_ENDED: Mapping[Ended, Result] = {
    Ended.CHANGED: Result.DONE,
    Ended.UNCHANGED: Result.DONE,
    Ended.UNREACHABLE: Result.LOST,
    Ended.REVERTED: Result.REVERTED,
}  # everything else is a failure


class LocalSite:
    """A pool in this process. `chunk` devices share a session, and so a process of their driver."""

    def __init__(self, orders: Orders, listen: Callable[[Event], None], *, chunk: int = 20, sessions: int = 8) -> None:
        """`orders` makes what is wanted of some devices; `listen` hears what happens on them, from any thread."""
        self._orders, self._listen, self._size = orders, listen, chunk
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(sessions, thread_name_prefix="rollout")

    def dispatch(self, work: Sequence[Dispatch], report: Tell) -> None:
        """Begin, and return at once."""
        for alike in _alike(work):
            for first in range(0, len(alike), self._size):
                some = alike[first : first + self._size]
                chunk = _Chunk({one.device: one for one in some}, self._orders, self._listen, report, self._stop)
                self._pool.submit(chunk.work_on).add_done_callback(chunk.settle)

    def stop(self) -> None:
        """End what is under way, cleanly, and return when nothing is left."""
        self._stop.set()
        self._pool.shutdown(cancel_futures=True)


def _alike(work: Sequence[Dispatch]) -> Iterable[list[Dispatch]]:
    """Return the dispatches that may share a session: of one step, and all for the first time or none."""
    kinds = dict.fromkeys((one.step, one.again) for one in work)
    return [[one for one in work if (one.step, one.again) == kind] for kind in kinds]


@dataclass
class _Chunk:
    """Dispatches that are worked on together. `left` are those that were not reported yet, by device."""

    left: dict[str, Dispatch]
    orders: Orders
    listen: Callable[[Event], None]
    report: Tell
    stop: threading.Event

    def work_on(self) -> None:
        """Report every dispatch, those first that can be had. Raises PlaybookError, LedgerError, OSError."""
        order = self.orders(tuple(self.left))
        self._leave_out(order)
        again = any(one.again for one in self.left.values())
        deadline = time.monotonic() + (order.job.shape.timeout + _MARGIN if again else _PATIENCE)
        while self.left and not self.stop.is_set():
            late = time.monotonic() > deadline
            free = [device for device in self.left if late or not is_held(order.folder / LOCKS, device)]
            if not free or not self._tried(order, free, late):
                self.stop.wait(_PAUSE)

    def _leave_out(self, order: Order) -> None:
        """Report devices that are declared no more: those that share their turn must not fail for that."""
        for device in self.left.keys() - {device.id for device in order.devices}:
            reason = _("'{device}' is no longer declared").format(device=device)
            self._tell(device, Result.FAILED, reason, changed=False)

    def _tried(self, order: Order, devices: Sequence[str], late: bool) -> bool:
        """Do what is wanted of these devices; say whether the ledger and those who held them let us."""
        chosen = tuple(device for device in order.devices if device.id in devices)
        session = Session(replace(order, devices=chosen), self.listen)
        session.stop = self.stop
        try:
            with session:
                self._in_session(session)
                for device, reason in session.busy.items() if late else ():
                    self._tell(device, Result.UNREACHABLE, reason)
        except _PASSING:
            return False
        except OwnFaultError:  # it says nothing of the devices: a full disk may be seen to meanwhile
            if late:
                raise
            return False
        return late or not session.busy

    def _in_session(self, session: Session) -> None:
        if not session.targets:
            return
        session.recover()
        plan = session.check()
        if next(iter(self.left.values())).step == Step.ROLLBACK:
            self._roll_back(session, plan)
        else:
            self._apply(session, plan)

    def _apply(self, session: Session, plan: Plan) -> None:
        for device in plan.devices:
            if device.state is Found.AT_TARGET and self.left[device.device].again:
                continue
            if device.state in _CHECKED:
                self._tell(device.device, _CHECKED[device.state], device.reason, changed=False)
        self._verify(session, [device.device for device in plan.in_state(Found.AT_TARGET)])
        if plan.in_state(Found.CHANGE) and not self.stop.is_set():
            for result in session.apply(plan).values():
                self._tell(result.device, _ENDED.get(result.state, Result.FAILED), result.reason)

    def _verify(self, session: Session, devices: Sequence[str]) -> None:
        """Verify what a dead controller had brought to its target: perhaps it could not any more."""
        targets = [target for target in session.targets if target.id in devices and target.id in self.left]
        heard = session.work.perform(Step.VERIFY, targets) if can(session.order.job, Step.VERIFY) else {}
        for target in targets:
            done = done_of(heard[target.id]) if target.id in heard else None
            if done is None or done.outcome is Outcome.DONE:
                self._tell(target.id, Result.DONE)
            else:
                result = Result.LOST if done.outcome is Outcome.UNREACHABLE else Result.FAILED
                self._tell(target.id, result, done.reason)

    def _roll_back(self, session: Session, plan: Plan) -> None:
        for device in plan.in_state(Found.UNREACHABLE):
            self._tell(device.device, Result.UNREACHABLE, device.reason)
        session.targets = tuple(target for target in session.targets if target.id in self.left)
        if not can(session.order.job, Step.ROLLBACK):
            reason = _("the job '{job}' knows no way back").format(job=session.order.job.name)
            for target in session.targets:
                self._tell(target.id, Result.FAILED, reason)
        elif session.targets and not self.stop.is_set():
            for result in session.roll_back(plan).values():
                self._tell(result.device, _ENDED.get(result.state, Result.FAILED), result.reason)

    def _tell(self, device: str, result: Result, reason: str = "", *, changed: bool = True) -> None:
        # once we were told to stop, what is not done was perhaps only cut short
        if result is Result.DONE or not self.stop.is_set():
            dispatch = self.left.pop(device)
            self.report(Report(dispatch.id, device, result, reason, changed or dispatch.again))

    def settle(self, ended: "Future[None]") -> None:
        """Report what is left when the work has ended by an error."""
        try:
            error = ended.exception()
        except CancelledError:
            return
        for device in list(self.left) if error else ():
            self._tell(device, Result.FAILED, str(error) or type(error).__name__)
