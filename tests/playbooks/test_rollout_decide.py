"""What a rollout does next: an example for each rule."""

import time as clock
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from inventory.windows import Hours, Window
from playbooks.rollout.decide import Decision, Waiting, decide, put_back
from playbooks.rollout.plan import Gate, OnFailure, Wave
from playbooks.rollout.situation import World
from playbooks.rollout.state import DeviceState, DeviceStatus, Kind, Result, State, Status
from tests.playbooks.rolled import ALWAYS, START, Played, plan_of

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
EVENING = Hours((Window(frozenset(range(7)), time(20), time(23)),), (), HANOI)  # opens an hour after START
ALL_AT_ONCE = (Wave("all", tuple("abcdefgh")),)
GENEROUS = Gate(bake=600, budget_devices=8)


def world(**over: object) -> World:
    return replace(World(dict.fromkeys("abcdefgh", ALWAYS)), **over)  # type: ignore[arg-type]


# Who may begin anything


def test_nothing_begins_before_the_start_and_after_the_end() -> None:
    played = Played(started=False)
    assert played.decide() == Decision(waiting_for=Waiting.START)
    played.write(Kind.STARTED)
    assert played.begin() == ["a", "b"]
    played.write(Kind.ENDED)
    assert played.decide() == Decision()


@pytest.mark.parametrize("kind", [Kind.PAUSED, Kind.GATE_FAILED])
def test_what_stands_waits_for_a_person_until_the_end_date(kind: Kind) -> None:
    played = Played()
    played.begin()
    played.write(kind, wave=0)
    until = datetime.fromisoformat(played.plan.until)
    assert played.decide() == Decision(until=until, waiting_for=Waiting.PERSON)
    played.now = until
    assert played.settle() == Decision(waiting_for=Waiting.PERSON)
    assert played.status() is not Status.ENDED
    played.report("ab")
    played.settle()
    assert played.status() is Status.ENDED
    assert played.how("abch") == ["done", "done", "not-done", "not-done"]


def test_an_aborted_rollout_ends_when_those_at_work_are_back() -> None:
    played = Played()
    played.begin()
    played.write(Kind.ABORTED)
    assert played.decide() == Decision(waiting_for=Waiting.DEVICES)
    played.report("ab")
    played.settle()
    assert played.status() is Status.ENDED


# Waves and approvals


def test_a_wave_begins_when_others_than_the_author_agreed_and_each_counts_once() -> None:
    played = Played(plan_of(waves=(Wave("canary", ("a",), approvals=2), Wave("rest", tuple("bcdefgh")))))
    assert played.begin() == []
    assert played.decide().waiting_for is Waiting.APPROVAL
    for person in ("lan", "minh", "minh", ""):
        played.write(Kind.APPROVED, wave=0, person=person)
        assert played.begin() == []
    played.write(Kind.APPROVED, wave=0, person="hoa")
    assert played.begin() == ["a"]


def test_the_next_wave_waits_for_the_gate_and_then_for_approval() -> None:
    played = Played()
    played.report("".join(played.begin()))
    assert played.settle().waiting_for is Waiting.BAKE
    assert played.begin() == []
    played.write(Kind.GATE_PASSED, wave=0)
    assert played.decide().waiting_for is Waiting.APPROVAL
    played.write(Kind.APPROVED, wave=1, person="minh")
    assert played.begin() == ["c", "d", "e"]


def test_all_waves_one_after_the_other_and_then_the_end() -> None:
    played = Played(plan_of(waves=tuple(replace(wave, approvals=0) for wave in plan_of().waves)))
    for _wave in range(3):
        played.pass_wave()
    assert played.settle() == Decision()
    assert played.kinds() == [
        *("started", "wave-began", "dispatched", "dispatched", "reported", "reported", "baking", "gate-passed"),
        *("wave-began", *["dispatched"] * 3, *["reported"] * 3, "baking", "gate-passed") * 2,
        "ended",
    ]


# Limits


def test_limits_count_those_at_work() -> None:
    played = Played(plan_of(waves=ALL_AT_ONCE, parallel=5, per_uplink=3))
    assert played.begin() == ["a", "b", "c", "e", "f"]  # d would be the fourth in the north
    assert played.begin() == []
    assert played.decide().waiting_for is Waiting.DEVICES
    played.report("e")
    assert played.begin() == ["g"]
    played.report("a")
    assert played.begin() == ["d"]


