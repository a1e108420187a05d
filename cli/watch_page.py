"""The status page beside the watch: where it listens, with which certificate, and its server."""

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.listening import listening
from cli.output import say
from inventory.language import _

if TYPE_CHECKING:
    import asyncio

    from exporters.outages.keeping import Keeping
    from exporters.rollouts import RolloutFigures
    from inventory.model import Province

PageOption = Annotated[
    str, typer.Option("--page", metavar="ADDRESS:PORT", help=_("where to serve the status page, instead of 'page:'"))
]
PageFdOption = Annotated[
    int, typer.Option("--page-fd", hidden=True, help=_("an open socket to serve the status page on"))
]
LOOK_EVERY = 60.0  # seconds between two looks whether the certificate was renewed
END_WITHIN = 3  # seconds that answers under way have when the watch ends


@dataclass(frozen=True, slots=True)
class Door:
    """Where the status page is served: over TLS where there is a certificate."""

    listener: socket.socket
    certificate: Path | None
    key: Path | None
    public: bool


def open_door(province: "Province", listen: str, fd: int) -> Door | None:
    """Return where to serve the status page; None where nobody asked for one. Raises typer.BadParameter."""
    from inventory.settings import is_loopback

    told = province.page
    if not (told or listen or fd >= 0):
        return None
    folder = Path(province.folder)
    certificate, key = (folder / told.certificate, folder / told.key) if told and told.certificate else (None, None)
    if certificate and key:
        _check(certificate, key)
    listener = listening(listen or (told.listen if told else ""), fd, "--page")
    host, port = listener.getsockname()[:2]
    if not certificate and not is_loopback(f"{host}:{port}"):
        listener.close()
        problem = _("without a certificate the status page is served on a loopback address only; see 'page:'")
        raise typer.BadParameter(problem, param_hint="--page")
    shown = f"[{host}]" if ":" in host else host
    say(_("the status page is at {address}").format(address=f"http{'s' if certificate else ''}://{shown}:{port}/"))
    return Door(listener, certificate, key, told.public if told else True)


def _check(certificate: Path, key: Path) -> None:
    """Refuse what no server could show: files that are missing, that do not belong together, a key with a password."""
    import ssl

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=lambda: "")
    except OSError as error:  # ssl.SSLError is one
        problem = _("the certificate {certificate} and the key {key} cannot be used: {reason}")
        raise typer.BadParameter(
            problem.format(certificate=certificate, key=key, reason=error), param_hint="page"
        ) from error


async def serve_page(door: Door, keeping: "Keeping") -> None:
    """Serve the status page until cancelled."""
    import asyncio

    import uvicorn

    from cli.rollout_figures import read_figures
    from exporters.access.desk import Desk
    from exporters.api.beside import beside
    from exporters.page.app import status_page

    class Server(uvicorn.Server):
        """A server beside another one, which takes the signals for both."""

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            """Take none."""
            yield

    ledger = keeping.book.open_ledger
    desk = Desk(ledger, lambda: keeping.watch.province)

    def rollouts() -> tuple["RolloutFigures", ...]:
        return read_figures(keeping.watch.province)

    made = status_page(keeping, ledger, rollouts, public=door.public, beside=beside(desk, keeping, rollouts))
    config = uvicorn.Config(
        made.app,
        log_level="warning",
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=END_WITHIN,
        ssl_certfile=door.certificate,
        ssl_keyfile=door.key,
    )
    server = Server(config)
    serving = asyncio.create_task(server.serve(sockets=[door.listener]))
    async with made.running():
        try:
            await _until_over(serving, config, door)
        finally:
            made.stream.close()
            server.should_exit = True
            await serving
            await asyncio.to_thread(desk.close)


async def _until_over(serving: "asyncio.Task[None]", config: "object", door: Door) -> None:
    """Wait for the server, and show a renewed certificate to whom comes after it was renewed."""
    import asyncio

    seen = _stamp(door)
    while not serving.done():
        await asyncio.wait({serving}, timeout=LOOK_EVERY)
        context = getattr(config, "ssl", None)
        if context is not None and (now := _stamp(door)) != seen:
            with contextlib.suppress(OSError):  # half written: looked at again
                context.load_cert_chain(door.certificate, door.key, password=lambda: "")
                seen = now


def _stamp(door: Door) -> tuple[float, ...]:
    """Return when the certificate's files were last changed."""
    files = [file for file in (door.certificate, door.key) if file]
    return tuple(file.stat().st_mtime if file.exists() else 0.0 for file in files)
