"""Dated attributes: declared as one value, or as a mapping from the first day to the value."""

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import pairwise

from inventory.finding import Finding, finding
from inventory.model import Dated
from inventory.yamlfile import Document

Steps = tuple[str | int, ...]


def dated(value: str | Mapping[date, str] | None) -> Dated[str]:
    """Return the declared value as a dated one; one value holds at all times."""
    if isinstance(value, Mapping):
        days = sorted(value)
        return Dated(tuple(days), tuple(value[day] for day in days))
    return Dated((date.min,), (value or "",))


def order_findings(document: Document, path: Steps, value: object) -> Iterator[Finding]:
    """Complain of days that do not ascend as they are written."""
    days = list(value) if isinstance(value, Mapping) else []
    for earlier, later in pairwise(days):
        if later <= earlier:
            place = document.place(*path, later.isoformat())
            yield finding(place, "dates-out-of-order", what=path[-1], earlier=later, later=earlier)


def years_after(day: date, years: int) -> date:
    """Return the same day `years` later; the 28th for a 29 February that is not there."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)
