"""The loop of a rollout: read what happened, decide, write it down, do it, write down what came of it.

Nothing is handed to a site before the ledger says that it is at work. What the ledger says is at work and this loop
has not handed over, because a controller died or the ledger's answer was lost, is handed over again with the same id.
"""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue
from secrets import token_hex

from inventory.language import _
from ledger.errors import LedgerAbsentError, LedgerFullError, LedgerLockedError, OutdatedError
from ledger.records import Draft
from playbooks.rollout.decide import Decision, decide
from playbooks.rollout.journal import Journal
from playbooks.rollout.notices import Notices
from playbooks.rollout.seams import Dispatch, Fitness, Judgement, Look, Notify, Report, Site, Verdict
from playbooks.rollout.situation import World
from playbooks.rollout.state import APPLY, DeviceState, Kind, State, Status

POLL = 1.0  # seconds: how soon what people do in other processes is seen
TROUBLE_PAUSE = 1.0  # seconds until a ledger that could not be read or written is tried again
UNFIT_PAUSE = 600.0  # seconds until a device that was not fit is considered again
_LAST_TRIES = 30  # to write down reports when the loop has been stopped
_PASSING = (LedgerLockedError, LedgerFullError, LedgerAbsentError)

Wait = Callable[[threading.Event, float], None]


def wait(wake: threading.Event, seconds: float) -> None:
    """Wait until woken, but neither longer than `seconds` nor than people would wait for an answer."""
    wake.wait(min(seconds, POLL))


@dataclass(frozen=True)
class Around:
    """What a controller is handed. `world` is asked before each decision; the loop adds when it looked last."""

    site: Site
    look: Look
    fitness: Fitness
    notify: Notify
    world: Callable[[], World]
    wait: Wait = wait
    aside: Executor = field(default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="look"))


@dataclass(frozen=True, slots=True)
class _Looking:
    """A look at the gate of a wave, under way or over. `judge`: when all is well, the wave has passed."""

    wave: int
    judge: bool
    verdict: "Future[Verdict]"


