"""One use of a job on some devices: take their locks, mend what a dead run left, ask, carry out, let go.

with Session(order, listen) as session:
    left_over = session.recover()
    plan = session.check()
    results = session.apply(plan)
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from inventory.facts import Facts
from inventory.language import _
from inventory.model import Device, Province
from ledger.connection import FILE, open_ledger
from ledger.locks import FOLDER as LOCKS
from ledger.locks import take, take_all
from ledger.records import Actor
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
from playbooks.plan import Plan, State, write_plan
from playbooks.recovery import Recovered, mark_found, recover, run_lock
from playbooks.target import Target
from playbooks.variables import values_of
from playbooks.work import Work, done_of

RUNS = Path(".tuyen", "runs")  # below the province's folder: logs and plans, a folder a use
GOOD = frozenset({Ended.CHANGED, Ended.UNCHANGED})


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
        """Take the devices' locks and open the ledger. Raises LedgerError, OSError."""
        order = self.order
        with ExitStack() as opening:
            self.ledger = opening.enter_context(open_ledger(order.province.database or order.folder / FILE))
            doing = f"{order.job.name}: {order.command}"
            taken = take_all(
                order.folder / LOCKS,
                [target.id for target in self._wanted],
                person=order.actor.person,
                doing=doing,
                patience=order.patience,
            )
            opening.enter_context(taken)
            self.busy = {error.device: _(error.message).format_map(error.values) for error in taken.busy}
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
            self._open = opening.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._open.close()

    def recover(self) -> list[Recovered]:
        """Settle what runs whose controller died have left. Raises LedgerError."""
        return recover(self.ledger, self.order.folder / LOCKS, self.targets, self.order.actor)

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
        mark_found(self.ledger, order.job.name, (device.device for device in plan.in_state(State.AT_TARGET)))
        return plan

    def gather(self) -> tuple[dict[str, Facts], dict[str, Done]]:
        """Return the facts of the devices that told them, and how asking ended on each. For the job `facts`."""
        found: dict[str, Facts] = {}
        heard = self.work.perform(Step.CHECK, self.targets, lambda batch: found.update(gather(batch)))
        return found, {device: done_of(events) for device, events in heard.items()}

    def apply(self, plan: Plan) -> dict[str, Result]:
        """Carry out what the plan would change; each of its devices has a result. Raises PlaybookError, LedgerError."""
        planned = plan.in_state(State.CHANGE)
        chosen = {device.device for device in planned}
        targets = [target for target in self.targets if target.id in chosen]
        return self._as_run(plan, targets, lambda run: self._application(run).carry_out(targets, planned))

    def roll_back(self, plan: Plan) -> dict[str, Result]:
        """Bring every target back to what was before the job. Raises PlaybookError, LedgerError."""
        return self._as_run(plan, self.targets, lambda run: self._application(run).roll_back(self.targets))

    def _application(self, run: str) -> Application:
        guard = Guard(self.order.job, run, self.stop, self.order.unguarded) if self.order.job.risky else None
        return Application(self.work, self.ledger, run, guard)

    def _as_run(
        self, plan: Plan, targets: Sequence[Target], act: Callable[[str], dict[str, Result]]
    ) -> dict[str, Result]:
        """Do something to devices as one run of the ledger: intended before, ended after, interrupted if it breaks."""
        order, ledger = self.order, self.ledger
        run = begin_run(
            ledger,
            job=order.job.name,
            job_digest=order.job.digest,
            plan_digest=plan.digest,
            actor=order.actor,
            command=order.command,
        )
        fingerprints = {device.device: device.fingerprint for device in plan.devices}
        with take(order.folder / LOCKS, run_lock(run), person=order.actor.person, doing=order.command, patience=5):
            intend(ledger, run, {target.id: fingerprints.get(target.id, "") for target in targets})
            try:
                results = act(run)
            except BaseException:
                interrupt(ledger, run, reason=_("it was stopped in the middle"), actor=order.actor)
                raise
            end_run(ledger, run, Outcome.DONE if all(one.state in GOOD for one in results.values()) else Outcome.FAILED)
        return results


def _new_folder(runs: Path, job: str) -> Path:
    """Make a folder of our own, whose name sorts by time."""
    runs.mkdir(mode=0o700, parents=True, exist_ok=True)
    began = datetime.now(UTC)
    for number in range(100):
        folder = runs / f"{began:%Y%m%dT%H%M%S}-{job}{f'-{number}' if number else ''}"
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            continue
        return folder
    raise FileExistsError(17, "too many runs within a second", str(runs))
