"""Load a province: read its files, apply kinds and plans, check everything, and return one frozen value.

A `Loader` keeps what it read: after one changed file it reads and resolves that file only, so a watch can ask
it every second. All findings come at once, in the order of the files.
"""

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from inventory.checks import check_devices, check_offices, check_prefixes
from inventory.declared import (
    DeviceTypeFile,
    KindsFile,
    OfficesFile,
    PeopleFile,
    ProvinceFile,
    ServicesFile,
    UnitsFile,
)
from inventory.finding import Finding, InvalidProvinceError, InventoryError, Place, finding
from inventory.kinds import check_kinds, resolve_kinds
from inventory.language import _
from inventory.model import DeviceType, Province
from inventory.modules import BUILT_IN
from inventory.offices import Group, Surroundings, resolve_group
from inventory.services import resolve_modules, resolve_people, resolve_services
from inventory.units import check_units, resolve_units
from inventory.validate import validate
from inventory.yamlfile import Document, read

ShapeT = TypeVar("ShapeT", bound=BaseModel)
MARK = "province.yaml"


class ProvinceNotFoundError(InventoryError):
    """No folder with a province.yaml was named or lies above the current folder."""


def find(start: Path) -> Path:
    """Return the nearest folder at or above `start` that holds a province.yaml. Raises ProvinceNotFoundError."""
    for folder in (start.absolute(), *start.absolute().parents):
        inside = folder.name == "offices" and (folder.parent / MARK).is_file()  # offices/ may hold a province.yaml
        if (folder / MARK).is_file() and not inside:
            return folder
    raise ProvinceNotFoundError(
        _(
            "no province.yaml in {folder} or above it; go into a province's folder, name one with --province "
            "or TUYEN_PROVINCE, or make one with 'tuyen init DIR'"
        ).format(folder=start)
    )


@dataclass(frozen=True, eq=False)
class Declared(Generic[ShapeT]):
    """One good file: its shape, and the document that knows the lines."""

    document: Document
    shape: ShapeT


Signature = tuple[int, int, int]
Step = tuple[Any, list[Finding]]


@dataclass
class Loader:
    """Loads the province in `folder`, again and again, cheaply.

    `day` stands for today where province.yaml says no `as_of`; `as_of` goes over both.
    """

    folder: Path
    day: date = field(default_factory=date.today)
    as_of: date | None = None
    _files: dict[str, tuple[Signature, Declared[Any] | None, list[Finding]]] = field(default_factory=dict)
    _steps: dict[str, tuple[tuple[Any, ...], Step]] = field(default_factory=dict)

    def load(self) -> Province:
        """Return the province. Raises InvalidProvinceError with every finding."""
        province, findings = self.examine()
        if findings or province is None:
            raise InvalidProvinceError(findings)
        return province

    def examine(self) -> tuple[Province | None, tuple[Finding, ...]]:
        """Return the province as far as it can be made (None if its base cannot) and every finding, sorted."""
        findings: list[Finding] = []
        with _without_collector():
            province = self._assemble(findings)
        return province, tuple(sorted(set(findings), key=lambda found: (*found.place, found.rule)))

    def _assemble(self, findings: list[Finding]) -> Province | None:
        head = self._file(MARK, ProvinceFile, findings)
        units = self._file("units.yaml", UnitsFile, findings)
        kinds = self._file("kinds.yaml", KindsFile, findings)
        types = self._folder("device-types/*/*", DeviceTypeFile, findings)
        offices = self._folder("offices/*", OfficesFile, findings)
        services = self._file("services.yaml", ServicesFile, findings, required=False)
        people = self._file("people.yaml", PeopleFile, findings, required=False)
        if not offices:
            findings.append(finding(Place("offices/"), "file-missing", what="offices/*.yaml"))
        if not offices or head is None or units is None or kinds is None or None in (*types, *offices):
            return None  # whatever else were said would only follow from what is already said
        groups_of = [file for file in offices if file]
        as_of = self.as_of or head.shape.as_of or self.day
        around = self._once("around", (head, units, kinds, *types, as_of), _resolve_surroundings, findings)
        groups = [self._once(file.document.file, (file, around), _resolve_group, findings) for file in groups_of]
        province: Province = self._once("across", (head, around, *groups), _resolve_across, findings)
        province = replace(province, folder=str(self.folder))
        if services:
            made, found = resolve_services(services.document, services.shape, province)
            findings += found
            province = replace(province, services=made)
        if people:
            staff, found = resolve_people(people.document, people.shape, province)
            findings += found
            province = replace(province, people=staff)
        return province

    def _once(self, name: str, inputs: tuple[Any, ...], step: Callable[..., Step], findings: list[Finding]) -> Any:
        """Return what `step` makes of `inputs`; made anew only when one of them is another object than last time."""
        kept = self._steps.get(name)
        if kept is None or len(kept[0]) != len(inputs) or not all(map(_same, kept[0], inputs)):
            kept = self._steps[name] = (inputs, step(*inputs))
        findings += kept[1][1]
        return kept[1][0]

    def _folder(self, pattern: str, model: type[ShapeT], findings: list[Finding]) -> list[Declared[ShapeT] | None]:
        paths = sorted(path for suffix in (".yaml", ".yml") for path in self.folder.glob(pattern + suffix))
        return [self._file(path.relative_to(self.folder).as_posix(), model, findings) for path in paths]

    def _file(
        self, name: str, model: type[ShapeT], findings: list[Finding], *, required: bool = True
    ) -> Declared[ShapeT] | None:
        """Read one file, unless it is as it was. None, with the findings, when it cannot be used."""
        path = self.folder / name
        try:
            status = path.stat()
        except OSError as error:
            if required or not isinstance(error, FileNotFoundError):
                findings.append(finding(Place(name), "file-missing", what=name))
            self._files.pop(name, None)
            return None
        signature = (status.st_mtime_ns, status.st_size, status.st_ino)
        kept = self._files.get(name)
        if kept is None or kept[0] != signature:
            kept = self._files[name] = (signature, *_parse(path, name, model))
        findings += kept[2]
        return kept[1]