class Controller:
    """Drives one rollout. `run` returns when nothing more will happen by itself; `stop` ends it, from any thread."""

    def __init__(self, journal: Journal, around: Around) -> None:
        self._journal, self._around, self._plan = journal, around, journal.plan
        self._notices = Notices(journal, around.notify)
        self._wake, self._stop = threading.Event(), threading.Event()
        self._inbox: SimpleQueue[Report] = SimpleQueue()
        self._unwritten: list[Report] = []
        self._ours: set[str] = set()  # ids that this loop made
        self._handed: set[str] = set()  # ids that the site has been given
        self._looking: _Looking | None = None
        self._looked: datetime | None = None
        self._over = False

    def stop(self) -> None:
        """End what is under way, cleanly, and return from `run`; the rollout can be gone on with later."""
        self._stop.set()
        self._wake.set()

    def run(self) -> State:
        """Drive the rollout until it has ended, has failed, or was stopped. Raises LeaseHeldError, LeaseLostError.

        A ledger that is locked, full or away is waited for; any other LedgerError is raised.
        """
        with self._journal.driving(), ExitStack() as ending:
            ending.callback(self._around.aside.shutdown, wait=False, cancel_futures=True)
            ending.callback(self._around.site.stop)
            while not (self._over or self._stop.is_set()):
                self._turn()
            ending.pop_all().close()
            self._write_last_reports()
        return self._journal.state

    def _turn(self) -> None:
        try:
            self._go_on()
        except OutdatedError:
            return  # something happened meanwhile: decide anew
        except _PASSING as error:
            self._notices.tell_trouble(error)
            self._sleep(TROUBLE_PAUSE)
        else:
            self._notices.trouble_is_over()

    def _go_on(self) -> None:
        self._journal.keep()
        self._write_reports()
        self._notices.hear(self._journal.read())
        self._hand_over()
        self._write_verdict()
        now = self._journal.now
        decision = decide(self._plan, self._journal.state, now, replace(self._around.world(), looked=self._looked))
        if decision.events:
            self._journal.write(decision.events)
        elif not self._begin(decision):
            self._notices.tell_waiting(decision.waiting_for)
            self._start_look(decision)
            self._over = self._is_over()
            if not self._over:
                self._sleep((decision.until - now).total_seconds() if decision.until else float("inf"))

    def _is_over(self) -> bool:
        """Whether nothing will happen any more unless people act. Called when nothing was decided."""
        state = self._journal.state
        at_work = any(device.state is DeviceState.AT_WORK for device in state.devices.values())
        return state.status is Status.ENDED or (state.status is Status.FAILED and not at_work)

    def _sleep(self, seconds: float) -> None:
        self._around.wait(self._wake, max(seconds, 0.0))
        self._wake.clear()

    def _begin(self, decision: Decision) -> bool:
        """Write down what is begun now, and say whether there was anything. It is handed over once it is read back."""
        if not decision.dispatches:
            return False
        applied = [device for device, step in decision.dispatches if step == APPLY]
        unfit = self._around.fitness(applied) if applied else {}
        until = (self._journal.now + timedelta(seconds=UNFIT_PAUSE)).isoformat()
        drafts = []
        for device, step in decision.dispatches:
            if step == APPLY and device in unfit:
                drafts.append(Draft(Kind.POSTPONED, device, details={"why": unfit[device], "until": until}))
            else:
                identity = token_hex(8)
                self._ours.add(identity)
                drafts.append(Draft(Kind.DISPATCHED, device, details={"dispatch": identity, "step": step}))
        self._journal.write(drafts)
        return True

    def _hand_over(self) -> None:
        """Give the site what is at work and was not given to it."""
        devices = ((device, self._journal.state.devices[device]) for device in self._plan.devices)
        work = [
            Dispatch(status.dispatch, device, status.step, again=status.dispatch not in self._ours)
            for device, status in devices
            if status.state is DeviceState.AT_WORK and status.dispatch not in self._handed
        ]
        if work:
            self._handed.update(one.id for one in work)
            self._around.site.dispatch(work, self._hear)

    def _hear(self, report: Report) -> None:
        self._inbox.put(report)
        self._wake.set()

    def _write_reports(self) -> None:
        with suppress(Empty):
            while True:
                self._unwritten.append(self._inbox.get_nowait())
        if self._unwritten:
            self._journal.write([_reported(report) for report in self._unwritten], decided=False)
            self._unwritten.clear()

    def _write_last_reports(self) -> None:
        """Write down what was finished while the site stopped; what cannot be written is asked of the device later."""
        for _try in range(_LAST_TRIES):
            try:
                self._write_reports()
                self._notices.hear(self._journal.read())
            except _PASSING as error:
                self._notices.tell_trouble(error)
                self._sleep(TROUBLE_PAUSE)
            else:
                return

    def _start_look(self, decision: Decision) -> None:
        """Ask the gate, beside this loop, unless it is being asked."""
        if not decision.look or self._looking:
            return
        state = self._journal.state
        devices = [device for device in self._plan.waves[state.wave].devices if _is_done(state, device)]
        self._looked = self._journal.now
        asked = self._around.aside.submit(self._around.look, devices)
        self._looking = _Looking(state.wave, decision.judge, asked)
        asked.add_done_callback(lambda _asked: self._wake.set())

    def _write_verdict(self) -> None:
        """Write down what the gate said, if it has and if it still matters."""
        looking, state = self._looking, self._journal.state
        if looking is None or not looking.verdict.done():
            return
        if state.status is Status.RUNNING and state.wave == looking.wave:
            drafts = list(_judged(looking, judge=looking.judge and bool(state.baking_since)))
            if drafts:
                self._journal.write(drafts)
                self._notices.hear(self._journal.read())
        self._looking = None


def _is_done(state: State, device: str) -> bool:
    return state.devices[device].state is DeviceState.DONE


def _reported(report: Report) -> Draft:
    details = {"dispatch": report.id, "result": report.result, "reason": report.reason, "changed": report.changed}
    return Draft(Kind.REPORTED, report.device, details=details)


def _judged(looking: _Looking, *, judge: bool) -> Iterable[Draft]:
    """Yield what follows from a look. One that broke down tells nothing, so the rollout pauses."""
    error = looking.verdict.exception()
    verdict = Verdict(Judgement.UNKNOWN, str(error) or type(error).__name__) if error else looking.verdict.result()
    if verdict.judgement is Judgement.ILL:
        yield Draft(Kind.GATE_FAILED, wave=looking.wave, details={"why": verdict.why})
    elif verdict.judgement is Judgement.UNKNOWN:
        why = _("the gate cannot be judged: {reason}").format(reason=verdict.why)
        yield Draft(Kind.PAUSED, details={"why": why})
    elif judge:
        yield Draft(Kind.GATE_PASSED, wave=looking.wave)
