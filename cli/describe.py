"""Whatever has an id, as flat items; and the trees of units and uplinks as rows with their depth."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, TypeVar

from inventory.export.items import device_item, office_item
from inventory.finding import InventoryError
from inventory.language import _
from inventory.model import Office, Province, Unit
from inventory.nearest import nearest

Thing = TypeVar("Thing")


class UnknownIdError(InventoryError):
    """Nothing in the province has this id."""


def describe(province: Province, name: str) -> list[dict[str, Any]]:
    """Return an item for everything called `name`: an office and a unit may share an id. Raises UnknownIdError."""
    items: list[dict[str, Any]] = []
    if name in province.offices:
        office = province.offices[name]
        devices = [device.id for device in province.devices_of[name]]
        services = [service.id for service in province.services.values() if name in service.offices]
        place = str(office.place)
        items.append(
            {"is": "office", **office_item(province, office), "has": devices, "uses": services, "place": place}
        )
    if name in province.devices:
        device = province.devices[name]
        items.append({"is": "device", **device_item(province, device), "place": str(device.place)})
    if name in province.units:
        items.append({"is": "unit", **unit_item(province, province.units[name])})
    for kind, things in (("service", province.services), ("person", province.people)):
        if name in things:
            items.append({"is": kind, **{key: _flat(value) for key, value in asdict(things[name]).items()}})
    if not items:
        known = [*province.offices, *province.devices, *province.units, *province.services, *province.people]
        raise _unknown(name, known)
    return items


def _flat(value: Any) -> Any:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={inner}" for key, inner in value.items())
    if isinstance(value, tuple | list):
        return [_flat(inner) for inner in value] if not hasattr(value, "_fields") else str(value)
    return value


def unit_item(province: Province, unit: Unit) -> dict[str, Any]:
    """Return a unit as on the province's day; earlier and later values under `history`."""
    day = province.as_of
    history = [
        f"{since}: {value}"
        for dated in (unit.code, unit.name, unit.type, unit.parent)
        for since, value in zip(dated.since, dated.values, strict=True)
        if len(dated.values) > 1
    ]
    return {
        "id": unit.id,
        "code": unit.code.on(day),
        "name": unit.name.on(day),
        "type": unit.type.on(day),
        "tier": unit.tier,
        "parent": unit.parent.on(day),
        "island": unit.island,
        "history": history,
        "place": str(unit.place),
    }


def unit_rows(province: Province, under: str) -> list[dict[str, Any]]:
    """Return the units in force, parents before children, each with its depth."""
    day = province.as_of
    children: dict[str, list[Unit]] = {}
    for unit in province.units.values():
        if unit.exists(day):
            children.setdefault(unit.parent.on(day), []).append(unit)
    start = [_known(province.units, under)] if under else children.get("", [])
    rows: list[dict[str, Any]] = []
    waiting = [(unit, 0) for unit in reversed(start)]
    while waiting:
        unit, depth = waiting.pop()
        rows.append({"depth": depth, **unit_item(province, unit)})
        waiting += [(child, depth + 1) for child in reversed(children.get(unit.id, []))]
    return rows


def office_rows(province: Province, under: str) -> list[dict[str, Any]]:
    """Return the offices by their uplinks, parents before children, each with its depth."""
    children: dict[str, list[Office]] = {}
    for office in province.offices.values():
        children.setdefault(office.parent, []).append(office)
    start = [_known(province.offices, under)] if under else children.get("", [])
    rows: list[dict[str, Any]] = []
    waiting = [(office, 0) for office in reversed(start)]
    while waiting:
        office, depth = waiting.pop()
        rows.append({"depth": depth, **office_item(province, office)})
        waiting += [(child, depth + 1) for child in reversed(children.get(office.id, []))]
    return rows


def _known(things: Mapping[str, Thing], name: str) -> Thing:
    if name not in things:
        raise _unknown(name, things)
    return things[name]


def _unknown(name: str, known: Iterable[str]) -> UnknownIdError:
    return UnknownIdError(_("nothing is called '{name}'; write {near}").format(name=name, near=nearest(name, known)))
