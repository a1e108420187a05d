"""Where troubles come from: what every source of them can tell."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from exporters.alerts.trouble import Trouble
from inventory.model import Device, Province


class Source(Protocol):
    """Tells of some of the kit's alerts what is wrong now. What it cannot tell, it leaves as it was known."""

    def troubles(self, at: float) -> Iterable[Trouble]:
        """Yield what is wrong."""

    def ended(self, trouble: Trouble, at: float) -> float | None:
        """Return since when a trouble of this source, which is none any more, is over; None while nobody knows."""


def place_of(province: Province, device: Device) -> Mapping[str, str]:
    """Return the labels that an alert about a device has in the kit."""
    district = province.offices[device.office].district
    return {"device": device.id, "office": device.office, "district": district, "role": device.role}
