"""Periods, stretches of time, and the opening hours of single days."""

from datetime import UTC, date, datetime, time
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporters.reports.period import PeriodError, before, day, month, period, week
from exporters.reports.stretches import Measure, common, moment_of, read, union, within
from inventory.finding import Place
from inventory.holidays import exceptions
from inventory.model import Holiday
from inventory.windows import Window, openings

LATER = datetime(2030, 1, 1, tzinfo=UTC)
HANOI, BERLIN = "Asia/Ho_Chi_Minh", "Europe/Berlin"
HOUR = 3_600_000_000
PAIRS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(-1, 12)).map(lambda pair: (pair[0], pair[0] + pair[1])), max_size=8
)


def moments(pairs: object) -> set[int]:
    assert isinstance(pairs, list | tuple)
    return {moment for begin, end in pairs for moment in range(begin, end)}


@settings(max_examples=500, deadline=None)
@given(PAIRS, PAIRS)
def test_stretches_are_sets_of_moments(ones: list[tuple[int, int]], others: list[tuple[int, int]]) -> None:
    first, second = union(ones), union(others)
    assert moments(first) == moments(ones)
    assert all(a[1] < b[0] for a, b in pairwise(first)), "touching stretches are one"
    assert moments(common(first, second)) == moments(ones) & moments(others)
    assert moments(within(first, 10, 20)) == moments(ones) & set(range(10, 20))


@settings(deadline=None)
@given(PAIRS, st.integers(-5, 60), st.integers(-5, 45))
def test_a_measure_counts_the_moments(pairs: list[tuple[int, int]], begin: int, end: int) -> None:
    assert Measure(union(pairs)).between(begin, end) == len(moments(pairs) & set(range(begin, end)))


def test_times_of_the_ledger_are_read_to_the_microsecond() -> None:
    assert read("1970-01-02T00:00:01.000001Z") == 86_401_000_001
    assert moment_of(86_401_000_001) == datetime(1970, 1, 2, 0, 0, 1, 1, tzinfo=UTC)


def test_periods_are_whole_local_days() -> None:
    october = period(*month("2026-10"), HANOI, LATER)
    assert (october.kind, october.name, october.first, october.last) == (
        "month",
        "2026-10",
        date(2026, 10, 1),
        date(2026, 10, 31),
    )
    assert moment_of(october.begin) == datetime(2026, 9, 30, 17, tzinfo=UTC)
    assert not october.provisional
    assert before(october).name == "2026-09"
    assert before(october).end == october.begin
    assert before(period(*month("2026-01"), HANOI, LATER)).name == "2025-12"


@pytest.mark.parametrize(
    ("days", "kind", "name", "earlier"),
    [
        (week("2026-W41"), "week", "2026-W41", "2026-W40"),
        (week("2027-w01"), "week", "2027-W01", "2026-W53"),
        ((day("2026-10-05"),) * 2, "day", "2026-10-05", "2026-10-04"),
        ((date(2026, 10, 6), date(2026, 10, 8)), "days", "2026-10-06_2026-10-08", "2026-10-03_2026-10-05"),
        ((date(2026, 2, 1), date(2026, 2, 28)), "month", "2026-02", "2026-01"),
    ],
)
def test_names_and_what_was_before(days: tuple[date, date], kind: str, name: str, earlier: str) -> None:
    found = period(*days, HANOI, LATER)
    assert (found.kind, found.name, before(found).name) == (kind, name, earlier)


def test_days_on_which_clocks_are_set_are_shorter_or_longer() -> None:
    spring = period(date(2026, 3, 29), date(2026, 3, 29), BERLIN, LATER)
    autumn = period(date(2026, 10, 25), date(2026, 10, 25), BERLIN, LATER)
    assert (spring.end - spring.begin, autumn.end - autumn.begin) == (23 * HOUR, 25 * HOUR)
    skipped = period(date(2018, 11, 4), date(2018, 11, 4), "America/Sao_Paulo", LATER)  # midnight is skipped
    assert skipped.end - skipped.begin == 23 * HOUR


@pytest.mark.parametrize("text", ["2026-13", "2026", "october", "0000-01", "9999-12", ""])
def test_what_is_no_month(text: str) -> None:
    with pytest.raises(PeriodError, match="is no period; write for example 2026-10"):
        month(text)


@pytest.mark.parametrize("text", ["2026-W54", "2026-41", "W41", "9999-W53"])
def test_what_is_no_week(text: str) -> None:
    with pytest.raises(PeriodError, match="write for example 2026-W41"):
        week(text)


def test_periods_that_make_no_sense() -> None:
    with pytest.raises(PeriodError, match="2026-10-04 lies before 2026-10-05"):
        period(date(2026, 10, 5), date(2026, 10, 4), HANOI, LATER)
    for first, last in (
        (date.min, date.min),
        (date.min, date(2026, 10, 1)),
        (date(1999, 12, 31), date(2000, 1, 1)),
        (date(2026, 1, 1), date.max),
    ):
        with pytest.raises(PeriodError, match=f"'{first} – {last}' is no period"):
            period(first, last, HANOI, LATER)
    with pytest.raises(PeriodError, match="2026-11-26 has not begun yet"):
        period(date(2026, 11, 26), date(2026, 11, 26), HANOI, datetime(2026, 11, 25, 16, 59, tzinfo=UTC))
    assert period(date(2026, 11, 26), date(2026, 11, 26), HANOI, datetime(2026, 11, 25, 18, tzinfo=UTC)).provisional


def test_a_working_saturday_opens_with_the_windows_of_the_week_and_with_its_own() -> None:
    zone, saturday = ZoneInfo(HANOI), date(2024, 5, 4)
    week_days = Window(frozenset(range(5)), time(7), time(17))
    on_saturdays = Window(frozenset({5}), time(7, 30), time(11, 30))
    on_sundays = Window(frozenset({6}), time(8), time(9))
    windows = (week_days, on_saturdays, on_sundays)
    swapped = {saturday: Holiday(saturday, "Làm bù", Place("test"), working=True)}
    assert [(b.hour, e.hour) for b, e in openings(windows, saturday, zone, {})] == [(0, 4)]
    assert [(b.hour, e.hour) for b, e in openings(windows, saturday, zone, exceptions(swapped))] == [(0, 10), (0, 4)]
    closed = {saturday: Holiday(saturday, "Lễ", Place("test"))}
    assert list(openings(windows, saturday, zone, exceptions(closed))) == []
