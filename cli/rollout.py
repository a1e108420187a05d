"""`tuyen rollout`: a job carried to many offices, in waves behind gates."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import agreed, complain, say
from cli.settings import Format, FormatOption, PersonOption, Settings, YesOption, example, settings
from inventory.language import _

if TYPE_CHECKING:
    from cli.rollout_control import Control
    from cli.rollout_state import Seen

app = typer.Typer(help=_("Carry a job to many offices, in waves behind gates, over days, whatever happens."))
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help=_("the rollout's name, or its id"))]
WhyOption = Annotated[str, typer.Option("--why", help=_("the reason, for those who look at it later"))]
DetachOption = Annotated[
    bool, typer.Option("--detach", "-d", help=_("drive it in a process of its own; its log is in .tuyen/rollouts/"))
]


class Scope(StrEnum):
    """What a rollback puts back."""

    FAILED = "failed"
    WAVE = "wave"
    ALL = "all"


@app.command(epilog=example("tuyen rollout plan agent-2", "tuyen rollout plan agent-2 --no-ask --format json"))
def plan(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help=_("a file of rollouts/, without .yaml"))],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help=_("where to write it; default: .tuyen/rollouts/"))
    ] = None,
    ask: Annotated[bool, typer.Option("--ask/--no-ask", help=_("ask the devices what would change"))] = True,
    person: PersonOption = "",
    form: FormatOption = Format.TABLE,
) -> None:
    """Show what a rollout would do: waves, devices, changes, how long it takes, what links carry. Changes nothing.

    The plan is written to a file, under its digest. Exit code 1 when a device could be asked, and the asking failed.
    """
    from cli.rollout_begin import show_plan

    raise typer.Exit(0 if show_plan(settings(context), name, person, out, ask=ask, form=form) else 1)


@app.command(epilog=example("tuyen rollout start agent-2", "tuyen rollout start agent-2 --detach --yes"))
def start(
    context: typer.Context,
    what: Annotated[str, typer.Argument(metavar="NAME|FILE", help=_("a file of rollouts/, or a plan made before"))],
    detach: DetachOption = False,
    yes: YesOption = False,
    person: PersonOption = "",
    form: FormatOption = Format.TABLE,
) -> None:
    """Start a rollout and drive it here until it has ended or failed. After Ctrl-C, go on with: tuyen rollout resume.

    Exit code 1 when it failed, or when any device is not done in the end.
    """
    from cli.rollout_begin import begin, intend
    from cli.rollout_control import control
    from cli.rollout_view import is_done

    _check_answer(form, yes=yes)
    options = settings(context)
    intent = intend(options, what, person)
    with options.ledger(intent.province) as ledger:
        rollout = begin(options, ledger, intent, yes=yes, form=form)
        if rollout is None:
            raise typer.Exit(1)
        begun = control(options, ledger, intent.province, rollout, person)
        seen = _drive(begun, person, detach=detach, form=form)
    raise typer.Exit(0 if seen is None or is_done(seen) else 1)


@app.command(hidden=True)
def drive(context: typer.Context, name: NameArgument, person: PersonOption = "") -> None:
    """Drive a rollout that is under way, in this process: what a detached controller does."""
    with _controlled(settings(context), name, person) as control:
        _drive(control, person, detach=False)


@app.command(epilog=example("tuyen rollout status", "tuyen rollout status agent-2 --watch"))
def status(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="[NAME]", help=_("name or id; default: all under way"))] = "",
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help=_("follow it until Ctrl-C; piped, a line for each thing that happens"))
    ] = False,
    form: FormatOption = Format.TABLE,
) -> None:
    """Show how rollouts stand: waves, devices, gates, rate, expected end, who drives, and what it waits for."""
    from cli.rollout_watch import show_boards, watch_boards

    look = watch_boards if watch else show_boards
    look(settings(context), name, form)


@app.command(epilog=example("tuyen rollout pause agent-2 --why 'storm warning'"))
def pause(
    context: typer.Context,
    name: NameArgument,
    why: WhyOption = "",
    person: PersonOption = "",
    form: FormatOption = Format.TABLE,
) -> None:
    """Let nothing new be begun; what is at work is finished."""
    with _controlled(settings(context), name, person, urgent=True) as control:
        _tell(control, control.pause(why), form, _("{rollout} is paused"))


@app.command(epilog=example("tuyen rollout resume agent-2", "tuyen rollout resume agent-2 --detach"))
def resume(
    context: typer.Context,
    name: NameArgument,
    detach: DetachOption = False,
    person: PersonOption = "",
    form: FormatOption = Format.TABLE,
) -> None:
    """Go on after a pause, a failed gate, or a controller that died; drives the rollout here if nobody does.

    What had failed before is accepted: it does not fail the gate again. Exit code 1 as with start.
    """
    from cli.rollout_view import is_done

    with _controlled(settings(context), name, person) as control:
        seen = _drive_on(control, control.resume(), person, detach=detach, form=form)
    raise typer.Exit(0 if seen is None or is_done(seen) else 1)


@app.command(epilog=example("tuyen rollout abort agent-2"))
def abort(
    context: typer.Context,
    name: NameArgument,
    why: WhyOption = "",
    person: PersonOption = "",
    form: FormatOption = Format.TABLE,
) -> None:
    """End a rollout: nothing new is begun; what is at work is finished, and what is done stays."""
    with _controlled(settings(context), name, person, urgent=True) as control:
        _tell(control, control.abort(why), form, _("{rollout} is aborted"))


@app.command(epilog=example("tuyen rollout rollback agent-2", "tuyen rollout rollback agent-2 --scope wave --yes"))
def rollback(
    context: typer.Context,
    name: NameArgument,
    scope: Annotated[
        Scope, typer.Option(help=_("what is put back: what failed, the wave under way, or all"))
    ] = Scope.ALL,
    why: WhyOption = "",
    yes: YesOption = False,
    detach: DetachOption = False,
    person: PersonOption = "",
    form: FormatOption = Format.TABLE,
) -> None:
    """Put back what a rollout has changed, and end it; drives it here if nobody does. Exit code 1 as with start."""
    from cli.rollout_control import to_put_back
    from cli.rollout_view import is_put_back
    from playbooks.rollout.plan import OnFailure

    _check_answer(form, yes=yes)
    scopes = {Scope.FAILED: OnFailure.DEVICE, Scope.WAVE: OnFailure.WAVE, Scope.ALL: OnFailure.ALL}
    with _controlled(settings(context), name, person) as control:
        question = _("put {count} devices back?").format(count=len(to_put_back(control.seen(), scopes[scope])))
        if not yes and not agreed(question):
            raise typer.Exit(1)
        seen = _drive_on(control, control.roll_back(scopes[scope], why), person, detach=detach, form=form)
    raise typer.Exit(0 if seen is None or is_put_back(seen) else 1)


@app.command(epilog=example("tuyen rollout approve agent-2", "tuyen rollout approve agent-2 --key ~/.ssh/id_ed25519"))
def approve(
    context: typer.Context,
    name: NameArgument,
    wave: Annotated[int | None, typer.Option(min=1, help=_("which; default: the next one that waits for it"))] = None,
    key: Annotated[
        Path | None, typer.Option(metavar="FILE", help=_("your private SSH key; default: your agent signs"))
    ] = None,
    person: PersonOption = "",
    form: FormatOption = Format.TABLE,
) -> None:
    """Approve of a wave, signed with your SSH key. Not for the author: somebody else must look."""
    from cli.rollout_control import approve as sign_and_append

    sign_and_append(settings(context), name, person, wave, key, form)


@app.command("list", epilog=example("tuyen rollout list", "tuyen rollout list --format json"))
def list_(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help=_("at most so many, the newest"))] = 20,
    form: FormatOption = Format.TABLE,
) -> None:
    """List rollouts, the newest first."""
    from cli.rollout_history import list_rollouts

    list_rollouts(settings(context), form, limit)


@app.command(epilog=example("tuyen rollout show box.dong-yen"))
def show(
    context: typer.Context,
    device: Annotated[str, typer.Argument(metavar="DEVICE", help=_("the id of a device"))],
    limit: Annotated[int, typer.Option(min=1, help=_("at most so many, the newest"))] = 50,
    form: FormatOption = Format.TABLE,
) -> None:
    """Show what was done to a device, by rollouts and by runs, newest first."""
    from cli.rollout_history import show_device

    show_device(settings(context), device, form, limit)


@app.command(epilog=example("tuyen rollout export agent-2 -o evidence.json"))
def export(
    context: typer.Context,
    name: NameArgument,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help=_("default: standard output"))] = None,
) -> None:
    """Write a rollout as evidence (JSON): its plan, everything that happened, who approved, the audit trail's head."""
    from cli.report_files import write_whole
    from cli.rollout_history import evidence

    text = evidence(settings(context), name)
    if out is None:
        sys.stdout.write(text)
    else:
        write_whole(out, lambda part: part.write_text(text, encoding="utf-8"))


