"""`tuyen init`: a province folder of one's own."""

import os
from pathlib import Path
from typing import Annotated

import typer

from cli.output import complain, say
from inventory.language import _


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help=_("the folder to make; it must be new, or empty but for .git"))
    ],
    small: Annotated[
        bool, typer.Option("--small", help=_("three offices, with comments, to make your own province from"))
    ] = False,
) -> None:
    """Make a province folder: a copy of the example, Kiên Giang, or a small one; with new secrets of its own."""
    from inventory.load import Loader
    from inventory.secrets import FILE
    from inventory.template import create_province

    try:
        create_province(folder, small=small)
    except OSError as error:
        complain(_("{folder} cannot be made: {reason}").format(folder=folder, reason=error.strerror or error))
        raise typer.Exit(1) from error
    province = Loader(folder).load()
    say(
        _("{folder}: {name}, {units} units, {offices} offices, {devices} devices").format(
            folder=folder,
            name=province.name,
            units=len(province.units),
            offices=len(province.offices),
            devices=len(province.devices),
        )
    )
    if (folder / FILE).is_file():
        say(_("secrets.yaml holds new random values; its password is in .tuyen/vault-password: keep a copy elsewhere"))
    if small:
        say(_("its README.md says how to make it yours, file by file"))
    _note_other_password(folder)
    say(_("next:"))
    for line in (f"cd {folder}", "tuyen inventory check", "tuyen inventory tree"):
        say(f"    {line}")


def _note_other_password(folder: Path) -> None:
    """Say when secrets would not be opened by the new province's own password, as the environment names another."""
    from inventory.secrets import PASSWORD_FILE, PASSWORD_VARIABLE

    other = os.environ.get(PASSWORD_VARIABLE)
    if other and Path(other).absolute() != (folder / PASSWORD_FILE).absolute():
        complain(
            _("note: {variable} names {file}, which goes over the province's own .tuyen/vault-password").format(
                variable=PASSWORD_VARIABLE, file=other
            )
        )
