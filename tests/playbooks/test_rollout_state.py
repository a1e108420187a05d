"""The state of a rollout: what each event makes of it, and that no list of events can break it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.rollout.plan import Gate, OnFailure, dump_rollout, load_rollout
from playbooks.rollout.state import DeviceState, Event, Kind, Result, State, Status, evolve, fold, initial
from tests.playbooks.rolled import START, Played, plan_of

PLAN = plan_of()
AT = START.isoformat()
DETAILS = st.fixed_dictionaries(
    {},
    optional={
        "dispatch": st.sampled_from(["d1", "d2", 3]),
        "step": st.sampled_from(["apply", "rollback", "dance"]),
        "result": st.sampled_from([*map(str, Result), "strange", None]),
        "changed": st.sampled_from([True, False, None]),
        "reason": st.text(max_size=3),
        "why": st.text(max_size=3),
        "until": st.just(AT),
        "person": st.sampled_from(["lan", "minh", ""]),
        "devices": st.sampled_from([["a", "c"], ("zz", 5), [["a"]], "a", None, 7]),
    },
)
EVENTS = st.lists(
    st.builds(
        Event,
        seq=st.integers(1, 99),
        at=st.just(AT),
        kind=st.sampled_from(Kind),
        device=st.sampled_from(["", "a", "b", "c", "nobody"]),
        wave=st.integers(-2, 4),
        details=DETAILS,
    ),
    max_size=40,
)


@given(EVENTS)
def test_evolve_is_total_and_fold_a_function_of_the_list(events: list[Event]) -> None:
    state = fold(PLAN, events)
    assert state == fold(PLAN, tuple(events))
    assert state.seq == (events[-1].seq if events else 0)
    assert state.devices.keys() == set(PLAN.devices)
    assert set(state.to_roll_back) <= set(PLAN.devices)
    assert all(state.devices[device].to_be_put_back or state.devices[device].touched for device in state.to_roll_back)
    assert state.passed <= set(range(state.wave + 1))


@given(EVENTS, st.integers(0, 40))
def test_a_fold_that_was_interrupted_goes_on_where_it_was(events: list[Event], cut: int) -> None:
    state = fold(PLAN, events[:cut])
    for event in events[cut:]:
        state = evolve(state, event)
    assert state == fold(PLAN, events)


@given(EVENTS)
def test_what_was_done_is_not_dispatched_again_and_what_is_at_work_stays_with_its_dispatch(events: list[Event]) -> None:
    state = initial(PLAN)
    for event in events:
        before, state = state, evolve(state, event)
        for device, was in before.devices.items():
            now = state.devices[device]
            if was.state is DeviceState.AT_WORK and now.state is DeviceState.AT_WORK:
                assert now == was
            if was.state is DeviceState.DONE and now.state is DeviceState.AT_WORK:
                assert now.step == "rollback"


def test_events_survive_json() -> None:
    played = Played()
    played.begin()
    played.report("ab", Result.FAILED)
    played.settle()
    assert played.read_back() == played.state


def test_a_plan_survives_json_and_its_digest_tells_changes() -> None:
    plan = plan_of(gate=Gate(bake=5, budget_ratio=0.1), on_failure=OnFailure.ALL)
    again = load_rollout(json.loads(json.dumps(dump_rollout(plan))))
    assert again == plan
    assert again.digest == plan.digest != PLAN.digest
    assert [plan.wave_of(device) for device in plan.devices] == [0, 0, 1, 1, 1, 2, 2, 2]


@pytest.mark.parametrize(
    ("gate", "size", "allowed"),
    [
        (Gate(), 100, 0),
        (Gate(budget_devices=2), 1, 2),
        (Gate(budget_ratio=0.05), 19, 0),
        (Gate(budget_ratio=0.05), 20, 1),
        (Gate(budget_ratio=0.29), 100, 29),
        (Gate(budget_devices=2, budget_ratio=0.05), 145, 7),
    ],
)
def test_the_larger_budget_holds_and_a_part_of_a_device_is_none(gate: Gate, size: int, allowed: int) -> None:
    assert gate.budget(size) == allowed


STEPS = [  # status before, event, status after
    (Status.PLANNED, Kind.STARTED, Status.RUNNING),
    (Status.PLANNED, Kind.RESUMED, Status.PLANNED),
    (Status.PLANNED, Kind.ABORTED, Status.ABORTED),
    (Status.PLANNED, Kind.ROLLBACK, Status.PLANNED),
    (Status.RUNNING, Kind.PAUSED, Status.PAUSED),
    (Status.PAUSED, Kind.RESUMED, Status.RUNNING),
    (Status.FAILED, Kind.RESUMED, Status.RUNNING),
    (Status.FAILED, Kind.PAUSED, Status.FAILED),
    (Status.ROLLING_BACK, Kind.RESUMED, Status.ROLLING_BACK),
    (Status.ABORTED, Kind.RESUMED, Status.ABORTED),
    (Status.ABORTED, Kind.STARTED, Status.ABORTED),
    (Status.ABORTED, Kind.ROLLBACK, Status.ROLLING_BACK),
    (Status.ABORTED, Kind.ENDED, Status.ENDED),
    (Status.ENDED, Kind.STARTED, Status.ENDED),
    (Status.ENDED, Kind.ABORTED, Status.ENDED),
    (Status.ENDED, Kind.ROLLBACK, Status.ROLLING_BACK),
]


@pytest.mark.parametrize(("before", "kind", "after"), STEPS)
def test_what_a_rollout_becomes(before: Status, kind: Kind, after: Status) -> None:
    state = State(status=before, devices=initial(PLAN).devices)
    assert evolve(state, Event(1, AT, kind)).status is after


RESULTS: list[tuple[Result, dict[str, Any], DeviceState, bool, bool]] = [  # and: touched, failing
    (Result.DONE, {}, DeviceState.DONE, True, False),
    (Result.DONE, {"changed": False}, DeviceState.DONE, False, False),
    (Result.FAILED, {}, DeviceState.FAILED, True, True),
    (Result.FAILED, {"changed": False}, DeviceState.FAILED, False, True),
    (Result.UNREACHABLE, {}, DeviceState.OWED, False, True),
    (Result.LOST, {}, DeviceState.OWED, True, True),
    (Result.REVERTED, {}, DeviceState.FAILED, False, True),
]


@pytest.mark.parametrize(("result", "details", "state", "touched", "failing"), RESULTS)
def test_what_a_report_makes_of_a_device(
    result: Result, details: dict[str, Any], state: DeviceState, touched: bool, failing: bool
) -> None:
    played = Played()
    played.begin()
    assert not played["a"].failing
    played.report("a", result, **details)
    assert (played["a"].state, played["a"].touched, played["a"].failing) == (state, touched, failing)


def test_a_report_of_another_dispatch_changes_nothing() -> None:
    played = Played()
    played.begin()
    before = played.state.devices
    played.write(Kind.REPORTED, "a", dispatch="of another life", result="done", reason="")
    assert played.state.devices == before


def test_a_device_that_is_tried_again_still_counts_until_it_is_done() -> None:
    played = Played(plan_of(gate=Gate(budget_devices=2)))
    played.begin()
    played.report("a", Result.UNREACHABLE)
    played.later(hours=1)
    assert played.begin() == ["a"]
    assert played["a"].failing
    played.report("a")
    assert not played["a"].failing
    assert (played["a"].tries, played["a"].missed) == (2, 0)


def test_a_gate_passes_only_while_it_bakes() -> None:
    played = Played()
    played.begin()
    played.write(Kind.GATE_PASSED, wave=0)
    assert not played.state.passed
    played.report("ab")
    played.settle()
    played.write(Kind.GATE_PASSED, wave=1)
    assert not played.state.passed
    played.write(Kind.GATE_PASSED, wave=0)
    assert played.state.passed == {0}


def test_a_wave_does_not_begin_before_the_one_before_has_passed() -> None:
    played = Played()
    played.begin()
    played.write(Kind.WAVE_BEGAN, wave=1)
    played.write(Kind.WAVE_BEGAN, wave=2)
    assert played.state.wave == 0


def test_a_rollback_leaves_out_what_holds_nothing() -> None:
    played = Played()
    played.begin()
    played.report("a")
    played.write(Kind.ROLLBACK, devices=["c", "b", "a", "nobody"])
    assert played.to_put_back() == ["b", "a"]
    played.report("b", Result.UNREACHABLE)
    assert played.to_put_back() == ["a"]
    played.write(Kind.ROLLBACK, devices=["a"])
    assert played.to_put_back() == ["a"]
    assert played.begin() == ["a back"]
    played.report("a")
    assert played.to_put_back() == []
    assert played["a"].state is DeviceState.ROLLED_BACK
    played.write(Kind.ROLLBACK, devices=["a"])
    assert played.to_put_back() == []


def test_why_a_device_was_put_back_is_still_told_when_it_is() -> None:
    played = Played()
    played.begin()
    played.write(Kind.REPORTED, "a", dispatch=played["a"].dispatch, result="failed", reason="no such module")
    played.report("b")
    played.write(Kind.ROLLBACK, devices=["a", "b"])
    played.begin()
    played.report("ab")
    assert [(played[one].state, played[one].reason) for one in "ab"] == [
        (DeviceState.ROLLED_BACK, "no such module"),
        (DeviceState.ROLLED_BACK, ""),
    ]


@pytest.mark.parametrize("step", ["apply", "rollback"])
def test_what_is_at_work_is_not_dispatched_again(step: str) -> None:
    played = Played(plan_of(gate=Gate(budget_devices=2)))
    played.begin()
    played.report("a", Result.LOST)
    played.later(hours=1)
    assert played.begin() == ["a"]
    before = played["a"]
    played.write(Kind.DISPATCHED, "a", dispatch="of another life", step=step)
    assert played["a"] == before


def test_why_it_failed_is_still_told_when_it_has_ended() -> None:
    played = Played()
    played.begin()
    played.write(Kind.GATE_FAILED, wave=0, why="the portal is down")
    assert (played.state.status, played.state.reason) == (Status.FAILED, "the portal is down")
    played.write(Kind.ENDED)
    assert played.state.reason == "the portal is down"
