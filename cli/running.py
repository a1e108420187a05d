"""What `tuyen run` does, from a wish to the results."""

import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import typer

from cli.actor import actor, check_may_act, typed
from cli.board import Board
from cli.output import complain, print_json, say
from cli.planned import (
    plain_item,
    plan_heading,
    plan_item,
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

FINE = ("at-target", "changed", "unchanged")
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
    board = Board(wish.for_people, len(order.devices))
    with board, Session(order, board.hear) as session:
        plan, others = _ask(session, board, earlier)
        if wish.for_people:
            _show_plan(order, plan, others)
        if wish.plan_out:
            _keep(plan, wish.plan_out)
        results = _act(session, board, wish, plan)
    items = _merge(plan, others, results)
    _show_results(wish, session, items, acted=results is not None)
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
    return replace(order, secrets=_secrets(options.folder(), order))


def _chosen(province: "Province", job: "Job", selector: str) -> "tuple[Device, ...]":
    """Return the chosen devices that the job fits, and say which it does not fit."""
    from inventory.selector import select_devices

    fitting = {device.id for device in select_devices(province, job.shape.fits)}
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
    gone = [device for device in wanted if device not in province.devices]
    if plan.province != province.id or gone:
        raise PlanError(_("the plan is for another province, or for devices that are no longer declared"))
    if plan.job_digest != job.digest:
        raise PlanError(_("the job '{job}' was changed after the plan was made; make a new one").format(job=job.name))
    return tuple(province.devices[device] for device in wanted)


def _secrets(folder: Path, order: "Order") -> Mapping[str, str]:
    """Open the vault only when something of this order needs it: that takes most of a second."""
    from inventory.secrets import open_secrets
    from playbooks.access import Access
    from playbooks.variables import secret_names, values_of

    values = values_of(order.province, order.job, order.devices, order.sets)
    needed = Access(order.province, order.actor.account, {}).passwords(order.devices) | set(secret_names(values))
    return open_secrets(folder) if needed else {}


def _ask(session: "Session", board: Board, earlier: "Plan | None") -> "tuple[Plan, Items]":
    """Return what would change, and the devices that are left out: held by others, or moved since `earlier`."""
    from playbooks.checking import moved

    board.start(_("asking what would change"))
    with _stoppable(session):
        recovered = session.recover()
        plan = session.check()
    if session.stop.is_set():
        raise KeyboardInterrupt
    board.pause()
    show_recovered(recovered)
    others = [plain_item(device, "busy", reason) for device, reason in session.busy.items()]
    if earlier:
        away = moved(earlier.devices, plan.devices)
        reason = _("not what the plan saw ({fingerprints}); make a new plan")
        others += [plain_item(device, "moved", reason.format(fingerprints=text)) for device, text in away.items()]
        plan = replace(plan, devices=tuple(device for device in plan.devices if device.device not in away))
    return plan, others


def _show_plan(order: "Order", plan: "Plan", others: Items) -> None:
    items = [*map(plan_item, plan.devices), *others]
    show_changes(items)
    show_items(items)
    say("")
    say(f"{plan_heading(plan)}: {summary(items)}")
    if order.job.risky and any(item["state"] == "change" for item in items):
        after = order.job.shape.revert.after
        say(_("each device returns by itself unless the change is confirmed within {after:g} s").format(after=after))


def _keep(plan: "Plan", path: Path) -> None:
    from playbooks.plan import write_plan

    write_plan(plan, path)
    complain(_("the plan is in {path}; carry it out with: tuyen run --plan {path}").format(path=path))


def _act(session: "Session", board: Board, wish: Wish, plan: "Plan") -> Items | None:
    """Carry the plan out, if there is anything to do and it is wanted; None when nothing was done."""
    from playbooks.plan import State

    changing = wish.rollback or plan.in_state(State.CHANGE)
    if wish.dry_run or not changing or not (wish.yes or _agreed(wish)):
        return None
    board.start(_("rolling back") if wish.rollback else _("applying"))
    with _stoppable(session):
        results = session.roll_back(plan) if wish.rollback else session.apply(plan)
    board.pause()
    return [result_item(result) for result in results.values()]


def _agreed(wish: Wish) -> bool:
    return typer.confirm(_("roll these devices back?") if wish.rollback else _("go on?"), err=True)


def _merge(plan: "Plan", others: Items, results: Items | None) -> Items:
    """Return one item a device: its result, or what the plan says where nothing was done."""
    done = {item["device"]: item for item in results or ()}
    return [done.get(device.device) or plan_item(device) for device in plan.devices] + others


def _show_results(wish: Wish, session: "Session", items: Items, *, acted: bool) -> None:
    if not wish.for_people:
        print_json(items)
        return
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


@contextmanager
def _stoppable(session: "Session") -> Iterator[None]:
    """Let the first Ctrl-C stop the work cleanly, and the second one leave at once."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        if session.stop.is_set():
            raise KeyboardInterrupt
        session.stop.set()
        complain(_("stopping; devices that are being changed are left clean (Ctrl-C again leaves at once)"))

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
