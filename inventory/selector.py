"""Selectors: which offices or devices, in the label-selector syntax that Kubernetes made known.

tier=commune,role=server,district in (an-bien, an-minh),!serial
under=an-bien          the office an-bien and all that reach the network through it
dong-yen               an office or a device by its id
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TypeVar

from inventory.finding import InventoryError
from inventory.language import _
from inventory.model import Device, Office, Province
from inventory.nearest import nearest

_REQUIREMENT = re.compile(
    r"""\s*(?:
        (?P<absent>!)\s*(?P<absent_key>[\w./-]+)
      | (?P<key>[\w./-]+)\s*(?:
            (?P<operator>==|=|!=)\s*(?P<value>[^\s,()=!]+)
          | (?P<set>in|notin)\s*\(\s*(?P<values>[^()]*?)\s*\)
        )?
    )\s*(?:,|$)""",
    re.VERBOSE,
)


class SelectorError(InventoryError):
    """A selector that cannot be read, or that names what does not exist. The message says where and how to mend."""


class NothingChosenError(SelectorError):
    """A selector that can be read, but names what nothing in the province has."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition: the value of `key` is (or, negated, is not) among `values`; without values, it is there."""

    key: str
    values: frozenset[str]
    negated: bool = False

    def holds(self, actual: Collection[str]) -> bool:
        """Whether it holds for something whose values under the key are `actual`."""
        met = not self.values.isdisjoint(actual) if self.values else any(actual)
        return met != self.negated


def parse(text: str) -> tuple[Requirement, ...]:
    """Read a selector; the empty one has no requirement and selects everything."""
    requirements: list[Requirement] = []
    position = 0
    while text[position:].strip():
        match = _REQUIREMENT.match(text, position)
        if not match:
            raise SelectorError(
                _("selector '{text}': cannot be read from '{rest}'; write key=value, key in (a,b) or an id").format(
                    text=text, rest=text[position:].strip()
                )
            )
        requirements.append(_requirement(match, text))
        position = match.end()
    if text.rstrip().endswith(","):
        raise SelectorError(_("selector '{text}': ends with a comma; write another condition").format(text=text))
    return tuple(requirements)


def _requirement(match: re.Match[str], text: str) -> Requirement:
    if match["absent"]:
        return Requirement(match["absent_key"], frozenset(), negated=True)
    if match["operator"]:
        return Requirement(match["key"], frozenset([match["value"]]), negated=match["operator"] == "!=")
    if match["set"]:
        values = frozenset(value.strip() for value in match["values"].split(",") if value.strip())
        if not values:
            raise SelectorError(_("selector '{text}': the list in parentheses is empty").format(text=text))
        return Requirement(match["key"], values, negated=match["set"] == "notin")
    return Requirement(match["key"], frozenset())


OfficeKey = Callable[[Province, Office], Collection[str]]
DeviceKey = Callable[[Province, Device], Collection[str]]


def below(province: Province, top: str) -> list[str]:
    """Return the office `top` and all that reach the network through it; nothing when there is no such office."""
    children: dict[str, list[str]] = {}
    for office in province.offices.values():
        children.setdefault(office.parent, []).append(office.id)
    found = [top] if top in province.offices else []
    seen = set(found)
    for office_id in found:  # which grows
        more = [child for child in children.get(office_id, ()) if child not in seen]
        found += more
        seen.update(more)
    return found


OFFICE_KEYS: Mapping[str, OfficeKey] = {
    "office": lambda _p, o: (o.id,),
    "unit": lambda _p, o: (o.unit,),
    "tier": lambda _p, o: (o.tier,),
    "kind": lambda _p, o: (o.kind,),
    "district": lambda _p, o: (o.district,),
    "parent": lambda _p, o: (o.parent,),
    "under": lambda _p, o: (o.id,),  # with values: `_under_reader`
    "island": lambda _p, o: (o.island,),
    "provider": lambda _p, o: (o.uplink.provider if o.uplink else "",),
    "medium": lambda _p, o: (o.uplink.medium if o.uplink else "",),
    "backup": lambda _p, o: (o.backup.medium if o.backup else "",),
}
DEVICE_KEYS: Mapping[str, DeviceKey] = {
    "id": lambda _p, d: (d.id,),
    "name": lambda _p, d: (d.name,),
    "role": lambda _p, d: (d.role,),
    "type": lambda _p, d: (d.type,),
    "manufacturer": lambda p, d: (p.device_types[d.type].manufacturer,),
    "model": lambda p, d: (p.device_types[d.type].model,),
    "platform": lambda _p, d: (d.platform,),
    "driver": lambda _p, d: (d.driver,),
    "address": lambda _p, d: (d.address,),
    "serial": lambda _p, d: (d.serial,),
    "mac": lambda _p, d: (d.mac,),
    "owner": lambda _p, d: (d.owner,),
    "bought": lambda _p, d: (str(d.bought or ""),),
    "warranty": lambda _p, d: (str(d.warranty or ""),),
    "probe": lambda _p, d: d.probes,
}
Chosen = TypeVar("Chosen", Office, Device)
# A value of these keys that nothing has is a mistake worth telling; of the others it may just be rare.
_CLOSED = (
    "office",
    "unit",
    "tier",
    "kind",
    "district",
    "parent",
    "under",
    "medium",
    "id",
    "name",
    "role",
    "type",
    "probe",
)


