"""`tuyen lab watch`: the watch stands in the lab, and what it serves is to be seen outside.

A socket belongs to the network in which it was opened: those of the watch are opened here, and inherited.
"""

import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.lab_status import lab_of
from cli.listening import listening
from cli.settings import example, settings
from inventory.language import _, current

if TYPE_CHECKING:
    from lab.running import Lab

app = typer.Typer()


@app.command(epilog=example("tuyen lab watch", "tuyen lab watch --page 127.0.0.1:8080"))
def watch(
    context: typer.Context,
    listen: Annotated[str, typer.Option(help=_("address and port to serve /metrics on"))] = "127.0.0.1:9733",
    page: Annotated[
        str, typer.Option(metavar="ADDRESS:PORT", help=_("where to serve the status page"))
    ] = "127.0.0.1:9734",
) -> None:
    """Watch the lab's offices until Ctrl-C; metrics and status page are served on this machine, outside the lab."""
    lab, folder = lab_of(context), settings(context).folder()
    with listening(listen, -1, "--listen") as metrics, listening(page, -1, "--page") as seen:
        raise typer.Exit(watch_in(lab, folder, metrics, seen))


def watch_in(lab: "Lab", folder: Path, metrics: socket.socket, page: socket.socket | None) -> int:
    """Run the watch in the lab; without `page` until its first round is over. Returns its exit code."""
    from lab.practice import enter_command

    sockets = [metrics, *([page] if page else [])]
    how = ["--page-fd", str(page.fileno())] if page else ["--once"]
    command = enter_command(lab, own_command(folder, "watch", "--fd", str(metrics.fileno()), *how))
    return wait(command, pass_fds=[one.fileno() for one in sockets])


def own_command(folder: Path, *words: str) -> list[str]:
    """Return the command line of a tuyen command for the province in `folder`."""
    return [sys.executable, "-m", "cli", "--lang", current(), "--province", str(folder.absolute()), *words]


def wait(command: list[str], **options: object) -> int:
    """Run a command in the foreground; Ctrl-C is its affair, and ours only after it has ended."""
    with subprocess.Popen(command, **options) as process:  # type: ignore[call-overload]
        while True:
            try:
                code: int = process.wait()
            except KeyboardInterrupt:
                continue
            return code if code >= 0 else 128 - code
