"""Outages, planned work, spans and days on both databases: one watch writes, and people have their say."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from ledger.audit import entries, verify
from ledger.connection import Ledger, connect, open_ledger
from ledger.errors import LeaseLostError, UnknownOutageError
from ledger.leases import acquire, release
from ledger.outages import (
    WATCH,
    Altered,
    Change,
    Closed,
    Opened,
    acknowledge,
    find_outage,
    following,
    note,
    open_outages,
    outages_between,
    record,
)
from ledger.planned import cancel, plan, planned
from ledger.records import stamp
from ledger.runs import intend
from ledger.upgrade import upgrade
from ledger.watching import Day, begin_span, days, extend_span, forget_before, spans
from tests.ledger.conftest import LAN, begin
from tests.ledger.test_trouble import ROOT

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
WRITE = """
import sys
from datetime import UTC, datetime
from ledger.connection import open_ledger
from ledger.leases import acquire
from ledger.outages import WATCH, Opened, record
from ledger.records import Actor
with open_ledger(sys.argv[1]) as ledger:
    lease = acquire(ledger, WATCH, actor=Actor("watch", "watch"), seconds=60)
    at = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
    record(ledger, [Opened("1", "office", "an-bien", at, "down", "link", None, {})], token=lease.token)
    print("open", flush=True)
    sys.stdin.read()
