"""Driving a rollout from this process: everything that its loop is handed, and how its course is told meanwhile."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from zoneinfo import ZoneInfo

from cli.actor import typed
from cli.gating import Gating
from cli.knowledge import gather
from cli.output import complain, say
from cli.rollout_notices import RolloutNotices
from cli.rollout_state import STATE, Seen, Surroundings, hours_by_device
from cli.rollout_words import course, moment
from cli.running import open_needed, stopping_signals
from exporters.questions import Knowledge
from inventory.finding import InventoryError
from inventory.language import _, current
from inventory.load import load
from inventory.model import Province
from ledger.connection import Ledger
from ledger.errors import LedgerError
from ledger.folders import make_folder
from ledger.leases import held
from ledger.records import Actor, RolloutEvent, now
from ledger.rollouts import lease_name
from playbooks.catalogue import find_job
from playbooks.engine import Order
from playbooks.errors import PlanError, PlaybookError
from playbooks.job import Job
from playbooks.rollout.approval import Approvals
from playbooks.rollout.estimate import seconds_of, typical_seconds
from playbooks.rollout.journal import Journal
from playbooks.rollout.loop import Around, Controller
from playbooks.rollout.plan import RolloutPlan
from playbooks.rollout.seams import Notice
from playbooks.rollout.site import LocalSite
from playbooks.rollout.state import Kind, Status

_UP = 20.0  # seconds in which a detached controller must have taken the lease
Orders = Callable[[tuple[str, ...]], Order]


@dataclass(frozen=True)
class Drive:
    """A rollout that this process is going to drive, in the name of `who`. `say` tells its course, line by line."""

    folder: Path
    province: Province
    ledger: Ledger
    who: Actor
    seen: Seen
    say: Callable[[str], None] = say

    def run(self) -> bool:
        """Drive it until it has ended, has failed, or Ctrl-C (True); what happens is told line by line.

        Raises LeaseHeldError, LeaseLostError, PlaybookError, InventoryError, LedgerError.
        """
        seen, plan = self.seen, self.seen.plan
        job = planned_job(self.folder, plan, putting_back=seen.state.status is Status.ROLLING_BACK)
        seconds = seconds_of(self.province, job, plan.devices, typical_seconds(self.ledger, plan.job))
        hours = hours_by_device(self.province, plan, seconds)
        knowledge = gather(self.folder, self.province)
        gating = Gating(self.province, plan.gate, knowledge, before_of(seen))
        site = LocalSite(self._orders(job, knowledge), lambda _event: None, sessions=4)
        world = Surroundings(self.ledger, self.province, seen.record, hours)
        journal = Journal(self.ledger, seen.record.id, self.who, self._counts)
        with RolloutNotices(self.province, plan) as notices:
            around = Around(site, gating.look, gating.fitness, partial(self._notify, notices), world.world)
            controller = Controller(journal, around)
            with _stoppable(controller) as stopping, self._followed():
                controller.run()
            return stopping.is_set()

    def _notify(self, notices: RolloutNotices, notice: Notice) -> None:
        """Tell people elsewhere; and whoever looks on here what no event tells."""
        if notice.kind in ("approval", "trouble"):
            when = moment(self.seen.plan, now(), ZoneInfo(self.province.time_zone))
            with suppress(OSError):  # nobody looks on any more
                self.say(f"{when} {notice.text}")
        notices.tell(notice)

    def _counts(self, event: RolloutEvent) -> bool:
        """Whether an event is to be believed; an approver may have been given a key while we drive."""
        seen = self.seen
        if seen.approvals.counts(event):
            return True
        with suppress(InventoryError):  # somebody is just editing: what we know already holds
            return Approvals(load(self.folder), seen.record.id, seen.plan).counts(event)
        return False

    def _orders(self, job: Job, knowledge: Knowledge) -> Orders:
        plan, province = self.seen.plan, self.province
        secrets = knowledge.secrets

        def order(devices: tuple[str, ...]) -> Order:
            return Order(
                province=province,
                job=job,
                devices=tuple(province.devices[device] for device in devices if device in province.devices),
                selector=f"rollout {self.seen.record.id}",
                actor=self.who,
                command=typed(),
                secrets=secrets,
                sets=plan.sets,
                parallel=plan.parallel,
            )

        secrets = secrets or open_needed(self.folder, order(plan.devices))
        return order

    @contextmanager
    def _followed(self) -> Iterator[None]:
        """Tell what happens, in a thread of its own, as the ledger has it."""
        journal = Journal(self.ledger, self.seen.record.id, self.who, self._counts)
        journal.read()
        over, zone = threading.Event(), ZoneInfo(self.province.time_zone)

        def follow() -> None:
            with suppress(OSError):  # nobody reads it any more: the rollout goes on
                while not over.wait(0.3):
                    with suppress(LedgerError):  # the loop tells it, and waits
                        tell_steps(journal, zone, self.say)

        thread = threading.Thread(target=follow, name="follow", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            with suppress(LedgerError, OSError):
                tell_steps(journal, zone, self.say)


def tell_steps(journal: Journal, zone: ZoneInfo, tell: Callable[[str], None] = say) -> None:
    """Tell what has happened since the last time, a line each."""
    for step in journal.read():
        tell(course(journal.plan, step, zone))


def planned_job(folder: Path, plan: RolloutPlan, *, putting_back: bool = False) -> Job:
    """Return the job that was planned. Raises PlanError when it is not that any more, PlaybookError.

    Putting back is done by the job as it is now: a rollout can be undone after tuyen itself was upgraded.
    """
    job = find_job(folder, plan.job)
    if job.digest != plan.job_digest and not putting_back:
        message = _("the job '{job}' was changed after the rollout was planned; abort it, and start a new one")
        raise PlanError(message.format(job=job.name))
    return job


def before_of(seen: Seen) -> dict[str, str]:
    """Return what was not up when the rollout started, with reasons."""
    for event in seen.events:
        if event.kind == Kind.STARTED:
            before = event.details.get("before")
            return {str(name): str(why) for name, why in before.items()} if isinstance(before, dict) else {}
    return {}


@contextmanager
def _stoppable(controller: Controller) -> Iterator[threading.Event]:
    """Let the first Ctrl-C, or a lost terminal, stop the work cleanly, and the second Ctrl-C leave at once.

    What is given is set once it stops.
    """
    stopping = threading.Event()

    def stop(number: int, _frame: FrameType | None) -> None:
        if stopping.is_set():
            if number == signal.SIGINT:
                raise KeyboardInterrupt
            return
        stopping.set()
        controller.stop()
        with suppress(OSError):  # there may be no terminal any more
            complain(_("stopping; devices that are being changed are left clean (Ctrl-C again leaves at once)"))

    before = {number: signal.signal(number, stop) for number in stopping_signals()}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def detach(folder: Path, ledger: Ledger, seen: Seen, person: str) -> Path:
    """Start a process of its own that drives a rollout, and return its log once it does. Raises PlaybookError."""
    log = folder / STATE / f"{seen.record.id}.log"
    make_folder(log.parent)
    command = [sys.executable, "-m", "cli", "--lang", current(), "--province", str(folder.absolute())]
    command += ["rollout", "drive", seen.record.id, *(["--as", person] if person else [])]
    with log.open("ab") as written:
        if not written.tell():  # whoever goes on with the rollout writes here, too
            log.chmod(log.parent.stat().st_mode & 0o660)
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=written, stderr=subprocess.STDOUT, start_new_session=True
        )
    deadline = time.monotonic() + _UP
    while process.poll() is None and time.monotonic() < deadline:
        if held(ledger, lease_name(seen.record.id)):
            return log
        time.sleep(0.1)
    if process.returncode == 0:
        return log
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or ["?"]
    message = _("the controller did not start: {reason}; its log is {log}")
    raise PlaybookError(message.format(reason=lines[-1], log=log))