def load(folder: Path, *, as_of: date | None = None) -> Province:
    """Return the province in `folder`. Raises InvalidProvinceError with every finding."""
    return Loader(folder, as_of=as_of).load()


def _same(before: Any, now: Any) -> bool:
    return before is now or (isinstance(now, date) and before == now)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Hold the cyclic collector: it would walk a hundred thousand new nodes again and again, to free nothing."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _parse(path: Path, name: str, model: type[ShapeT]) -> tuple[Declared[ShapeT] | None, list[Finding]]:
    document, findings = read(path, name)
    if document is None:
        return None, findings
    shape, findings = validate(document, model)
    return (Declared(document, shape) if shape else None), findings


def _resolve_surroundings(
    head: Declared[ProvinceFile], units: Declared[UnitsFile], kinds: Declared[KindsFile], *rest: Any
) -> Step:
    """Resolve what all files of offices refer to: units, kinds, roles, device types and probe modules."""
    *types, day = rest
    device_types, findings = _device_types(types)
    modules, found = resolve_modules(head.document, head.shape.modules, BUILT_IN)
    findings += found
    resolved = resolve_units(units.document, units.shape)
    findings += check_units(units.document, units.shape, resolved, head.shape.tiers)
    all_kinds, found = resolve_kinds(kinds.document, kinds.shape)
    findings += found
    findings += check_kinds(kinds.document, kinds.shape, all_kinds, device_types, modules, head.shape.tiers)
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
    names = [str(interface.get("name", "")) for interface in shape.interfaces]
    management = [str(i.get("name", "")) for i in shape.interfaces if i.get("mgmt_only") == "true"]
    return DeviceType(
        id=shape.slug,
        manufacturer=shape.manufacturer,
        model=shape.model,
        part_number=shape.part_number,
        place=document.place(),
        u_height=shape.u_height,
        interfaces=tuple(names),
        management_interface=management[0] if management else "",
        platform=shape.tuyen.platform,
        driver=shape.tuyen.driver,
        warranty_years=shape.tuyen.warranty_years,
        end_of_support=shape.tuyen.end_of_support,
    )


def _resolve_group(file: Declared[OfficesFile], around: Surroundings) -> Step:
    group = resolve_group(file.document, file.shape, around)
    return group, group.findings


def _resolve_across(head: Declared[ProvinceFile], around: Surroundings, *groups: Group) -> Step:
    """Join the files of offices, and check what can only be seen across them."""
    by_file = {group.document.file: group for group in groups}
    offices = {name: office for group in groups for name, office in group.offices.items()}
    devices = {name: device for group in groups for name, device in group.devices.items()}
    networks = tuple(head.shape.address_plan.networks)
    province = Province(
        id=head.shape.id,
        name=head.shape.name,
        folder="",
        domain=head.shape.domain,
        time_zone=head.shape.time_zone,
        tiers=tuple(head.shape.tiers),
        as_of=around.as_of,
        networks=networks,
        units=around.units,
        offices=offices,
        devices=devices,
        device_types=around.device_types,
        services={},
        people={},
        modules=around.modules,
    )
    findings = [
        *check_offices(by_file, offices, around.tiers, around.root, head.document.place("root")),
        *check_prefixes(by_file, networks),
        *check_devices(by_file, devices),
    ]
    return province, findings