"""


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def token_of(ledger: Ledger) -> int:
    """Become the one who writes outages."""
    return acquire(ledger, WATCH, actor=LAN, seconds=60).token


def opened(name: str, node: str = "an-bien", seconds: float = 0, root: str | None = None) -> Opened:
    return Opened(name, "office", node, at(seconds), "down", "link", root, {"why": "nothing answers"})


def test_an_outage_is_open_until_it_is_closed(ledger: Ledger) -> None:
    token = token_of(ledger)
    record(ledger, [opened("1"), opened("2", "dong-yen", 5, "1")], token=token)
    one, other = open_outages(ledger)
    assert (one.id, one.node, one.began, one.ended, one.root) == ("1", "an-bien", stamp(NOON), None, None)
    assert one.evidence == {"why": "nothing answers"}
    assert other.root == "1"
    assert following(ledger, "1") == (other,)
    record(ledger, [Altered("2", "unreachable", "upstream", "1", {"behind": "an-bien"})], token=token)
    assert find_outage(ledger, "2").cause == "upstream"
    record(ledger, [Closed("1", at(60)), Closed("2", at(70))], token=token)
    assert open_outages(ledger) == ()
    assert find_outage(ledger, "1").ended == stamp(at(60))
    record(ledger, [Closed("1", at(99))], token=token)  # what is over is over
    assert find_outage(ledger, "1").ended == stamp(at(60))


def test_a_node_never_has_two_open_ones(ledger: Ledger) -> None:
    token = token_of(ledger)
    record(ledger, [opened("1")], token=token)
    with pytest.raises(IntegrityError):
        record(ledger, [opened("2", "dong-yen"), opened("3")], token=token)
    assert [one.id for one in open_outages(ledger)] == ["1"]  # all or nothing
    record(ledger, [Closed("1", at(9)), opened("2", seconds=9)], token=token)
    assert [one.id for one in open_outages(ledger)] == ["2"]


def test_the_newest_of_a_node_is_found_its_open_one_first(ledger: Ledger) -> None:
    token = token_of(ledger)
    record(ledger, [opened("1"), Closed("1", at(5)), opened("2", seconds=10), Closed("2", at(15))], token=token)
    assert find_outage(ledger, "an-bien").id == "2"
    record(ledger, [opened("3", seconds=20)], token=token)
    assert find_outage(ledger, "an-bien").id == "3"
    with pytest.raises(UnknownOutageError, match="the ledger knows no outage rach-gia"):
        find_outage(ledger, "rach-gia")


@pytest.mark.parametrize(
    ("since", "until", "found"), [(0, 10, []), (0, 11, ["1"]), (19, 30, ["1"]), (20, 30, []), (30, 99, ["2"])]
)
def test_those_of_a_time_are_those_of_which_any_part_lies_in_it(
    ledger: Ledger, since: int, until: int, found: list[str]
) -> None:
    changes: list[Change] = [opened("1", seconds=10), Closed("1", at(20)), opened("2", "dong-yen", 40)]
    record(ledger, changes, token=token_of(ledger))
    assert [one.id for one in outages_between(ledger, at(since), at(until))] == found


def test_only_who_holds_the_lease_writes(ledger: Ledger) -> None:
    old = token_of(ledger)
    release(ledger, acquire(ledger, "another", actor=LAN, seconds=60), actor=LAN)
    with pytest.raises(LeaseLostError):
        record(ledger, [opened("1")], token=old + 1)
    with pytest.raises(LeaseLostError):
        begin_span(ledger, NOON, token=old + 1)
    assert open_outages(ledger) == ()


def test_what_people_say_is_in_the_audit_trail_and_stays(ledger: Ledger) -> None:
    token = token_of(ledger)
    record(ledger, [opened("1")], token=token)
    before = len(entries(ledger))
    note(ledger, "1", "mất điện cả xã", actor=LAN, cause="power")
    acknowledge(ledger, "1", at(3600), actor=LAN)
    record(ledger, [Altered("1", "unreachable", "upstream", None, {})], token=token)
    found = find_outage(ledger, "1")
    assert (found.cause, found.cause_by, found.note, found.noted_by) == ("power", "lan", "mất điện cả xã", "lan")
    assert (found.acked_until, found.acked_by, found.state) == (stamp(at(3600)), "lan", "unreachable")
    told = entries(ledger)[before:]
    assert [entry.action for entry in told] == ["outage.note", "outage.ack"]  # the watch's own writing is not in it
    assert json.loads(told[0].details) == {
        "outage": "1",
        "office": "an-bien",
        "note": "mất điện cả xã",
        "cause": "power",
    }
    assert list(verify(ledger)) == []
    with pytest.raises(UnknownOutageError):
        note(ledger, "2", "", actor=LAN)


def test_planned_work_is_known_until_it_is_over_or_cancelled(ledger: Ledger) -> None:
    work = plan(ledger, selector="under=an-bien", began=at(0), until=at(60), why="router", actor=LAN)
    later = plan(ledger, selector="dong-yen", began=at(-60), until=at(90), why="box", actor=LAN)
    assert [one.id for one in planned(ledger, at(10))] == [later, work]
    assert [one.id for one in planned(ledger, at(60))] == [later]
    cancel(ledger, later, actor=LAN)
    assert [one.id for one in planned(ledger, at(10))] == [work]
    with pytest.raises(UnknownOutageError, match="that could be cancelled"):
        cancel(ledger, later, actor=LAN)
    assert [entry.action for entry in entries(ledger)] == ["outage.plan", "outage.plan", "outage.cancel"]


def test_days_add_up_and_are_forgotten_in_time(ledger: Ledger) -> None:
    token = token_of(ledger)
    span = begin_span(ledger, NOON, token=token)
    half = Day("2026-11-25", "device", "box.dong-yen", up=30.5, asked=4, unanswered=1, trips=3, longest_trip=0.2)
    more = Day(
        "2026-11-25", "device", "box.dong-yen", up=1, down=2, asked=2, trips=2, trip_seconds=0.5, longest_trip=0.1
    )
    old = Day("2025-10-01", "office", "dong-yen", up=5)
    extend_span(ledger, span, at(10), [half, old], token=token)
    extend_span(ledger, span, at(20), [more], token=token)
    (found,) = days(ledger, "2026-11-01", "2026-11-30")
    assert (found.up, found.down, found.asked, found.unanswered) == (31.5, 2, 6, 1)
    assert (found.trips, found.trip_seconds, found.longest_trip) == (5, 0.5, 0.2)
    assert forget_before(ledger, "2025-10-25", token=token) == 1
    assert [day.node for day in days(ledger, "2000-01-01", "2100-01-01")] == ["box.dong-yen"]
    assert days(ledger, "2000-01-01", "2100-01-01", "office") == ()


def test_spans_tell_when_the_watch_was_on(ledger: Ledger) -> None:
    token = token_of(ledger)
    one = begin_span(ledger, at(0), token=token)
    extend_span(ledger, one, at(10), token=token)
    other = begin_span(ledger, at(30), token=token)
    extend_span(ledger, other, at(40), token=token)
    assert [(span.began, span.until) for span in spans(ledger, at(5), at(31))] == [
        (stamp(at(0)), stamp(at(10))),
        (stamp(at(30)), stamp(at(40))),
    ]
    assert spans(ledger, at(10), at(30)) == ()


def test_kill_9_keeps_what_was_written_and_the_next_watch_writes_at_once(place: Path | str, ledger: Ledger) -> None:
    words = [sys.executable, "-c", WRITE, str(place)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as watch:
        assert watch.stdout is not None
        assert watch.stdout.readline() == "open\n"
        os.kill(watch.pid, signal.SIGKILL)
        watch.wait(30)
    token = token_of(ledger)
    assert [one.id for one in open_outages(ledger)] == ["1"]
    record(ledger, [Closed("1", at(5))], token=token)
    assert open_outages(ledger) == ()


def test_a_ledger_from_before_outages_is_upgraded(place: Path | str) -> None:
    before = connect(place)
    upgrade(before, newest="0002")
    run = begin(before)
    intend(before, run, {"a": "f"})
    before.close()
    with open_ledger(place) as ledger:
        record(ledger, [opened("1")], token=token_of(ledger))
        assert [one.id for one in open_outages(ledger)] == ["1"]
