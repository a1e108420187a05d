"""Planning and starting a rollout: what it would do, what it would take, and the first events."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import typer

from cli.actor import actor, check_may_act, typed
from cli.board import Board
from cli.gating import not_up
from cli.knowledge import check_place, gather
from cli.output import agreed, complain, print_json, say
from cli.planned import plan_item, show_changes, show_items, summary
from cli.rollout_course import Course
from cli.rollout_drive import planned_job
from cli.rollout_state import STATE, hours_by_device
from cli.running import open_needed, stoppable
from cli.settings import Format, Settings
from inventory.language import _
from inventory.model import Province
from inventory.nearest import nearest
from ledger.connection import Ledger
from ledger.folders import make_folder
from ledger.records import Actor, Draft, now
from ledger.rollouts import check_name, create
from playbooks.catalogue import find_job
from playbooks.engine import Order, Session
from playbooks.errors import PlanError
from playbooks.job import Job
from playbooks.rollout.estimate import typical_seconds
from playbooks.rollout.plan import RolloutPlan, dump_rollout
from playbooks.rollout.planning import plan_rollout, read_rollout, write_rollout
from playbooks.rollout.state import Kind

Items = list[dict[str, Any]]


@dataclass(frozen=True)
class Intent:
    """A rollout that somebody wants: its plan, in the name of `who`, and the job that it carries."""

    folder: Path
    province: Province
    who: Actor
    job: Job
    plan: RolloutPlan

    def order(self, secrets: Mapping[str, str]) -> Order:
        """Return what is wanted of all devices."""
        return Order(
            province=self.province,
            job=self.job,
            devices=tuple(self.province.devices[device] for device in self.plan.devices),
            selector=f"rollout {self.plan.name}",
            actor=self.who,
            command=typed(),
            secrets=secrets,
            sets=self.plan.sets,
            parallel=self.plan.parallel,
        )


def intend(options: Settings, word: str, person: str) -> Intent:
    """Return what NAME (a declaration) or FILE (a plan that was made before) wants.

    Raises PlaybookError: who may not act on a device, a plan that does not fit any more; InventoryError.
    """
    province, folder = options.load(), options.folder()
    who = actor(province, person)
    word = _name_of(folder, word)
    path = Path(word)
    if path.is_file():
        plan = _planned(province, read_rollout(path), who)
        job = planned_job(folder, plan)
    else:
        rollout = province.rollouts.get(word)
        if rollout is None:
            near = nearest(word, province.rollouts)
            message = _("there is no rollouts/{name}.yaml, nor a file of that name; write {near}")
            raise typer.BadParameter(message.format(name=word, near=near))
        job = find_job(folder, rollout.job)
        plan = plan_rollout(province, rollout, job, author=who.person, now=now())
    check_may_act(province, who, [province.devices[device] for device in plan.devices])
    return Intent(folder, province, who, job, plan)


def _name_of(folder: Path, word: str) -> str:
    """Return NAME for the path of a declaration, as shells complete it; every other word as it is."""
    path = Path(word)
    declares = path.suffix == ".yaml" and path.resolve().parent == (folder / "rollouts").resolve()
    return path.stem if declares else word


def _planned(province: Province, plan: RolloutPlan, who: Actor) -> RolloutPlan:
    """Return a plan from a file, when it can still be carried out by this person. Raises PlanError."""
    if plan.author != who.person:
        message = _("{author} made this plan, and only they can start it; make one of your own")
        raise PlanError(message.format(author=plan.author))
    if gone := [device for device in plan.devices if device not in province.devices]:
        raise PlanError(_("the plan is about '{device}', which is no longer declared").format(device=gone[0]))
    if datetime.fromisoformat(plan.until) <= now():
        raise PlanError(_("the plan's end date is over: {until}").format(until=plan.until))
    hours_by_device(province, plan, {})
    return plan


def show_plan(options: Settings, word: str, person: str, out: Path | None, *, ask: bool, form: Format) -> bool:
    """Plan a rollout, ask its devices, show it all and write it down; return whether every device could be asked."""
    intent = intend(options, word, person)
    foreseen = _foreseen(intent, form) if ask else []
    with options.ledger(intent.province) as ledger:
        typical = typical_seconds(ledger, intent.job.name)
    plan = intent.plan
    path = out or intent.folder / STATE / f"{plan.name}-{plan.digest[:12]}.json"
    make_folder(path.parent)
    write_rollout(plan, path, foreseen)
    course = Course(intent.province, intent.job, plan, typical)
    if form is Format.JSON:
        extra = {"digest": plan.digest, "file": str(path), **course.summary()}
        print_json(
            [*course.wave_items(), *course.link_items(), *({"is": "device", **one} for one in foreseen)], **extra
        )
    else:
        show_changes(foreseen)
        course.show()
        if foreseen:
            say(_("devices: {summary}").format(summary=summary(foreseen)))
            if doubtful := [item for item in foreseen if item["state"] not in ("change", "at-target")]:
                show_items(doubtful)
        say(
            _("plan {digest}, in {path}; start it with: tuyen rollout start {path}").format(
                digest=plan.digest[:12], path=path
            )
        )
    return not any(item["state"] in ("failed", "not-applicable") for item in foreseen)


def _foreseen(intent: Intent, form: Format) -> Items:
    """Ask every device what would change; one that does not answer is told so. Raises PlaybookError, LedgerError."""
    check_place(intent.province)
    order = replace(_opened(intent), only_reads=True)  # those that others change are not held up
    board = Board(form is Format.TABLE, len(order.devices))
    with board, Session(order, board.hear) as session, stoppable(session):
        board.start(_("asking what would change"))
        plan = session.check()
    if session.stop.is_set():
        raise KeyboardInterrupt
    return list(map(plan_item, plan.devices))


def _opened(intent: Intent) -> Order:
    """Return what is wanted of all devices, with the vault open if anything of it is needed."""
    order = intent.order({})
    return replace(order, secrets=open_needed(intent.folder, order))


def _check_ways(intent: Intent) -> None:
    """See that every device could be logged in to, before anything is written down. Raises PlaybookError."""
    Session(_opened(intent), lambda _event: None)


def begin(options: Settings, ledger: Ledger, intent: Intent, *, yes: bool, form: Format) -> str | None:
    """Show what a rollout is going to do, ask, and write it down as started; return its id, None when not wanted."""
    plan = intent.plan
    check_name(ledger, plan.name)
    knowledge = gather(options.folder(), intent.province)
    _check_ways(intent)
    if form is Format.TABLE:
        Course(intent.province, intent.job, plan, typical_seconds(ledger, intent.job.name)).show()
    if not yes and not agreed(_("start this rollout on {count} devices?").format(count=len(plan.devices))):
        return None
    before: Mapping[str, str] = {}
    if plan.gate.probes:
        complain(_("asking how everything is before the rollout begins"))
        before = not_up(intent.province, plan.devices, knowledge)
    started = Draft(Kind.STARTED, details={"before": before, "command": typed()})
    return create(ledger, name=plan.name, job=plan.job, plan=dump_rollout(plan), actor=intent.who, first=[started])
