"""The loop of a rollout in a time of its own: waves, gates, people, trouble."""

import random
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from inventory.windows import Hours, Window
from ledger.audit import verify
from ledger.errors import LeaseHeldError, LeaseLostError
from ledger.leases import acquire
from ledger.rollouts import lease_name
from playbooks.rollout.plan import Gate, OnFailure, Wave
from playbooks.rollout.seams import Dispatch, Judgement, Verdict
from playbooks.rollout.state import DeviceState, Kind, Result, Status
from tests.playbooks.rolling import MINH, MONDAY, WELL, Simulation, boxes, plan_of_waves, simulation, told

NIGHT = Window(frozenset(range(7)), time(18, 0), time(6, 0))
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
CUT = Verdict(Judgement.ILL, "box.002: no answer")


def test_all_waves_in_order_and_each_device_once(tmp_path: Path) -> None:
    with simulation(tmp_path, plan_of_waves(1, 4, 5, gate=Gate(bake=600))) as made:
        state = made.run()
        assert state.status is Status.ENDED
        assert made.site.devices() == boxes(10)
        wave = ["wave-began", "baking", "gate-passed"]
        assert made.kinds() == ["started", *wave * 3, "ended"]
        assert [notice.kind for notice in made.notices] == ["ended"]
        assert made.notices[0].text == "ended: 10 done"
        passed = [
            datetime.fromisoformat(event.at) for event in told(made.ledger, made.rollout) if event.kind == "gate-passed"
        ]
        begun = [at for at, one in made.site.given]
        assert begun[1] >= passed[0]
        assert begun[5] >= passed[1]
        assert list(verify(made.ledger)) == []


def test_thirty_percent_offline_come_back_over_a_week_and_all_converge_within_their_windows(tmp_path: Path) -> None:
    chance = random.Random(145)
    plan = plan_of_waves(5, 40, 100, gate=Gate(bake=1800, budget_ratio=0.6), days=14, parallel=20)
    back = {box: MONDAY + timedelta(days=7) * chance.random() for box in chance.sample(plan.devices, 43)}

    def answer(work: Dispatch) -> Result:
        here = back.get(work.device, MONDAY) <= made.clock.now
        return Result.DONE if here else chance.choice([Result.UNREACHABLE, Result.LOST])

    hours = {box: Hours((NIGHT,), (), ZONE) for box in plan.devices}
    with simulation(tmp_path, plan, answer=answer, hours=hours, interval=600) as made:
        state = made.run()
        assert state.status is Status.ENDED
        assert len(made.in_state(DeviceState.DONE)) == 145
        assert [one for at, one in made.site.given if not hours[one.device].is_open(at)] == []
        ended = max(datetime.fromisoformat(event.at) for event in told(made.ledger, made.rollout))
        assert ended <= max(back.values()) + timedelta(hours=14), "the last one's own night is the end"


def test_wave_that_is_cut_off_stops_within_a_probe_interval(tmp_path: Path) -> None:
    plan = plan_of_waves(4, 40, 40, gate=Gate(bake=300, budget_ratio=0.2), parallel=10)
    cut = set(boxes(44)[4:]) - set(boxes(44)[4::4])  # three quarters of the second wave

    def look(devices: Sequence[str]) -> Verdict:
        silent = [device for device in devices if device in cut]
        return Verdict(Judgement.ILL, f"{', '.join(silent)}: no answer") if silent else WELL

    with simulation(tmp_path, plan, look=look, interval=60) as made:
        state = made.run()
        assert state.status is Status.FAILED
        assert set(made.site.devices()) <= set(boxes(44)), "the next wave is untouched"
        first = min(at for at, one in made.site.given if one.device in cut) + timedelta(seconds=made.site.seconds)
        failed = next(event for event in told(made.ledger, made.rollout) if event.kind is Kind.GATE_FAILED)
        assert datetime.fromisoformat(failed.at) <= first + timedelta(seconds=60)
        assert [one for at, one in made.site.given if at > datetime.fromisoformat(failed.at)] == []
        assert [notice.kind for notice in made.notices] == ["failed"]
        assert "no answer" in made.notices[0].text