def _check_answer(form: Format, *, yes: bool) -> None:
    if form is Format.JSON and not yes:
        raise typer.BadParameter(_("add --yes: json has nobody to ask"), param_hint="--format")


@contextmanager
def _controlled(options: Settings, name: str, person: str, *, urgent: bool = False) -> Iterator["Control"]:
    """Open the ledger, and give the rollout into the hands of a person who may act on it.

    What is `urgent` can be done also while there is a mistake in one of the province's files.
    """
    from cli.rollout_control import control
    from cli.rollout_state import as_it_can_be_read

    province, whole = as_it_can_be_read(options) if urgent else (options.load(), True)
    with options.ledger(province) as ledger:
        yield control(options, ledger, province, name, person, whole=whole)


def _tell(control: "Control", seen: "Seen", form: Format, told: str) -> None:
    from cli.rollout_control import answer, say_who_drives

    answer(control, seen, form, told.format(rollout=seen.plan.name))
    say_who_drives(control, seen)


def _drive_on(control: "Control", seen: "Seen", person: str, *, detach: bool, form: Format) -> "Seen | None":
    """Drive a rollout unless somebody does already."""
    from cli.rollout_control import print_state, say_who_drives
    from cli.rollout_view import Board

    if not seen.driver:
        if form is Format.TABLE and not detach:
            Board(control.ledger, control.province, seen).show_standing()
        return _drive(control, person, detach=detach, form=form)
    if form is Format.JSON:
        print_state(control, seen)
    say_who_drives(control, seen)
    return None


def _drive(control: "Control", person: str, *, detach: bool, form: Format = Format.TABLE) -> "Seen | None":
    """Drive a rollout and return how it stands then; None when a process of its own does it."""
    from cli.rollout_control import answer, print_state
    from cli.rollout_drive import Drive
    from cli.rollout_drive import detach as detached
    from cli.rollout_view import Board

    seen = control.seen()
    if detach:
        log = detached(control.folder, control.ledger, seen, person)
        message = _("{rollout} ({id}) is under way; its log is {log}")
        told = message.format(rollout=seen.plan.name, id=seen.record.id, log=log)
        answer(control, control.seen(), form, told, log=str(log))
        return None
    tell = complain if form is Format.JSON else say
    stopped = Drive(control.folder, control.province, control.ledger, control.who, seen, tell).run()
    after = control.seen()
    if form is Format.JSON:
        print_state(control, after)
    else:
        say("")
        Board(control.ledger, control.province, after).show()
    if stopped:
        raise KeyboardInterrupt
    return after
