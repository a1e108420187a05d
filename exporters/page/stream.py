"""Server-sent events: a reader's page is told which of its parts have changed, as soon as they have.

No reader has a queue. Each remembers what it was sent last, and is sent what is newer when it is woken: who is slow
misses what came between, and who does not take anything for a while is let go. Readers come back by themselves.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from starlette.types import Receive, Scope, Send

from exporters.access.rate import is_on_this_machine, network_of
from exporters.page.parts import Parts
from exporters.page.view import View
from inventory.language import current

LOOK_EVERY = 0.5  # seconds between two snapshots while somebody looks
BEAT = 10.0  # seconds after which a reader is sent something in any case
PATIENCE = 20.0  # seconds for which a reader may refuse to take what it is sent
LIFE = 900.0  # seconds after which a stream ends, so that who logged out meanwhile is known for it
READERS = 500  # streams of the public at a time
STAFF = 100  # so many more for those who are logged in
OF_ONE = 100  # of those of the public, for one address: a whole town may stand behind it
HEADERS = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")]
_BEAT = b"event: beat\ndata: .\n\n"


@dataclass
class Stream:
    """All readers of one watch."""

    parts: Parts
    readers: int = 0
    _of_one: Counter[str] = field(default_factory=Counter)  # readers by the network of their address
    _closed: bool = False
    _change: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Look for changes while there are readers, and wake them when there are any; at the end let them go."""
        seen = -1
        try:
            while True:
                if self.readers and (version := self.parts.looking.look().version) != seen:
                    seen = version
                    self._wake()
                await asyncio.sleep(LOOK_EVERY)
        finally:
            self.close()

    def close(self) -> None:
        """End all streams."""
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        self._change.set()
        self._change = asyncio.Event()

    def has_place(self, view: View, address: str) -> bool:
        """Whether one more reader may come, from `address`."""
        if self._closed or self.readers >= READERS + STAFF * view.is_staff:
            return False
        return view.is_staff or is_on_this_machine(address) or self._of_one[network_of(address)] < OF_ONE

    @contextlib.contextmanager
    def place(self, address: str) -> Iterator[None]:
        """Count a reader."""
        network = network_of(address)
        self.readers += 1
        self._of_one[network] += 1
        try:
            yield
        finally:
            self.readers -= 1
            self._of_one[network] -= 1
            self._of_one += Counter()  # who has none is forgotten

    async def changed(self) -> bool:
        """Return after a change or a beat; False when all is over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BEAT):
                await self._change.wait()
        return not self._closed


@dataclass(frozen=True, slots=True)
class Token:
    """What a reader has seen: parts up to a number, since a start of the watch, in a view and a language."""

    epoch: str
    number: int
    sight: str

    def __str__(self) -> str:
        return f"{self.epoch}.{self.number}.{self.sight}"


def token_of(parts: Parts, view: View) -> Token:
    """Return what a reader has seen who is shown everything now."""
    return Token(parts.epoch, parts.number, f"{current()}-{'public' if view.under is None else view.under or 'all'}")


def read_token(text: str) -> Token:
    """Return a token as a reader gives it back; nonsense is one that has seen nothing."""
    epoch, _dot, rest = text.partition(".")
    number, _dot, sight = rest.partition(".")
    return Token(epoch, int(number) if number.isascii() and number.isdigit() and len(number) < 16 else 0, sight)


def event(name: str, text: str, token: Token) -> bytes:
    """Return one server-sent event."""
    data = "".join(f"data: {line}\n" for line in text.splitlines())
    return f"event: {name.replace(':', '-')}\nid: {token}\n{data}\n".encode()


@dataclass
class EventStream:
    """The answer to one reader: an ASGI application."""

    stream: Stream
    names: Callable[[], Iterable[str]]
    view: View
    seen: Token
    address: str

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the reader leaves, or is let go."""
        with self.stream.place(self.address):
            await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            writing, leaving = asyncio.create_task(self._write(send)), asyncio.create_task(_gone(receive))
            try:
                await asyncio.wait({writing, leaving}, timeout=LIFE, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (writing, leaving):
                    task.cancel()
                ended = await asyncio.gather(writing, leaving, return_exceptions=True)
            if not isinstance(ended[0], TimeoutError):
                await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _write(self, send: Send) -> None:
        body: bytes | None = self._news() or _BEAT
        while body:
            async with asyncio.timeout(PATIENCE):
                await send({"type": "http.response.body", "body": body, "more_body": True})
            body = (self._news() or _BEAT) if await self.stream.changed() else None

    def _news(self) -> bytes:
        """Return the events of what the reader has not seen, and remember that it has."""
        parts = self.stream.parts
        try:
            found = [(name, parts.get(name, self.view)) for name in self.names()]
        except KeyError:  # what the page shows is not declared any more
            return b""
        now = token_of(parts, self.view)
        if self.seen.sight != now.sight:
            self.seen = now
            return event("reload", "view", now)
        last = self.seen.number if self.seen.epoch == now.epoch else -1
        self.seen = now
        return b"".join(event(name, part.text, now) for name, part in found if part.number > last)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