def select_offices(province: Province, text: str) -> tuple[Office, ...]:
    """Return the offices that the selector chooses, in the order of the files. Raises SelectorError."""
    chosen = list(province.offices.values())
    for requirement in parse(text):
        requirement = _by_id(requirement, OFFICE_KEYS, {"office": province.offices})
        read = _office_reader(province, requirement)
        chosen = _filter(province, chosen, list(province.offices.values()), requirement, read)
    return tuple(chosen)


def select_devices(province: Province, text: str) -> tuple[Device, ...]:
    """Return the devices that the selector chooses, in the order of the files. Raises SelectorError."""
    chosen = list(province.devices.values())
    known = {"office": province.offices, "id": province.devices}
    for requirement in parse(text):
        requirement = _by_id(requirement, {**OFFICE_KEYS, **DEVICE_KEYS}, known)
        read = _device_reader(province, requirement)
        chosen = _filter(province, chosen, list(province.devices.values()), requirement, read)
    return tuple(chosen)


def _by_id(
    requirement: Requirement, keys: Mapping[str, object], ids: Mapping[str, Mapping[str, object]]
) -> Requirement:
    """A bare word that is no key is the id of an office or device."""
    word = requirement.key
    if requirement.values or word in keys or word.startswith("label/"):
        return requirement
    for key, known in ids.items():
        if word in known:
            return Requirement(key, frozenset([word]), requirement.negated)
    candidates = [name for known in ids.values() for name in known]
    raise NothingChosenError(
        _("no office, device or key is called '{word}'; write {near}").format(
            word=word, near=nearest(word, [*candidates, *keys])
        )
    )


def _office_reader(province: Province, requirement: Requirement) -> OfficeKey:
    key = requirement.key
    if key == "under" and requirement.values:
        return _under_reader(province, requirement.values)
    if key in OFFICE_KEYS:
        return OFFICE_KEYS[key]
    if key.startswith("label/"):
        return lambda _p, office: (office.labels.get(key[6:], ""),)
    raise _unknown_key(key, OFFICE_KEYS)


def _device_reader(province: Province, requirement: Requirement) -> DeviceKey:
    key = requirement.key
    if key in DEVICE_KEYS:
        return DEVICE_KEYS[key]
    if key.startswith("label/"):
        return lambda p, d: (d.labels.get(key[6:]) or p.offices[d.office].labels.get(key[6:], ""),)
    if key in OFFICE_KEYS:
        of_office = _office_reader(province, requirement)
        return lambda p, d: of_office(p, p.offices[d.office])
    raise _unknown_key(key, {**OFFICE_KEYS, **DEVICE_KEYS})


def _under_reader(province: Province, tops: Collection[str]) -> OfficeKey:
    """Read which of `tops` an office lies under; walked down once from each, not up from every office."""
    inside: dict[str, list[str]] = {}
    for top in tops:
        for office in below(province, top):
            inside.setdefault(office, []).append(top)
    return lambda _p, office: inside.get(office.id, ())


def _unknown_key(key: str, keys: Mapping[str, object]) -> SelectorError:
    return SelectorError(
        _("selector key '{key}' is not known; write {near}").format(key=key, near=nearest(key, [*keys, "label/NAME"]))
    )


def _filter(
    province: Province,
    chosen: list[Chosen],
    everything: list[Chosen],
    requirement: Requirement,
    read: Callable[[Province, Chosen], Collection[str]],
) -> list[Chosen]:
    if requirement.values and requirement.key in _CLOSED:
        known = _values_of(province, everything, requirement, read)
        for value in sorted(requirement.values.difference(known)):
            raise NothingChosenError(
                _("selector: nothing has {key}={value}; write {near}").format(
                    key=requirement.key, value=value, near=nearest(value, known)
                )
            )
    return [item for item in chosen if requirement.holds(read(province, item))]


def _values_of(
    province: Province,
    everything: list[Chosen],
    requirement: Requirement,
    read: Callable[[Province, Chosen], Collection[str]],
) -> Collection[str]:
    if requirement.key == "under":
        return province.offices.keys()
    return {value for item in everything for value in read(province, item) if value}
