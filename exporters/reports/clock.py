"""Which time of a period counts: when a watch was on, and when offices receive citizens."""

from collections.abc import Iterable, Iterator, Sequence, Set
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from exporters.reports.figures import Period
from exporters.reports.stretches import Measure, Pair, common, microseconds, read, union, within
from inventory.holidays import exceptions
from inventory.model import Province
from inventory.windows import Window, openings
from ledger.watching import Span


class Clock:
    """The time of a period for those who keep the same working hours."""

    def __init__(self, period: Period, watched: Sequence[Pair], hours: Sequence[Pair]) -> None:
        self.period = period
        self.whole = Measure([(period.begin, period.until)])
        self.watched = Measure(watched)
        self.hours = Measure(hours)
        self.worked = Measure(common(hours, watched))


def watched(period: Period, spans: Iterable[Span]) -> tuple[Pair, ...]:
    """Return when within a period a watch was on."""
    on = union((read(span.began), read(span.until)) for span in spans)
    return within(on, period.begin, period.until)


def without(pairs: Sequence[Pair], period: Period, days: Set[date]) -> Sequence[Pair]:
    """Return what of some stretches does not lie on any of the days."""
    if not days:
        return pairs
    count = (period.last - period.first).days + 1
    kept = {period.first + timedelta(days=number) for number in range(count)} - days
    return common(pairs, union(_whole(day, ZoneInfo(period.zone)) for day in kept))


def _whole(day: date, zone: ZoneInfo) -> Pair:
    begin, end = (datetime.combine(day + timedelta(days=number), time(), zone) for number in (0, 1))
    return microseconds(begin), microseconds(end)


def working(province: Province, period: Period, windows: Iterable[Window]) -> tuple[Pair, ...]:
    """Return when within a period, in the zone of the province, any of the windows is open; never on holidays."""
    return within(union(_openings(province, period, tuple(windows))), period.begin, period.until)


def _openings(province: Province, period: Period, windows: Sequence[Window]) -> Iterator[Pair]:
    zone, special = ZoneInfo(period.zone), exceptions(province.holidays)
    day = period.first - timedelta(days=1)  # a window of the day before may last over midnight
    while day <= period.last:
        for begin, end in openings(windows, day, zone, special):
            yield microseconds(begin), microseconds(end)
        day += timedelta(days=1)
