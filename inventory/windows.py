"""Maintenance windows: when an office may be worked on. Pure functions of local time.

A window opens on its days at `opens` and lasts until `closes`; one that closes earlier than it opens lasts over
midnight into the next day. Working hours are windows, too: those in which nothing may be done.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WORKING_WEEK = frozenset(range(5))  # Monday to Friday
_WEEK = 8  # days to look ahead: a weekly window that has just closed opens again within
Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Window:
    """Some hours on some days of the week: `days` are numbers, 0 is Monday; times are local."""

    days: frozenset[int]
    opens: time
    closes: time

    def spans(self, day: date, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
        """Return from when until when it is open if it opens on `day`; None when it does not."""
        if day.weekday() not in self.days:
            return None
        last = day if self.closes > self.opens else day + timedelta(days=1)
        # in UTC, as times of one zone are compared by the clock on the wall, which may say an hour twice
        opens, closes = datetime.combine(day, self.opens, zone), datetime.combine(last, self.closes, zone)
        return opens.astimezone(UTC), closes.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Hours:
    """When work may be done: within any of `windows` (always, without one) and outside of all of `closed`.

    Work that takes so many seconds (`takes`) begins early enough to end within them, unless it is longer than they are.
    """

    windows: tuple[Window, ...]
    closed: tuple[Window, ...]
    zone: ZoneInfo
    exceptions: Mapping[date, bool] = field(default_factory=dict, hash=False)  # of `closed`; see `openings`
    takes: float = 0.0

    def is_open(self, now: datetime) -> bool:
        """Whether work may begin at `now` (aware)."""
        return self._is_within(now) and not (self.takes and self._is_late(now))

    def next_open(self, now: datetime) -> datetime | None:
        """Return the first moment from `now` on at which work may begin; None when there is none within a week."""
        if self.is_open(now):
            return now
        return next((moment for moment in self._starts(now) if moment > now and self.is_open(moment)), None)

    def closes_at(self, now: datetime) -> datetime | None:
        """Return when work that is open at `now` must have ended; None when it need not within a week."""
        ends = {end for _start, end in self._opened(now)} | {start for start, _end in self._closed(now)}
        return next((moment for moment in sorted(ends) if moment > now and not self._is_within(moment)), None)

    def _is_within(self, now: datetime) -> bool:
        opened = not self.windows or _inside(self._opened(now), now)
        return opened and not _inside(self._closed(now), now)

    def _is_late(self, now: datetime) -> bool:
        """Whether work that could have been done in these hours would now last beyond their end."""
        closes, takes = self.closes_at(now), timedelta(seconds=self.takes)
        if closes is None or closes - now >= takes:
            return False
        starts = (start for start in self._starts(now) if start <= now and self.closes_at(start) == closes)
        opened = next((start for start in starts if self._is_within(start)), None)
        return opened is None or closes - opened >= takes

    def _starts(self, now: datetime) -> list[datetime]:
        """Return when hours may begin, from yesterday on."""
        return sorted({start for start, _end in self._opened(now)} | {end for _start, end in self._closed(now)})

    def _opened(self, now: datetime) -> list[Span]:
        return _around(self.windows, now, self.zone, {})

    def _closed(self, now: datetime) -> list[Span]:
        return _around(self.closed, now, self.zone, self.exceptions)


def openings(windows: Iterable[Window], day: date, zone: ZoneInfo, exceptions: Mapping[date, bool]) -> Iterator[Span]:
    """Yield from when until when (UTC) the windows that open on `day` are open.

    Of `exceptions`, a day that is False opens none, and one that is True those of the working week, Monday to Friday.
    """
    works = exceptions.get(day)
    if works is False:
        return
    for window in windows:
        if works and not window.days.isdisjoint(_WORKING_WEEK):
            window = Window(frozenset({day.weekday()}), window.opens, window.closes)
        if span := window.spans(day, zone):
            yield span


def _inside(spans: Iterable[Span], now: datetime) -> bool:
    return any(start <= now < end for start, end in spans)


def _around(windows: Collection[Window], now: datetime, zone: ZoneInfo, exceptions: Mapping[date, bool]) -> list[Span]:
    """Return the openings of windows from yesterday's until a week from now."""
    today = now.astimezone(zone).date()
    days = [today + timedelta(days=offset) for offset in range(-1, _WEEK)]
    return [span for day in days for span in openings(windows, day, zone, exceptions)]
