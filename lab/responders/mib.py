"""What SNMP tells of a host: the system group, IF-MIB's table, and UPS-MIB for a ups.

An object is its numbers, for example (1, 3, 6, 1, 2, 1, 1, 3, 0), its kind and its value; values that move
are functions of the seconds since the lab came up and, for a ups, of what it runs on.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from lab.scene import Host

Numbers = tuple[int, ...]
_MIB2 = (1, 3, 6, 1, 2, 1)
_SYSTEM, _INTERFACES, _UPS = (*_MIB2, 1), (*_MIB2, 2), (*_MIB2, 33, 1)
_ENTERPRISE = "1.3.6.1.4.1.8072.3.2.10"  # net-snmp on Linux
_FULL_CHARGE, _MINUTES_WHEN_FULL = 100, 30
_ON_MAINS, _ON_BATTERY = 3, 5  # upsOutputSource
_BATTERY_NORMAL, _BATTERY_LOW = 2, 3  # upsBatteryStatus


class Kind(StrEnum):
    """The types of SMIv2 that the lab speaks."""

    INTEGER = "integer"
    TEXT = "text"
    OBJECT = "object"
    COUNTER = "counter"
    GAUGE = "gauge"
    TICKS = "ticks"


@dataclass(frozen=True, slots=True)
class Supply:
    """What a ups runs on: the mains, or its battery since a moment, in seconds since the lab came up."""

    battery_since: float | None = None

    def seconds_on_battery(self, now: float) -> int:
        """Return how long it has run on its battery; 0 on mains."""
        return 0 if self.battery_since is None else int(now - self.battery_since)

    def charge(self, now: float) -> int:
        """Return what is left, in percent."""
        used = self.seconds_on_battery(now) * _FULL_CHARGE // (_MINUTES_WHEN_FULL * 60)
        return max(0, _FULL_CHARGE - used)


@dataclass(frozen=True, slots=True)
class Moment:
    """When something is asked: seconds since the lab came up, and what the host runs on."""

    seconds: float
    supply: Supply = field(default_factory=Supply)


Value = int | str | Callable[[Moment], int]
Object = tuple[Numbers, Kind, Value]


def objects_of(host: Host) -> list[Object]:
    """Return all objects of `host`, in the order of their numbers."""
    objects = [*_system(host), *_interfaces(host)]
    if host.role == "ups":
        objects += _ups(host)
    return sorted(objects, key=lambda known: known[0])


def _system(host: Host) -> Iterator[Object]:
    yield (*_SYSTEM, 1, 0), Kind.TEXT, host.description
    yield (*_SYSTEM, 2, 0), Kind.OBJECT, _ENTERPRISE
    yield (*_SYSTEM, 3, 0), Kind.TICKS, lambda moment: int(moment.seconds * 100)
    yield (*_SYSTEM, 4, 0), Kind.TEXT, ""
    yield (*_SYSTEM, 5, 0), Kind.TEXT, host.name
    yield (*_SYSTEM, 6, 0), Kind.TEXT, host.office
    yield (*_SYSTEM, 7, 0), Kind.INTEGER, 72


def _interfaces(host: Host) -> Iterator[Object]:
    """Give ifNumber and the columns of ifTable that monitoring reads; the interface n moves n KB a second."""
    table = (*_INTERFACES, 2, 1)
    yield (*_INTERFACES, 1, 0), Kind.INTEGER, len(host.interfaces)
    for index, name in enumerate(host.interfaces, 1):
        yield (*table, 1, index), Kind.INTEGER, index
        yield (*table, 2, index), Kind.TEXT, name
        yield (*table, 3, index), Kind.INTEGER, 6  # ethernetCsmacd
        yield (*table, 5, index), Kind.GAUGE, 1_000_000_000
        yield (*table, 7, index), Kind.INTEGER, 1  # wanted up
        yield (*table, 8, index), Kind.INTEGER, 1  # is up
        yield (*table, 10, index), Kind.COUNTER, _moving(index * 1000)
        yield (*table, 14, index), Kind.COUNTER, 0
        yield (*table, 16, index), Kind.COUNTER, _moving(index * 500)
        yield (*table, 20, index), Kind.COUNTER, 0


def _moving(rate: int) -> Callable[[Moment], int]:
    return lambda moment: int(moment.seconds * rate) % 2**32


def _ups(host: Host) -> Iterator[Object]:
    def charge(moment: Moment) -> int:
        return moment.supply.charge(moment.seconds)

    def seconds(moment: Moment) -> int:
        return moment.supply.seconds_on_battery(moment.seconds)

    yield (*_UPS, 1, 1, 0), Kind.TEXT, host.description.split(" ")[0]
    yield (*_UPS, 1, 2, 0), Kind.TEXT, host.description
    yield (*_UPS, 2, 1, 0), Kind.INTEGER, lambda m: _BATTERY_NORMAL if charge(m) > 20 else _BATTERY_LOW
    yield (*_UPS, 2, 2, 0), Kind.INTEGER, seconds
    yield (*_UPS, 2, 3, 0), Kind.INTEGER, lambda m: charge(m) * _MINUTES_WHEN_FULL // _FULL_CHARGE
    yield (*_UPS, 2, 4, 0), Kind.INTEGER, charge
    yield (*_UPS, 4, 1, 0), Kind.INTEGER, lambda m: _ON_BATTERY if seconds(m) or m.supply.battery_since else _ON_MAINS
