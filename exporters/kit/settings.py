"""Where the parts of the kit find each other, and how often they look."""

from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True, slots=True)
class KitSettings:
    """Addresses are "host:port"; `interval` is the seconds between two looks at the watch, `ping` between two pings."""

    watch: str = "127.0.0.1:9733"
    prometheus: str = "127.0.0.1:9090"
    alertmanager: str = "127.0.0.1:9093"
    snmp_exporter: str = "127.0.0.1:9116"  # "": no network gear is read by it
    interval: int = 15
    ping: int = 15

    @property
    def round(self) -> int:
        """The seconds in which everything has been looked at once, in whole intervals.

        Before that has happened, a dead district and the communes behind it may be told apart wrongly.
        """
        return ceil(self.ping / self.interval) * self.interval


def duration(seconds: int) -> str:
    """Return seconds as Prometheus writes them: "45s", "15m", "6h", "3d"."""
    for size, letter in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{letter}"
    return f"{seconds}s"
