"""A whole status page at work on loopback: a watch whose readings the test says, its outages, and a real server."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn

from exporters.access.desk import Desk
from exporters.access.rate import Rate
from exporters.api.beside import beside
from exporters.page.app import StatusPage, status_page
from exporters.reading import Reading, metric
from exporters.rollouts import RolloutFigures
from ledger.connection import open_ledger
from tests.exporters.test_outages_keeping import Played

SECONDS = 60
ROLLOUT = RolloutFigures("agent-2", "20261125T090000000-aaaaaa", "one-stop-agent", "lan", "running", 1, 3, {"done": 2})


class Server(uvicorn.Server):
    """A server in a thread, which takes no signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Showing:
    """The page of a watch; what is said to the watch is said within the event loop that serves."""

    def __init__(self, folder: Path, file: Path, certificate: str | None = None, *, public: bool = True) -> None:
        self.played = Played(file, time.time() - 600, folder=folder)
        ledger = partial(open_ledger, file)
        self.desk = Desk(ledger, lambda: self.played.watch.province, Rate(10_000), not_before=0)
        more = beside(self.desk, self.played.keeping, self.rollouts)
        self.page: StatusPage = status_page(self.played.keeping, ledger, self.rollouts, public=public, beside=more)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.base = f"http{'s' if certificate else ''}://127.0.0.1:{self.port}"
        config = uvicorn.Config(
            self.page.app, log_level="warning", access_log=False, lifespan="off", ssl_certfile=certificate
        )
        self.server = Server(config)
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_until_complete, args=[self._serve()])

    @staticmethod
    def rollouts() -> tuple[RolloutFigures, ...]:
        return (ROLLOUT,)

    async def _serve(self) -> None:
        async with self.page.running():
            await self.server.serve(sockets=[self.listener])

    @contextlib.contextmanager
    def running(self) -> Iterator["Showing"]:
        self.thread.start()
        try:
            self._wait_for_start()
            self.pass_by(2)
            yield self
        finally:
            self.server.should_exit = True
            self.loop.call_soon_threadsafe(self.page.stream.close)
            self.thread.join(SECONDS)
            self.played.kill()
            self.desk.close()
            self.listener.close()
            assert not self.thread.is_alive()

    def _wait_for_start(self) -> None:
        until = time.monotonic() + SECONDS
        while not self.server.started and time.monotonic() < until:
            time.sleep(0.01)
        assert self.server.started

    def do(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something in the event loop, and wait for it."""
        asyncio.run_coroutine_threadsafe(work, self.loop).result(SECONDS)

    def call(self, work: Callable[[], object]) -> None:
        async def called() -> None:
            work()

        self.do(called())

    def pass_by(self, seconds: int) -> None:
        async def look() -> None:
            for _second in range(seconds):
                self.played.at += 1
                await self.played.keeping._once(self.played.at)

        self.do(look())

    def say(self, *silent: str, seconds: int = 2) -> None:
        """Let some offices fall silent, and all others answer; then let some seconds pass by."""
        self.call(lambda: self.played.say(*silent))
        self.pass_by(seconds)

    def answer(self, device: str, reason: str, *, success: bool = False, ends: float = 0.0) -> None:
        """Let a device answer every question in some words; `ends` is when its certificate does."""
        watch = self.played.watch
        shown = (metric("tuyen_probe_certificate_expiry_timestamp_seconds", ends),) if ends else ()
        for key in watch.keys_of(device):
            reading = Reading(device, key[1], success, False, reason, 0.01, self.played.at, shown)
            self.call(partial(watch._take, watch.asked[key], reading))
        self.pass_by(2)

    def change(self, **what: Any) -> None:
        """Declare the province otherwise."""
        watch = self.played.watch
        self.call(lambda: watch.replace(replace(watch.province, **what), watch.knowledge))
        self.pass_by(2)
