"""Maintenance that comes again: which days it falls on, from when until when it lasts, and how people are told."""

import calendar
import shutil
from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.finding import Place
from inventory.load import load
from inventory.maintenance import WEEKS, current_span, next_spans, opens_on
from inventory.model import AlertSettings, Maintenance
from inventory.windows import Window
from tests.inventory.test_rules import GOOD

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
TIMES = st.times().map(lambda moment: moment.replace(second=0, microsecond=0))


def work(
    *days: int,
    weeks: tuple[str, ...] = (),
    opens: time = time(20),
    closes: time = time(23),
    since: date = date.min,
    until: date = date.max,
) -> Maintenance:
    window = Window(frozenset(days or range(7)), opens, closes)
    return Maintenance("", "", window, frozenset(WEEKS[week] for week in weeks), since, until, Place("x"))


def test_weeks_of_the_month_are_those_of_a_calendar() -> None:
    for month, weekday, week in product(range(1, 25), range(7), WEEKS):
        year, month = 2027 + (month - 1) // 12, (month - 1) % 12 + 1  # the second has a leap day
        column = [row[weekday] for row in calendar.monthcalendar(year, month) if row[weekday]]
        wanted = column[-1] if week == "last" else column[WEEKS[week] - 1]
        days = range(1, calendar.monthrange(year, month)[1] + 1)
        assert [day for day in days if opens_on(work(weekday, weeks=(week,)), date(year, month, day))] == [wanted]


@given(st.datetimes(datetime(2024, 1, 2), datetime(2030, 1, 1)), TIMES, TIMES, st.sets(st.integers(0, 6), min_size=1))
def test_a_moment_is_within_or_not_as_the_clock_on_the_wall_says(
    wall: datetime, opens: time, closes: time, days: set[int]
) -> None:
    at = wall.replace(tzinfo=ZONE)
    now, yesterday = wall.time(), (wall - timedelta(days=1)).weekday()
    if opens < closes:
        inside = wall.weekday() in days and opens <= now < closes
    else:
        inside = (wall.weekday() in days and now >= opens) or (yesterday in days and now < closes)
    assert (current_span(work(*days, opens=opens, closes=closes), at.astimezone(UTC), ZONE) is not None) is inside


def test_it_lasts_from_its_first_day_to_its_last() -> None:
    nightly = work(opens=time(22), closes=time(2), since=date(2026, 11, 3), until=date(2026, 11, 4))
    found = next_spans(nightly, datetime(2026, 11, 1, tzinfo=UTC), ZONE, 5)
    local = [tuple(moment.astimezone(ZONE).strftime("%d %H:%M") for moment in span) for span in found]
    assert local == [("03 22:00", "04 02:00"), ("04 22:00", "05 02:00")]
    within = datetime(2026, 11, 5, 1, 30, tzinfo=ZONE)
    assert current_span(nightly, within, ZONE) == found[1]
    assert next_spans(nightly, within, ZONE, 5) == (found[1],)
    assert current_span(nightly, within + timedelta(minutes=30), ZONE) is None
    assert next_spans(work(since=date(9999, 12, 29)), within, ZONE, 1)  # the calendar's end is no trouble


HEAD = """\
alerts: {by: tuyen, after: 90 s, repeat: 2h, relay: "mail.good.example:587", sender: noc@good.example}
maintenance:
  - {select: under=an-bien, why: line work, weeks: [second, last], days: [sun], opens: "22:00", closes: "02:00",
     from: 2026-11-01}
"""


@pytest.fixture
def province(tmp_path: Path) -> Path:
    folder = Path(shutil.copytree(GOOD, tmp_path / "province"))
    with (folder / "province.yaml").open("a") as file:
        file.write(HEAD)
    people = folder / "people.yaml"
    people.write_text(
        people.read_text()
        + "    notify: [mailto:lan@good.example]\n    language: en\n    quiet: {from: '22:00', until: '06:00'}\n"
    )
    return folder


def test_what_is_written_is_what_holds(province: Path) -> None:
    found = load(province)
    assert found.alerts == AlertSettings("tuyen", 90, 7200, 30, "mail.good.example:587", "noc@good.example")
    [declared] = found.maintenance
    assert (declared.weeks, declared.window.days) == (frozenset({2, -1}), frozenset({6}))
    assert (declared.since, declared.until) == (date(2026, 11, 1), date.max)
    assert found.people["lan"].language == "en"
    assert found.people["lan"].quiet == Window(frozenset(range(7)), time(22), time(6))


def test_without_a_word_nobody_is_told() -> None:
    found = load(GOOD)
    assert found.alerts == AlertSettings("nobody", sender="tuyen@good.example")
    assert (found.maintenance, found.people["lan"].language, found.people["lan"].quiet) == ((), "", None)