# Windows


def test_devices_outside_of_their_window_hold_the_wave_up_until_it_opens() -> None:
    played = Played(world=world(hours={"a": ALWAYS, "b": EVENING}))
    assert played.begin() == ["a"]
    played.report("a")
    assert played.begin() == []
    decision = played.decide()
    assert decision.waiting_for is Waiting.WINDOW
    assert decision.until == min(START + timedelta(hours=1), START + timedelta(seconds=played.world.probe_interval))
    played.later(minutes=59, seconds=59)
    assert played.begin() == []
    played.later(seconds=1)
    assert played.begin() == ["b"]


def test_a_device_without_hours_may_be_worked_on_at_any_time() -> None:
    assert Played(world=world(hours={})).begin() == ["a", "b"]


# Devices that are owed


def test_a_device_that_does_not_answer_is_tried_after_longer_and_longer_pauses() -> None:
    played = Played(plan_of(gate=GENEROUS))
    assert played.begin() == ["a", "b"]
    played.report("b")
    pauses = []
    for _try in range(9):
        played.report("a", Result.UNREACHABLE)
        tried = played.now
        while played.begin() != ["a"]:
            played.later(seconds=30)
        pauses.append((played.now - tried).total_seconds())
    assert pauses == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]


def test_the_wave_goes_on_without_those_that_are_owed_and_they_catch_up_in_their_window() -> None:
    played = Played(plan_of(gate=GENEROUS), world=world(hours={"a": EVENING}))
    played.later(hours=3, minutes=59)
    assert played.begin() == ["a", "b"]
    played.report("b")
    played.report("a", Result.UNREACHABLE)
    played.pass_wave()
    assert played.how("a") == ["owed"]
    played.write(Kind.APPROVED, wave=1, person="minh")
    played.later(minutes=5)
    assert played.begin() == ["c", "d", "e"]  # the window of a closed at 23:00
    played.later(hours=20, minutes=55)
    assert played.begin() == []
    played.later(minutes=1)
    assert played.begin() == ["a"]


def test_fresh_devices_come_before_those_that_are_owed_and_of_these_the_longest_due() -> None:
    played = Played(plan_of(waves=ALL_AT_ONCE, gate=GENEROUS, parallel=4))
    assert played.begin() == list("abcd")
    played.report("b", Result.UNREACHABLE)
    played.later(seconds=1)
    played.report("a", Result.UNREACHABLE)
    assert played.begin() == ["e", "f"]
    played.report("cdef")
    played.later(hours=1)
    assert played.begin() == ["g", "h", "b", "a"]


def test_a_postponed_device_does_not_count_against_the_budget_and_waits_as_long_as_was_said() -> None:
    played = Played()
    played.settle()
    played.write(Kind.POSTPONED, "a", why="on battery", until=(START + timedelta(minutes=10)).isoformat())
    assert played.begin() == ["b"]
    played.report("b")
    assert played.settle().waiting_for is Waiting.BAKE
    assert played.begin() == []
    played.later(minutes=10)
    assert played.begin() == ["a"]


def test_a_wave_that_is_only_postponed_says_nothing_so_that_it_does_not_bake() -> None:
    played = Played()
    played.settle()
    for device in "ab":
        played.write(Kind.POSTPONED, device, why="on battery", until=(START + timedelta(minutes=10)).isoformat())
    decision = played.settle()
    assert decision.waiting_for is Waiting.OWED
    assert decision.until == START + timedelta(minutes=10)
    assert "baking" not in played.kinds()


def test_a_clock_that_was_put_back_does_not_keep_devices_waiting() -> None:
    played = Played(plan_of(gate=GENEROUS))
    played.begin()
    played.report("b")
    played.report("a", Result.UNREACHABLE)
    played.later(seconds=-30)  # as clocks differ: it waits twice the pause at most
    assert played.begin() == []
    played.later(days=-3)
    assert played.begin() == ["a"]


# The budget


@pytest.mark.parametrize("result", [Result.FAILED, Result.UNREACHABLE, Result.LOST, Result.REVERTED])
def test_one_failure_more_than_the_budget_stops_at_once(result: Result) -> None:
    played = Played(plan_of(waves=ALL_AT_ONCE, gate=Gate(budget_devices=2), parallel=4))
    played.begin()
    played.report("ab", result)
    assert played.begin() == ["e", "f"]
    played.report("c", result)
    assert played.begin() == []
    assert (played.status(), played.state.wave) == (Status.FAILED, 0)
    assert played.state.reason == "wave all: 3 of 8 devices failed or did not answer, 2 may"


