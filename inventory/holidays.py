"""Holidays: days on which offices receive nobody, and Saturdays or Sundays on which they do instead.

A day that works instead of another one opens like a day of the working week: with every window of Monday to Friday.
"""

from collections.abc import Mapping
from datetime import date

from inventory.declared_holidays import HolidaysFile, HolidayShape
from inventory.finding import Finding, finding
from inventory.model import Holiday
from inventory.yamlfile import Document

_WORKING_WEEK = frozenset(range(5))  # Monday to Friday


def resolve_holidays(document: Document, shape: HolidaysFile) -> tuple[dict[date, Holiday], list[Finding]]:
    """Return the holidays in order of time, and what is wrong with them."""
    made = {day: _holiday(document, day, written) for day, written in sorted(shape.holidays.items())}
    return made, [
        finding(holiday.place, "working-weekday", day=day)
        for day, holiday in made.items()
        if holiday.working and day.weekday() in _WORKING_WEEK
    ]


def _holiday(document: Document, day: date, written: str | HolidayShape) -> Holiday:
    place = document.place("holidays", day.isoformat())
    if isinstance(written, str):
        return Holiday(day, written, place)
    return Holiday(day, written.name, place, written.working)


def exceptions(holidays: Mapping[date, Holiday]) -> dict[date, bool]:
    """Return the days on which working hours are not those of their day of the week: whether offices are open."""
    return {day: holiday.working for day, holiday in holidays.items()}
