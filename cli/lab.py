"""`tuyen lab`: a practice province on this machine, with no way out."""

import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import lab_machines, lab_watch
from cli.lab_status import STATE, lab_of, say_status
from cli.lab_watch import own_command, wait, watch_in
from cli.output import complain, say
from cli.settings import PROVINCE_VARIABLE, Format, FormatOption, example, settings
from inventory.language import _

if TYPE_CHECKING:
    from inventory.model import Province
    from lab.machines.chosen import Machines
    from lab.running import Lab

app = typer.Typer(help=_("A practice province on this machine, to try everything on; it has no way out."))
DEMO_PORTS = range(9733, 9743)


Real = Annotated[
    str, typer.Option("--machines", metavar="SELECTOR", help=_("devices that become real machines, and boot"))
]
Light = Annotated[
    str, typer.Option("--light", metavar="SELECTOR", help=_("devices that become real, with sshd and no services"))
]


Packages = Annotated[bool, typer.Option("--packages", help=_("serve real machines a signed package repository"))]


@app.command(epilog=example("tuyen lab up", "tuyen lab up --machines role=server,under=an-bien --packages"))
def up(context: typer.Context, machines: Real = "", light: Light = "", packages: Packages = False) -> None:
    """Bring up every declared address: ping and the ports of each role answer. Stays up until 'tuyen lab down'.

    Devices that are chosen become real machines, as root only: the accounts root and tuyen (which may sudo) let the
    key .tuyen/id_ed25519 of the province in.
    """
    options = settings(context)
    folder = options.folder()
    say_status(_up(options.load(), folder, machines, light, packages=packages).status())
    if packages:
        _say_mirror(folder)
    say(_("run commands in it, for example: tuyen lab run -- tuyen check"))


def _say_mirror(folder: Path) -> None:
    from lab.mirror import URL, certificate

    say(_("packages: {url}, signed by {key}").format(url=URL, key=certificate(folder / STATE)))


def _up(
    province: "Province",
    folder: Path,
    machines: str = "",
    light: str = "",
    *,
    packages: bool = False,
    die_with_parent: bool = False,
) -> "Lab":
    from inventory.secrets import open_secrets, references, references_of_probes
    from lab.practice import up as bring_up

    needed = references(province) if machines or light else references_of_probes(province)  # a switch has a password
    secrets = open_secrets(folder) if needed else {}
    chosen = _machines(province, folder, machines, light)
    return bring_up(
        province,
        folder / STATE,
        secrets=secrets,
        machines=chosen,
        packages=packages,
        die_with_parent=die_with_parent,
    )


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


@app.command(epilog=example("tuyen lab status"))
def status(context: typer.Context, form: FormatOption = Format.TABLE) -> None:
    """Say whether the lab is up, and what is cut."""
    say_status(lab_of(context).status(), form)


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
    lab = lab_of(context)
    if loss or delay or jitter or rate:
        for part in parts:
            lab.impair(part, loss=loss / 100, delay=delay / 1000, jitter=jitter / 1000, rate=rate * 1000)
        say_status(lab.status())
    else:
        say_status(lab.cut(parts))


@app.command(epilog=example("tuyen lab restore tho-chau", "tuyen lab restore"))
def restore(
    context: typer.Context,
    parts: Annotated[list[str] | None, typer.Argument(metavar="[PART...]", help=_("default: everything"))] = None,
) -> None:
    """Bring back what was cut or made bad."""
    say_status(lab_of(context).restore(parts or ()))


@app.command(epilog=example("tuyen lab run -- tuyen check", "tuyen lab run -- bash"))
def run(
    context: typer.Context,
    command: Annotated[
        list[str], typer.Argument(metavar="-- COMMAND...", help=_("what to run where the controller is"))
    ],
) -> None:
    """Run a command in the lab, where the province's controller stands. Its exit code is ours."""
    from lab.practice import enter_command

    raise typer.Exit(wait(enter_command(lab_of(context), command)))


@app.command(epilog=example("tuyen lab down"))
def down(context: typer.Context) -> None:
    """Take the lab away, with everything in it."""
    lab_of(context).down()
    say(_("the lab is gone; nothing of it is left"))


@app.command(epilog=example("tuyen lab demo /tmp/kien-giang"))
def demo(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help=_("the province; made from the example if new"))],
) -> None:
    """Show it all: a province, brought up in the lab, checked, and watched until Ctrl-C.

    Without a terminal it ends by itself after the first full round.
    """
    from inventory.load import load
    from inventory.template import create_province
    from lab.practice import enter_command

    if not (folder / "province.yaml").is_file():
        create_province(folder)
    say(_("province: {folder}").format(folder=folder))
    province = load(folder)
    lab = _up(province, folder, die_with_parent=True)
    try:
        say_status(lab.status())
        wait(enter_command(lab, own_command(folder, "check")))
        with _free_socket() as metrics, _free_socket() as page:
            _say_where(province, folder, metrics)
            code = watch_in(lab, folder, metrics, page if sys.stdin.isatty() else None)
    finally:
        lab.down()
    complain(_("the lab is gone; the province stays in {folder}").format(folder=folder))
    raise typer.Exit(0 if code in (0, 130) else code)


def _free_socket() -> socket.socket:
    """Return a socket on this machine's loopback; a process in the lab that inherits it serves this side."""
    for port in DEMO_PORTS:
        try:
            return socket.create_server(("127.0.0.1", port))
        except OSError:
            continue
    return socket.create_server(("127.0.0.1", 0))


def _say_where(province: "Province", folder: Path, listener: socket.socket) -> None:
    ways = (office.parent for office in province.offices.values())
    hub = next((way for way in ways if way and province.offices[way].parent), "OFFICE")  # what others lie behind
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    say("")
    say(_("metrics for Prometheus:  {base}/metrics").format(base=base))
    say(_("its targets (http_sd):   {base}/sd").format(base=base))
    say(
        _("in another terminal:     export {variable}={folder}").format(
            variable=PROVINCE_VARIABLE, folder=folder.absolute()
        )
    )
    say(f"                         .venv/bin/tuyen lab cut {hub}")
    say(f"                         .venv/bin/tuyen lab run -- .venv/bin/tuyen check under={hub}")
    say("")


app.add_typer(lab_machines.app)
app.add_typer(lab_watch.app)
