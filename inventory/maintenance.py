"""Maintenance that comes again: on which days it is declared, and from when until when it lasts."""

from calendar import monthrange
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from inventory.declared_province import MaintenanceShape, ProvinceFile
from inventory.finding import Finding, Place, finding
from inventory.gaps import Gaps
from inventory.language import _
from inventory.model import Maintenance, Province
from inventory.selector import NothingChosenError, SelectorError, select_devices
from inventory.windows import DAYS, Window
from inventory.yamlfile import Document

WEEKS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}
_LONGEST_GAP = 62  # days, in which any weekday of any week of a month comes once at least
_FAR = 3660  # days
_DAY = timedelta(days=1)


def opens_on(work: Maintenance, day: date) -> bool:
    """Whether the work begins on that local day."""
    week, is_last = (day.day - 1) // 7 + 1, day.day + 7 > monthrange(day.year, day.month)[1]
    in_week = not work.weeks or week in work.weeks or (is_last and -1 in work.weeks)
    return work.since <= day <= work.until and day.weekday() in work.window.days and in_week


def spans_from(work: Maintenance, at: datetime, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """Yield when the work lasts, from the time on in which `at` lies, or the next one; for ten years at most."""
    first = max(at.astimezone(zone).date() - _DAY, work.since).toordinal()
    for number in range(first, min(work.until.toordinal(), first + _FAR) + 1):
        day = date.fromordinal(number)
        if opens_on(work, day) and (span := work.window.spans(day, zone)) and span[1] > at:
            yield span


def current_span(work: Maintenance, at: datetime, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    """Return from when until when the work lasts in which `at` lies; None at any other time."""
    today = at.astimezone(zone).date()
    for day in (today - _DAY, today):
        span = work.window.spans(day, zone) if opens_on(work, day) else None
        if span and span[0] <= at < span[1]:
            return span
    return None


def next_spans(work: Maintenance, at: datetime, zone: ZoneInfo, count: int) -> tuple[tuple[datetime, datetime], ...]:
    """Return the next few times of the work, the one in which `at` lies first; fewer where it ends before."""
    return tuple(islice(spans_from(work, at, zone), count))


def resolve_maintenance(
    document: Document, shape: ProvinceFile, province: Province, gaps: Gaps
) -> tuple[tuple[Maintenance, ...], list[Finding]]:
    """Return the work that comes again, and what is wrong with it."""
    works, findings = list[Maintenance](), list[Finding]()
    for position, item in enumerate(shape.maintenance):
        place = document.place("maintenance", position)
        works.append(_work(item, place))
        findings += _check_select(province, item.select, document.place("maintenance", position, "select"), gaps)
        findings += _check_days(works[-1], document.place("maintenance", position, "until"), place)
    return tuple(works), findings


def _work(shape: MaintenanceShape, place: Place) -> Maintenance:
    window = Window(frozenset(map(DAYS.index, shape.days)), shape.opens, shape.closes)
    weeks = frozenset(WEEKS[week] for week in shape.weeks)
    return Maintenance(shape.select, shape.why, window, weeks, shape.since, shape.until, place)


def _check_select(province: Province, text: str, place: Place, gaps: Gaps) -> Sequence[Finding]:
    uncertain = gaps.any("offices", "units", "kinds", "devices")
    try:
        chosen = select_devices(province, text)
    except NothingChosenError as error:
        return [] if uncertain else [finding(place, "bad-selector", problem=error)]
    except SelectorError as error:
        return [finding(place, "bad-selector", problem=error)]
    if chosen or uncertain:
        return []
    return [finding(place, "nothing-selected", select=text, whole=_("the province's devices"))]


def _check_days(work: Maintenance, until: Place, place: Place) -> Iterator[Finding]:
    if work.until < work.since:
        yield finding(until, "dates-out-of-order", what="until", earlier=work.since, later=work.until)
    elif (work.until - work.since).days < _LONGEST_GAP:
        days = range(work.since.toordinal(), work.until.toordinal() + 1)
        if not any(opens_on(work, date.fromordinal(day)) for day in days):
            yield finding(place, "never-maintained", first=work.since, last=work.until)
