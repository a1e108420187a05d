"""`tuyen lab power|disk|offer`: what happens to real machines, and which packages they are offered."""

from enum import StrEnum
from typing import Annotated

import typer

from cli.lab_status import lab_of, say_status
from cli.output import say
from cli.settings import example
from inventory.language import _

app = typer.Typer()


class Power(StrEnum):
    """What a power switch does."""

    OFF = "off"
    ON = "on"


@app.command(epilog=example("tuyen lab power off box.dong-yen", "tuyen lab power on box.dong-yen"))
def power(
    context: typer.Context,
    switch: Annotated[Power, typer.Argument(help=_("off: at once, as a power cut does; on: start again"))],
    devices: Annotated[list[str], typer.Argument(metavar="DEVICE...", help=_("real machines, by their ids"))],
) -> None:
    """Cut the power of real machines, or give it back. What they have written to disk stays."""
    lab = lab_of(context)
    for device in devices:
        lab.power(device, on=switch is Power.ON)
    say_status(lab.status())


@app.command(epilog=example("tuyen lab disk box.dong-yen --fill", "tuyen lab disk box.dong-yen --free"))
def disk(
    context: typer.Context,
    devices: Annotated[list[str], typer.Argument(metavar="DEVICE...", help=_("real machines, by their ids"))],
    fill: Annotated[bool, typer.Option("--fill/--free", help=_("leave hardly any room, or give it back"))],
) -> None:
    """Fill the disk of real machines, or free it."""
    lab = lab_of(context)
    for device in devices:
        lab.fill_disk(device, full=fill)
    say_status(lab.status())


@app.command(epilog=example("tuyen lab offer one-stop-agent 2.0", "tuyen lab offer lab-library 1.1"))
def offer(
    context: typer.Context,
    package: Annotated[str, typer.Argument(help=_("a package that the lab makes"))],
    version: Annotated[str, typer.Argument(help=_("the newest version to offer from now on"))],
) -> None:
    """Let the lab's package repository offer a package up to a version."""
    from lab.mirror import offer_package

    offer_package(lab_of(context).folder, package, version)
    say(_("{package}: offered up to {version}").format(package=package, version=version))
