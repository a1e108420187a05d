"""When work may be done: held against a scan of every minute, with and without daylight saving."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.windows import Hours, Window

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
BERLIN = ZoneInfo("Europe/Berlin")  # forward on 29 March 2026 at 2:00, back on 25 October 2026 at 3:00
EVERY = frozenset(range(7))
WORKDAYS = frozenset(range(5))
MINUTE = timedelta(minutes=1)
WEEK = 8 * 24 * 60  # minutes

TIMES = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))
WINDOWS = st.builds(Window, st.frozensets(st.integers(0, 6), min_size=1), TIMES, TIMES)
HOURS = st.builds(
    Hours,
    st.lists(WINDOWS, max_size=2).map(tuple),
    st.lists(WINDOWS, max_size=2).map(tuple),
    st.sampled_from([HANOI, BERLIN]),
)
MOMENTS = st.one_of(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 20)),
    st.datetimes(datetime(2026, 3, 27), datetime(2026, 3, 30)),
    st.datetimes(datetime(2026, 10, 23), datetime(2026, 10, 26)),
).map(lambda moment: moment.replace(second=0, microsecond=0, tzinfo=UTC))


def covers(window: Window, now: datetime, zone: ZoneInfo) -> bool:
    """Whether a window that began today or yesterday lasts at `now`; moments are compared as such, not as clocks."""
    today = now.astimezone(zone).date()
    for day in (today - timedelta(days=1), today):
        if day.weekday() in window.days:
            last = day + timedelta(days=window.closes <= window.opens)
            start = datetime.combine(day, window.opens, zone).astimezone(UTC)
            if start <= now < datetime.combine(last, window.closes, zone).astimezone(UTC):
                return True
    return False


def scan(hours: Hours, now: datetime) -> bool:
    inside = not hours.windows or any(covers(window, now, hours.zone) for window in hours.windows)
    return inside and not any(covers(window, now, hours.zone) for window in hours.closed)


@settings(max_examples=300, deadline=None)
@given(HOURS, MOMENTS)
def test_open_is_inside_of_a_window_and_outside_of_what_is_closed(hours: Hours, now: datetime) -> None:
    assert hours.is_open(now) == scan(hours, now)


@settings(max_examples=60, deadline=None)
@given(HOURS, MOMENTS)
def test_the_next_opening_is_the_first_minute_that_is_open(hours: Hours, now: datetime) -> None:
    moments = (now + MINUTE * minute for minute in range(WEEK))
    assert hours.next_open(now) == next((moment for moment in moments if scan(hours, moment)), None)


@settings(max_examples=60, deadline=None)
@given(HOURS, MOMENTS)
def test_it_closes_at_the_first_minute_that_is_not_open(hours: Hours, now: datetime) -> None:
    if scan(hours, now):
        moments = (now + MINUTE * minute for minute in range(7 * 24 * 60))
        closes = next((moment for moment in moments if not scan(hours, moment)), None)
        assert closes is None or hours.closes_at(now) == closes


@settings(max_examples=100, deadline=None)
@given(HOURS, MOMENTS, st.integers(1, 20 * 60))
def test_work_begins_early_enough_to_end_within_its_hours_unless_it_is_longer_than_they_are(
    hours: Hours, now: datetime, minutes: int
) -> None:
    lasting, takes = replace(hours, takes=60.0 * minutes), timedelta(minutes=minutes)
    if not scan(hours, now):
        assert not lasting.is_open(now)
        return
    fits = all(scan(hours, now + MINUTE * minute) for minute in range(minutes))
    day = (now - MINUTE * minute for minute in range(24 * 60))
    before = sum(1 for _moment in takewhile(lambda moment: scan(hours, moment), day)) - 1
    closes = hours.closes_at(now)
    is_longer = closes is not None and closes - (now - MINUTE * before) < takes
    assert lasting.is_open(now) == (fits or is_longer)
    opening = lasting.next_open(now)
    assert opening is None or lasting.is_open(opening)
    assert opening is None or opening == now or scan(hours, opening - MINUTE) is False


def at(text: str, zone: ZoneInfo = HANOI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


NIGHTS = Window(WORKDAYS, time(17, 30), time(6, 30))
WORK = Window(WORKDAYS, time(7), time(17))
LATE = Window(WORKDAYS, time(16), time(18))
SWAPPED = {date(2026, 11, 27): False, date(2026, 11, 28): True}
RULES = [  # hours, now, is open, next open, closes at; 2026-11-25 is a Wednesday
    (Hours((NIGHTS,), (), HANOI), "2026-11-25T17:29", False, "2026-11-25T17:30", None),
    (Hours((NIGHTS,), (), HANOI), "2026-11-25T17:30", True, "2026-11-25T17:30", "2026-11-26T06:30"),
    (Hours((NIGHTS,), (), HANOI), "2026-11-28T06:29", True, "2026-11-28T06:29", "2026-11-28T06:30"),
    (Hours((NIGHTS,), (), HANOI), "2026-11-28T06:30", False, "2026-11-30T17:30", None),
    (Hours((), (WORK,), HANOI), "2026-11-27T12:00", False, "2026-11-27T17:00", None),
    (Hours((), (WORK,), HANOI), "2026-11-27T17:00", True, "2026-11-27T17:00", "2026-11-30T07:00"),
    (
        Hours((Window(WORKDAYS, time(16), time(18)),), (WORK,), HANOI),
        "2026-11-25T16:30",
        False,
        "2026-11-25T17:00",
        None,
    ),
    (Hours((Window(WORKDAYS, time(9), time(11)),), (WORK,), HANOI), "2026-11-25T10:00", False, None, None),
    (Hours((Window(EVERY, time(8), time(8)),), (), HANOI), "2026-11-25T07:59", True, "2026-11-25T07:59", None),
    # 2026-11-28 is a Saturday that is worked, 2026-11-27 a holiday
    (Hours((), (WORK,), HANOI, SWAPPED), "2026-11-28T09:00", False, "2026-11-28T17:00", None),
    (Hours((), (WORK,), HANOI, SWAPPED), "2026-11-27T12:00", True, "2026-11-27T12:00", "2026-11-28T07:00"),
    (Hours((NIGHTS,), (WORK,), HANOI, SWAPPED), "2026-11-29T12:00", False, "2026-11-30T17:30", None),
    (Hours((), (), HANOI), "2026-11-25T12:00", True, "2026-11-25T12:00", None),
]


@pytest.mark.parametrize(("hours", "now", "is_open", "next_open", "closes_at"), RULES)
def test_hours_by_the_clock(
    hours: Hours, now: str, is_open: bool, next_open: str | None, closes_at: str | None
) -> None:
    assert hours.is_open(at(now)) is is_open
    assert hours.next_open(at(now)) == (at(next_open) if next_open else None)
    if is_open:
        assert hours.closes_at(at(now)) == (at(closes_at) if closes_at else None)


@pytest.mark.parametrize(
    ("takes", "now", "next_open"),
    [
        (600, "2026-11-26T06:50", "2026-11-26T06:50"),
        (600, "2026-11-26T06:51", "2026-11-26T17:00"),  # it would last into the hours of the counter
        (86400, "2026-11-26T06:51", "2026-11-26T06:51"),  # longer than any night: on a weekend, and else at any hour
        (86400, "2026-11-29T12:00", "2026-11-30T17:00"),
    ],
)
def test_work_that_takes_its_time_leaves_the_counters_alone(takes: float, now: str, next_open: str) -> None:
    assert Hours((), (WORK,), HANOI, takes=takes).next_open(at(now)) == at(next_open)


def test_a_window_over_the_hour_that_is_not_or_is_twice() -> None:
    nights = Window(EVERY, time(22), time(4))
    for day, length in ((date(2026, 3, 28), 5), (date(2026, 10, 24), 7), (date(2026, 7, 1), 6)):
        hours = Hours((nights,), (), BERLIN)
        opens = datetime.combine(day, time(22), BERLIN).astimezone(UTC)
        closes = hours.closes_at(opens)
        assert closes is not None
        assert closes.astimezone(UTC) - opens == timedelta(hours=length)
        assert not hours.is_open(closes)