def test_a_wave_that_passed_fails_the_rollout_when_its_late_ones_fail() -> None:
    played = Played(plan_of(waves=(Wave("some", tuple("abc")), Wave("rest", tuple("defgh"))), parallel=3))
    played.settle()
    played.write(Kind.POSTPONED, "a", why="on battery", until=START.isoformat())
    played.write(Kind.POSTPONED, "b", why="on battery", until=(START + timedelta(hours=1)).isoformat())
    played.report("".join(played.begin()))
    played.pass_wave()
    assert played.begin() == ["d", "e", "f"]
    played.later(hours=1)
    played.report("def")
    assert played.begin() == ["g", "h", "b"]
    played.report("b", Result.FAILED)
    assert played.begin() == []
    failed = played.events[-1]
    assert (failed.kind, failed.wave) == (Kind.GATE_FAILED, 1)
    assert played.state.reason == "wave some: 1 of 3 devices failed or did not answer, 0 may"


def test_who_goes_on_after_a_failure_accepts_what_had_failed_but_not_what_fails_then() -> None:
    played = Played(plan_of(waves=ALL_AT_ONCE, gate=Gate(budget_devices=1), parallel=3))
    played.begin()
    played.report("ab", Result.FAILED)
    played.begin()
    assert played.status() is Status.FAILED
    played.write(Kind.RESUMED)
    assert played.begin() == ["d", "e"]
    played.report("c", Result.FAILED)
    assert played.begin() == ["f"]
    played.report("d", Result.FAILED)
    assert played.begin() == []
    assert played.status() is Status.FAILED


def test_what_failed_during_a_pause_stops_it_when_it_goes_on() -> None:
    played = Played()
    played.begin()
    played.write(Kind.PAUSED)
    played.report("a", Result.FAILED)
    played.settle()
    assert played.status() is Status.PAUSED
    played.write(Kind.RESUMED)
    assert played.begin() == []
    assert played.status() is Status.FAILED


# What is put back


def failed_in_the_second_wave(on_failure: OnFailure) -> Played:
    """Return one whose wave c, d, e has failed: d failed, e was away, c is at work; a is done, b was so before."""
    played = Played(plan_of(waves=(Wave("one", ("a", "b")), Wave("two", tuple("cde"))), on_failure=on_failure))
    played.begin()
    played.report("a")
    played.report("b", changed=False)
    played.pass_wave()
    played.begin()
    played.report("e", Result.UNREACHABLE)
    played.report("d", Result.FAILED)
    return played


@pytest.mark.parametrize(
    ("on_failure", "put_back_at_once", "after_c_is_done"),
    [
        (OnFailure.STOP, [], []),
        (OnFailure.DEVICE, ["d back"], []),
        (OnFailure.WAVE, ["d back"], ["c back"]),
        (OnFailure.ALL, ["a back", "d back"], ["c back"]),
    ],
)
def test_what_is_put_back_when_a_gate_fails(
    on_failure: OnFailure, put_back_at_once: list[str], after_c_is_done: list[str]
) -> None:
    played = failed_in_the_second_wave(on_failure)
    assert played.begin() == put_back_at_once
    played.report("c")
    assert played.begin() == after_c_is_done
    for device in (*put_back_at_once, *after_c_is_done):
        played.report(device[0])
        assert played[device[0]].state is DeviceState.ROLLED_BACK
    played.settle()
    assert played.status() is (Status.FAILED if on_failure is OnFailure.STOP else Status.ENDED)


def test_with_rollback_of_devices_one_that_fails_while_others_are_put_back_is_put_back_too() -> None:
    played = failed_in_the_second_wave(OnFailure.DEVICE)
    played.report("".join(name[0] for name in played.begin()))
    assert played.how("d") == ["rolled-back"]
    assert played.settle().waiting_for is Waiting.DEVICES  # c is at work, so that it has not ended
    played.report("c", Result.FAILED)
    assert played.begin() == ["c back"]


