"""What the uptime report should say, by brute force: every stretch of time in which nothing changes is looked at.

Nothing of exporters.reports is used but the names of figures; time is walked in quarters of an hour and at every moment
at which anything begins or ends, and of each such stretch every outage, span and wall clock is asked.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from inventory.model import Province
from inventory.windows import Window
from ledger.outages import Outage
from ledger.watching import Span

SECOND = 1_000_000
QUARTER = 900 * SECOND
NAMES = ("observed", "unknown", "away", "behind", "degraded", "maintenance")


@dataclass
class Told:
    """What one node should be told to have gone through; times in microseconds."""

    all_hours: dict[str, int] = field(default_factory=lambda: dict.fromkeys(NAMES, 0))
    working_hours: dict[str, int] = field(default_factory=lambda: dict.fromkeys(NAMES, 0))
    roots: set[str] = field(default_factory=set)
    longest: int = 0
    causes: dict[tuple[str, str], int] = field(default_factory=dict)  # (cause, own/behind/degraded/maintenance)


@cache
def micros(stamp: str) -> int:
    whole, _, rest = stamp.removesuffix("Z").partition(".")
    return int(datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp()) * SECOND + int(rest)


def root_of(outage: Outage, known: Mapping[str, Outage]) -> Outage:
    if outage.cause_by or outage.root is None or outage.root not in known:
        return outage
    return root_of(known[outage.root], known)


def is_behind(province: Province, outage: Outage, root: Outage) -> bool:
    if root.id == outage.id:
        return outage.cause == "upstream"
    if outage.kind == "service":
        return not (root.kind == "device" and any(p.device == root.node for p in province.services[outage.node].probes))
    place = {"device": root.node.split(".")[-1], "link": root.node.split(".")[0]}.get(root.kind, root.node)
    return root.kind == "service" or place != outage.node


def grade(outage: Outage, root: Outage) -> str:
    if outage.state == "maintenance" or root.cause == "maintenance":
        return "maintenance"
    return "degraded" if outage.state == "degraded" else "away"


def is_open(windows: tuple[Window, ...], holidays: tuple[tuple[date, bool], ...], zone: str, at: int) -> bool:
    """Whether by the clock on the wall any of the windows is open."""
    clock = datetime.fromtimestamp(at // SECOND, ZoneInfo(zone))
    special = dict(holidays)

    def opens(window: Window, day: date) -> bool:
        if day in special:
            return special[day] and (bool(window.days & {0, 1, 2, 3, 4}) or day.weekday() in window.days)
        return day.weekday() in window.days

    for window in windows:
        now, today = clock.time(), clock.date()
        over_midnight = window.closes <= window.opens
        if opens(window, today) and window.opens <= now and (over_midnight or now < window.closes):
            return True
        if over_midnight and opens(window, today - timedelta(days=1)) and now < window.closes:
            return True
    return False


@cache
def calendar(
    windows: tuple[Window, ...], holidays: tuple[tuple[date, bool], ...], zone: str, begin: int, until: int, step: int
) -> tuple[bool, ...]:
    """Return of every step from `begin` on whether any of the windows is open in it."""
    return tuple(is_open(windows, holidays, zone, at) for at in range(begin, until, step))


def windows_of(province: Province, offices: Iterable[str]) -> tuple[Window, ...]:
    wanted = set(offices)
    return tuple(hours.window for hours in province.working_hours if hours.offices & wanted)


def walk(
    province: Province,
    node: tuple[str, str],
    outages: Sequence[Outage],
    spans: Sequence[Span],
    begin: int,
    until: int,
    step: int = QUARTER,
    missing: Collection[date] = (),
) -> Told:
    """Return what a node went through in [begin, until), of which nothing is known on the days that are missing.

    No window opens or closes, and no day begins, but at multiples of `step`.
    """
    known = {outage.id: outage for outage in outages}
    own = [
        (micros(one.began), micros(one.ended) if one.ended else until, one, root_of(one, known))
        for one in outages
        if (one.kind, one.node) == node
    ]
    on = [(micros(span.began), micros(span.until)) for span in spans]
    grid = begin - begin % step
    ends = {begin, until, *(moment for pair in on for moment in pair)}
    ends |= {moment for first, last, _o, _r in own for moment in (first, last)}
    ends |= set(range(grid, until, step))
    moments = sorted(moment for moment in ends if begin <= moment <= until)
    users = province.services[node[1]].offices if node[0] == "service" else (node[1],)
    windows = windows_of(province, users)
    holidays = tuple((day, holiday.working) for day, holiday in province.holidays.items())
    is_working = calendar(windows, holidays, province.time_zone, grid, until, step)
    told, stretch, out_until = Told(), 0, -1
    for position, first in enumerate(moments[:-1]):
        last = moments[position + 1]
        working = is_working[(first - grid) // step]
        day = datetime.fromtimestamp(first // SECOND, ZoneInfo(province.time_zone)).date() if missing else None
        watched = day not in missing and any(a <= first < b for a, b in on)
        over = [(one, root, a) for a, b, one, root in own if a <= first < b]
        loss = None
        if over:
            one, root, _a = min(over, key=lambda x: _order(province, *x))
            loss = (grade(one, root), is_behind(province, one, root), root)
        _add(told.all_hours, last - first, watched, loss)
        if working:
            _add(told.working_hours, last - first, watched, loss)
        if loss and loss[0] == "away":
            stretch = stretch if out_until == first else 0
            out_until = last
            stretch += last - first if watched else 0
            told.longest = max(told.longest, stretch)
        if loss and watched:
            how = loss[0] if loss[0] != "away" else ("behind" if loss[1] else "own")
            told.causes[loss[2].cause, how] = told.causes.get((loss[2].cause, how), 0) + last - first
            if loss[0] == "away":
                told.roots.add(loss[2].id)
    return told


def _order(province: Province, one: Outage, root: Outage, began: int) -> tuple[int, bool, int, str]:
    ranks = {"maintenance": 0, "away": 1, "degraded": 2}
    return ranks[grade(one, root)], is_behind(province, one, root), began, root.id


def _add(sums: dict[str, int], passed: int, watched: bool, loss: tuple[str, bool, Outage] | None) -> None:
    sums["observed" if watched else "unknown"] += passed
    if loss and watched:
        sums[loss[0]] += passed
        if loss[0] == "away" and loss[1]:
            sums["behind"] += passed


def midnight(day: date, zone: str) -> int:
    """Return the first moment of a local day: found by looking, minute by minute, when the wall's date changes."""
    minute = 60 * SECOND
    at = int(datetime.combine(day, time(), UTC).timestamp()) * SECOND - 16 * 60 * minute
    while datetime.fromtimestamp(at // SECOND, ZoneInfo(zone)).date() < day:
        at += minute
    return at


def repaired(roots: Iterable[Outage], begin: int, until: int) -> tuple[int, int]:
    """Return how many root outages ended in (begin, until], and how long they lasted together."""
    done = [one for one in roots if one.ended and begin < micros(one.ended) <= until]
    return len(done), sum(micros(one.ended) - micros(one.began) for one in done if one.ended)
