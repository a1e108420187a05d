"""What the files of a province come to together: surroundings, then each file of offices, then all of them.

Every step is a function of what was read; `inventory.load` keeps its result for as long as that is the same.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from inventory.checks import check_devices, check_offices, check_prefixes
from inventory.declared import DeviceTypeFile, KindsFile, OfficesFile, UnitsFile
from inventory.declared_province import ProvinceFile
from inventory.declared_rollouts import RolloutFile
from inventory.finding import Finding, finding
from inventory.forms import slug_of
from inventory.gaps import Gaps
from inventory.kinds import check_kinds, resolve_kinds
from inventory.maintenance import resolve_maintenance
from inventory.model import DeviceType, Province
from inventory.modules import BUILT_IN
from inventory.offices import Group, Surroundings, resolve_group
from inventory.rollouts import resolve_rollout, resolve_working_hours
from inventory.schedule import resolve_schedule
from inventory.services import resolve_modules
from inventory.settings import resolve_alerts, resolve_letterhead, resolve_page, resolve_settings
from inventory.units import check_units, resolve_units
from inventory.yamlfile import Document

ShapeT = TypeVar("ShapeT", bound=BaseModel)
Step = tuple[Any, list[Finding]]


@dataclass(frozen=True, eq=False)
class Declared(Generic[ShapeT]):
    """One good file: its shape, and the document that knows the lines."""

    document: Document
    shape: ShapeT


def resolve_surroundings(
    head: Declared[ProvinceFile], units: Declared[UnitsFile], kinds: Declared[KindsFile], *rest: Any
) -> Step:
    """Resolve what all files of offices refer to: units, kinds, roles, device types and probe modules."""
    *types, day, gaps = rest
    device_types, findings = _device_types(types)
    modules, found = resolve_modules(head.document, head.shape.modules, BUILT_IN)
    findings += found
    resolved = resolve_units(units.document, units.shape)
    findings += check_units(units.document, units.shape, resolved, head.shape.tiers, gaps)
    all_kinds, found = resolve_kinds(kinds.document, kinds.shape, gaps)
    findings += found
    findings += check_kinds(kinds.document, kinds.shape, all_kinds, device_types, modules, head.shape.tiers, gaps)
    gaps = gaps.plus("kinds", kinds.shape.kinds.keys() - all_kinds.keys())
    return (
        Surroundings(
            tiers=head.shape.tiers,
            root=head.shape.root,
            slot=head.shape.address_plan.slot,
            as_of=day,
            units=resolved,
            kinds=all_kinds,
            roles={role: tuple(shape.probes) for role, shape in kinds.shape.roles.items()},
            device_types=device_types,
            modules=modules,
            gaps=gaps,
        ),
        findings,
    )


def _device_types(files: Iterable[Declared[DeviceTypeFile]]) -> tuple[dict[str, DeviceType], list[Finding]]:
    device_types: dict[str, DeviceType] = {}
    findings: list[Finding] = []
    for file in files:
        made = _device_type(file.shape, file.document)
        if made.id in device_types:
            place, other = file.document.place("slug"), device_types[made.id].place.file
            findings.append(finding(place, "duplicate-device-type", slug=made.id, other=other))
        device_types[made.id] = made
    return device_types, findings


def _device_type(shape: DeviceTypeFile, document: Document) -> DeviceType:
    return DeviceType(
        id=shape.slug,
        manufacturer=shape.manufacturer,
        model=shape.model,
        part_number=shape.part_number,
        place=document.place(),
        interfaces=tuple(str(interface.get("name", "")) for interface in shape.interfaces),
        platform=shape.tuyen.platform,
        driver=shape.tuyen.driver,
        warranty_years=shape.tuyen.warranty_years,
        end_of_support=shape.tuyen.end_of_support,
    )


def resolve_file(file: Declared[OfficesFile], around: Surroundings) -> Step:
    """Resolve one file of offices."""
    group = resolve_group(file.document, file.shape, around)
    return group, group.findings


def resolve_across(head: Declared[ProvinceFile], around: Surroundings, gaps: Gaps, *groups: Group) -> Step:
    """Join the files of offices, and check what can only be seen across them."""
    by_file = {group.document.file: group for group in groups}
    joined = _joined(head.shape, around, groups)
    province, ruled = resolve_settings(head.document, head.shape, joined, gaps)
    hours, kept = resolve_working_hours(head.document, head.shape, province, gaps)
    page, open_to_all = resolve_page(head.document, head.shape)
    alerts = resolve_alerts(head.shape)
    recurring, unclear = resolve_maintenance(head.document, head.shape, province, gaps)
    schedule, exposed = resolve_schedule(head.document, head.shape)
    province = replace(
        province,
        working_hours=hours,
        page=page,
        alerts=alerts,
        maintenance=recurring,
        schedule=schedule,
        letterhead=resolve_letterhead(head.shape),
    )
    findings = [
        *ruled,
        *kept,
        *open_to_all,
        *unclear,
        *exposed,
        *check_offices(by_file, joined.offices, around.tiers, around.root, head.document.place("root"), gaps),
        *check_prefixes(by_file, joined.networks),
        *check_devices(by_file, joined.devices),
    ]
    return province, findings


def _joined(shape: ProvinceFile, around: Surroundings, groups: Sequence[Group]) -> Province:
    """Return the province with its units, offices and devices, and without what depends on these."""
    return Province(
        id=shape.id,
        name=shape.name,
        folder="",
        domain=shape.domain,
        time_zone=shape.time_zone,
        tiers=tuple(shape.tiers),
        as_of=around.as_of,
        networks=tuple(shape.address_plan.networks),
        units=around.units,
        offices={name: office for group in groups for name, office in group.offices.items()},
        devices={name: device for group in groups for name, device in group.devices.items()},
        device_types=around.device_types,
        services={},
        people={},
        modules=around.modules,
        database=shape.database,
        practice=shape.practice,
        roles=tuple(sorted(around.roles)),
        kinds=tuple(sorted(around.kinds)),
    )


def resolve_rollout_file(file: Declared[RolloutFile], province: Province, gaps: Gaps) -> Step:
    """Resolve one file of rollouts/; a rollout is called like its file."""
    name = PurePath(file.document.file).stem
    rollout, findings = resolve_rollout(file.document, name, file.shape, province, gaps)
    if slug_of(name) != name:
        findings.insert(0, finding(file.document.place(), "bad-id", value=name, near=slug_of(name) or "agent-2"))
    return rollout, findings
