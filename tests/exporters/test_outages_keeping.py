"""Keeping outages with a real ledger: over restarts, a ledger that is locked, and a second watch. No network."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from exporters.outages import keeping
from exporters.outages.book import Book
from exporters.outages.figures import OutageCollector
from exporters.outages.keeping import Keeping
from exporters.outages.node import Kind, Node
from exporters.outages.rules import Rules
from exporters.reading import Reading, metric
from exporters.watch import Watch
from inventory.load import load
from inventory.topology import State
from ledger.connection import Ledger, open_ledger
from ledger.outages import Outage, note, open_outages, outages_between
from ledger.planned import plan
from ledger.records import Actor
from ledger.watching import days, spans
from tests.exporters.test_health import GOOD

WATCHING = Actor("watch", "watch")
RULES = Rules(confirm=20, recover=30, flaps=100)
START = 1_800_000_000.0
DISTRICT = ("an-bien", "dong-yen", "nam-yen")


class Played:
    """A watch whose readings are handed to it, and its keeping, second by second."""

    def __init__(self, file: Path, at: float = START, patience: float = 5, folder: Path = GOOD) -> None:
        self.watch = Watch(load(folder))
        self.at = at
        self.keeping = Keeping(self.watch, Book(partial(open_ledger, file, patience=patience), WATCHING), RULES)
        self.say()

    def say(self, *silent: str, on_battery: str = "") -> None:
        """Let every device answer but those of some offices, which fall silent for sure."""
        for key, question in self.watch.asked.items():
            gone = self.watch.province.devices[key[0]].office in silent
            reading = Reading(key[0], key[1], not gone, False, "no answer" if gone else "fine", 0.1, self.at)
            if key[0] == on_battery:
                sign = metric("tuyen_probe_ups_on_battery", 1)
                reading = replace(reading, degraded=True, reason="mains are off", metrics=(sign,))
            for _turn in range(2):
                self.watch._take(question, replace(reading, heard=not gone))

    def pass_by(self, seconds: int) -> None:
        """Look once a second, as the watch does."""

        async def look() -> None:
            for _second in range(seconds):
                self.at += 1
                await self.keeping._once(self.at)

        asyncio.run(look())

    def end(self) -> None:
        self.keeping._end(self.at)

    def kill(self) -> None:
        """Leave everything as it is, but let go of the lease as a process does that is no more."""
        self.keeping.book.shut()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def ledger(file: Path) -> Iterator[Ledger]:
    with open_ledger(file) as opened:
        yield opened


def _seconds(outage: Outage) -> tuple[float, float | None]:
    times = [
        datetime.fromisoformat(text).timestamp() - START if text else None for text in (outage.began, outage.ended)
    ]
    assert times[0] is not None
    return times[0], times[1]


def _offices(ledger: Ledger) -> dict[str, tuple[str, tuple[float, float | None]]]:
    first, last = datetime.fromisoformat("2020-01-01T00:00:00Z"), datetime.fromisoformat("2100-01-01T00:00:00Z")
    found = [one for one in outages_between(ledger, first, last) if one.kind == "office"]
    assert len(found) == len({one.node for one in found})
    return {one.node: (one.cause, _seconds(one)) for one in found}


def test_a_district_through_a_kill_is_one_outage_each(file: Path, ledger: Ledger) -> None:
    played = Played(file)
    played.pass_by(10)
    played.say(*DISTRICT)
    played.pass_by(30)
    before = open_outages(ledger)
    assert {one.root for one in before} == {None, next(one.id for one in before if one.node == "an-bien")}
    played.kill()
    again = Played(file, START + 100)
    again.say(*DISTRICT)
    again.pass_by(60)
    assert {one.id for one in open_outages(ledger)} == {one.id for one in before}
    again.say()
    again.pass_by(40)
    assert open_outages(ledger) == ()
    span = (11.0, 161.0)
    assert _offices(ledger) == {
        "an-bien": ("link", span),
        "dong-yen": ("upstream", span),
        "nam-yen": ("upstream", span),
    }
    again.end()
    off = spans(ledger, datetime.fromisoformat("2020-01-01T00:00:00Z"), datetime.fromisoformat("2100-01-01T00:00:00Z"))
    assert [datetime.fromisoformat(one.began).timestamp() - START for one in off] == [1, 101]


def test_what_came_back_while_nobody_looked_is_closed_when_it_is_heard(file: Path, ledger: Ledger) -> None:
    played = Played(file)
    played.say("dong-yen")
    played.pass_by(30)
    played.kill()
    again = Played(file, START + 500)
    again.pass_by(40)
    assert _offices(ledger) == {"dong-yen": ("link", (1.0, 502.0))}


def test_what_is_not_declared_any_more_leaves_no_orphan(file: Path, ledger: Ledger) -> None:
    played = Played(file)
    played.say("dong-yen")
    played.pass_by(30)
    province = played.watch.province
    offices = {name: office for name, office in province.offices.items() if name != "dong-yen"}
    devices = {name: device for name, device in province.devices.items() if device.office != "dong-yen"}
    played.watch.replace(replace(province, offices=offices, devices=devices), played.watch.knowledge)
    played.pass_by(40)
    assert open_outages(ledger) == ()


def test_what_is_out_is_seen_while_the_ledger_keeps_us_waiting(file: Path, ledger: Ledger) -> None:
    played = Played(file, patience=60)
    played.pass_by(25)

    async def follow() -> None:
        with ledger.write():
            looking = asyncio.create_task(played.keeping._once(played.at + 11))
            await asyncio.sleep(0.5)
            played.say("dong-yen")
            until = asyncio.get_running_loop().time() + 40
            while Node(Kind.OFFICE, "dong-yen") not in played.keeping.faults:
                assert asyncio.get_running_loop().time() < until
                await asyncio.sleep(0.1)
            assert dict(played.keeping.states())[Node(Kind.OFFICE, "dong-yen")] is State.DOWN
            assert not looking.done()
        await looking

    asyncio.run(follow())
    played.at += 11
    assert played.keeping.is_written
    played.pass_by(30)
    assert list(_offices(ledger)) == ["dong-yen"]


def test_a_ledger_that_is_locked_gets_it_later_with_the_time_it_happened(file: Path, ledger: Ledger) -> None:
    played = Played(file, patience=0.1)
    played.pass_by(10)
    with ledger.write():
        played.say("dong-yen")
        played.pass_by(25)
    played.pass_by(10)
    assert _offices(ledger) == {"dong-yen": ("link", (11.0, None))}
    with ledger.write():
        played.say()
        played.pass_by(35)
    played.pass_by(10)
    assert _offices(ledger) == {"dong-yen": ("link", (11.0, 36.0 + 10.0))}


def test_of_two_watches_one_writes(file: Path, ledger: Ledger) -> None:
    one, other = Played(file), Played(file)
    for played in (one, other):
        played.say("dong-yen")
        played.pass_by(30)
    assert (one.keeping.book.is_open, other.keeping.book.is_open) == (True, False)
    assert len([o for o in open_outages(ledger) if o.kind == "office"]) == 1
    one.end()
    other.pass_by(10)
    assert other.keeping.book.is_open
    other.say()
    other.pass_by(40)
    assert open_outages(ledger) == ()


def test_a_battery_is_remembered_over_a_restart(file: Path, ledger: Ledger) -> None:
    played = Played(file)
    ups, office = "box.dong-yen", "dong-yen"
    played.say(on_battery=ups)
    played.pass_by(30)
    assert {one.node: one.cause for one in open_outages(ledger)} == {ups: "power", office: "power"}
    played.kill()
    again = Played(file, START + 60)
    again.say(office)
    again.pass_by(30)
    found = {one.node: (one.state, one.cause) for one in open_outages(ledger) if one.kind == "office"}
    assert found[office] == ("down", "power")


def test_planned_work_and_what_people_say_are_heeded(file: Path, ledger: Ledger) -> None:
    played = Played(file)
    moment = datetime.fromtimestamp
    zone = datetime.fromisoformat("2020-01-01T00:00:00Z").tzinfo
    plan(
        ledger,
        selector="dong-yen",
        began=moment(START, zone),
        until=moment(START + 100, zone),
        why="new router",
        actor=WATCHING,
    )
    played.pass_by(1)
    played.pass_by(10)
    played.say("dong-yen")
    played.pass_by(60)
    (office,) = [one for one in open_outages(ledger) if one.kind == "office"]
    assert (office.state, office.cause, office.evidence["why"]) == ("maintenance", "maintenance", "new router")
    assert dict(played.keeping.states())[Node(Kind.OFFICE, "dong-yen")] is State.MAINTENANCE
    played.pass_by(60)  # the work is over, and the office still away
    (office,) = [one for one in open_outages(ledger) if one.kind == "office"]
    assert (office.state, office.cause, _seconds(office)[0]) == ("down", "link", 100)
    note(ledger, office.id, "the box burnt", actor=WATCHING, cause="device")
    played.pass_by(60)
    (office,) = [one for one in open_outages(ledger) if one.kind == "office"]
    assert (office.cause, office.note) == ("device", "the box burnt")


def test_metrics_tell_what_is_open_and_for_how_long(file: Path) -> None:
    played = Played(file)
    played.say(*DISTRICT)
    played.pass_by(40)
    registry = CollectorRegistry()
    registry.register(OutageCollector(played.keeping))
    page = generate_latest(registry).decode()
    assert 'tuyen_outage_open{cause="link",kind="office"} 1.0' in page
    assert 'tuyen_outage_open{cause="upstream",kind="office"} 2.0' in page
    assert 'tuyen_outage_open{cause="power",kind="device"} 0.0' in page
    assert 'tuyen_outage_roots_open{cause="link"} 1.0' in page
    assert 'tuyen_outage_seconds_total{cause="upstream",kind="office"} 38.0' in page
    assert "tuyen_outage_ledger_open 1.0" in page


def test_days_are_written_now_and_then_and_at_the_end(file: Path, ledger: Ledger) -> None:
    played = Played(file)
    played.pass_by(100)
    played.say("dong-yen")
    played.pass_by(100)
    played.end()
    (day,) = days(ledger, "2000-01-01", "2100-01-01", "office", "dong-yen")
    assert day.up + day.down == pytest.approx(199, abs=1)
    assert day.down == pytest.approx(100, abs=10)
    assert days(ledger, "2000-01-01", "2100-01-01", "link", "dong-yen.uplink")


def test_many_days_are_written_in_parts_and_each_once(
    file: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "ROWS_AT_ONCE", 2)
    played = Played(file)
    played.pass_by(330)
    assert min(_ups(ledger)) < 10
    assert max(_ups(ledger)) > 290
    played.pass_by(200)
    assert min(_ups(ledger)) > 290
    played.end()
    assert all(up == pytest.approx(529, abs=2) for up in _ups(ledger))


def _ups(ledger: Ledger) -> list[float]:
    return [day.up for day in days(ledger, "2000-01-01", "2100-01-01") if day.up]
