"""The province's page with 1,000 offices: made anew after each change of state, and as it is kept, beside its peers.

Its limit is to answer with so many bytes that are there already. Made anew, it is beside jinja alone, which writes the
same list of offices without any of what makes it a page. The office that changes is another one each time, so that
nothing but what is kept for a reason is of use.
"""

import asyncio
import itertools
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message

from benchmarks.figure import Figure, fastest
from benchmarks.large import write_province
from exporters.outages.book import Book
from exporters.outages.keeping import Keeping
from exporters.page.app import StatusPage, status_page
from exporters.reading import Reading
from exporters.watch import Watch
from inventory.load import load
from ledger.connection import open_ledger
from ledger.records import Actor

OFFICES = 1000
_LIST = "<ul>{% for o in it %}<li><a class='chip' href='/offices/{{ o.id }}'>{{ o.name }}</a></li>{% endfor %}</ul>"


class Shown:
    """A province of 1,000 offices, of which every device has answered, with its page."""

    def __init__(self, folder: Path) -> None:
        write_province(folder, OFFICES)
        ledger = partial(open_ledger, folder / "ledger.sqlite")
        self.watch = Watch(load(folder))
        self.keeping = Keeping(self.watch, Book(ledger, Actor("benchmark", "benchmark")))
        self.page: StatusPage = status_page(self.keeping, ledger, tuple)
        self._turns = itertools.cycle(self.watch.province.offices)
        for device in self.watch.province.devices:
            self._answer(device, heard=True)
        self.keeping._look(0.0)

    def _answer(self, device: str, *, heard: bool) -> None:
        for key in self.watch.keys_of(device):
            reading = Reading(key[0], key[1], heard, False, "fine" if heard else "no answer", 0.001, 0.0, heard=heard)
            for _turn in range(2):
                self.watch._take(self.watch.asked[key], reading)

    def change(self) -> None:
        """Let the next office fall silent, and the watch take note of it; the page has not looked yet."""
        for device in self.watch.province.devices_of[next(self._turns)]:
            self._answer(device.id, heard=False)
        self.keeping._look(0.0)


async def get(app: ASGIApp, path: str) -> bytes:
    """Return what an application answers."""
    body: list[bytes] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        assert message.get("status", 200) == 200, message
        body.append(message.get("body", b""))

    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "headers": []}
    scope |= {"query_string": b"", "scheme": "http", "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1)}
    scope |= {"http_version": "1.1", "root_path": ""}
    await app(scope, receive, send)
    return b"".join(body)


def measure() -> Iterator[Figure]:
    """Yield the figures."""
    with tempfile.TemporaryDirectory() as folder:
        shown = Shown(Path(folder) / "province")
        with asyncio.Runner() as runner:
            yield from _measure(shown, partial(_fetch, runner))


def _fetch(runner: asyncio.Runner, app: ASGIApp) -> bytes:
    return runner.run(get(app, "/"))


def _measure(shown: Shown, fetch: Callable[[ASGIApp], bytes]) -> Iterator[Figure]:
    text = fetch(shown.page.app)
    if text.count(b'class="chip') < OFFICES:
        raise SystemExit("the page does not show all offices")

    async def same(_request: Request) -> Response:
        return Response(text)

    there = Starlette(routes=[Route("/", same)])
    limit = fastest(lambda: fetch(there), 20)
    bare = Environment(autoescape=True).from_string(_LIST)
    offices = tuple(shown.watch.province.offices.values())
    listed = fastest(lambda: bare.render(it=offices).encode(), 20)
    what = f"page of {OFFICES:,} offices, {len(text) / 1000:.0f} kB"
    yield Figure(f"{what}, one of them changed", _after_changes(shown, fetch), "s", "bare jinja, all offices", listed)
    yield Figure(f"{what}, nothing changed", fastest(lambda: fetch(shown.page.app), 20), "s", "as many bytes", limit)


def _after_changes(shown: Shown, fetch: Callable[[ASGIApp], bytes]) -> float:
    """Return the seconds of the fastest page of several, each after a change."""
    found = []
    for _turn in range(15):
        shown.change()
        start = time.perf_counter()
        fetch(shown.page.app)
        found.append(time.perf_counter() - start)
    return min(found)
