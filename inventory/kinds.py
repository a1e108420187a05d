"""Kinds of offices: what each kind has, with what it inherits."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from inventory.declared import DeviceShape, KindsFile, KindShape, UplinkShape
from inventory.finding import Finding, finding
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
    devices: Mapping[str, DeviceShape] = field(default_factory=dict)


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
        if shape.count is None:
            yield name, shape
            continue
        for index in range(shape.count):
            host = shape.host + index if shape.host else None
            yield f"{name}-{index + 1}", shape.model_copy(update={"count": None, "host": host})


def resolve_kinds(document: Document, shape: KindsFile) -> tuple[dict[str, Kind], list[Finding]]:
    """Apply the inheritance of all kinds; circles and unknown parents are findings, and their kinds left out."""
    kinds: dict[str, Kind] = {}
    findings: list[Finding] = []
    for name in shape.kinds:
        lineage, complaint = _lineage(document, shape.kinds, name)
        if complaint:
            findings.append(complaint)
        else:
            kinds[name] = _combine(name, [shape.kinds[ancestor] for ancestor in reversed(lineage)])
    return kinds, findings


def _lineage(document: Document, kinds: Mapping[str, KindShape], name: str) -> tuple[list[str], Finding | None]:
    """Return the kind and all it extends, nearest first."""
    lineage = [name]
    while parent := kinds[lineage[-1]].extends:
        place = document.place("kinds", lineage[-1], "extends")
        if parent not in kinds:
            return lineage, finding(place, "unknown-kind", name=parent, near=nearest(parent, kinds))
        if parent in lineage:
            circle = " -> ".join([*lineage[lineage.index(parent) :], parent])
            return lineage, finding(document.place("kinds", name, "extends"), "kind-circle", circle=circle)
        lineage.append(parent)
    return lineage, None


def _combine(name: str, lineage: Iterable[KindShape]) -> Kind:
    """Lay the kinds over each other, the most general first."""
    tier, prefix_length, uplink = "", None, UplinkShape()
    backup: UplinkShape | None = None
    templates: dict[str, DeviceShape] = {}
    labels: dict[str, str] = {}
    for shape in lineage:
        tier = shape.tier or tier
        prefix_length = shape.prefix_length or prefix_length
        uplink = overlay_uplink(uplink, shape.uplink)
        backup = overlay_uplink(backup or UplinkShape(), shape.backup) if shape.backup else backup
        labels |= shape.labels
        for device, template in shape.devices.items():
            templates[device] = overlay(templates[device], template) if device in templates else template
    return Kind(name, tier, prefix_length, uplink, backup, templates, labels, dict(single(templates)))


def check_kinds(
    document: Document,
    shape: KindsFile,
    kinds: Mapping[str, Kind],
    device_types: Mapping[str, DeviceType],
    modules: Iterable[str],
    tiers: Iterable[str],
) -> Iterator[Finding]:
    """Complain of what roles and kinds name but nobody declares."""
    for role, declared in shape.roles.items():
        yield from unknown_modules(document, ("roles", role, "probes"), declared.probes, modules)
    for name, kind in shape.kinds.items():
        if kind.tier and kind.tier not in tiers:
            place = document.place("kinds", name, "tier")
            yield finding(place, "unknown-tier", name=kind.tier, near=nearest(kind.tier, tiers))
        for device, template in kind.devices.items():
            path = ("kinds", name, "devices", device)
            yield from check_device(document, path, template, shape.roles, device_types, modules)
    for kind_id, resolved in kinds.items():
        for device, template in resolved.templates.items():
            yield from _check_complete(document, kind_id, device, template)


def _check_complete(document: Document, kind: str, device: str, template: DeviceShape) -> Iterator[Finding]:
    place = document.place("kinds", kind, "devices", device)
    if not template.absent and template.role is None:
        yield finding(place, "missing-role", device=device)
    if not template.absent and template.type is None:
        yield finding(place, "missing-type", device=device)


def check_device(
    document: Document,
    path: tuple[str, ...],
    shape: DeviceShape,
    roles: Mapping[str, object],
    device_types: Mapping[str, DeviceType],
    modules: Iterable[str],
) -> Iterator[Finding]:
    """Complain of the role, type and probes that a device names but nobody declares."""
    if shape.role is not None and shape.role not in roles:
        yield finding(document.place(*path, "role"), "unknown-role", name=shape.role, near=nearest(shape.role, roles))
    if shape.type is not None and shape.type not in device_types:
        near = nearest(shape.type, device_types)
        yield finding(document.place(*path, "type"), "unknown-device-type", name=shape.type, near=near)
    yield from unknown_modules(document, (*path, "probes"), shape.probes or (), modules)


def unknown_modules(
    document: Document, path: tuple[str, ...], names: Iterable[str], modules: Iterable[str]
) -> Iterator[Finding]:
    """Complain of probe modules that nobody declares."""
    for position, name in enumerate(names):
        if name not in modules:
            yield finding(document.place(*path, position), "unknown-module", name=name, near=nearest(name, modules))
