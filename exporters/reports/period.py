"""Periods of reports: months, ISO weeks, days; as whole days of the province's zone, whatever its clocks do."""

import re
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from exporters.reports.figures import Period
from exporters.reports.stretches import microseconds
from inventory.finding import InventoryError
from inventory.language import _

_MONTH = re.compile(r"(\d{4})-(\d{1,2})")
_FIRST_YEAR, _LONGEST = 2000, timedelta(days=3660)
_WEEK = re.compile(r"(\d{4})-[Ww](\d{1,2})")


class PeriodError(InventoryError):
    """A text that names no period, or one that has not begun. The message says how to write one."""


def month(text: str) -> tuple[date, date]:
    """Return the first and the last day of a month, such as 2026-10. Raises PeriodError."""
    found = _MONTH.fullmatch(text.strip())
    try:
        first = date(int(found[1]), int(found[2]), 1) if found else None
        return _whole_month(first) if first else _refuse(text, "2026-10")
    except (ValueError, OverflowError):
        return _refuse(text, "2026-10")


def week(text: str) -> tuple[date, date]:
    """Return the Monday and the Sunday of an ISO week, such as 2026-W41. Raises PeriodError."""
    found = _WEEK.fullmatch(text.strip())
    try:
        first = date.fromisocalendar(int(found[1]), int(found[2]), 1) if found else None
        return (first, first + timedelta(days=6)) if first else _refuse(text, "2026-W41")
    except (ValueError, OverflowError):
        return _refuse(text, "2026-W41")


def day(text: str) -> date:
    """Return a day, such as 2026-10-05. Raises PeriodError."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return _refuse(text, "2026-10-05")[0]


def _refuse(text: str, example: str) -> tuple[date, date]:
    raise PeriodError(_("'{text}' is no period; write for example {example}").format(text=text, example=example))


def period(first: date, last: date, zone: str, now: datetime) -> Period:
    """Return the days from `first` to `last` as a period, of which what is before `now` counts.

    Raises PeriodError when it ends before it begins, has not begun, or is of another age.
    """
    if last < first:
        raise PeriodError(_("{last} lies before {first}").format(first=first, last=last))
    if first.year < _FIRST_YEAR or last - first > _LONGEST:
        _refuse(f"{first} – {last}", "2026-10")
    begin, end = _midnight(first, zone), _midnight(last + timedelta(days=1), zone)
    until = min(end, microseconds(now))
    if until <= begin:
        raise PeriodError(_("{first} has not begun yet").format(first=first))
    kind, name = _named(first, last)
    return Period(kind, name, zone, first, last, begin, end, until)


def before(later: Period) -> Period:
    """Return the period before one: the month before a month, else as many days before it. It has ended."""
    last = later.first - timedelta(days=1)
    days = (later.last - later.first).days
    first = last.replace(day=1) if later.kind == "month" else last - timedelta(days=days)
    kind, name = _named(first, last)
    begin, end = _midnight(first, later.zone), later.begin
    return Period(kind, name, later.zone, first, last, begin, end, end)


def _midnight(on: date, zone: str) -> int:
    """Return when a day begins; where midnight is skipped, when the clocks are set forward."""
    return microseconds(datetime.combine(on, time(), ZoneInfo(zone)))


def _named(first: date, last: date) -> tuple[str, str]:
    """Return what kind of period some days are, and its name."""
    if first == last:
        return "day", first.isoformat()
    if (first, last) == _whole_month(first):
        return "month", f"{first:%Y-%m}"
    if first.isoweekday() == 1 and (last - first).days == 6:
        year, number, _day = first.isocalendar()
        return "week", f"{year}-W{number:02d}"
    return "days", f"{first.isoformat()}_{last.isoformat()}"


def _whole_month(on: date) -> tuple[date, date]:
    next_month = (on.replace(day=1) + timedelta(days=31)).replace(day=1)
    return on.replace(day=1), next_month - timedelta(days=1)
