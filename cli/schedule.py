"""`tuyen schedule`: systemd keeps the watch going, and does every night, week and month what is due."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import complain, say
from cli.settings import YesOption, example, settings
from inventory.language import _

if TYPE_CHECKING:
    from cli.schedule_units import Difference

app = typer.Typer(help=_("What the machine does by itself: the watch, nightly jobs, reports. systemd's units for it."))
_ADDRESS = re.compile(r"(?:[A-Za-z0-9._-]*|\[[0-9a-fA-F:.]+\]):[0-9]{1,5}")
SYSTEM = Path("/etc/systemd/system")
DirOption = Annotated[
    Path, typer.Option("--dir", help=_("the folder of the units; another one than systemd's: only files are written"))
]
UserOption = Annotated[str, typer.Option("--user", help=_("the account that the units run as"))]
GroupOption = Annotated[str, typer.Option("--group", help=_("its group; default: the account's own"))]
ListenOption = Annotated[str, typer.Option("--listen", help=_("where the watch serves /metrics, as in 'tuyen watch'"))]
VaultOption = Annotated[
    Path | None,
    typer.Option(
        "--vault-password", help=_("the file with the vault's password; default: the province's, if it is there")
    ),
]
DryOption = Annotated[bool, typer.Option("--dry-run", help=_("only show what would change"))]


@app.command(epilog=example("tuyen schedule show", "tuyen schedule show --user tuyen"))
def show(
    context: typer.Context,
    user: UserOption = "tuyen",
    group: GroupOption = "",
    listen: ListenOption = "",
    vault_password: VaultOption = None,
) -> None:
    """Show the units as they would be installed. The same province gives the same bytes."""
    for name, text in _units(context, user, group, listen, vault_password).items():
        say(f"==> {name}")
        for line in text.splitlines():
            say(line)
        say("")


@app.command(epilog=example("tuyen schedule install --dry-run", "tuyen schedule install --user tuyen"))
def install(
    context: typer.Context,
    folder: DirOption = SYSTEM,
    user: UserOption = "tuyen",
    group: GroupOption = "",
    listen: ListenOption = "",
    vault_password: VaultOption = None,
    dry_run: DryOption = False,
    yes: YesOption = False,
) -> None:
    """Write the units, and start the watch and the timers. What would change is shown first.

    Files that tuyen did not write are never touched. Run it again after the schedule in province.yaml, the account or
    the place of tuyen has changed.
    """
    from cli.schedule_manager import start, stop
    from cli.schedule_place import check_place, make_folders
    from cli.schedule_units import differences, write
    from exporters.units.rendering import wanted

    units = _units(context, user, group, listen, vault_password)
    changes = differences(folder, units)
    _show(changes)
    if dry_run:
        return
    live = folder == SYSTEM
    options = settings(context)
    if live:
        _check_root()
        for note in check_place(options.folder(), options.load(), user):
            complain(note)
    if changes and not (yes or typer.confirm(_("install this?"))):
        raise typer.Exit(1)
    if live:
        make_folders(options.folder(), options.load(), user, group)
    if live:
        stop([change.name for change in changes if not change.after])
    write(folder, changes)
    if live:
        start(wanted(units), [change.name for change in changes if change.before])
    say(_("{count} units in {folder}").format(count=len(units), folder=folder))


@app.command(epilog=example("tuyen schedule remove --dry-run", "tuyen schedule remove"))
def remove(folder: DirOption = SYSTEM, dry_run: DryOption = False, yes: YesOption = False) -> None:
    """Stop the watch and the timers, and take away every unit that tuyen wrote. The state stays."""
    from cli.schedule_manager import reload, stop
    from cli.schedule_units import differences, write

    changes = differences(folder, {})
    for change in changes:
        say(_("to be removed: {path}").format(path=folder / change.name))
    if dry_run or not changes:
        return
    if folder == SYSTEM:
        _check_root()
    if not (yes or typer.confirm(_("remove these?"))):
        raise typer.Exit(1)
    if folder == SYSTEM:
        stop([change.name for change in changes])
    write(folder, changes)
    if folder == SYSTEM:
        reload()
    say(_("{count} units removed").format(count=len(changes)))


@app.command(epilog=example("tuyen schedule certificates", "tuyen schedule certificates --within 60"))
def certificates(
    context: typer.Context,
    within: Annotated[
        int, typer.Option(min=0, max=36500, help=_("days in which a certificate that ends is told"))
    ] = 30,
) -> None:
    """Tell which of tuyen's own certificates end soon: the status page's, and the province's authority.

    Exit code 1 when one does. Certificates of services are asked by the watch.
    """
    from cli.schedule_certificates import ending, own_certificates

    options = settings(context)
    files = own_certificates(options.folder(), options.load())
    found = [line for file in files for line in ending(file, within)]
    for line in found:
        complain(line)
    if not found:
        say(_("{count} files of certificates: none ends within {days} days").format(count=len(files), days=within))
    raise typer.Exit(1 if found else 0)


@app.command(hidden=True)
def tell(context: typer.Context, unit: Annotated[str, typer.Argument(help=_("the unit that failed"))]) -> None:
    """Tell the province's staff that a job has failed; systemd runs this."""
    from cli.schedule_telling import tell_failure

    if not tell_failure(settings(context).load(), unit, os.environ):
        raise typer.Exit(1)


def _units(
    context: typer.Context, user: str, group: str, listen: str, vault_password: Path | None
) -> Mapping[str, str]:
    from cli.schedule_place import place
    from exporters.units.rendering import render

    if listen and not _ADDRESS.fullmatch(listen):
        message = _("'{text}' is not ADDRESS:PORT, as in 127.0.0.1:9733").format(text=listen)
        raise typer.BadParameter(message, param_hint="--listen")
    options = settings(context)
    province = options.load()
    return render(province, place(options.folder(), province, user, group, listen, vault_password))


def _show(changes: "list[Difference]") -> None:
    for change in changes:
        for line in change.diff():
            say(line)
    if not changes:
        say(_("nothing differs"))


def _check_root() -> None:
    if os.geteuid() != 0:
        complain(_("only root may write systemd's units: run it with sudo, or look at --dry-run"))
        raise typer.Exit(1)
