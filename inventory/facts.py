"""What devices really are, as they told when they were asked; and where that differs from what is declared.

Facts lie beside the declaration, in `facts/<office>.yaml`, in git: a file changes when a device did. What changes
by itself (uptime, which boot) is not kept, and the day of gathering alone changes a file once a month at most.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, Field

from inventory.declared_values import Day, Shape
from inventory.finding import Finding, InvalidProvinceError, finding
from inventory.model import Device, Province
from inventory.validate import validate
from inventory.yamlfile import read

FOLDER = "facts"  # below the province's folder
_HEAD = "# Written by 'tuyen facts': what each device told of itself. Changes made by hand do not last.\n"
_VOLATILE = frozenset({"boot_id", "uptime"})
_SAME_FOR = 30  # days; then the day of gathering is written anew, although nothing else changed
_LONGEST = 200  # characters of a value


def _shown(text: str) -> str:
    """Keep what devices say readable: they may say anything."""
    return "".join(character for character in text if character.isprintable())[:_LONGEST].strip()


Told = Annotated[str, AfterValidator(_shown)]


class Disk(Shape):
    """A disk and its size."""

    name: Told
    bytes: int


class Interface(Shape):
    """A network interface; `addresses` are "10.91.17.72/26"."""

    name: Told
    mac: Told = ""
    addresses: tuple[Told, ...] = ()


class Facts(Shape):
    """What one device told of itself; "" and 0 where it could not."""

    gathered: Day
    host_name: Told = ""
    system: Told = ""  # "linux"
    os: Told = ""  # "debian"
    os_version: Told = ""  # "12"
    os_name: Told = ""  # "Debian GNU/Linux 12 (bookworm)"
    kernel: Told = ""
    architecture: Told = ""
    cpus: int = 0
    memory: int = 0  # bytes
    vendor: Told = ""
    product: Told = ""
    serial: Told = ""
    gateway: Told = ""
    agent: Told = ""  # version of the one-stop agent
    python: Told = ""
    disks: tuple[Disk, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    boot_id: Told = ""
    uptime: float = 0.0  # seconds


class FactsFile(Shape):
    """facts/<office>.yaml."""

    devices: dict[str, Facts] = Field(default_factory=dict)


def read_facts(folder: Path) -> tuple[dict[str, Facts], list[Finding]]:
    """Return the facts of all devices, by id, and what is wrong with the files of the province in `folder`."""
    known: dict[str, Facts] = {}
    findings: list[Finding] = []
    for path in sorted((folder / FOLDER).glob("*.yaml")):
        devices, found = _read(path)
        known.update(devices)
        findings += found
    return known, findings


def write_facts(province: Province, facts: Mapping[str, Facts]) -> tuple[Path, ...]:
    """Write new facts beside the declaration, and return the files that changed; those of no device any more go.

    Each file is written whole or not at all. Raises InvalidProvinceError when one that is there cannot be read.
    """
    folder = Path(province.folder, FOLDER)
    offices = dict.fromkeys(province.devices[device].office for device in facts if device in province.devices)
    return tuple(path for office in offices if (path := _update(province, folder / f"{office}.yaml", office, facts)))


def drift(province: Province, facts: Mapping[str, Facts], day: date) -> tuple[Finding, ...]:
    """Return where devices are not as they are declared, in the order of the declaration. Old facts still count."""
    pairs = ((device, facts[device.id]) for device in province.devices.values() if device.id in facts)
    return tuple(found for device, told in pairs for found in _drift(province, device, told, day))


def _read(path: Path) -> tuple[dict[str, Facts], list[Finding]]:
    document, findings = read(path, f"{FOLDER}/{path.name}")
    if document is None:
        return {}, findings
    shape, findings = validate(document, FactsFile)
    return (shape.devices if shape else {}), findings


def _update(province: Province, path: Path, office: str, facts: Mapping[str, Facts]) -> Path | None:
    before, findings = _read(path) if path.exists() else ({}, [])
    if findings:
        raise InvalidProvinceError(findings)
    devices = [device.id for device in province.devices_of[office]]
    after = {device: _newer(before.get(device), facts.get(device)) for device in devices}
    text = _text({device: told for device, told in after.items() if told})
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return None
    _write(path, text)
    return path


def _newer(before: Facts | None, after: Facts | None) -> Facts | None:
    """Return what to keep: the earlier facts while nothing but their day differs."""
    if before is None or after is None:
        return after or before
    same = before.model_copy(update={"gathered": after.gathered, "boot_id": after.boot_id, "uptime": after.uptime})
    return before if same == after and (after.gathered - before.gathered).days < _SAME_FOR else after


def _text(devices: Mapping[str, Facts]) -> str:
    plain = {device: _plain(facts.model_dump(mode="json", exclude=set(_VOLATILE))) for device, facts in devices.items()}
    return _HEAD + yaml.safe_dump({"devices": plain}, sort_keys=False, allow_unicode=True, width=1000)


def _plain(values: Any) -> Any:
    """Leave out what was not told."""
    if isinstance(values, dict):
        return {key: _plain(value) for key, value in values.items() if value not in ("", 0, [])}
    return [_plain(value) for value in values] if isinstance(values, list) else values


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".new")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as written:
            written.write(text)
            written.flush()
            os.fsync(written.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    finally:
        with suppress(FileNotFoundError):
            Path(name).unlink()


# What boards say that nobody gave a serial number.
_NO_SERIAL = frozenset(
    {"", "0", "none", "n/a", "default string", "not specified", "system serial number", "to be filled by o.e.m."}
)
# The last day of free security updates; Debian with its long-term support. Sources: the distributions' own pages.
_SUPPORTED_UNTIL: Mapping[tuple[str, str], date] = {
    ("centos", "7"): date(2024, 6, 30),
    ("debian", "10"): date(2024, 6, 30),
    ("debian", "11"): date(2026, 8, 31),
    ("debian", "12"): date(2028, 6, 30),
    ("debian", "13"): date(2030, 6, 30),
    ("rocky", "8"): date(2029, 5, 31),
    ("rocky", "9"): date(2032, 5, 31),
    ("ubuntu", "18.04"): date(2023, 5, 31),
    ("ubuntu", "20.04"): date(2025, 5, 31),
    ("ubuntu", "22.04"): date(2027, 4, 30),
    ("ubuntu", "24.04"): date(2029, 4, 30),
}


def _drift(province: Province, device: Device, told: Facts, day: date) -> Iterator[Finding]:
    yield from _identity_drift(device, told)
    wanted = province.host_name(device).lower()
    if told.host_name and told.host_name.lower() not in (wanted, device.id):
        yield finding(
            device.place, "drift-host-name", device=device.id, declared=wanted, id=device.id, real=told.host_name
        )
    addresses = [address.partition("/")[0] for interface in told.interfaces for address in interface.addresses]
    if device.address and addresses and device.address not in addresses:
        real = ", ".join(addresses)
        yield finding(device.place, "drift-address", device=device.id, declared=device.address, real=real)
    if device.platform and told.system and device.platform != told.system:
        yield finding(
            device.place, "drift-platform", device=device.id, declared=device.platform, real=told.os_name or told.system
        )
    ended = _supported_until(told)
    if ended and ended < day:
        yield finding(device.place, "drift-os-ended", device=device.id, os=told.os_name or told.os, ended=ended)


def _identity_drift(device: Device, told: Facts) -> Iterator[Finding]:
    serial = told.serial.casefold()
    if device.serial and serial not in _NO_SERIAL and serial != device.serial.casefold():
        yield finding(device.place, "drift-serial", device=device.id, declared=device.serial, real=told.serial)
    macs = [interface.mac.lower() for interface in told.interfaces if interface.mac]
    if device.mac and macs and device.mac not in macs:
        yield finding(device.place, "drift-mac", device=device.id, declared=device.mac, real=", ".join(macs))


def _supported_until(told: Facts) -> date | None:
    exact = _SUPPORTED_UNTIL.get((told.os, told.os_version))
    return exact or _SUPPORTED_UNTIL.get((told.os, told.os_version.partition(".")[0]))
