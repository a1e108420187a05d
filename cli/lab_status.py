"""The lab of the province at hand, and how it is told."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cli.output import print_json, say
from cli.settings import Format, settings
from inventory.language import _

if TYPE_CHECKING:
    from lab.running import Lab, Status

STATE = Path(".tuyen", "lab")


def lab_of(context: typer.Context) -> "Lab":
    """Return the lab of the province. Raises AbsentError."""
    from lab.running import Lab

    return Lab.load(settings(context).folder() / STATE)


def say_status(status: "Status", form: Format = Format.TABLE) -> None:
    """Print how a lab is."""
    if form is Format.JSON:
        print_json([{**_fields(status), "impairments": {k: v._asdict() for k, v in status.impairments.items()}}])
        return
    say(
        _(
            "{province}: {offices} offices, {devices} devices, {ports} ports; up {uptime:.0f} s, {memory:.0f} MiB"
        ).format(
            province=status.province,
            offices=status.offices,
            devices=status.devices,
            ports=status.ports,
            uptime=status.uptime,
            memory=status.memory / 2**20,
        )
    )
    if status.cuts:
        say(_("cut: {parts} ({silent} devices silent)").format(parts=", ".join(status.cuts), silent=status.silent))
    for link, line in status.impairments.items():
        say(
            _("{link}: loses {loss:.1%}, delays {delay:.0f} ms (+{jitter:.0f} ms)").format(
                link=link, loss=line.loss, delay=line.delay * 1000, jitter=line.jitter * 1000
            )
        )
        if line.rate:
            say(
                _("{link}: at most {rate:.0f} kbit/s to and from real machines").format(
                    link=link, rate=line.rate / 1000
                )
            )
    _say_machines(status)


def _say_machines(status: "Status") -> None:
    by_state: dict[str, list[str]] = {}
    for machine, state in status.machines.items():
        by_state.setdefault(state, []).append(machine)
    if up := len(by_state.pop("up", [])):
        say(_("real machines: {count} up").format(count=up))
    for state, machines in by_state.items():
        say(_("real machines, {state}: {machines}").format(state=state, machines=", ".join(machines)))


def _fields(status: "Status") -> dict[str, object]:
    return {name: getattr(status, name) for name in status.__dataclass_fields__}
