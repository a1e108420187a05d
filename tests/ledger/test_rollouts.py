"""Rollouts and their events, on each database: written once, in order, never altered unseen."""

import hashlib
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import text

from ledger.audit import entries, verify
from ledger.connection import Ledger, open_ledger
from ledger.errors import IllegalMoveError, OutdatedError, UnknownRolloutError
from ledger.evidence import Alteration, verify_rollouts
from ledger.records import Actor, Draft, RolloutEvent
from ledger.rollout_history import (
    events,
    events_of_device,
    find_rollout,
    plan_of,
    rollouts,
    unended,
)
from ledger.rollouts import append, check_name, create
from tests.ledger.conftest import LAN

MINH = Actor("minh", "minh.tran")
PLAN = {"name": "agent-2", "waves": [{"name": "thử", "devices": ["box.dong-yen"]}], "parallel": 20, "ratio": 0.1}
ALTERED = "it is not what was written"
GONE = "it was there once, and is gone"
UNKNOWN = "the audit trail knows nothing of it"


class Kind(StrEnum):
    DISPATCHED = "dispatched"
    REPORTED = "reported"
    ENDED = "ended"


def planned(ledger: Ledger, name: str = "agent-2") -> str:
    """Write down a rollout as Lan plans it."""
    return create(ledger, name=name, job="one-stop-agent", plan=PLAN, actor=LAN)


def dispatched(*devices: str) -> list[Draft]:
    """Return what the loop writes before it touches devices."""
    return [Draft(Kind.DISPATCHED, device, details={"dispatch": f"{device}#1", "step": "apply"}) for device in devices]


def test_a_rollout_is_as_it_was_planned(ledger: Ledger) -> None:
    rollout = planned(ledger)
    found = find_rollout(ledger, rollout)
    assert (found.id, found.name, found.job, found.actor, found.ended_at) == (
        rollout,
        "agent-2",
        "one-stop-agent",
        LAN,
        None,
    )
    assert plan_of(ledger, rollout) == PLAN
    canonical = json.dumps(PLAN, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert found.plan_digest == hashlib.sha256(canonical.encode()).hexdigest()
    assert events(ledger, rollout) == ()


def test_events_are_kept_in_their_order_with_all_that_was_said(ledger: Ledger) -> None:
    rollout = planned(ledger)
    assert append(ledger, rollout, [Draft("started"), Draft("wave-began", wave=0)], actor=MINH) == (1, 2)
    assert append(ledger, rollout, dispatched("box.dong-yen"), actor=LAN) == (3,)
    assert append(ledger, rollout, [], actor=LAN) == ()
    found = events(ledger, rollout)
    assert [(event.seq, event.kind, event.device, event.wave, event.person) for event in found] == [
        (1, "started", "", -1, "minh"),
        (2, "wave-began", "", 0, "minh"),
        (3, "dispatched", "box.dong-yen", -1, "lan"),
    ]
    assert found[2] == RolloutEvent(
        rollout=rollout,
        seq=3,
        at=found[2].at,
        kind="dispatched",
        device="box.dong-yen",
        wave=-1,
        details={"dispatch": "box.dong-yen#1", "step": "apply"},
        person="lan",
        token=None,
    )
    assert events(ledger, rollout, after=2) == found[2:]
    assert events(ledger, rollout, after=3) == ()


def test_only_one_of_a_name_is_started_however_many_try_at_once(ledger: Ledger) -> None:
    waiting = Barrier(4)

    def start(_number: int) -> str:
        waiting.wait()
        try:
            return create(ledger, name="agent-2", job="a", plan=PLAN, actor=LAN, first=[Draft("started")])
        except IllegalMoveError as error:
            return str(error)

    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(start, range(4)))
    [made] = rollouts(ledger)
    told = f"agent-2 is under way already ({made.id}); look at it with: tuyen rollout status agent-2"
    assert sorted(said) == sorted([made.id, told, told, told])
    assert [event.kind for event in events(ledger, made.id)] == ["started"]
    assert not list(verify_rollouts(ledger))
    with pytest.raises(IllegalMoveError, match="is under way already"):
        check_name(ledger, "agent-2")
    check_name(ledger, "agent-3")
    append(ledger, made.id, [Draft(Kind.ENDED)], actor=LAN, ends=True)
    create(ledger, name="agent-2", job="a", plan=PLAN, actor=LAN, first=[Draft("started")])


