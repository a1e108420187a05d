"""Runs and tasks, on each database: what is legal, what is told, what is refused."""

import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from ledger.audit import entries, verify
from ledger.connection import Ledger, open_ledger
from ledger.errors import IllegalMoveError, UnknownRunError
from ledger.evidence import RunAlteration, verify_runs
from ledger.history import counts, find_run, history, tasks, tasks_of_device, unfinished, unfinished_runs
from ledger.records import Actor, Move, stamp
from ledger.runs import begin_run, end_run, intend, interrupt, move, move_many
from ledger.states import MOVES, OPEN, SETTLED, Outcome, State
from tests.ledger.conftest import LAN, begin


def test_a_run_is_written_down_before_and_after(ledger: Ledger) -> None:
    run = begin(ledger)
    assert find_run(ledger, run).ended_at is None
    intend(ledger, run, {"box.dong-yen": "f1", "box.dong-thai": "f2"})
    assert [(task.device, task.state, task.before, task.began_at) for task in tasks(ledger, run)] == [
        ("box.dong-thai", State.INTENDED, "f2", None),
        ("box.dong-yen", State.INTENDED, "f1", None),
    ]
    move(ledger, run, "box.dong-yen", State.APPLYING, log="logs/1")
    move(ledger, run, "box.dong-yen", State.VERIFYING)
    done = move(ledger, run, "box.dong-yen", State.CHANGED, changes=4)
    assert (done.changes, done.log, done.began_at is None, done.ended_at is None) == (4, "logs/1", False, False)
    move(ledger, run, "box.dong-thai", State.UNREACHABLE, reason="no answer from port 22")
    end_run(ledger, run, Outcome.FAILED)
    found = find_run(ledger, run)
    assert (found.outcome, found.actor, found.command) == ("failed", LAN, "tuyen run baseline")
    assert tasks_of_device(ledger, "box.dong-yen") == (done,)
    assert tasks_of_device(ledger, "box.dong-thai")[0].reason == "no answer from port 22"


def test_the_audit_tells_who_did_what(ledger: Ledger) -> None:
    run = begin(ledger)
    intend(ledger, run, {"box.dong-yen": "f1"})
    move(ledger, run, "box.dong-yen", State.APPLYING)
    move(ledger, run, "box.dong-yen", State.FAILED, reason="đĩa đầy")
    end_run(ledger, run, Outcome.FAILED)
    told = entries(ledger)
    assert [entry.action for entry in told] == ["run.begin", "task.intend", "task.end", "run.end"]
    assert {entry.actor for entry in told} == {LAN}
    assert json.loads(told[2].details) == {
        "run": run,
        "device": "box.dong-yen",
        "state": "failed",
        "reason": "đĩa đầy",
        "changes": 0,
    }
    assert list(verify(ledger)) == []


ALTERED, GONE, UNKNOWN = (
    "it is not what was written",
    "it was there once, and is gone",
    "the audit trail knows nothing of it",
)


@pytest.mark.parametrize(
    ("statement", "altered"),
    [
        ("UPDATE task SET reason = 'all is well' WHERE device = 'a'", [("a", ALTERED)]),
        ("UPDATE task SET state = 'changed' WHERE device = 'a'", [("a", ALTERED)]),
        ("UPDATE task SET state = 'applying' WHERE device = 'a'", [("a", ALTERED)]),
        ("UPDATE task SET state = 'unchanged' WHERE device = 'c'", [("c", ALTERED)]),
        ("UPDATE task SET changes = 1 WHERE device = 'b'", [("b", ALTERED)]),
        ("UPDATE task SET before = 'f9' WHERE device = 'c'", [("c", ALTERED)]),
        ("UPDATE task SET device = 'd' WHERE device = 'b'", [("b", GONE), ("d", UNKNOWN)]),
        ("DELETE FROM task WHERE device = 'a'", [("a", GONE)]),
        ("UPDATE run SET job = 'patch'", [("", ALTERED)]),
        ("UPDATE run SET job_digest = 'x'", [("", ALTERED)]),
        ("UPDATE run SET plan_digest = 'x'", [("", ALTERED)]),
        ("UPDATE run SET command = 'tuyen'", [("", ALTERED)]),
        ("UPDATE run SET person = 'minh'", [("", ALTERED)]),
        ("UPDATE run SET account = 'minh'", [("", ALTERED)]),
        ("UPDATE run SET origin = '192.0.2.1'", [("", ALTERED)]),
        ("UPDATE run SET outcome = 'done'", [("", ALTERED)]),
    ],
)
def test_what_was_altered_behind_its_back_is_told(
    ledger: Ledger, statement: str, altered: list[tuple[str, str]]
) -> None:
    run = begin(ledger)
    intend(ledger, run, {"a": "f1", "b": "f2", "c": "f3"})
    move(ledger, run, "a", State.UNREACHABLE, reason="no answer")
    move(ledger, run, "b", State.APPLYING)
    move(ledger, run, "b", State.CHANGED, changes=4)
    assert list(verify_runs(ledger)) == []  # one is still under way
    move(ledger, run, "c", State.APPLYING)
    interrupt(ledger, run, reason="its controller is gone", actor=LAN)
    move(ledger, run, "c", State.FAILED, reason="learned later: \0 \ud800 đĩa đầy")
    assert list(verify_runs(ledger)) == []
    with ledger.write() as connection:
        connection.execute(text(statement))
    assert list(verify(ledger)) == []  # the chain itself was left alone
    assert list(verify_runs(ledger)) == [RunAlteration(run, device, why) for device, why in altered]


