"""What a rollout does when devices fail: budgets, and what is put back."""

from datetime import timedelta

import pytest

from playbooks.rollout.decide import Waiting, put_back
from playbooks.rollout.plan import Gate, OnFailure, Wave
from playbooks.rollout.state import DeviceState, Kind, Result, State, Status
from tests.playbooks.rolled import ALL_AT_ONCE, EVENING, START, Played, plan_of, world

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
