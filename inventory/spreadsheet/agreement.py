"""What changes may not do: two machines with one serial, an address that is another's, a warranty before purchase."""

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from inventory.finding import Finding, finding
from inventory.model import Device, Province
from inventory.spreadsheet.change import Change

UNIQUE: Mapping[str, str] = {
    "serial": "duplicate-serial",
    "mac": "duplicate-mac",
    "address": "duplicate-address",
}


def disagreements(province: Province, changes: Sequence[Change]) -> dict[int, Finding]:
    """Return why changes cannot be taken, by their position among `changes`."""
    refused: dict[int, Finding] = {}
    for attribute, rule in UNIQUE.items():
        refused |= _duplicates(province, changes, attribute, rule)
    refused |= _outside(province, changes)
    refused |= _warranties(province, changes)
    return refused


def _of_devices(changes: Sequence[Change], attribute: str) -> Iterator[tuple[int, Change]]:
    for number, change in enumerate(changes):
        if change.subject == "device" and change.attribute == attribute and change.new:
            yield number, change


def _duplicates(province: Province, changes: Sequence[Change], attribute: str, rule: str) -> dict[int, Finding]:
    """Refuse what another device has, and keeps; two devices may exchange theirs."""
    changed = {change.id for change in changes if change.subject == "device" and change.attribute == attribute}
    holders = {
        getattr(device, attribute): device.id
        for device in province.devices.values()
        if getattr(device, attribute) and device.id not in changed
    }
    refused: dict[int, Finding] = {}
    for number, change in _of_devices(changes, attribute):
        other = holders.setdefault(change.new, change.id)
        if other != change.id:
            refused[number] = finding(change.place, rule, **{attribute: change.new, "other": other})
    return refused


def _outside(province: Province, changes: Sequence[Change]) -> dict[int, Finding]:
    refused: dict[int, Finding] = {}
    for number, change in _of_devices(changes, "address"):
        prefix = province.offices[change.id.partition(".")[2]].prefix
        if prefix and ipaddress.IPv4Address(change.new) not in ipaddress.IPv4Network(prefix):
            refused[number] = finding(change.place, "address-outside-prefix", address=change.new, prefix=prefix)
    return refused


def _warranties(province: Province, changes: Sequence[Change]) -> dict[int, Finding]:
    """Refuse the later of two changes, purchase or warranty, that leave the warranty before the purchase."""
    days: dict[str, dict[str, tuple[int, Change]]] = {}
    for attribute in ("bought", "warranty"):
        for number, change in _of_devices(changes, attribute):
            days.setdefault(change.id, {})[attribute] = (number, change)
    refused: dict[int, Finding] = {}
    for name, said in days.items():
        device = province.devices.get(name)
        bought, warranty = (_day(said, attribute, device) for attribute in ("bought", "warranty"))
        if bought and warranty and warranty < bought:
            number, change = max(said.values(), key=lambda one: one[0])
            refused[number] = finding(change.place, "warranty-before-purchase", warranty=warranty, bought=bought)
    return refused


def _day(said: Mapping[str, tuple[int, Change]], attribute: str, device: Device | None) -> date | None:
    if attribute in said:
        return date.fromisoformat(said[attribute][1].new)
    if attribute == "warranty":
        return None  # it may follow from the purchase; the loader has the last word
    kept: date | None = getattr(device, attribute) if device else None
    return kept