@pytest.mark.parametrize("before", State)
def test_every_move_that_the_table_lacks_is_refused(in_a_file: Ledger, before: State) -> None:
    way = {State.INTENDED: [], State.APPLYING: [State.APPLYING], State.VERIFYING: [State.APPLYING, State.VERIFYING]}
    steps = way.get(before, [before] if before in MOVES[State.INTENDED] else [State.APPLYING, before])
    run = begin(in_a_file)
    for after in State:
        device = f"box.{after}"
        intend(in_a_file, run, {device: ""})
        for step in steps:
            move(in_a_file, run, device, step)
        if after in MOVES[before]:
            assert move(in_a_file, run, device, after).state is after
            continue
        with pytest.raises(IllegalMoveError) as refused:
            move(in_a_file, run, device, after)
        assert str(refused.value) == f"{device}: a task that is '{before}' cannot become '{after}'"
        assert tasks_of_device(in_a_file, device)[0].state is before


def test_every_state_has_its_moves_and_only_lost_devices_may_be_found() -> None:
    assert set(MOVES) == set(State)
    assert {state for state in State if MOVES[state] and state not in OPEN} == {State.UNREACHABLE, State.INTERRUPTED}
    assert all(not MOVES[state] for state in SETTLED)


def test_many_moves_are_all_or_nothing(ledger: Ledger) -> None:
    run = begin(ledger)
    intend(ledger, run, {"a": "", "b": ""})
    with pytest.raises(IllegalMoveError, match="'intended' cannot become 'changed'"):
        move_many(ledger, run, [Move("a", State.APPLYING), Move("b", State.CHANGED)])
    with pytest.raises(IllegalMoveError, match=r"c: the run .* never intended to touch it"):
        move_many(ledger, run, [Move("a", State.APPLYING), Move("c", State.APPLYING)])
    assert {task.state for task in tasks(ledger, run)} == {State.INTENDED}
    moved = move_many(ledger, run, [Move("a", State.APPLYING), Move("b", State.REFUSED), Move("a", State.CHANGED)])
    assert [task.state for task in moved] == [State.APPLYING, State.REFUSED, State.CHANGED]
    assert [task.state for task in tasks(ledger, run)] == [State.CHANGED, State.REFUSED]


def test_an_armed_revert_is_remembered_until_the_device_has_settled(ledger: Ledger) -> None:
    run = begin(ledger)
    intend(ledger, run, {"router": "", "lost": ""})
    until = datetime(2026, 11, 25, 8, 30, tzinfo=UTC)
    for device in ("router", "lost"):
        move(ledger, run, device, State.APPLYING)
        assert move(ledger, run, device, State.APPLYING, revert_until=until).revert_until == stamp(until)
        assert move(ledger, run, device, State.VERIFYING).revert_until == "2026-11-25T08:30:00.000000Z"
    assert move(ledger, run, "router", State.CHANGED).revert_until is None
    assert move(ledger, run, "lost", State.UNREACHABLE).revert_until == stamp(until)
    end_run(ledger, run, Outcome.FAILED)
    assert move(ledger, run, "lost", State.REVERTED).revert_until is None  # learned after the run


def test_a_run_cannot_end_over_a_device_that_is_under_way(ledger: Ledger) -> None:
    run = begin(ledger)
    intend(ledger, run, {"a": ""})
    with pytest.raises(IllegalMoveError, match="cannot end: a is still under way"):
        end_run(ledger, run, Outcome.DONE)
    move(ledger, run, "a", State.UNCHANGED)
    end_run(ledger, run, Outcome.DONE)
    with pytest.raises(IllegalMoveError, match="has ended"):
        end_run(ledger, run, Outcome.DONE)
    with pytest.raises(IllegalMoveError, match="has ended"):
        intend(ledger, run, {"b": ""})


