"""`tuyen init`: a province folder of one's own."""

from pathlib import Path
from typing import Annotated

import typer

from cli.output import complain, say
from inventory.language import _


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help=_("the folder to make; it must be new or empty"))],
) -> None:
    """Make a province folder from the example, Kiên Giang, with new secrets of its own."""
    from inventory.load import Loader
    from inventory.template import create_province

    try:
        create_province(folder)
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
    say(_("secrets.yaml holds new random values; its password is in .tuyen/vault-password: keep a copy elsewhere"))
    say(_("next:"))
    for line in (f"cd {folder}", "tuyen inventory check", "tuyen inventory tree"):
        say(f"    {line}")