def test_rollouts_are_found_by_id_and_by_name_newest_first(ledger: Ledger) -> None:
    made = []
    for name in ("agent-2", "agent-3", "agent-2"):
        made.append(planned(ledger, name))
        time.sleep(0.002)  # an id holds milliseconds
    assert [rollout.id for rollout in rollouts(ledger)] == made[::-1]
    assert [rollout.id for rollout in rollouts(ledger, limit=1)] == made[2:]
    assert [rollout.id for rollout in rollouts(ledger, name="agent-2")] == [made[2], made[0]]
    assert find_rollout(ledger, "agent-2").id == made[2]
    assert find_rollout(ledger, made[0]).id == made[0]
    named_as_another = planned(ledger, made[0])
    assert find_rollout(ledger, made[0]).id == made[0]
    assert find_rollout(ledger, named_as_another).name == made[0]


def test_what_happened_to_a_device_is_told_across_rollouts(ledger: Ledger) -> None:
    first = planned(ledger)
    append(ledger, first, dispatched("box.dong-yen", "box.dong-thai"), actor=LAN)
    time.sleep(0.002)
    second = planned(ledger)
    append(ledger, second, dispatched("box.dong-yen"), actor=LAN)
    append(ledger, second, [Draft(Kind.REPORTED, "box.dong-yen", details={"result": "done"})], actor=LAN)
    told = [(event.rollout, event.seq, event.kind) for event in events_of_device(ledger, "box.dong-yen")]
    assert told == [(second, 2, "reported"), (second, 1, "dispatched"), (first, 1, "dispatched")]
    assert [event.seq for event in events_of_device(ledger, "box.dong-yen", limit=1)] == [2]


def test_nothing_happens_after_the_end(ledger: Ledger) -> None:
    ended, going = planned(ledger), planned(ledger, "agent-3")
    append(ledger, ended, [Draft("started"), Draft(Kind.ENDED)], actor=LAN, ends=True)
    assert [rollout.id for rollout in unended(ledger)] == [going]
    assert find_rollout(ledger, ended).ended_at == events(ledger, ended)[1].at
    with pytest.raises(IllegalMoveError, match=f"the rollout {ended} has ended"):
        append(ledger, ended, [Draft("resumed")], actor=MINH)
    assert len(events(ledger, ended)) == 2


def test_what_has_ended_can_be_reopened_to_put_it_back(ledger: Ledger) -> None:
    rollout = planned(ledger)
    append(ledger, rollout, [Draft("started"), Draft(Kind.ENDED)], actor=LAN, ends=True)
    append(ledger, rollout, [Draft("rollback")], actor=MINH, reopens=True)
    assert find_rollout(ledger, rollout).ended_at is None
    assert not list(verify_rollouts(ledger))
    append(ledger, rollout, [Draft(Kind.ENDED)], actor=LAN, ends=True)
    assert find_rollout(ledger, rollout).ended_at == events(ledger, rollout)[3].at
    assert not list(verify_rollouts(ledger))


def test_a_decision_upon_events_that_are_not_the_newest_is_refused(ledger: Ledger) -> None:
    rollout = planned(ledger)
    append(ledger, rollout, [Draft("started")], actor=LAN, after=0)
    append(ledger, rollout, [Draft("aborted")], actor=MINH)
    with pytest.raises(OutdatedError, match=r"something has happened to the rollout .* meanwhile"):
        append(ledger, rollout, dispatched("box.dong-yen"), actor=LAN, after=1)
    assert append(ledger, rollout, [Draft("paused")], actor=LAN, after=2) == (3,)


def test_an_unknown_rollout_is_named(ledger: Ledger) -> None:
    for ask in (find_rollout, plan_of):
        with pytest.raises(UnknownRolloutError, match="the ledger knows no rollout never"):
            ask(ledger, "never")
    with pytest.raises(UnknownRolloutError, match="the ledger knows no rollout never"):
        append(ledger, "never", [Draft("started")], actor=LAN)
    assert entries(ledger) == ()


def test_the_audit_tells_a_wave_in_one_row(ledger: Ledger) -> None:
    rollout = planned(ledger)
    append(ledger, rollout, [Draft("wave-began", wave=0), *dispatched("a", "b", "c")], actor=LAN)
    append(ledger, rollout, [Draft("approved", wave=1, details={"signature": "…"})], actor=MINH)
    told = entries(ledger)
    assert [entry.action for entry in told] == [
        "rollout.create",
        "rollout.wave-began",
        "rollout.dispatched",
        "rollout.approved",
    ]
    wave = json.loads(told[2].details)
    assert [(event["seq"], event["device"]) for event in wave["events"]] == [(2, "a"), (3, "b"), (4, "c")]
    assert told[3].actor == MINH
    assert [*verify(ledger), *verify_rollouts(ledger)] == []