def test_an_unknown_run_is_named(ledger: Ledger) -> None:
    told = "the ledger knows no run never"
    with pytest.raises(UnknownRunError, match=told):
        find_run(ledger, "never")
    with pytest.raises(UnknownRunError, match=told):
        intend(ledger, "never", {"a": ""})
    with pytest.raises(UnknownRunError, match=told):
        move(ledger, "never", "a", State.APPLYING)


def test_what_a_dead_controller_left_is_found_and_interrupted(ledger: Ledger) -> None:
    alive, dead = begin(ledger, "patch"), begin(ledger)
    intend(ledger, alive, {"z": ""})
    intend(ledger, dead, {"a": "", "b": "", "c": ""})
    move(ledger, dead, "a", State.APPLYING)
    move_many(ledger, dead, [Move("b", State.APPLYING), Move("b", State.CHANGED)])
    assert [run.id for run in unfinished_runs(ledger, alive.__eq__)] == [dead]
    left = unfinished(ledger, alive.__eq__)
    assert [(task.device, task.state) for task in left] == [("a", State.APPLYING), ("c", State.INTENDED)]
    minh = Actor("minh", "minh", "local")
    marked = interrupt(ledger, dead, reason="the controller went away", actor=minh)
    assert [(task.device, task.state) for task in marked] == [("a", State.INTERRUPTED), ("c", State.INTERRUPTED)]
    assert interrupt(ledger, dead, reason="again", actor=minh) == ()
    assert find_run(ledger, dead).outcome == "interrupted"
    assert unfinished(ledger, alive.__eq__) == ()
    assert entries(ledger)[-1].actor == minh
    assert move(ledger, dead, "a", State.CHANGED, reason="it was at target").state is State.CHANGED
    assert list(verify(ledger)) == []


def test_history_is_newest_first_and_counts(ledger: Ledger) -> None:
    runs = []
    for number in range(4):
        runs.append(begin(ledger, f"job-{number}"))
        intend(ledger, runs[-1], {"a": "", f"b{number}": ""})
        time.sleep(0.002)  # an id holds milliseconds
    assert [run.id for run in history(ledger)] == runs[::-1]
    assert [run.job for run in history(ledger, limit=2)] == ["job-3", "job-2"]
    assert [run.job for run in history(ledger, "b1")] == ["job-1"]
    assert [task.run for task in tasks_of_device(ledger, "a", limit=2)] == [runs[3], runs[2]]
    move(ledger, runs[0], "a", State.UNCHANGED)
    assert counts(ledger, runs[:2]) == {
        runs[0]: {State.UNCHANGED: 1, State.INTENDED: 1},
        runs[1]: {State.INTENDED: 2},
    }


def test_the_clock_is_the_caller_s(tmp_path: Path) -> None:
    noon = datetime(2026, 11, 25, 12, 0, tzinfo=UTC).astimezone()
    times = iter(noon - timedelta(hours=hour) for hour in range(10))  # a clock that jumps back
    with open_ledger(tmp_path / "ledger.sqlite", clock=lambda: next(times)) as ledger:
        run = begin(ledger)
        intend(ledger, run, {"a": ""})
        assert run.startswith("20261125T120000000-")
        assert find_run(ledger, run).started_at == "2026-11-25T12:00:00.000000Z"
        assert [entry.at[11:13] for entry in entries(ledger)] == ["11", "09"]
        assert list(verify(ledger)) == []


def test_bytes_that_no_database_takes_are_replaced(ledger: Ledger) -> None:
    odd = os.fsdecode(b"tuyen run \xff\0")
    run = begin_run(ledger, job="x", job_digest="", plan_digest="", actor=Actor(odd, "a"), command=odd)
    intend(ledger, run, {"a": ""})
    move(ledger, run, "a", State.FAILED, reason=odd)
    assert find_run(ledger, run).command == "tuyen run \ufffd\ufffd"
    assert tasks(ledger, run)[0].reason == "tuyen run \ufffd\ufffd"
    assert list(verify(ledger)) == []


def test_two_hundred_devices_cost_well_under_a_second(ledger: Ledger) -> None:
    devices = {f"box.{number}": "f" for number in range(200)}
    began = time.process_time()
    run = begin(ledger)
    intend(ledger, run, devices)
    move_many(ledger, run, [Move(device, State.APPLYING) for device in devices])
    for device in devices:
        move(ledger, run, device, State.CHANGED)
    end_run(ledger, run, Outcome.DONE)
    assert time.process_time() - began < 1.0
