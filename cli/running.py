"""What `tuyen run` does, from a wish to the results."""

import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import typer

from cli.actor import actor, check_may_act, typed
from cli.board import Board
from cli.output import agreed, complain, print_json, say
from cli.planned import (
    plain_item,
    plan_heading,
    plan_item,
    recovered_item,
    result_item,
    show_changes,
    show_items,
    show_recovered,
    summary,
)
from cli.settings import Format, Settings
from inventory.language import _

if TYPE_CHECKING:
    from inventory.model import Device, Province
    from playbooks.engine import Order, Session
    from playbooks.job import Job
    from playbooks.plan import Plan
    from playbooks.recovery import Recovered

FINE = ("at-target", "changed", "unchanged")
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # the last: the connection that we are typed on is gone
Items = list[dict[str, Any]]


@dataclass(frozen=True)
class Wish:
    """What was typed."""

    job: str
    selector: str
    sets: tuple[str, ...] = ()
    dry_run: bool = False
    yes: bool = False
    rollback: bool = False
    plan_out: Path | None = None
    plan: Path | None = None
    parallel: int = 20
    wait: float = 0.0
    unguarded: bool = False
    person: str = ""
    form: Format = Format.TABLE

    @property
    def for_people(self) -> bool:
        """Whether people read the answer."""
        return self.form is Format.TABLE


def carry_out(options: Settings, wish: Wish) -> bool:
    """Do it all; return whether every device is as it should be. Raises PlaybookError, LedgerError."""
    from playbooks.engine import Session
    from playbooks.plan import read_plan

    earlier = read_plan(wish.plan) if wish.plan else None
    order = make_order(options, wish, earlier)
    if wish.rollback:
        _check_way_back(order.job)
    board = Board(wish.for_people, len(order.devices))
    with board, Session(order, board.hear) as session:
        recovered, plan, others = _ask(session, board, earlier)
        if wish.for_people:
            show_recovered(recovered)
            _show_plan(order, plan, others, earlier or plan, rollback=wish.rollback)
        if wish.plan_out:
            _keep(plan, wish.plan_out)
        results = _act(session, board, wish, plan, earlier)
    items = _merge(plan, others, results)
    if wish.for_people:
        _show_results(session, items, acted=results is not None)
    else:
        print_json(items, recovered=[recovered_item(one) for one in recovered])
    wanted = (*FINE, "change") if results is None and wish.dry_run else FINE
    return all(item["state"] in wanted for item in items)


def make_order(options: Settings, wish: Wish, earlier: "Plan | None") -> "Order":
    """Return what is wanted, by whom, on which devices. Raises PlaybookError, InventoryError."""
    from cli.knowledge import check_place
    from playbooks.catalogue import find_job
    from playbooks.engine import Order
    from playbooks.variables import read_sets

    province = options.load()
    check_place(province)
    job = find_job(options.folder(), earlier.job if earlier else wish.job)
    devices = _planned(province, job, earlier) if earlier else _chosen(province, job, wish.selector)
    who = actor(province, wish.person)
    check_may_act(province, who, devices)
    sets = dict(earlier.sets) if earlier else read_sets(wish.sets)
    order = Order(
        province=province,
        job=job,
        devices=devices,
        selector=earlier.selector if earlier else wish.selector,
        actor=who,
        command=typed(),
        secrets={},
        sets=sets,
        parallel=wish.parallel,
        patience=wish.wait,
        unguarded=wish.unguarded,
    )
    return replace(order, secrets=open_needed(options.folder(), order))


def _check_way_back(job: "Job") -> None:
    from playbooks.drivers import can
    from playbooks.errors import PlaybookError
    from playbooks.job import Step

    if not can(job, Step.ROLLBACK):
        raise PlaybookError(_("the job '{job}' knows no way back").format(job=job.name))


def _chosen(province: "Province", job: "Job", selector: str) -> "tuple[Device, ...]":
    """Return the chosen devices that the job fits, and say which it does not fit."""
    from inventory.finding import InventoryError
    from inventory.selector import select_devices
    from playbooks.errors import PlaybookError

    try:
        fitting = {device.id for device in select_devices(province, job.shape.fits)}
    except InventoryError as error:
        message = _("{folder}/job.yaml: 'fits' cannot be understood: {reason}")
        raise PlaybookError(message.format(folder=job.folder, reason=error)) from error
    chosen = select_devices(province, selector)
    devices = tuple(device for device in chosen if device.id in fitting)
    if selector and len(devices) < len(chosen):
        complain(
            _("{count} of the chosen devices are left out: '{job}' fits {fits}").format(
                count=len(chosen) - len(devices), job=job.name, fits=job.shape.fits
            )
        )
    if not devices:
        raise typer.BadParameter(_("no device is chosen that '{job}' fits").format(job=job.name))
    return devices


def _planned(province: "Province", job: "Job", plan: "Plan") -> "tuple[Device, ...]":
    """Return the devices that a plan would change. Raises PlanError when job or province are no longer those."""
    from playbooks.errors import PlanError
    from playbooks.plan import State

    wanted = [device.device for device in plan.in_state(State.CHANGE)]
    if plan.province != province.id:
        raise PlanError(
            _("the plan is for the province '{theirs}', this is '{ours}'").format(
                theirs=plan.province, ours=province.id
            )
        )
    if gone := [device for device in wanted if device not in province.devices]:
        raise PlanError(
            _("the plan is for devices that are no longer declared: {devices}").format(devices=", ".join(gone))
        )
    if plan.job_digest != job.digest:
        raise PlanError(_("the job '{job}' was changed after the plan was made; make a new one").format(job=job.name))
    return tuple(province.devices[device] for device in wanted)


