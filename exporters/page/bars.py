"""Days of availability as bars, from what the ledger counted of each day. Pure.

Available is what is up or degraded; planned work is not counted, and what is not known is not, either.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from ledger.watching import Day

DAYS = 90
FULL, FAIR = 0.999, 0.99  # at least so much of a day, and it is a good one, or a fair one


@dataclass(frozen=True, slots=True)
class Bar:
    """A local day; `up` is the share of its known time in which it was available, None when nothing is known."""

    day: date
    up: float | None
    out: float = 0.0  # seconds

    @property
    def mark(self) -> str:
        """How good the day was: full, fair, poor, or none."""
        if self.up is None:
            return "none"
        return "full" if self.up >= FULL else "fair" if self.up >= FAIR else "poor"


@dataclass(frozen=True, slots=True)
class Bars:
    """The bars of consecutive days, the oldest first, and the availability over all of them."""

    bars: tuple[Bar, ...]
    up: float | None

    @property
    def troubled(self) -> tuple[Bar, ...]:
        """The days that were not full, the latest first."""
        return tuple(bar for bar in reversed(self.bars) if bar.mark in ("fair", "poor"))


@dataclass(frozen=True, slots=True)
class Sum:
    """Seconds in which something was available, and was not."""

    up: float = 0.0
    out: float = 0.0


def sum_of(day: Day) -> Sum:
    """Return what counts of a day."""
    return Sum(day.up + day.degraded, day.down + day.unreachable)


def total(sums: Iterable[Sum]) -> Sum:
    """Return the sum of sums."""
    found = tuple(sums)
    return Sum(sum(one.up for one in found), sum(one.out for one in found))


def bars(sums: Mapping[str, Sum], today: date, count: int = DAYS) -> Bars:
    """Return the bars of the last `count` days from the sums by day ("2026-11-25")."""
    days = [today - timedelta(days=back) for back in reversed(range(count))]
    found = [(day, sums.get(day.isoformat(), Sum())) for day in days]
    made = tuple(Bar(day, _share(one), one.out) for day, one in found)
    return Bars(made, _share(total(one for _day, one in found)))


def _share(one: Sum) -> float | None:
    known = one.up + one.out
    return one.up / known if known > 0 else None
