"""Kinds of offices: what each kind has, with what it inherits."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from inventory.circles import circles
from inventory.declared import DeviceShape, KindsFile, KindShape, UplinkShape
from inventory.finding import Finding, Place, finding
from inventory.gaps import Gaps
from inventory.model import DeviceType
from inventory.nearest import nearest
from inventory.yamlfile import Document


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind with its inheritance applied. `templates` may count; `devices` are the single machines they give."""

    id: str
    tier: str
    prefix_length: int | None
    uplink: UplinkShape
    backup: UplinkShape | None
    templates: Mapping[str, DeviceShape]
    labels: Mapping[str, str]
    place: Place
    devices: Mapping[str, DeviceShape] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)  # of those devices' templates, in kinds.yaml


def overlay(base: DeviceShape, over: DeviceShape) -> DeviceShape:
    """Return `base` with everything that `over` says."""
    said = {name: getattr(over, name) for name in over.model_fields_set}
    if "labels" in said:
        said["labels"] = {**(base.labels or {}), **(over.labels or {})}
    if "probes" in said:
        said["probes"] = [*(base.probes or ()), *(over.probes or ())]
    return base.model_copy(update=said)


def overlay_uplink(base: UplinkShape, over: UplinkShape) -> UplinkShape:
    """Return `base` with everything that `over` says."""
    return base.model_copy(update={name: getattr(over, name) for name in over.model_fields_set})


def single(templates: Mapping[str, DeviceShape]) -> Iterator[tuple[str, DeviceShape]]:
    """Turn counted templates into single devices: `pc` with count 3 into pc-1, pc-2, pc-3 on successive hosts."""
    for name, shape in templates.items():
        if shape.absent:
            continue
        for index, machine in enumerate(names_of(name, shape)):
            host = shape.host + index if shape.host else None
            yield machine, shape if shape.count is None else shape.model_copy(update={"count": None, "host": host})


def names_of(name: str, shape: DeviceShape) -> Sequence[str]:
    """Return the names of the single devices that a template gives."""
    return (name,) if shape.count is None else [f"{name}-{index + 1}" for index in range(shape.count)]


def named_twice(templates: Mapping[str, DeviceShape]) -> Iterator[tuple[str, str]]:
    """Yield (template, device) where a template gives a device that an earlier one gives already."""
    taken: set[str] = set()
    for name, shape in templates.items():
        given = () if shape.absent else names_of(name, shape)
        if again := taken.intersection(given):
            yield name, min(again)
        taken.update(given)


def resolve_kinds(document: Document, shape: KindsFile, gaps: Gaps) -> tuple[dict[str, Kind], list[Finding]]:
    """Apply the inheritance of all kinds; circles and unknown parents are findings, and their kinds left out."""
    extends = {name: [kind.extends] if kind.extends else [] for name, kind in shape.kinds.items()}
    findings: list[Finding] = []
    for circle in circles(extends):
        place, told = document.place("kinds", circle[0], "extends"), " -> ".join([*circle, circle[0]])
        findings.append(finding(place, "kind-circle", circle=told))
    for name, parent in ((name, kind.extends) for name, kind in shape.kinds.items() if kind.extends):
        if parent not in shape.kinds and not gaps.has("kinds", parent):
            place = document.place("kinds", name, "extends")
            findings.append(finding(place, "unknown-kind", name=parent, near=nearest(parent, shape.kinds)))
    lineages = {name: _lineage(shape.kinds, name) for name in shape.kinds}
    return {name: _combine(document, name, lineage) for name, lineage in lineages.items() if lineage}, findings


def _lineage(kinds: Mapping[str, KindShape], name: str) -> dict[str, KindShape]:
    """Return the kind and all it extends, the most general first; nothing when that has no end."""
    lineage: dict[str, KindShape] = {}
    step: str | None = name
    while step is not None:
        if step in lineage or step not in kinds:
            return {}
        lineage[step] = kinds[step]
        step = kinds[step].extends
    return dict(reversed(lineage.items()))


