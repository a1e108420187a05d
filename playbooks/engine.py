"""One use of a job on some devices: take their locks, mend what a dead run left, ask, carry out, let go.

with Session(order, listen) as session:
    left_over = session.recover()
    plan = session.check()
    results = session.apply(plan)
"""

import errno
import resource
import stat
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from inventory.facts import Facts
from inventory.language import _
from inventory.model import Device, Province
from ledger.connection import FILE, open_ledger
from ledger.folders import make_folder
from ledger.locks import FOLDER as LOCKS
from ledger.locks import take, take_all
from ledger.presence import present, worked_on
from ledger.records import Actor, new_id
from ledger.runs import begin_run, end_run, intend, interrupt
from ledger.states import Outcome
from ledger.states import State as Ended
from playbooks.access import Access
from playbooks.applying import Application, Result
from playbooks.checking import check
from playbooks.event import Done, Event
from playbooks.facts import gather
from playbooks.guard import Guard
from playbooks.job import Job, Step
from playbooks.mask import Mask
from playbooks.plan import DevicePlan, Plan, State, write_plan
from playbooks.recovery import BIRTH, BIRTH_PATIENCE, Recovered, mark_found, recover, run_lock
from playbooks.target import Target
from playbooks.variables import values_of
from playbooks.work import Work, done_of, own_faults

RUNS = Path(".tuyen", "runs")  # below the province's folder: logs and plans, a folder a use
GOOD = frozenset({Ended.CHANGED, Ended.UNCHANGED})
_FILES = 1000  # open ones that we may need beside a lock and a log a device
_GROUP = 0o770


@dataclass(frozen=True)
class Order:
    """Who wants which job on which devices. `sets` are values from --set; `secrets` all that the vault holds."""

    province: Province
    job: Job
    devices: tuple[Device, ...]
    selector: str
    actor: Actor
    command: str  # as it was typed; must hold no secret
    secrets: Mapping[str, str] = field(repr=False)
    sets: Mapping[str, Any] = field(default_factory=dict)
    parallel: int = 20
    patience: float = 0.0  # seconds to wait for devices that others act on
    unguarded: bool = False  # go on where the job is risky and the device has no revert to arm
    only_reads: bool = False  # nothing is going to be changed: nobody is held up, or waited for

    @property
    def folder(self) -> Path:
        """The province's folder."""
        return Path(self.province.folder)


