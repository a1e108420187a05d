"""What a report is about: the whole province, or what lies under one unit or office of it."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from inventory.finding import InventoryError
from inventory.language import _
from inventory.model import Office, Province, Service
from inventory.nearest import nearest
from inventory.selector import below


class UnknownScopeError(InventoryError):
    """Nothing is called so, or no office lies under it."""


@dataclass(frozen=True)
class Scope:
    """Some offices of a province, and the services that they depend on. `under` is "" for the whole province."""

    province: Province
    under: str
    name: str
    offices: tuple[Office, ...]
    services: tuple[Service, ...]


def scope(province: Province, under: str = "") -> Scope:
    """Return what lies under a unit, as the tree stood on the province's day, or else under an office.

    An office has under it what reaches the network through it. Raises UnknownScopeError.
    """
    if not under:
        return _scope(province, "", province.name, province.offices.keys())
    if under in province.units:
        units = frozenset(_units_under(province, under))
        inside = {office.id for office in province.offices.values() if office.unit in units}
        return _scope(province, under, province.units[under].name.on(province.as_of), inside)
    if under in province.offices:
        return _scope(province, under, province.offices[under].name, frozenset(below(province, under)))
    near = nearest(under, [*province.units, *province.offices])
    raise UnknownScopeError(_("no unit and no office is called '{name}'; write {near}").format(name=under, near=near))


def _units_under(province: Province, top: str) -> Iterator[str]:
    """Yield a unit and all that lie in it; units whose parents lead in a circle lie in none."""
    for unit in province.units:
        upward, seen = unit, set[str]()
        while upward != top and upward in province.units and upward not in seen:
            seen.add(upward)
            upward = province.units[upward].parent.on(province.as_of)
        if upward == top:
            yield unit


def _scope(province: Province, under: str, name: str, inside: Collection[str]) -> Scope:
    offices = tuple(office for office in province.offices.values() if office.id in inside)
    if not offices:
        raise UnknownScopeError(_("no office lies under '{name}'").format(name=under))
    services = tuple(
        service
        for service in province.services.values()
        if not under or not frozenset(service.offices).isdisjoint(inside)
    )
    return Scope(province, under, name, offices, services)
