"""The stream of changes: who is sent what, who has no place, who is let go; and that parts are made once for all."""

import asyncio
import itertools
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse

import pytest
from starlette.types import Message

from exporters.outages.node import Node
from exporters.page import stream as streaming
from exporters.page.parts import Parts
from exporters.page.stream import EventStream, read_token, token_of
from exporters.page.view import PUBLIC, View
from inventory.language import speaking
from tests.exporters.page.showing import Showing

ALL = ("summary", "troubles", "planned", "services", "district-", "district-an-bien")


@pytest.fixture(autouse=True)
def _well(showing: Showing) -> Iterator[None]:
    yield
    showing.say(seconds=35)


class Reader:
    """Reads events as a browser does, without a browser."""

    def __init__(self, port: int, since: str, last: str = "", behind_proxy: str = "") -> None:
        self.connection = HTTPConnection("127.0.0.1", port, timeout=60)
        headers = {"Accept-Language": "en"} | ({"Last-Event-ID": last} if last else {})
        headers |= {"X-Forwarded-For": behind_proxy} if behind_proxy else {}
        self.connection.request("GET", f"/events?of=/&since={since}", headers=headers)
        self.answer: HTTPResponse = self.connection.getresponse()

    def next(self) -> dict[str, str]:
        """Return the next event that is no beat; after some beats no other will come."""
        event: dict[str, str] = {}
        beats = 0
        while line := self.answer.readline().decode():
            name, _colon, value = line.rstrip("\n").partition(": ")
            if name:
                event[name] = event.get(name, "") + value
            elif event.get("event") == "beat":
                event, beats = {}, beats + 1
                assert beats < 3, "nothing came"
            else:
                return event
        raise AssertionError("the stream has ended")

    def close(self) -> None:
        self.answer.close()
        self.connection.close()


def _token(showing: Showing) -> str:
    with speaking("en"):
        return str(token_of(showing.page.stream.parts, PUBLIC))


def _seen(showing: Showing) -> str:
    """Return the token of somebody who has just been shown the province's page."""
    showing.call(showing.page.stream.parts.looking.look)
    with closing(HTTPConnection("127.0.0.1", showing.port, timeout=60)) as connection:
        connection.request("GET", "/", headers={"Accept-Language": "en"})
        connection.getresponse().read()
    return _token(showing)


def test_who_has_seen_everything_is_sent_what_changes_at_once_and_nothing_else(
    showing: Showing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "BEAT", 3600.0)  # so that nobody is woken but by a change
    with closing(Reader(showing.port, _seen(showing))) as reader:
        showing.say("dong-yen")
        found = [reader.next() for _turn in range(3)]
        assert {event["event"] for event in found} == {"summary", "troubles", "district-an-bien"}
        assert "cut off" in found[0]["data"]
        assert len({event["id"] for event in found}) == 1


def test_who_comes_back_is_sent_what_was_missed(showing: Showing) -> None:
    before = _seen(showing)
    showing.say("nam-yen")
    for reader in (Reader(showing.port, before), Reader(showing.port, "x.0.en-public", before)):
        with closing(reader):
            assert {reader.next()["event"] for _turn in range(3)} == {"summary", "troubles", "district-an-bien"}


@pytest.mark.parametrize("number", ["0", "999999", "x", "%D9%A3", "1" * 40])
def test_who_comes_from_before_a_restart_is_sent_everything(showing: Showing, number: str) -> None:
    with closing(Reader(showing.port, f"elsewhen.{number}.en-public")) as reader:
        assert [reader.next()["event"] for _turn in ALL] == [*ALL]


@pytest.mark.parametrize("sight", ["vi-public", "en-all", "en-dong-yen", ""])
def test_who_saw_something_else_is_told_to_load_the_page_again(showing: Showing, sight: str) -> None:
    epoch = showing.page.stream.parts.epoch
    with closing(Reader(showing.port, f"{epoch}.0.{sight}")) as reader:
        assert reader.next()["event"] == "reload"


