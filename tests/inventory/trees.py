"""Provinces of any shape, made without files: a tree of offices with a router and a box each."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from inventory.finding import Place
from inventory.load import load
from inventory.model import Device, Link, Office, Province

GOOD = load(Path(__file__).parents[1] / "provinces" / "good")
PLACE = Place("offices/tree.yaml")


def tree(parents: Mapping[str, str], backups: Mapping[str, str] | None = None) -> Province:
    """Return a province whose offices have these parents ("" for the root) and backups."""
    offices: dict[str, Office] = {}
    devices: dict[str, Device] = {}
    for name, parent in parents.items():
        backup = (backups or {}).get(name, "")
        offices[name] = replace(
            GOOD.offices["nam-yen"],
            id=name,
            uplink=link(name, parent, "uplink") if parent else None,
            backup=link(name, backup, "backup") if backup else None,
        )
        for role in ("router", "box"):
            device = GOOD.devices[f"{role}.nam-yen"]
            devices[f"{role}.{name}"] = replace(device, id=f"{role}.{name}", office=name)
    return replace(GOOD, offices=offices, devices=devices)


def link(office: str, parent: str, role: str) -> Link:
    return Link(f"{office}.{role}", office, parent, "vnpt", "fibre", 20_000_000, PLACE)


def chain(length: int) -> Province:
    """Return offices o0, o1, ..., each behind the one before it."""
    return tree({f"o{number}": f"o{number - 1}" if number else "" for number in range(length)})
