"""The figures of uptime reports as frozen values. Time is whole microseconds, shares are fractions: nothing is rounded.

Of every moment that belongs to a period, exactly one holds: *unknown* (no watch was on), or *observed*. Observed time
is up, degraded (it still serves, and counts as available), away (down or unreachable), or maintenance (planned, and
not counted at all). Of several offices, the figures are sums: an hour of ten offices is ten office-hours.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

MICROSECONDS = 1_000_000  # in a second


@dataclass(frozen=True, slots=True)
class Amounts:
    """How time went by, in microseconds. `behind` is the part of `away` in which only something upstream was out."""

    observed: int = 0
    unknown: int = 0
    away: int = 0
    behind: int = 0
    degraded: int = 0
    maintenance: int = 0

    @property
    def counted(self) -> int:
        """What availability is a share of: the observed time without planned work."""
        return self.observed - self.maintenance

    @property
    def available(self) -> int:
        """The time in which it served, degraded or not."""
        return self.counted - self.away

    @property
    def availability(self) -> Fraction | None:
        """The share of the counted time in which it served, 0 to 1; None when no time counts."""
        return Fraction(self.available, self.counted) if self.counted else None

    @property
    def coverage(self) -> Fraction | None:
        """The share of the time that was observed, 0 to 1; None when there was no such time at all."""
        whole = self.observed + self.unknown
        return Fraction(self.observed, whole) if whole else None

    def __add__(self, other: "Amounts") -> "Amounts":
        return Amounts(
            self.observed + other.observed,
            self.unknown + other.unknown,
            self.away + other.away,
            self.behind + other.behind,
            self.degraded + other.degraded,
            self.maintenance + other.maintenance,
        )


@dataclass(frozen=True, slots=True)
class Figures:
    """How something fared in one period.

    `outages` counts the root outages that took any of it away: a cut district is one, however many offices are behind
    it. `repaired` of those ended within the period, after `repair` microseconds together, counted from when each
    began. `longest` is the longest stretch for which any one of it was away, in observed microseconds of the period.
    """

    all_hours: Amounts = Amounts()
    working_hours: Amounts = Amounts()  # without holidays; all zero for what has no working hours
    outages: int = 0
    repaired: int = 0
    repair: int = 0
    longest: int = 0

    @property
    def time_to_repair(self) -> Fraction | None:
        """The mean time to repair, in microseconds; None when nothing was repaired."""
        return Fraction(self.repair, self.repaired) if self.repaired else None


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the report: an office, a service, or all offices of a district, a tier or the whole scope.

    `kind` is "province", "tier", "district", "office" or "service"; `offices` counts the offices that it sums up, of a
    service those that depend on it. `before` are the figures of the period before.
    """

    kind: str
    id: str
    name: str
    tier: str  # of an office, else ""
    district: str  # of an office: the id of the unit that it lies in, "" for the province's own
    offices: int
    now: Figures
    before: Figures

    @property
    def change(self) -> Fraction | None:
        """By how much the availability in all hours is higher than before; None when either is unknown."""
        return _difference(self.now.all_hours.availability, self.before.all_hours.availability)

    @property
    def working_change(self) -> Fraction | None:
        """The same in working hours."""
        return _difference(self.now.working_hours.availability, self.before.working_hours.availability)


@dataclass(frozen=True, slots=True)
class CauseFigures:
    """What one cause cost in one period; times are sums over offices (or services), in microseconds.

    `outages` counts the root outages that took something away, or that were planned; `own` is for how long things were
    away by themselves, `behind` for how long others were only because of them, `nodes_behind` how many those were.
    """

    outages: int = 0
    own: int = 0
    behind: int = 0
    nodes_behind: int = 0
    degraded: int = 0
    maintenance: int = 0

    @property
    def away(self) -> int:
        """The time away that the cause cost altogether."""
        return self.own + self.behind


@dataclass(frozen=True, slots=True)
class CauseRow:
    """One cause: "device", "link", "power", "maintenance", "unknown", or "upstream" where the root is not known.

    `before` is None where nothing of the period before was observed.
    """

    cause: str
    now: CauseFigures
    before: CauseFigures | None


@dataclass(frozen=True, slots=True)
class Incident:
    """A root outage and what it cost within the period. Moments are microseconds since 1970 in UTC.

    `ended` is None while it lasts. `away` sums what offices lost, itself and those behind it, `offices` counts them.
    """

    id: str
    kind: str  # "device", "office", "link" or "service"
    node: str
    name: str  # of the office that it is at, or of the service
    cause: str
    began: int
    ended: int | None
    away: int
    offices: int
    note: str  # what people wrote down, "" for nothing


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time [begin, end) in microseconds since 1970 in UTC."""

    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days of the province's zone. `kind` is "month", "week", "day" or "days".

    `name` is "2026-10", "2026-W41", "2026-10-05" or "2026-10-05_2026-10-11"; `last` is the last day, included.
    `begin` and `end` are microseconds since 1970 in UTC; only what is before `until` counts, which is earlier than
    `end` while the period lasts.
    """

    kind: str
    name: str
    zone: str
    first: date
    last: date
    begin: int
    end: int
    until: int

    @property
    def provisional(self) -> bool:
        """Whether the period had not ended when the report was made."""
        return self.until < self.end


@dataclass(frozen=True, slots=True)
class HolidayRow:
    """A holiday of the period, or a day on which offices are open although they would not be."""

    day: date
    name: str
    working: bool


@dataclass(frozen=True, slots=True)
class UptimeReport:
    """How available a province, or what lies under one unit or office of it, was in a period.

    `spans` are the times of the period in which a watch was on: what the figures are made from. Districts, offices and
    services are in the order of the inventory, tiers from the top, causes by what they cost, `worst` from the worst,
    `incidents` from the one that cost most.
    """

    province: str  # its id
    name: str  # of the province on that day
    under: str  # the unit's or office's id; "" for the whole province
    under_name: str
    as_of: date  # the day as of which units are named and districts drawn
    period: Period
    before: Period
    spans: tuple[Stretch, ...]
    holidays: tuple[HolidayRow, ...]
    total: Row
    tiers: tuple[Row, ...]
    districts: tuple[Row, ...]
    offices: tuple[Row, ...]
    services: tuple[Row, ...]
    causes: tuple[CauseRow, ...]  # of offices
    service_causes: tuple[CauseRow, ...]
    worst: tuple[Row, ...]  # offices that were away, at most ten: by working hours, then by all hours
    incidents: tuple[Incident, ...]  # at most ten

    def rows(self) -> Iterator[Row]:
        """Yield every row once, from the whole to the services."""
        yield self.total
        yield from (*self.tiers, *self.districts, *self.offices, *self.services)


def _difference(now: Fraction | None, before: Fraction | None) -> Fraction | None:
    return None if now is None or before is None else now - before
