"""Days against a count of every second, over midnights, and the round trips of pings."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from exporters.outages.days import Days
from exporters.outages.node import Kind, Node
from exporters.reading import Reading, metric
from inventory.topology import State
from ledger.watching import Day

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
OFFICE = Node(Kind.OFFICE, "dong-yen")
EVENING = datetime(2026, 11, 25, 23, 59, 0, tzinfo=ZONE).timestamp()
STATES = st.sampled_from([None, State.UP, State.DEGRADED, State.DOWN, State.UNREACHABLE, State.MAINTENANCE])


def _counted(taken: list[Day]) -> dict[tuple[str, str], float]:
    sums: dict[tuple[str, str], float] = {}
    for day in taken:
        for state in ("up", "degraded", "down", "unreachable", "maintenance"):
            if seconds := getattr(day, state):
                sums[day.day, state] = sums.get((day.day, state), 0) + seconds
    return sums


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(STATES, st.integers(1, 40)), max_size=12), st.sets(st.integers(0, 11)))
def test_every_second_is_counted_once_on_its_day(runs: list[tuple[State | None, int]], takes: set[int]) -> None:
    days, at, taken = Days(ZONE), EVENING, list[Day]()
    expected: dict[tuple[str, str], float] = {}
    for number, (state, length) in enumerate(runs):
        days.look([(OFFICE, state)] if state else [], at)
        for second in range(length if state else 0):
            day = datetime.fromtimestamp(at + second, ZONE).date().isoformat()
            expected[day, str(state)] = expected.get((day, str(state)), 0) + 1
        at += length
        if number in takes:
            taken += days.take_away(at)
    taken += days.take_away(at)
    assert _counted(taken) == expected


def test_days_that_were_slept_through_are_counted_each_on_its_own() -> None:
    days = Days(ZONE)
    days.look([(OFFICE, State.UP)], EVENING)
    taken = days.take_away(EVENING + timedelta(days=2).total_seconds())
    assert {day.day: day.up for day in taken} == {"2026-11-25": 60, "2026-11-26": 86400, "2026-11-27": 86340}


def test_a_clock_that_is_set_back_counts_nothing_twice() -> None:
    days = Days(ZONE)
    days.look([(OFFICE, State.UP)], EVENING)
    days.look([(OFFICE, State.DOWN)], EVENING - 50)
    days.look([(OFFICE, State.UP)], EVENING - 40)
    assert [(day.up, day.down) for day in days.take_away(EVENING - 30)] == [(10, 10)]


def test_answers_and_round_trips_are_counted() -> None:
    days = Days(ZONE)

    def take(*, heard: bool, asked: bool = True, seconds: float = 0.0) -> None:
        trip = (metric("probe_icmp_duration_seconds", seconds, phase="rtt"),) if seconds else ()
        reading = Reading("box.dong-yen", "icmp", heard, False, "", 0.1, EVENING, trip, asked, heard)
        days.take(reading, EVENING)

    take(heard=True, seconds=0.25)
    take(heard=True, seconds=0.5)
    take(heard=False)
    take(heard=False, asked=False)  # this machine's own trouble says nothing of the device
    (day,) = days.take_away(EVENING)
    assert (day.asked, day.unanswered, day.trips, day.trip_seconds, day.longest_trip) == (3, 1, 2, 0.75, 0.5)
    assert days.take_away(EVENING) == ()
