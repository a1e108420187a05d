"""`tuyen watch`: the daemon."""

import contextlib
import logging
import resource
import signal
import socket
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.listening import listening
from cli.output import complain, say
from cli.settings import settings
from cli.watch_page import Door, PageFdOption, PageOption, open_door, serve_page
from exporters.page.words import STATES
from inventory.language import _

if TYPE_CHECKING:
    import asyncio

    import uvicorn

    from exporters.metrics import WatchMetrics
    from exporters.outages.keeping import Keeping
    from exporters.watch import Watch
    from inventory.load import Loader

log = logging.getLogger("tuyen.watch")
DEFAULT_LISTEN = "127.0.0.1:9733"
FILES = 65536
RELOAD_EVERY = 2.0  # seconds between looks at the province's files


def watch(
    context: typer.Context,
    listen: Annotated[str, typer.Option(help=_("address and port to serve /metrics on"))] = DEFAULT_LISTEN,
    fd: Annotated[int, typer.Option(hidden=True, help=_("an open socket to serve on instead"))] = -1,
    page: PageOption = "",
    page_fd: PageFdOption = -1,
    once: Annotated[bool, typer.Option("--once", help=_("stop after the first full round of questions"))] = False,
) -> None:
    """Check everything on schedule until Ctrl-C; serve /metrics, /probe and /sd to Prometheus, the page to people."""
    import asyncio

    from cli.knowledge import gather
    from exporters.metrics import WatchMetrics
    from exporters.watch import Watch
    from inventory.load import Loader

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells every step of making a ledger
    allow_many_files()
    folder = settings(context).folder()
    loader = Loader(folder)
    province = loader.load()
    server = listening(listen, fd, "--listen")
    door = None if once else open_door(province, page, page_fd)
    watching = Watch(province, gather(folder, province))
    host, port = server.getsockname()[:2]
    say(
        _("watching {count} questions in {offices} offices; http://{host}:{port}/metrics").format(
            count=len(watching.asked), offices=len(province.offices), host=host, port=port
        )
    )
    signal.signal(signal.SIGTERM, _end)  # the server hands it on when it has ended, and by default that is all
    asyncio.run(_serve(watching, WatchMetrics(watching), loader, server, door, once=once))


def allow_many_files() -> None:
    """Raise our limit of open files: every question under way has a socket, and so has every reader of the page."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        with contextlib.suppress(OSError, ValueError):  # its unit says as much, and lets it change nothing
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _end(_signal: int, _frame: object) -> None:
    """End in order, so that what was counted is written down."""
    raise SystemExit(0)


async def _serve(
    watching: "Watch",
    metrics: "WatchMetrics",
    loader: "Loader",
    listener: socket.socket,
    door: Door | None,
    *,
    once: bool,
) -> None:
    import asyncio

    import uvicorn

    from cli.readiness import tell_manager
    from cli.rollout_figures import follow_rollouts
    from exporters.alerts.alerting import Alerting
    from exporters.alerts.outbox import Outbox
    from exporters.web import application

    config = uvicorn.Config(application(watching, metrics), log_level="warning", access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    background = [asyncio.create_task(watching.run()), asyncio.create_task(_reload(watching, metrics, loader))]
    background.append(asyncio.create_task(tell_manager(lambda: server.started)))
    if not once:
        keeping = _keeping(watching, metrics)
        alerting = Alerting(keeping, Outbox(keeping.book.open_ledger))
        background += [asyncio.create_task(keeping.run()), asyncio.create_task(alerting.run())]
        background += [asyncio.create_task(serve_page(door, keeping))] if door else []
    if once:
        background.append(asyncio.create_task(_stop_after_round(watching, server)))
    for task in background:
        task.add_done_callback(partial(_end_with, server))
    background.append(asyncio.create_task(follow_rollouts(watching, metrics)))  # without which the watch does go on
    try:
        await server.serve(sockets=[listener])
    finally:
        for task in background:
            task.cancel()
        results = await asyncio.gather(*background, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result


def _end_with(server: "uvicorn.Server", task: "asyncio.Task[None]") -> None:
    """Let the watch end when a part of it fails: systemd starts it anew, and nobody is shown what stands still."""
    if not task.cancelled() and task.exception() is not None:
        server.should_exit = True


def _keeping(watching: "Watch", metrics: "WatchMetrics") -> "Keeping":
    """Return what keeps the outages, in the ledger and in the metrics."""
    from cli.actor import actor
    from exporters.outages.book import Book
    from exporters.outages.figures import OutageCollector
    from exporters.outages.keeping import Keeping
    from ledger.connection import FILE, open_ledger

    province = watching.province
    place = province.database or Path(province.folder) / FILE
    keeping = Keeping(watching, Book(partial(open_ledger, place), actor(province, "")))
    metrics.add(OutageCollector(keeping))
    metrics.also = keeping.states
    return keeping


async def _stop_after_round(watching: "Watch", server: "object") -> None:
    """Let the server end when every question has been answered once."""
    import asyncio

    answered, asked = watching.progress()
    while answered < asked:
        await asyncio.sleep(0.2)
        answered, asked = watching.progress()
    _say_round(watching)
    server.should_exit = True  # type: ignore[attr-defined]


def _say_round(watching: "Watch") -> None:
    health = watching.health()
    up = sum(state == "up" for state in health.offices.values())
    say(
        _("first round: {asked} questions answered, {up} of {count} offices up").format(
            asked=len(watching.asked), up=up, count=len(health.offices)
        )
    )
    for office, state in health.offices.items():
        if state != "up":
            say(f"  {office}: {_(STATES[state])}: {health.reasons.get(office, '')}")


async def _reload(watching: "Watch", metrics: "WatchMetrics", loader: "Loader") -> None:
    """Take over the province's files when they changed and are good; otherwise say why, and go on as before."""
    import asyncio

    from cli.knowledge import gather
    from inventory.finding import InventoryError
    from inventory.load import serious

    told: object = None
    while True:
        await asyncio.sleep(RELOAD_EVERY)
        province, findings = await asyncio.to_thread(loader.examine)
        watching.load_good = not serious(findings)
        if province is None or not watching.load_good:
            if findings != told:
                complain("\n".join(map(str, findings)))
                complain(_("the province's files are not good; the watch goes on with what it has"))
            told = findings
            continue
        told = None
        if _same(watching, province):
            continue
        with contextlib.suppress(InventoryError):
            knowledge = await asyncio.to_thread(gather, Path(loader.folder), province)
            watching.replace(province, knowledge)
            metrics.replace(province)
            log.info(_("the province changed: %d questions now"), len(watching.asked))


def _same(watching: "Watch", province: object) -> bool:
    return bool(watching.province == province)