@pytest.mark.parametrize(
    ("statement", "altered"),
    [
        ("UPDATE rollout_event SET person = 'thu' WHERE seq = 3", [(3, ALTERED)]),
        ("UPDATE rollout_event SET wave = 2 WHERE seq = 3", [(3, ALTERED)]),
        ("UPDATE rollout_event SET at = '2020' WHERE seq = 1", [(1, ALTERED)]),
        ("UPDATE rollout_event SET kind = 'approved' WHERE seq = 1", [(1, ALTERED)]),
        ("UPDATE rollout_event SET device = 'box' WHERE seq = 2", [(2, ALTERED)]),
        ("UPDATE rollout_event SET token = 9 WHERE seq = 2", [(2, ALTERED)]),
        ("UPDATE rollout_event SET details = '{}' WHERE seq = 2", [(2, ALTERED)]),
        ("UPDATE rollout_event SET details = 'no json' WHERE seq = 2", [(2, ALTERED)]),
        ("DELETE FROM rollout_event WHERE seq = 3", [(3, GONE)]),
        ("UPDATE rollout_event SET seq = 4 WHERE seq = 3", [(3, GONE), (4, UNKNOWN)]),
        (
            "INSERT INTO rollout_event SELECT rollout, 5, at, 'approved', device, 2, details, 'thu', token"
            " FROM rollout_event WHERE seq = 3",
            [(5, UNKNOWN)],
        ),
        ("UPDATE rollout SET plan = replace(plan, '20', '90')", [(0, ALTERED)]),
        ("UPDATE rollout SET plan_digest = 'x'", [(0, ALTERED)]),
        ("UPDATE rollout SET author = 'minh'", [(0, ALTERED)]),
        ("UPDATE rollout SET ended_at = NULL", [(0, ALTERED)]),
    ],
)
def test_what_was_altered_behind_its_back_is_told(
    ledger: Ledger, statement: str, altered: list[tuple[int, str]]
) -> None:
    rollout = planned(ledger)
    append(ledger, rollout, [Draft("started"), *dispatched("box.dong-yen")], actor=LAN)
    append(ledger, rollout, [Draft("approved", wave=1)], actor=MINH, ends=True)
    assert list(verify_rollouts(ledger)) == []
    with ledger.write() as connection:
        connection.execute(text(statement))
    assert list(verify(ledger)) == []  # the chain itself was left alone
    assert list(verify_rollouts(ledger)) == [Alteration(rollout, seq, why) for seq, why in altered]


@pytest.mark.parametrize(
    "odd", ["\0", "\ud800", "đĩa đầy\n\x1b[2J", dict.fromkeys(map(chr, (0xDC80, 0xDCFF))), [1.5, None, True, 10**12]]
)
def test_what_devices_say_is_kept_as_far_as_a_database_can(ledger: Ledger, odd: Any) -> None:
    rollout = planned(ledger)
    append(ledger, rollout, [Draft(Kind.REPORTED, "box", details={"reason": odd})], actor=LAN)
    kept = events(ledger, rollout)[0].details["reason"]
    assert kept == odd or "\ufffd" in kept
    assert [*verify(ledger), *verify_rollouts(ledger)] == []


def test_a_clock_that_jumps_back_does_not_change_the_order(tmp_path: Path) -> None:
    noon = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
    times = iter(noon - timedelta(hours=hour) for hour in range(100))
    with open_ledger(tmp_path / "ledger.sqlite", clock=lambda: next(times)) as ledger:
        rollout = planned(ledger)
        for kind in ("started", "paused", "resumed"):
            append(ledger, rollout, [Draft(kind)], actor=LAN)
        assert [event.kind for event in events(ledger, rollout)] == ["started", "paused", "resumed"]
        assert list(verify_rollouts(ledger)) == []


def test_a_thousand_events_cost_well_under_a_second(ledger: Ledger) -> None:
    rollout = planned(ledger)
    devices = [f"box.{number}" for number in range(500)]
    began = time.process_time()
    append(ledger, rollout, dispatched(*devices), actor=LAN)
    append(ledger, rollout, [Draft(Kind.REPORTED, device, details={"result": "done"}) for device in devices], actor=LAN)
    assert len(events(ledger, rollout)) == 1000
    assert time.process_time() - began < 0.5
    assert len(entries(ledger)) == 3


def test_events_that_are_written_one_by_one_cost_a_few_milliseconds(ledger: Ledger) -> None:
    rollout = planned(ledger)
    began = time.process_time()
    for number in range(200):
        append(ledger, rollout, dispatched(f"box.{number}"), actor=LAN)
    assert time.process_time() - began < 1.0