def test_devices_that_are_cut_off_by_the_change_fail_the_wave_before_it_is_through(tmp_path: Path) -> None:
    plan = plan_of_waves(4, 40, 40, gate=Gate(budget_ratio=0.1), parallel=10)

    def answer(work: Dispatch) -> Result:
        return Result.LOST if int(work.device[-3:]) % 4 and work.device > "box.003" else Result.DONE

    with simulation(tmp_path, plan, answer=answer) as made:
        assert made.run().status is Status.FAILED
        assert len(made.site.devices()) == 4 + 10, "one batch of the second wave, and no more"


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (OnFailure.WAVE, ["box.001", "box.002", "box.003", "box.004"]),
        (OnFailure.ALL, ["box.000", "box.001", "box.002", "box.003", "box.004"]),
    ],
)
def test_what_a_failed_gate_puts_back(tmp_path: Path, scope: OnFailure, expected: list[str]) -> None:
    plan = plan_of_waves(1, 4, 3, on_failure=scope)

    def look(devices: Sequence[str]) -> Verdict:
        return CUT if "box.002" in devices else WELL

    with simulation(tmp_path, plan, look=look) as made:
        assert made.run().status is Status.ENDED
        assert sorted(made.site.devices("rollback")) == expected
        assert made.in_state(DeviceState.ROLLED_BACK) == expected
        assert [notice.kind for notice in made.notices] == ["failed", "rolled-back"]


def test_gate_that_cannot_be_judged_pauses_until_a_person_resumes(tmp_path: Path) -> None:
    down, silent = OSError("the province's uplink is down"), Verdict(Judgement.UNKNOWN, "nothing answers")
    answers: list[OSError | Verdict] = [down, silent, WELL, WELL]

    def look(_devices: Sequence[str]) -> Verdict:
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    with simulation(tmp_path, plan_of_waves(1, gate=Gate(bake=30)), look=look, interval=3600) as made:
        made.people(1000, Kind.RESUMED)
        made.people(9000, Kind.RESUMED)
        assert made.run().status is Status.ENDED
        assert made.kinds().count("paused") == 2
        assert [notice.text for notice in made.notices[:2]] == [
            "paused: the gate cannot be judged: the province's uplink is down",
            "paused: the gate cannot be judged: nothing answers",
        ]


def test_people_pause_resume_and_approve_from_elsewhere(tmp_path: Path) -> None:
    plan = plan_of_waves(2, 2, 2)
    plan = plan_of_waves(2, 2, 2, waves=(plan.waves[0], Wave("second", plan.waves[1].devices, 1), plan.waves[2]))
    with simulation(tmp_path, plan) as made:
        made.people(5, Kind.PAUSED, details={"why": "a storm"})
        made.people(500, Kind.RESUMED)
        made.people(5000, Kind.APPROVED, wave=1, details={"person": "lan"})  # the author
        made.people(9000, Kind.APPROVED, wave=1, details={"person": "minh"})
        assert made.run().status is Status.ENDED
        begun = {one.device: (at - MONDAY).total_seconds() for at, one in made.site.given}
        assert begun["box.000"] == 0
        assert begun["box.002"] == pytest.approx(9000)
        assert [notice.kind for notice in made.notices] == ["paused", "approval", "ended"]
        assert made.notices[1].text == "wave 'second' waits for approval; people that must still agree: 1"


def test_abort_begins_nothing_more_and_waits_for_who_is_at_work(tmp_path: Path) -> None:
    with simulation(tmp_path, plan_of_waves(30, parallel=5)) as made:
        made.people(40, Kind.ABORTED)
        assert made.run().status is Status.ENDED
        assert made.site.devices() == boxes(10)
        assert made.in_state(DeviceState.DONE) == boxes(10)


def test_rollback_by_a_person_in_the_middle(tmp_path: Path) -> None:
    with simulation(tmp_path, plan_of_waves(3, 30, parallel=5)) as made:
        made.people(100, Kind.ROLLBACK, details={"devices": boxes(33)})
        assert made.run().status is Status.ENDED
        assert sorted(made.site.devices()) == sorted(made.site.devices("rollback"))
        assert made.in_state(DeviceState.DONE) == []
        assert made.notices[-1].kind == "rolled-back"


def test_devices_of_a_newer_rollout_are_left_to_it(tmp_path: Path) -> None:
    newer = frozenset(boxes(6)[3:])
    with simulation(tmp_path, plan_of_waves(2, 4), newer=newer) as made:
        assert made.run().status is Status.ENDED
        assert made.site.devices() == boxes(3)
        assert made.in_state(DeviceState.SUPERSEDED) == sorted(newer)