def _combine(document: Document, name: str, lineage: Mapping[str, KindShape]) -> Kind:
    """Lay the kinds over each other, the most general first."""
    tier, prefix_length, uplink = "", None, UplinkShape()
    backup: UplinkShape | None = None
    templates: dict[str, DeviceShape] = {}
    labels: dict[str, str] = {}
    places: dict[str, Place] = {}
    for ancestor, shape in lineage.items():
        tier = shape.tier or tier
        prefix_length = shape.prefix_length or prefix_length
        uplink = overlay_uplink(uplink, shape.uplink)
        backup = overlay_uplink(backup or UplinkShape(), shape.backup) if shape.backup else backup
        labels |= shape.labels
        for device, template in shape.devices.items():
            templates[device] = overlay(templates[device], template) if device in templates else template
            place = document.place("kinds", ancestor, "devices", device)
            places |= dict.fromkeys(names_of(device, templates[device]), place)
    place, devices = document.place("kinds", name), dict(single(templates))
    return Kind(name, tier, prefix_length, uplink, backup, templates, labels, place, devices, places)


def check_kinds(
    document: Document,
    shape: KindsFile,
    kinds: Mapping[str, Kind],
    device_types: Mapping[str, DeviceType],
    modules: Iterable[str],
    tiers: Iterable[str],
    gaps: Gaps,
) -> Iterator[Finding]:
    """Complain of what roles and kinds name but nobody declares."""
    for role, declared in shape.roles.items():
        yield from unknown_modules(document, ("roles", role, "probes"), declared.probes, modules, gaps)
    for name, kind in shape.kinds.items():
        if kind.tier and tiers and kind.tier not in tiers:
            place = document.place("kinds", name, "tier")
            yield finding(place, "unknown-tier", name=kind.tier, near=nearest(kind.tier, tiers))
        for device, template in kind.devices.items():
            path = ("kinds", name, "devices", device)
            yield from check_device(document, path, template, shape.roles, device_types, modules, gaps)
    for name, resolved in kinds.items():
        inherited = kinds.get(shape.kinds[name].extends or "")
        yield from _check_templates(document, resolved, inherited.templates if inherited else {})


def _check_templates(document: Document, kind: Kind, inherited: Mapping[str, DeviceShape]) -> Iterator[Finding]:
    """Complain of devices that cannot be made; what a kind inherits is told of where it was said."""
    for device, template in kind.templates.items():
        missing = missing_keys(template)
        if missing and not template.absent and missing != missing_keys(inherited.get(device, DeviceShape(host=1))):
            place = document.place("kinds", kind.id, "devices", device)
            yield finding(place, "incomplete-device", device=device, missing=missing)
    for name, device in set(named_twice(kind.templates)) - set(named_twice(inherited)):
        yield finding(document.place("kinds", kind.id, "devices", name), "duplicate-device", device=device)


def missing_keys(shape: DeviceShape) -> str:
    """Return which of the keys that a device cannot do without are missing, as text."""
    return ", ".join(key for key in ("role", "type") if getattr(shape, key) is None)


def check_device(
    document: Document,
    path: tuple[str, ...],
    shape: DeviceShape,
    roles: Mapping[str, object],
    device_types: Mapping[str, DeviceType],
    modules: Iterable[str],
    gaps: Gaps,
) -> Iterator[Finding]:
    """Complain of the role, type and probes that a device names but nobody declares."""
    if shape.role is not None and shape.role not in roles and not gaps.has("roles", shape.role):
        yield finding(document.place(*path, "role"), "unknown-role", name=shape.role, near=nearest(shape.role, roles))
    if shape.type is not None and shape.type not in device_types and not gaps.has("device-types", shape.type):
        near = nearest(shape.type, device_types)
        yield finding(document.place(*path, "type"), "unknown-device-type", name=shape.type, near=near)
    yield from unknown_modules(document, (*path, "probes"), shape.probes or (), modules, gaps)


def unknown_modules(
    document: Document, path: tuple[str, ...], names: Iterable[str], modules: Iterable[str], gaps: Gaps
) -> Iterator[Finding]:
    """Complain of probe modules that nobody declares."""
    for position, name in enumerate(names):
        if name not in modules and not gaps.has("modules", name):
            yield finding(document.place(*path, position), "unknown-module", name=name, near=nearest(name, modules))
