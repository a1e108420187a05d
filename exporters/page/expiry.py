"""What ends soon: certificates by what the servers last showed, hardware by its warranty and end of support. Pure."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from exporters.questions import Key
from exporters.reading import Reading
from inventory.model import Device, Province

CERTIFICATE_DAYS = 60
HARDWARE_DAYS = 180
_ENDS = ("tuyen_probe_certificate_expiry_timestamp_seconds", "probe_ssl_earliest_cert_expiry")


@dataclass(frozen=True, slots=True)
class Certificate:
    """A server's certificate; `ends` is Unix seconds, `days` what is left of it, rounded down."""

    about: str
    device: str
    office: str
    ends: float
    days: int


@dataclass(frozen=True, slots=True)
class Ending:
    """A day on which support or warranty ends for some devices: of one model, or of one office."""

    what: str
    ends: date
    days: int
    devices: tuple[str, ...]


def certificates(
    readings: Iterable[tuple[Key, Reading]], province: Province, inside: frozenset[str], now: float
) -> tuple[Certificate, ...]:
    """Return the certificates of some offices that end soon or have ended, the first to end first."""
    found: dict[tuple[str, str], Certificate] = {}
    for (device, module, _service, about), reading in readings:
        ends, office = _end(reading), province.devices[device].office
        days = math.floor((ends - now) / 86400)
        if ends and office in inside and days <= CERTIFICATE_DAYS:
            told = about or module
            found.setdefault((device, told), Certificate(told, device, province.offices[office].name, ends, days))
    return tuple(sorted(found.values(), key=lambda one: (one.ends, one.device)))


def _end(reading: Reading) -> float:
    values = {metric.name: metric.value for metric in reading.metrics}
    return next((values[name] for name in _ENDS if name in values), 0.0)


def supports(province: Province, inside: frozenset[str], today: date) -> tuple[Ending, ...]:
    """Return the models in use whose makers end their support soon, or have."""
    models = {name: made for name, made in province.device_types.items() if made.end_of_support}
    of_model: dict[str, list[str]] = {}
    for device in _devices(province, inside):
        if device.type in models:
            of_model.setdefault(device.type, []).append(device.id)
    named = {
        (f"{models[name].manufacturer} {models[name].model}", models[name].end_of_support): devices
        for name, devices in of_model.items()
    }
    return _soon(named, today, ended=True)


def warranties(province: Province, inside: frozenset[str], today: date) -> tuple[Ending, ...]:
    """Return the warranties that end soon, by office and day; those that have ended are counted elsewhere."""
    named: dict[tuple[str, date | None], list[str]] = {}
    for device in _devices(province, inside):
        named.setdefault((province.offices[device.office].name, device.warranty), []).append(device.id)
    return _soon(named, today, ended=False)


def out_of_warranty(province: Province, inside: frozenset[str], today: date) -> tuple[int, int]:
    """Return how many devices are out of warranty, and how many have one or had one."""
    ends = [device.warranty for device in _devices(province, inside) if device.warranty]
    return sum(end < today for end in ends), len(ends)


def _devices(province: Province, inside: frozenset[str]) -> Iterator[Device]:
    return (device for device in province.devices.values() if device.office in inside)


def _soon(named: Mapping[tuple[str, date | None], list[str]], today: date, *, ended: bool) -> tuple[Ending, ...]:
    last = today + timedelta(days=HARDWARE_DAYS)
    found = [
        Ending(what, ends, (ends - today).days, tuple(devices))
        for (what, ends), devices in named.items()
        if ends and ends <= last and (ended or ends >= today)
    ]
    return tuple(sorted(found, key=lambda one: (one.ends, one.what)))
