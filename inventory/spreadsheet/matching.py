"""What people write in a cell, matched with what the province knows: by id, by name, with or without accents."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import get_args

from pydantic import TypeAdapter, ValidationError

from inventory.declared_values import Address, Bandwidth, Mac, Medium, Slug
from inventory.model import Device, Province
from inventory.nearest import nearest
from inventory.spreadsheet.cells import CellError, cleaned
from inventory.spreadsheet.columns import Column, folded
from inventory.spreadsheet.values import bandwidth_text

_MAC: TypeAdapter[str] = TypeAdapter(Mac)
_ADDRESS: TypeAdapter[str] = TypeAdapter(Address)
_BANDWIDTH: TypeAdapter[int] = TypeAdapter(Bandwidth)
_SLUG: TypeAdapter[str] = TypeAdapter(Slug)
_BARE_MAC = re.compile(r"[0-9A-Fa-f]{12}|[0-9A-Fa-f]{4}(\.[0-9A-Fa-f]{4}){2}")
_SPEED = re.compile(r"(\d+(?:[.,]\d+)?)\s*([kmg])(?:bps|bit/s|b/s|bits?)?", re.IGNORECASE)
_UNITS = {"k": "kbit/s", "m": "Mbit/s", "g": "Gbit/s"}


def _checked(adapter: TypeAdapter[str], rule: str, text: str) -> str:
    try:
        return adapter.validate_python(text)
    except ValidationError:
        raise CellError(rule, value=text) from None


def mac(text: str) -> str:
    """Return a MAC address as "aa:bb:cc:dd:ee:ff", from any of its usual forms. Raises CellError."""
    if _BARE_MAC.fullmatch(text):
        digits = text.replace(".", "")
        text = ":".join(digits[index : index + 2] for index in range(0, 12, 2))
    return _checked(_MAC, "bad-mac", text)


def address(text: str) -> str:
    """Return an IPv4 address. Raises CellError."""
    return _checked(_ADDRESS, "bad-address", text)


def bandwidth(text: str) -> str:
    """Return a bandwidth as the files have it; "20Mbps" and "20 M" are understood too. Raises CellError."""
    if match := _SPEED.fullmatch(text):
        text = f"{match[1].replace(',', '.')} {_UNITS[match[2].lower()]}"
    try:
        return bandwidth_text(_BANDWIDTH.validate_python(text))
    except ValidationError:
        raise CellError("bad-bandwidth", value=text) from None


def _one_of(rule: str, names: Iterable[str], text: str) -> str:
    """Return the one of `names` that is written like `text` but for case, accents and punctuation."""
    known = list(names)
    if text in known:
        return text
    alike = [name for name in known if folded(name) == folded(text)]
    if len(alike) != 1:
        raise CellError(rule, name=text, value=f"'{text}'", near=nearest(text, known))
    return alike[0]


@dataclass(eq=False)
class Known:
    """What a province knows, ready to be looked up. Every look-up raises CellError for what it does not find."""

    province: Province
    serials: dict[str, Device] = field(init=False)
    roles: list[str] = field(init=False)
    kinds: list[str] = field(init=False)
    _offices: dict[str, list[str]] = field(init=False)
    _types: dict[str, list[str]] = field(init=False)
    _made: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        devices, offices = self.province.devices.values(), self.province.offices.values()
        self.serials = {cleaned(device.serial): device for device in devices if device.serial}
        self.roles, self.kinds = list(self.province.roles), list(self.province.kinds)
        self._offices = _by_name((office.id, (office.name,)) for office in offices)
        types = self.province.device_types.values()
        self._types = _by_name((t.id, (t.model, f"{t.manufacturer} {t.model}", t.part_number)) for t in types)

    def office(self, text: str) -> str:
        """Return the id of the office of that id or name."""
        return _find(text, self.province.offices, self._offices, "unknown-office")

    def device_type(self, text: str) -> str:
        """Return the id of the device type of that id, model, maker and model, or part number."""
        return _find(text, self.province.device_types, self._types, "unknown-device-type")

    def role(self, text: str) -> str:
        """Return the role of that name, among those of kinds.yaml."""
        return _one_of("unknown-role", self.roles, text)

    def resolve(self, column: Column, text: str) -> str:
        """Return what a cell of `column` means, spelt as the province spells it; "" stays ""."""
        readers: Mapping[str, Callable[[str], str]] = {
            "role": self.role,
            "type": self.device_type,
            "kind": lambda kind: _one_of("unknown-kind", self.kinds, kind),
            "mac": mac,
            "address": address,
            "medium": lambda medium: _one_of("unknown-value", get_args(Medium), medium),
            "bandwidth": bandwidth,
            "parent": self.office,
        }
        reader = readers.get(column.key.removeprefix("backup_"))
        return reader(text) if reader and text else text

    def new_name(self, name: str, office: str, role: str, whole: str) -> str:
        """Return the name of a new device: the one given, or the role with the next free number."""
        if name:
            if whole and whole != f"{name}.{office}":
                raise CellError("bad-id", value=whole)
            return _checked(_SLUG, "bad-id", name)
        number = 1
        while f"{role}-{number}.{office}" in self._made | self.province.devices.keys():
            number += 1
        self._made.add(f"{role}-{number}.{office}")
        return f"{role}-{number}"


def _by_name(named: Iterable[tuple[str, tuple[str, ...]]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, names in named:
        forms = {form: None for name in names for form in (name, folded(name)) if form}
        for form in forms:
            found.setdefault(form, []).append(key)
    return found


def _find(text: str, ids: Mapping[str, object], names: Mapping[str, list[str]], rule: str) -> str:
    """Return the id that `text` is, or that has it as a name: as it is written first, then without accents."""
    if text in ids:
        return text
    matches = names.get(text) or names.get(folded(text)) or [key for key in ids if folded(key) == folded(text)]
    if len(matches) > 1:
        raise CellError("sheet-ambiguous", value=text, names=", ".join(sorted(matches)[:8]))
    if not matches:
        raise CellError(rule, name=text, near=nearest(text, ids, also=names))
    return matches[0]