class Session:
    """An order being worked on. `busy` says, by device, who holds those that we could not have."""

    def __init__(self, order: Order, listen: Callable[[Event], None]) -> None:
        """Resolve variables and ways to log in. Raises PlaybookError."""
        self.order = order
        self.values = values_of(order.province, order.job, order.devices, order.sets)
        access = Access(order.province, order.actor.account, order.secrets)
        self._wanted = access.targets(order.devices, self.values)
        self._listen = listen
        self._open = ExitStack()
        self.busy: dict[str, str] = {}
        self.stop = threading.Event()

    def __enter__(self) -> Self:
        """Take the devices' locks and open the ledger. Raises LedgerError, PlaybookError."""
        order = self.order
        _allow_files(2 * len(self._wanted) + _FILES)
        with ExitStack() as opening:
            self.ledger = opening.enter_context(open_ledger(order.province.database or order.folder / FILE))
            doing = f"{order.job.name}: {order.command}"
            held = [] if order.only_reads else [target.id for target in self._wanted]
            taken = take_all(
                order.folder / LOCKS,
                held,
                person=order.actor.person,
                doing=doing,
                patience=order.patience,
            )
            opening.enter_context(taken)
            elsewhere = worked_on(self.ledger, held)
            busy = {error.device: error for error in taken.busy} | elsewhere
            self.busy = {device: _(error.message).format_map(error.values) for device, error in busy.items()}
            self.targets = tuple(target for target in self._wanted if target.id not in self.busy)
            self.folder = _new_folder(order.folder / RUNS, order.job.name)
            self.work = Work(
                job=order.job,
                folder=self.folder,
                mask=Mask(order.secrets.values()),
                listen=self._listen,
                locks=tuple(lock.descriptor for lock in taken.locks),
                parallel=order.parallel,
                stop=self.stop,
            )
            opening.callback(self.work.kept.close)
            self._open = opening.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._open.close()

    def recover(self) -> list[Recovered]:
        """Settle what runs whose controller died have left. Raises LedgerError."""
        order = self.order
        return recover(self.ledger, order.folder / LOCKS, self.targets, order.actor, self.stop, order.parallel)

    def check(self) -> Plan:
        """Ask every device what would change. Raises PlaybookError, LedgerError."""
        order = self.order
        plan = Plan(
            job=order.job.name,
            job_digest=order.job.digest,
            province=order.province.id,
            selector=order.selector,
            sets=order.sets,
            made_by=order.actor.person,
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            devices=check(self.work, self.targets, self.values),
        )
        write_plan(plan, self.folder / "plan.json")
        if not order.only_reads:  # others may be at these devices, and settle what is open there
            mark_found(self.ledger, order.job.name, (device.device for device in plan.in_state(State.AT_TARGET)))
        return plan

    def gather(self) -> tuple[dict[str, Facts], dict[str, Done]]:
        """Return the facts of the devices that told them, and how asking ended on each. For the job `facts`."""
        found: dict[str, Facts] = {}
        heard = self.work.perform(Step.CHECK, self.targets, lambda batch: found.update(gather(batch)))
        return found, {device: done_of(events) for device, events in heard.items()}

    def apply(self, plan: Plan, digest: str = "") -> dict[str, Result]:
        """Carry out what the plan would change; each of those devices has a result. Raises PlaybookError, LedgerError.

        `digest` is the address of the plan that was agreed to, when `plan` is what is left of it.
        """
        planned = plan.in_state(State.CHANGE)
        targets = self._among(planned)
        address = digest or plan.digest
        return self._as_run("", plan, address, targets, lambda work: work.carry_out(targets, planned))

    def roll_back(self, plan: Plan) -> dict[str, Result]:
        """Bring the devices of a plan that answered back to before the job. Raises PlaybookError, LedgerError."""
        targets = self._among([device for device in plan.devices if device.state is not State.UNREACHABLE])
        return self._as_run(" --rollback", plan, plan.digest, targets, lambda work: work.roll_back(targets))

    def _among(self, devices: Iterable[DevicePlan]) -> list[Target]:
        chosen = {device.device for device in devices}
        return [target for target in self.targets if target.id in chosen]

    def _application(self, run: str) -> Application:
        guard = Guard(self.order.job, run, self.stop, self.order.unguarded) if self.order.job.risky else None
        return Application(self.work, self.ledger, run, guard)

    def _as_run(
        self,
        how: str,
        plan: Plan,
        digest: str,
        targets: Sequence[Target],
        act: Callable[[Application], dict[str, Result]],
    ) -> dict[str, Result]:
        """Do something to devices as one run of the ledger: intended before, ended after, interrupted if it breaks."""
        order, ledger = self.order, self.ledger
        assert not order.only_reads, "no lock is held"
        fingerprints = {device.device: device.fingerprint for device in plan.devices}
        with self._new_run(how, digest) as run:
            intend(ledger, run, {target.id: fingerprints.get(target.id, "") for target in targets})
            try:
                results = act(self._application(run))
            except BaseException as error:
                reason = _("it was stopped in the middle: {reason}").format(reason=str(error) or type(error).__name__)
                interrupt(ledger, run, reason=self.work.mask(reason), actor=order.actor)
                raise
            end_run(ledger, run, Outcome.DONE if all(one.state in GOOD for one in results.values()) else Outcome.FAILED)
        return results

    @contextmanager
    def _new_run(self, how: str, digest: str) -> Iterator[str]:
        """Begin a run and hold its lock, which tells others that its controller is alive."""
        order = self.order
        locks, who = order.folder / LOCKS, {"person": order.actor.person, "doing": order.command}
        with ExitStack() as held:
            with take(locks, BIRTH, **who, patience=BIRTH_PATIENCE):
                run = new_id(self.ledger.clock())
                held.enter_context(present(self.ledger, run, order.actor))
                begin_run(
                    self.ledger,
                    run=run,
                    job=order.job.name + how,
                    job_digest=order.job.digest,
                    plan_digest=digest,
                    actor=order.actor,
                    command=order.command,
                )
                held.enter_context(take(locks, run_lock(run), **who, patience=BIRTH_PATIENCE))
            yield run


def _new_folder(runs: Path, job: str) -> Path:
    """Make a folder of our own, whose name sorts by time, as open to the group as `runs`. Raises PlaybookError."""
    began = datetime.now(UTC)
    with own_faults():
        make_folder(runs)
        for number in range(100):
            folder = runs / f"{began:%Y%m%dT%H%M%S}-{job}{f'-{number}' if number else ''}"
            try:
                folder.mkdir(mode=0o700)
            except FileExistsError:
                continue
            folder.chmod(stat.S_IMODE(folder.stat().st_mode) | (stat.S_IMODE(runs.stat().st_mode) & _GROUP))
            return folder
        raise FileExistsError(errno.EEXIST, "too many runs within a second", str(runs))


def _allow_files(count: int) -> None:
    """Let this process open `count` files, as far as the machine lets us: many are allowed a thousand only."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if resource.RLIM_INFINITY != soft < count:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (count if hard == resource.RLIM_INFINITY else min(count, hard), hard)
        )