def test_within_the_budget_a_device_that_fails_is_put_back_alone_and_still_counts() -> None:
    gate = Gate(budget_devices=1)
    played = Played(plan_of(waves=ALL_AT_ONCE, gate=gate, on_failure=OnFailure.DEVICE, parallel=2))
    played.begin()
    played.report("a", Result.FAILED)
    assert played.begin() == ["a back"]
    played.report("a", Result.UNREACHABLE)
    assert played.begin() == ["c"]
    played.report("c")
    played.later(minutes=1)
    assert played.begin() == ["a back"]
    played.report("a")
    assert played.how("a") == ["rolled-back"]
    assert played.status() is Status.RUNNING
    played.report("b", Result.FAILED)
    played.settle()
    assert "gate-failed" in played.kinds()


def test_a_device_that_returned_by_itself_is_not_put_back_again() -> None:
    played = Played(plan_of(gate=Gate(budget_devices=1), on_failure=OnFailure.DEVICE))
    played.begin()
    played.report("a", Result.REVERTED)
    assert played.begin() == []


def test_a_device_that_failed_is_not_put_back_when_a_newer_rollout_has_it() -> None:
    played = Played(plan_of(gate=Gate(budget_devices=1), on_failure=OnFailure.DEVICE))
    played.begin()
    played.report("a", Result.FAILED)
    played.world = world(newer=frozenset("a"))
    assert played.begin() == []


def test_a_rollback_minds_limits_and_no_windows_and_comes_back_to_those_that_are_away() -> None:
    played = Played(plan_of(waves=ALL_AT_ONCE, parallel=3, per_uplink=2), world=world(hours={}))
    for _turn in range(4):
        played.report("".join(played.begin()))
    assert set(played.how("abcdefgh")) == {"done"}
    played.world = world(hours=dict.fromkeys("abcdefgh", EVENING))
    played.write(Kind.ROLLBACK, devices=["h", "b", "a", "c"])
    assert played.begin() == ["a back", "b back", "h back"]
    played.report("a")
    played.report("b", Result.UNREACHABLE)
    played.report("h", Result.FAILED)
    assert played.begin() == ["c back"]
    played.report("c")
    decision = played.settle()
    assert (decision.waiting_for, decision.until) == (Waiting.OWED, START + timedelta(minutes=1))
    played.later(minutes=1)
    assert played.begin() == ["b back"]
    played.report("b")
    played.settle()
    assert played.status() is Status.ENDED
    assert played.how("abch") == ["rolled-back", "rolled-back", "rolled-back", "failed"]


def test_a_rollback_after_the_end_date_tries_each_once() -> None:
    played = Played(plan_of(waves=(Wave("all", ("a", "b")),)))
    played.pass_wave()
    played.settle()
    assert played.status() is Status.ENDED
    played.later(days=90)
    played.write(Kind.ROLLBACK, devices=["a", "b"])
    assert played.begin() == ["a back", "b back"]
    played.report("a")
    played.report("b", Result.UNREACHABLE)
    played.settle()
    assert played.status() is Status.ENDED
    assert played.how("ab") == ["rolled-back", "not-done"]


def test_a_rollback_that_is_aborted_leaves_the_rest() -> None:
    played = Played(plan_of(waves=(Wave("all", ("a", "b")),), parallel=1))
    played.pass_wave()
    played.report("".join(played.begin()))
    played.write(Kind.ROLLBACK, devices=["a", "b"])
    assert played.begin() == ["a back"]
    played.write(Kind.ABORTED)
    played.report("a")
    assert played.begin() == []
    assert played.status() is Status.ENDED
    assert played.how("ab") == ["rolled-back", "done"]


def test_put_back_of_nothing() -> None:
    assert put_back(plan_of(), State(), OnFailure.WAVE) == ()
    assert put_back(plan_of(), State(), OnFailure.STOP) == ()


# The gate


def test_the_gate_is_looked_at_every_interval_and_judged_at_the_end_of_the_bake() -> None:
    played = Played()
    played.begin()
    assert not played.decide().look
    played.report("a")
    looks = []
    for second in range(0, 200, 20):
        if played.decide().look:
            looks.append(second)
            played.begin()
        played.later(seconds=20)
    assert looks == [0, 60, 120, 180]
    played.report("b")
    played.settle()
    began = played.now
    while not played.decide().judge:
        assert played.decide().until is not None
        played.later(seconds=20)
    assert played.now == began + timedelta(seconds=600)
    assert played.decide().look


