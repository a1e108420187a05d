"""The age and the covers of equipment, as frozen values: what the lifecycle report is made of."""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A device and its dates. The states are "ended", "ending", "valid", or "missing" where the date is not known."""

    id: str
    role: str
    manufacturer: str
    model: str
    serial: str
    office: str
    office_name: str
    district: str
    tier: str
    bought: date | None
    age_days: int | None
    warranty: date | None  # the last day covered
    warranty_state: str
    end_of_support: date | None
    support_state: str


@dataclass(frozen=True, slots=True)
class AgeRow:
    """Devices of one tier, district, role or type ("total": all), counted. Ages in days and in whole years.

    `ages` counts devices whose purchase is known by age: below 3 years, 3 to 5, 5 to 8, and 8 or more.
    """

    kind: str  # "total", "tier", "district", "role" or "type"
    id: str
    name: str
    devices: int
    dated: int  # devices of which the purchase is known
    age_days: int  # their sum
    oldest: date | None  # the earliest purchase
    ages: tuple[int, int, int, int]
    warranty_ended: int
    warranty_ending: int
    warranty_valid: int
    warranty_missing: int
    support_ended: int
    support_ending: int
    support_valid: int
    support_missing: int

    @property
    def mean_age_days(self) -> Fraction | None:
        """The mean age in days; None when no purchase is known."""
        return Fraction(self.age_days, self.dated) if self.dated else None


@dataclass(frozen=True, slots=True)
class LifecycleReport:
    """How old equipment is, and what is no longer covered. "Ending" is within `within` days of `as_of`.

    `devices` are all of the scope, in the order of the inventory.
    """

    province: str
    name: str
    under: str
    under_name: str
    as_of: date
    within: int
    devices: tuple[DeviceRow, ...]
    total: AgeRow
    tiers: tuple[AgeRow, ...]
    districts: tuple[AgeRow, ...]
    roles: tuple[AgeRow, ...]
    types: tuple[AgeRow, ...]
    warranty_due: tuple[DeviceRow, ...]  # ended or ending, the earliest first
    support_due: tuple[DeviceRow, ...]
    missing: tuple[DeviceRow, ...]  # without a purchase, a warranty or an end of support