def test_readers_are_counted_and_too_many_sent_away(showing: Showing, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = showing.page.stream
    monkeypatch.setattr(streaming, "READERS", stream.readers + 1)
    assert stream.has_place(PUBLIC, "203.0.113.7")
    with closing(Reader(showing.port, "")) as first:
        first.next()
        with closing(Reader(showing.port, "")) as second:
            assert second.answer.status == 503
            assert second.answer.headers["retry-after"] == "30"
        assert stream.has_place(View(""), "203.0.113.7"), "those who are logged in have places of their own"
    _until(lambda: stream.has_place(PUBLIC, "203.0.113.7"))


def test_one_address_leaves_places_to_others(showing: Showing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "OF_ONE", 1)
    stream, ours, other = showing.page.stream, "2001:db8::1", "2001:db8:0:1::1"
    _until(lambda: stream.has_place(PUBLIC, ours))
    with closing(Reader(showing.port, "", behind_proxy=ours)) as first:
        first.next()
        with closing(Reader(showing.port, "", behind_proxy="2001:db8::2")) as neighbour:
            assert neighbour.answer.status == 503
        with closing(Reader(showing.port, "", behind_proxy=other)) as second:
            assert second.answer.status == 200
        assert stream.has_place(View(""), ours), "those who are logged in have places of their own"
        with closing(Reader(showing.port, "")) as near, closing(Reader(showing.port, "")) as nearer:
            assert (near.answer.status, nearer.answer.status) == (200, 200)  # a proxy that does not tell for whom
    _until(lambda: stream.has_place(PUBLIC, ours))
    _until(lambda: not stream._of_one)


def _until(what: Callable[[], bool]) -> None:
    import time

    until = time.monotonic() + 60
    while not what():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_who_takes_nothing_is_let_go(showing: Showing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "PATIENCE", 0.2)
    stream, taken = showing.page.stream, itertools.count()

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(_message: Message) -> None:
        if next(taken) > 0:
            await asyncio.Event().wait()  # a socket that is full

    async def read() -> None:
        names = lambda: ("summary",)  # noqa: E731
        with speaking("en"):
            await EventStream(stream, names, PUBLIC, read_token(""), "")({}, receive, send)

    before = stream.readers
    showing.do(asyncio.wait_for(read(), 30))
    assert stream.readers == before


@pytest.mark.parametrize("silent", [(), ("dong-yen",), ("an-bien", "dong-yen", "nam-yen"), ("centre",)])
def test_a_snapshot_is_what_the_keeping_tells(showing: Showing, silent: tuple[str, ...]) -> None:
    keeping, looking = showing.played.keeping, showing.page.stream.parts.looking
    showing.say(*silent)
    showing.answer("box.dong-yen", "sick")
    showing.call(looking.look)
    shown = {
        Node(kind, name): state for kind, states in looking.latest.states.items() for name, state in states.items()
    }
    assert shown == dict(keeping.states())
    assert set(looking.latest.troubles) >= set(keeping.faults)


def test_a_part_is_made_once_for_all_who_see_the_same(showing: Showing) -> None:
    made: list[str] = []

    class Counting(Parts):
        def _make(self, part, recipe, values, now):  # type: ignore[no-untyped-def]
            made.append(recipe.template)
            return super()._make(part, recipe, values, now)

    own = showing.page.stream.parts
    parts = Counting(own.looking, own.watch)
    with speaking("en"):
        first = parts.get("district:an-bien", PUBLIC)
        for view in (PUBLIC, View(""), View("dong-yen")):
            assert parts.get("district:an-bien", view) is first
        assert made == ["parts/district.html"]
        assert parts.get("troubles", PUBLIC) is not parts.get("troubles", View(""))
    with speaking("vi"):
        assert parts.get("district:an-bien", PUBLIC) is not first
    number = first.number
    showing.say("dong-yen")
    showing.call(own.looking.look)
    with speaking("en"):
        assert parts.get("district:an-bien", PUBLIC).number > number
        assert parts.get("services", PUBLIC).text
