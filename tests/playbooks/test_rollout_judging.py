"""When a rollout looks at its gate, and when it ends."""

from datetime import timedelta

from playbooks.rollout.decide import Waiting
from playbooks.rollout.plan import Gate, OnFailure, Wave
from playbooks.rollout.state import Kind, Result, Status
from tests.playbooks.rolled import ALL_AT_ONCE, GENEROUS, START, Played, plan_of, world

# The gate


def test_the_gate_is_looked_at_every_interval_and_judged_at_the_end_of_the_bake() -> None:
    played = Played(world=world(probe_interval=60.0))
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
