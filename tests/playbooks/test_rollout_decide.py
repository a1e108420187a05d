"""What a rollout does next: who begins, in which order, and when. An example for each rule."""

import time as clock
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from playbooks.rollout.decide import Decision, Waiting, decide
from playbooks.rollout.plan import Gate, Wave
from playbooks.rollout.situation import World
from playbooks.rollout.state import DeviceState, DeviceStatus, Kind, Result, State, Status
from tests.playbooks.rolled import ALL_AT_ONCE, ALWAYS, EVENING, GENEROUS, START, Played, plan_of, world

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


def test_what_would_last_beyond_its_window_waits_for_the_next() -> None:
    played = Played(world=world(hours={"a": ALWAYS, "b": replace(EVENING, takes=600.0)}))
    played.later(hours=3, minutes=51)
    assert played.begin() == ["a"]
    played.later(hours=21, minutes=9)
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
