"""`tuyen lab`: a practice province on this machine, with no way out."""

import socket
import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import complain, print_json, say
from cli.settings import PROVINCE_VARIABLE, Format, FormatOption, example, settings
from inventory.language import _, current

if TYPE_CHECKING:
    from inventory.model import Province
    from lab.machines.chosen import Machines
    from lab.running import Lab, Status

app = typer.Typer(help=_("A practice province on this machine, to try everything on; it has no way out."))
STATE = Path(".tuyen", "lab")
DEMO_PORTS = range(9733, 9743)


class Power(StrEnum):
    """What a power switch does."""

    OFF = "off"
    ON = "on"


Real = Annotated[
    str, typer.Option("--machines", metavar="SELECTOR", help=_("devices that become real machines, and boot"))
]
Light = Annotated[
    str, typer.Option("--light", metavar="SELECTOR", help=_("devices that become real, with sshd and no services"))
]


@app.command(epilog=example("tuyen lab up", "tuyen lab up --machines role=server,under=an-bien"))
def up(context: typer.Context, machines: Real = "", light: Light = "") -> None:
    """Bring up every declared address: ping and the ports of each role answer. Stays up until 'tuyen lab down'.

    Devices that are chosen become real machines, as root only: the accounts root and tuyen (which may sudo) let the
    key .tuyen/id_ed25519 of the province in.
    """
    folder = settings(context).folder()
    _say_status(_up(folder, machines, light).status())
    say(_("run commands in it, for example: tuyen lab run -- tuyen check"))


def _up(folder: Path, machines: str = "", light: str = "", *, die_with_parent: bool = False) -> "Lab":
    from inventory.load import load
    from inventory.secrets import open_secrets, references
    from lab.practice import up as bring_up

    province = load(folder)
    secrets = open_secrets(folder) if references(province) else {}
    chosen = _machines(province, folder, machines, light)
    return bring_up(province, folder / STATE, secrets=secrets, machines=chosen, die_with_parent=die_with_parent)


def _machines(province: "Province", folder: Path, machines: str, light: str) -> "Machines":
    """Return what is to be real; of a device that both selectors choose, the light kind."""
    from inventory.selector import select_devices
    from lab.machines.chosen import NO_MACHINES, Machines, light_kinds, usual_kinds

    lighter = light_kinds(select_devices(province, light)) if light else {}
    kinds = {**(usual_kinds(select_devices(province, machines)) if machines else {}), **lighter}
    return Machines(kinds, _public_key(folder)) if kinds else NO_MACHINES


def _public_key(folder: Path) -> str:
    """Return the key that logs in to real machines: the province's own."""
    from inventory.keypair import KEY, ensure_key
    from lab.errors import LabError

    try:
        return ensure_key(folder)
    except ValueError as error:
        raise LabError(
            _("{file} is no private key without a passphrase: {reason}").format(file=folder / KEY, reason=error)
        ) from None


def _lab(context: typer.Context) -> "Lab":
    from lab.running import Lab

    return Lab.load(settings(context).folder() / STATE)


def _say_status(status: "Status", form: Format = Format.TABLE) -> None:
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


@app.command(epilog=example("tuyen lab status"))
def status(context: typer.Context, form: FormatOption = Format.TABLE) -> None:
    """Say whether the lab is up, and what is cut."""
    _say_status(_lab(context).status(), form)


@app.command(epilog=example("tuyen lab cut tho-chau", "tuyen lab cut an-bien.uplink --loss 5 --delay 300 --rate 1000"))
def cut(
    context: typer.Context,
    parts: Annotated[list[str], typer.Argument(metavar="PART...", help=_("offices, links or devices, by their ids"))],
    loss: Annotated[float, typer.Option(min=0, max=100, help=_("only lose this many percent on a link"))] = 0,
    delay: Annotated[float, typer.Option(min=0, max=60_000, help=_("only delay by milliseconds on a link"))] = 0,
    jitter: Annotated[float, typer.Option(min=0, max=60_000, help=_("and by up to so many more"))] = 0,
    rate: Annotated[int, typer.Option(min=0, help=_("only let so many kbit/s reach and leave a real machine"))] = 0,
) -> None:
    """Take offices (with all behind them), links or devices away; or make a link bad."""
    lab = _lab(context)
    if loss or delay or jitter or rate:
        for part in parts:
            lab.impair(part, loss=loss / 100, delay=delay / 1000, jitter=jitter / 1000, rate=rate * 1000)
        _say_status(lab.status())
    else:
        _say_status(lab.cut(parts))


