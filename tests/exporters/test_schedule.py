"""When questions are due: every interval, spread, hastened, and never twice for a time that was slept through."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from exporters.schedule import FIRST_ROUND, Schedule

INTERVALS = st.dictionaries(st.text(min_size=1, max_size=4), st.floats(1, 3600), min_size=1, max_size=30)


@given(INTERVALS, st.floats(0, 1e6))
def test_everything_is_asked_once_in_the_first_round(intervals: dict[str, float], start: float) -> None:
    schedule: Schedule[str] = Schedule()
    schedule.replace(intervals, start)
    asked = [key for second in range(int(FIRST_ROUND) + 2) for key in schedule.due(start + second)]
    assert set(asked) == set(intervals)


@given(st.floats(1, 600), st.integers(2, 40))
def test_a_question_comes_once_an_interval_and_keeps_its_rhythm(interval: float, rounds: int) -> None:
    schedule: Schedule[str] = Schedule()
    schedule.replace({"a": interval}, 0)
    moments = []
    for _turn in range(rounds):
        moment = schedule.soonest()
        assert moment is not None
        assert list(schedule.due(moment)) == ["a"]
        moments.append(moment)
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert all(abs(gap - interval) < 1e-6 * rounds for gap in gaps)


def test_questions_of_one_interval_are_spread_over_it() -> None:
    schedule: Schedule[int] = Schedule()
    schedule.replace(dict.fromkeys(range(10_000), 10.0), 0)
    list(schedule.due(10))
    counts = [len(list(schedule.due(10 + tenth / 10))) for tenth in range(1, 101)]
    assert sum(counts) == 10_000
    assert max(counts) < 200  # a hundred each on average


def test_after_a_long_sleep_each_is_asked_once() -> None:
    schedule: Schedule[str] = Schedule()
    schedule.replace({"a": 10.0, "b": 15.0}, 0)
    assert sorted(schedule.due(100_000)) == ["a", "b"]
    assert list(schedule.due(100_000)) == []
    later = schedule.soonest()
    assert later is not None
    assert 100_000 < later <= 100_015


def test_a_hastened_question_comes_sooner_once_and_never_later() -> None:
    schedule: Schedule[str] = Schedule()
    schedule.replace({"a": 1000.0}, 0)
    list(schedule.due(20))
    schedule.hasten("a", 25)
    schedule.hasten("a", 900)
    schedule.hasten("unknown", 1)
    assert list(schedule.due(24)) == []
    assert list(schedule.due(25)) == ["a"]
    assert list(schedule.due(26)) == []


def test_a_changed_set_keeps_the_place_of_what_did_not_change() -> None:
    schedule: Schedule[str] = Schedule()
    schedule.replace({"a": 600.0, "b": 600.0}, 0)
    list(schedule.due(20))
    before = schedule.soonest()
    schedule.replace({"a": 600.0, "b": 600.0}, 300)
    assert schedule.soonest() == before
    schedule.replace({"c": 600.0}, 300)
    assert set(schedule.due(10_000)) == {"c"}