def test_who_is_still_away_at_the_end_date_is_told_as_not_done(tmp_path: Path) -> None:
    def answer(work: Dispatch) -> Result:
        return Result.UNREACHABLE if work.device == "box.001" else Result.DONE

    with simulation(tmp_path, plan_of_waves(2, 2, gate=Gate(budget_devices=1), days=3), answer=answer) as made:
        assert made.run().status is Status.ENDED
        assert made.in_state(DeviceState.NOT_DONE) == ["box.001"]
        assert made.clock.now - MONDAY == timedelta(days=3)
        assert made.site.devices().count("box.001") < 80, "tried about once an hour"
        assert made.notices[-1].text == "ended: 3 done, 1 not done"


def test_who_is_not_fit_is_postponed(tmp_path: Path) -> None:
    def fitness(devices: Sequence[str]) -> dict[str, str]:
        on_battery = made.clock.now < MONDAY + timedelta(hours=1)
        return {"box.001": "its UPS is on battery"} if "box.001" in devices and on_battery else {}

    with simulation(tmp_path, plan_of_waves(3), fitness=fitness) as made:
        assert made.run().status is Status.ENDED
        begun = {one.device: at for at, one in made.site.given}
        assert begun["box.000"] == MONDAY
        assert begun["box.001"] >= MONDAY + timedelta(hours=1)
        reasons = {event.details["why"] for event in told(made.ledger, made.rollout) if event.kind is Kind.POSTPONED}
        assert reasons == {"its UPS is on battery"}


def test_second_controller_is_told_who_holds_the_rollout(tmp_path: Path) -> None:
    with simulation(tmp_path, plan_of_waves(1)) as made:
        acquire(made.ledger, lease_name(made.rollout), actor=MINH, seconds=60)
        with pytest.raises(LeaseHeldError, match="is held by minh on "):
            made.run()
        assert made.kinds() == ["started"]


def test_controller_that_lost_its_lease_writes_nothing_more(tmp_path: Path) -> None:
    with simulation(tmp_path, plan_of_waves(20, parallel=2)) as made:

        def sleep_too_long() -> None:
            made.clock.now += timedelta(hours=1)
            acquire(made.ledger, lease_name(made.rollout), actor=MINH, seconds=600)

        made.at(60, sleep_too_long)
        with pytest.raises(LeaseLostError, match="minh"):
            made.run()
        last = told(made.ledger, made.rollout)[-1]
        assert datetime.fromisoformat(last.at) <= MONDAY + timedelta(seconds=60)


@pytest.mark.parametrize("jump", [timedelta(days=-30), timedelta(hours=-2), timedelta(hours=30)])
def test_clock_that_jumps_breaks_nothing(tmp_path: Path, jump: timedelta) -> None:
    plan = plan_of_waves(2, 6, 6, gate=Gate(bake=600, budget_devices=1), parallel=3)
    first: set[str] = set()

    def answer(work: Dispatch) -> Result:
        tried = work.device in first or work.device != "box.004"
        first.add(work.device)
        return Result.DONE if tried else Result.UNREACHABLE

    with simulation(tmp_path, plan, answer=answer) as made:

        def turn_the_clock() -> None:
            made.clock.now += jump

        made.at(700, turn_the_clock)
        began = made.clock.now
        assert made.run().status is Status.ENDED
        assert len(made.in_state(DeviceState.DONE)) == 14
        assert sorted({*made.site.devices()}) == boxes(14)
        assert made.clock.now - began - jump < timedelta(hours=3)
        assert list(verify(made.ledger)) == []


def test_stopped_loop_leaves_the_rollout_to_the_next_controller(tmp_path: Path) -> None:
    with simulation(tmp_path, plan_of_waves(3, 7, parallel=2)) as made:
        made.at(45, made.controller.stop)
        assert made.run().status is Status.RUNNING
        left = made.in_state(DeviceState.AT_WORK)
        assert left
        before = {one.device: one.id for _at, one in made.site.given}
        later = Simulation(made.ledger, made.rollout, made.clock, made.site)
        assert later.run().status is Status.ENDED
        again = [one for _at, one in made.site.given if one.again]
        assert [(one.device, one.id) for one in again] == [(device, before[device]) for device in left]