@app.command(epilog=example("tuyen lab restore tho-chau", "tuyen lab restore"))
def restore(
    context: typer.Context,
    parts: Annotated[list[str] | None, typer.Argument(metavar="[PART...]", help=_("default: everything"))] = None,
) -> None:
    """Bring back what was cut or made bad."""
    _say_status(_lab(context).restore(parts or ()))


@app.command(epilog=example("tuyen lab power off box.dong-yen", "tuyen lab power on box.dong-yen"))
def power(
    context: typer.Context,
    switch: Annotated[Power, typer.Argument(help=_("off: at once, as a power cut does; on: start again"))],
    devices: Annotated[list[str], typer.Argument(metavar="DEVICE...", help=_("real machines, by their ids"))],
) -> None:
    """Cut the power of real machines, or give it back. What they have written to disk stays."""
    lab = _lab(context)
    for device in devices:
        lab.power(device, on=switch is Power.ON)
    _say_status(lab.status())


@app.command(epilog=example("tuyen lab disk box.dong-yen --fill", "tuyen lab disk box.dong-yen --free"))
def disk(
    context: typer.Context,
    devices: Annotated[list[str], typer.Argument(metavar="DEVICE...", help=_("real machines, by their ids"))],
    fill: Annotated[bool, typer.Option("--fill/--free", help=_("leave hardly any room, or give it back"))],
) -> None:
    """Fill the disk of real machines, or free it."""
    lab = _lab(context)
    for device in devices:
        lab.fill_disk(device, full=fill)
    _say_status(lab.status())


@app.command(epilog=example("tuyen lab run -- tuyen check", "tuyen lab run -- bash"))
def run(
    context: typer.Context,
    command: Annotated[
        list[str], typer.Argument(metavar="-- COMMAND...", help=_("what to run where the controller is"))
    ],
) -> None:
    """Run a command in the lab, where the province's controller stands. Its exit code is ours."""
    from lab.practice import enter_command

    raise typer.Exit(_wait(enter_command(_lab(context), command)))


def _wait(command: list[str], **options: object) -> int:
    """Run a command in the foreground; Ctrl-C is its affair, and ours only after it has ended."""
    with subprocess.Popen(command, **options) as process:  # type: ignore[call-overload]
        while True:
            try:
                code: int = process.wait()
            except KeyboardInterrupt:
                continue
            return code if code >= 0 else 128 - code


@app.command(epilog=example("tuyen lab down"))
def down(context: typer.Context) -> None:
    """Take the lab away, with everything in it."""
    _lab(context).down()
    say(_("the lab is gone; nothing of it is left"))


@app.command(epilog=example("tuyen lab demo /tmp/kien-giang"))
def demo(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help=_("the province; made from the example if new"))],
) -> None:
    """Show it all: a province, brought up in the lab, checked, and watched until Ctrl-C.

    Without a terminal it ends by itself after the first full round.
    """
    from inventory.template import create_province
    from lab.practice import enter_command

    if not (folder / "province.yaml").is_file():
        create_province(folder)
    say(_("province: {folder}").format(folder=folder))
    lab = _up(folder, die_with_parent=True)
    try:
        _say_status(lab.status())
        _wait(enter_command(lab, _tuyen(folder, "check")))
        listener = _free_socket()
        _say_where(folder, listener)
        words = ["watch", "--fd", str(listener.fileno()), *([] if sys.stdin.isatty() else ["--once"])]
        code = _wait(enter_command(lab, _tuyen(folder, *words)), pass_fds=[listener.fileno()])
    finally:
        lab.down()
    complain(_("the lab is gone; the province stays in {folder}").format(folder=folder))
    raise typer.Exit(0 if code in (0, 130) else code)


def _tuyen(folder: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "cli", "--lang", current(), "--province", str(folder.absolute()), *words]


def _free_socket() -> socket.socket:
    """Return a socket on this machine's loopback; a process in the lab that inherits it serves this side."""
    for port in DEMO_PORTS:
        try:
            return socket.create_server(("127.0.0.1", port))
        except OSError:
            continue
    return socket.create_server(("127.0.0.1", 0))


def _say_where(folder: Path, listener: socket.socket) -> None:
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    say("")
    say(_("metrics for Prometheus:  {base}/metrics").format(base=base))
    say(_("its targets (http_sd):   {base}/sd").format(base=base))
    say(
        _("in another terminal:     export {variable}={folder}").format(
            variable=PROVINCE_VARIABLE, folder=folder.absolute()
        )
    )
    say("                         .venv/bin/tuyen lab cut an-bien")
    say("                         .venv/bin/tuyen lab run -- .venv/bin/tuyen check under=an-bien")
    say("")