def test_without_probes_and_query_only_the_end_of_the_bake_is_judged() -> None:
    played = Played(plan_of(gate=Gate(bake=600, probes=False)))
    played.report("".join(played.begin()))
    decision = played.settle()
    assert (decision.look, decision.until) == (False, START + timedelta(seconds=600))
    played.later(seconds=600)
    assert (played.decide().look, played.decide().judge) == (True, True)


def test_a_look_that_lies_ahead_was_before_the_clock_was_put_back() -> None:
    played = Played(world=world(looked=START + timedelta(days=2)))
    played.begin()
    played.report("a")
    assert played.decide().look


def test_a_bake_that_lies_ahead_begins_again() -> None:
    played = Played()
    played.report("".join(played.begin()))
    played.settle()
    played.later(days=-2)
    decision = played.settle()
    assert not decision.judge
    assert played.state.baking_since == played.now.isoformat()
    played.later(seconds=600)
    assert played.decide().judge


def test_a_bake_goes_on_after_a_pause() -> None:
    played = Played()
    played.report("".join(played.begin()))
    played.settle()
    played.later(seconds=600)
    played.write(Kind.PAUSED, why="the gate cannot be asked")
    assert not played.decide().look
    played.write(Kind.RESUMED)
    assert played.decide().judge


# The end


def test_after_the_last_wave_those_that_are_owed_are_tried_until_the_end_date() -> None:
    played = Played(plan_of(waves=ALL_AT_ONCE, gate=GENEROUS))
    played.begin()
    played.report("abcdef")
    played.report("gh", Result.UNREACHABLE)
    played.settle()
    played.write(Kind.GATE_PASSED, wave=0)
    assert played.settle().waiting_for is Waiting.OWED
    played.later(days=29)
    assert played.begin() == ["g", "h"]
    played.report("g")
    played.later(days=1)
    assert played.begin() == []
    assert played.status() is Status.RUNNING
    played.report("h", Result.UNREACHABLE)
    played.settle()
    assert played.status() is Status.ENDED
    assert played.how("agh") == ["done", "done", "not-done"]


def test_at_the_end_date_what_was_never_begun_is_not_done() -> None:
    played = Played()
    played.begin()
    played.report("ab")
    played.later(days=30)
    played.settle()
    assert played.status() is Status.ENDED
    assert played.how("abcdefgh") == ["done", "done", *["not-done"] * 6]


def test_a_newer_rollout_takes_what_is_not_done_and_keeps_what_it_has() -> None:
    played = Played(plan_of(waves=(Wave("one", ("a", "b")), Wave("two", tuple("cd"))), on_failure=OnFailure.ALL))
    played.begin()
    played.report("ab")
    played.pass_wave()
    played.world = world(newer=frozenset("ac"))
    assert played.begin() == ["d"]
    assert played.how("ac") == ["done", "superseded"]
    played.report("d", Result.FAILED)
    assert played.begin() == ["b back", "d back"]  # not a: the newer one may have changed it since
    played.write(Kind.ROLLBACK, devices=["a"])
    assert played.begin() == []
    assert played.how("a") == ["superseded"]


def test_when_newer_rollouts_have_all_of_it_nobody_is_asked_for_approval() -> None:
    played = Played(world=world(newer=frozenset("cdefgh")))
    played.pass_wave()
    played.settle()
    assert played.status() is Status.ENDED


# Speed


def test_a_decision_on_a_thousand_devices_takes_a_few_milliseconds() -> None:
    names = [f"box.{number}" for number in range(1000)]
    waves = tuple(Wave(str(start), tuple(names[start : start + 100])) for start in range(0, 1000, 100))
    plan = plan_of(
        waves=waves, gate=Gate(budget_ratio=1), parallel=20, uplinks={n: n[-2:] for n in names}, per_uplink=2
    )
    tried = DeviceStatus(DeviceState.OWED, "d", "apply", tries=3, missed=3, at=START.isoformat())
    devices = {name: tried if number % 3 else DeviceStatus(DeviceState.DONE) for number, name in enumerate(names)}
    state = State(Status.RUNNING, wave=9, devices=devices, passed=frozenset(range(9)), baking_since=START.isoformat())
    around = World(dict.fromkeys(names, EVENING))
    now = datetime(2026, 11, 25, 14, 0, tzinfo=UTC)
    spent = []
    for _turn in range(20):
        before = clock.perf_counter()
        assert len(decide(plan, state, now, around).dispatches) == 20
        spent.append(clock.perf_counter() - before)
    assert min(spent) < 0.01, f"{min(spent) * 1000:.1f} ms"