def open_needed(folder: Path, order: "Order") -> Mapping[str, str]:
    """Open the vault only when something of this order needs it: that takes most of a second. Raises SecretError."""
    from inventory.secrets import open_secrets
    from playbooks.access import Access
    from playbooks.variables import secret_names, values_of

    values = values_of(order.province, order.job, order.devices, order.sets)
    needed = Access(order.province, order.actor.account, {}).passwords(order.devices) | set(secret_names(values))
    return open_secrets(folder) if needed else {}


def _ask(session: "Session", board: Board, earlier: "Plan | None") -> "tuple[list[Recovered], Plan, Items]":
    """Return what dead runs left, what would change, and who is left out: held by others, or moved since `earlier`."""
    from playbooks.checking import moved

    board.start(_("asking what would change"), len(session.targets))
    with stoppable(session):
        recovered = session.recover()
        plan = session.check()
    if session.stop.is_set():
        raise KeyboardInterrupt
    board.pause()
    others = [plain_item(device, "busy", reason) for device, reason in session.busy.items()]
    if earlier:
        away = moved(earlier.devices, plan.devices)
        reason = _("not what the plan saw ({fingerprints}); make a new plan")
        others += [plain_item(device, "moved", reason.format(fingerprints=text)) for device, text in away.items()]
        plan = replace(plan, devices=tuple(device for device in plan.devices if device.device not in away))
    return recovered, plan, others


def _show_plan(order: "Order", plan: "Plan", others: Items, agreed: "Plan", *, rollback: bool) -> None:
    """Show what would change. `agreed` is the plan by whose address people know it."""
    items = [*map(plan_item, plan.devices), *others]
    if rollback:
        say(_("what going back changes is decided by the devices; what the job itself would change there is counted:"))
    else:
        show_changes(items)
    show_items(items)
    say("")
    say(f"{plan_heading(agreed)}: {summary(items)}")
    if order.job.risky and (rollback or any(item["state"] == "change" for item in items)):
        _show_guard(order, plan)


def _show_guard(order: "Order", plan: "Plan") -> None:
    from playbooks.guard import can_return

    after = order.job.shape.revert.after
    say(_("each device returns by itself unless the change is confirmed within {after:g} s").format(after=after))
    devices = [order.province.devices[device.device] for device in plan.devices]
    if alone := [device.id for device in devices if not can_return(device)]:
        message = (
            _("these cannot return by themselves, and are changed all the same: {devices}")
            if order.unguarded
            else _("these cannot return by themselves, and are not touched (--without-revert changes that): {devices}")
        )
        say(message.format(devices=", ".join(alone)))


def _keep(plan: "Plan", path: Path) -> None:
    from playbooks.plan import write_plan

    write_plan(plan, path)
    complain(_("the plan is in {path}; carry it out with: tuyen run --plan {path}").format(path=path))


def _act(session: "Session", board: Board, wish: Wish, plan: "Plan", earlier: "Plan | None") -> Items | None:
    """Carry the plan out, if there is anything to do and it is wanted; None when nothing was done."""
    from playbooks.plan import State

    changing = plan.devices if wish.rollback else plan.in_state(State.CHANGE)
    if wish.dry_run or not changing or not (wish.yes or _agreed(wish)):
        return None
    board.start(_("rolling back") if wish.rollback else _("applying"), len(changing))
    with stoppable(session):
        agreed = (earlier or plan).digest
        results = session.roll_back(plan) if wish.rollback else session.apply(plan, agreed)
    board.pause()
    return [result_item(result) for result in results.values()]


def _agreed(wish: Wish) -> bool:
    return agreed(_("roll these devices back?") if wish.rollback else _("go on?"))


def _merge(plan: "Plan", others: Items, results: Items | None) -> Items:
    """Return one item a device: its result, or what the plan says where nothing was done."""
    done = {item["device"]: item for item in results or ()}
    return [done.get(device.device) or plan_item(device) for device in plan.devices] + others


def _show_results(session: "Session", items: Items, *, acted: bool) -> None:
    if acted:
        say("")
        show_items(items)
        say("")
        say(summary(items))
        surprises = {item["device"]: item["surprises"] for item in items if item.get("surprises")}
        for device, what in surprises.items():
            complain(_("{device}: changed beyond the plan: {what}").format(device=device, what=", ".join(what)))
    if acted or any(item["state"] in ("failed", "unreachable") for item in items):
        say(_("logs: {folder}").format(folder=session.folder))


def stopping_signals() -> tuple[signal.Signals, ...]:
    """Return the signals on which work is stopped cleanly; a hang-up is none where nohup lets us outlive it."""
    outlived = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return tuple(number for number in _STOPPING if not (outlived and number is signal.SIGHUP))


@contextmanager
def stoppable(session: "Session") -> Iterator[None]:
    """Let the first Ctrl-C, or a lost terminal, stop the work cleanly, and the second Ctrl-C leave at once."""

    def stop(number: int, _frame: FrameType | None) -> None:
        if session.stop.is_set():
            if number == signal.SIGINT:
                raise KeyboardInterrupt
            return
        session.stop.set()
        with suppress(OSError):  # there may be no terminal any more
            complain(_("stopping; devices that are being changed are left clean (Ctrl-C again leaves at once)"))

    before = {number: signal.signal(number, stop) for number in stopping_signals()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
