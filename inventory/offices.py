"""One file of offices made into offices and devices: kinds applied, prefixes and addresses given."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from inventory.addresses import Block, Span, span_of
from inventory.declared import OfficesFile, OfficeShape, UplinkShape
from inventory.devices import Equipment, equip
from inventory.finding import Finding, Place, finding
from inventory.gaps import Gaps
from inventory.kinds import Kind, overlay_uplink
from inventory.model import Device, DeviceType, Link, Module, Office, Unit
from inventory.nearest import nearest
from inventory.units import district_of
from inventory.yamlfile import Document


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What a file of offices refers to. A file is resolved anew only when one of these was replaced."""

    tiers: Sequence[str]
    root: str
    slot: int
    as_of: date
    units: Mapping[str, Unit]
    kinds: Mapping[str, Kind]
    roles: Mapping[str, tuple[str, ...]]  # probes by role
    device_types: Mapping[str, DeviceType]
    modules: Mapping[str, Module]
    gaps: Gaps


@dataclass(eq=False)
class Group:
    """The offices and devices of one file, and what was wrong in it."""

    document: Document
    block: Span
    offices: dict[str, Office] = field(default_factory=dict)
    devices: dict[str, Device] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)  # by office
    unmade: set[str] = field(default_factory=set)  # offices and devices that are declared, but wrong
    findings: list[Finding] = field(default_factory=list)


def resolve_group(document: Document, shape: OfficesFile, around: Surroundings) -> Group:
    """Make the offices of one file. Offices that cannot be made are left out and complained of."""
    group = Group(document, span_of(shape.block))
    block = Block(shape.block, around.slot)
    numbers = _numbers(document, shape, group.findings)
    for name, declared in shape.offices.items():
        office = declared or OfficeShape()
        maker = _Maker(name, office, shape, document, around)
        kind = maker.kind()
        unit = maker.unit()
        prefix = maker.prefix(block, numbers, kind)
        if kind and unit:
            made = maker.office(kind, unit, prefix)
            group.offices[name] = made
            equipment = Equipment(
                document, made, office, kind, around.roles, around.device_types, around.modules, around.gaps
            )
            group.devices |= equip(equipment, group.findings, group.unmade)
        else:
            group.unmade.add(name)
        if prefix:
            group.spans[name] = span_of(prefix)
        group.findings += maker.findings
    group.findings = [*_told_once(group.findings)]
    return group


def _told_once(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Make one finding of what many offices lack because the top of the file does not say it."""
    names = {
        rule: [dict(found.values)["offices"] for found in findings if found.rule == rule]
        for rule in ("no-kind", "no-uplink")
    }
    for found in findings:
        lacking = names.pop(found.rule, None)
        if found.rule not in ("no-kind", "no-uplink"):
            yield found
        elif lacking:
            yield finding(found.place, found.rule, offices=", ".join(lacking))


def _numbers(document: Document, shape: OfficesFile, findings: list[Finding]) -> dict[int, str]:
    """Return who has which number; complain of a number given twice."""
    taken: dict[int, str] = {}
    for name, office in shape.offices.items():
        if office is None or office.number is None:
            continue
        if office.number in taken:
            numbers = {other.number for other in shape.offices.values() if other and other.number is not None}
            free = next(number for number in range(len(numbers) + 1) if number not in numbers)
            place = document.place("offices", name, "number")
            other = taken[office.number]
            findings.append(finding(place, "duplicate-number", number=office.number, other=other, free=free))
        taken.setdefault(office.number, name)
    return taken


@dataclass(eq=False)
class _Maker:
    """One office in the making, with what is wrong with it."""

    name: str
    declared: OfficeShape
    file: OfficesFile
    document: Document
    around: Surroundings
    findings: list[Finding] = field(default_factory=list)

    def place(self, *path: str) -> Place:
        return self.document.place("offices", self.name, *path)

    def complain(self, rule: str, *path: str, **values: object) -> None:
        self.findings.append(finding(self.place(*path), rule, **values))

    def kind(self) -> Kind | None:
        name = self.declared.kind or self.file.kind
        if name is None:
            self.complain("no-kind", offices=self.name)
            return None
        kind = self.around.kinds.get(name)
        if kind is None and not self.around.gaps.has("kinds", name):
            place = self.place("kind") if self.declared.kind else self.document.place("kind")
            self.findings.append(finding(place, "unknown-kind", name=name, near=nearest(name, self.around.kinds)))
        return kind

    def unit(self) -> Unit | None:
        name = self.declared.unit or self.name
        unit = self.around.units.get(name)
        if unit is None:
            near = nearest(name, self.around.units)
            if self.around.gaps.has("units", name):
                pass
            elif self.declared.unit:
                self.complain("unknown-unit", "unit", name=name, near=near)
            else:
                self.complain("no-unit", office=self.name, near=near)
        elif unit.until <= self.around.as_of:
            self.complain("unit-ended", "unit", unit=name, until=unit.until, into=", ".join(unit.into) or "?")
        return unit

    def prefix(self, block: Block, numbers: Mapping[int, str], kind: Kind | None) -> str:
        length = (kind.prefix_length if kind else None) or block.slot
        if self.declared.prefix:
            return self.declared.prefix
        number = self.declared.number
        if number is None:
            self.complain("no-prefix", free=block.free(numbers, length))
        elif kind is None or numbers[number] != self.name:
            pass  # nobody knows how long its prefix is, or another has it already
        elif number + block.step(length) > block.slots:
            free = block.free(numbers, length)
            self.complain("number-outside-block", "number", number=number, block=block.prefix, free=free)
        elif number % block.step(length):
            self.complain("unaligned-number", "number", number=number, length=length, step=block.step(length))
        else:
            return block.prefix_of(number, length)
        return ""

    def office(self, kind: Kind, unit: Unit, prefix: str) -> Office:
        around = self.around
        return Office(
            id=self.name,
            name=self.declared.name or unit.name.on(around.as_of),
            unit=unit.id,
            tier=kind.tier if kind.tier in around.tiers else unit.tier,
            kind=kind.id,
            district=district_of(around.units, unit.id, around.tiers, around.as_of),
            prefix=prefix,
            uplink=self.uplink(kind),
            backup=self.backup(kind),
            place=self.place(),
            island=unit.island,
            labels={**kind.labels, **self.declared.labels},
        )

    def uplink(self, kind: Kind) -> Link | None:
        shape = overlay_uplink(kind.uplink, self.declared.uplink)
        if self.name == self.around.root:
            if self.declared.uplink.parent:
                self.complain("root-with-uplink", "uplink", "parent")
            return None
        parent = shape.parent or self.file.parent
        if not parent or parent == self.name:
            self.complain("no-uplink", offices=self.name)
            return None
        return self.link("uplink", shape, parent, kind)

    def backup(self, kind: Kind) -> Link | None:
        if kind.backup is None and self.declared.backup is None:
            return None
        shape = overlay_uplink(kind.backup or UplinkShape(), self.declared.backup or UplinkShape())
        parent = shape.parent or self.declared.uplink.parent or kind.uplink.parent or self.file.parent
        if not parent or parent == self.name or self.name == self.around.root:
            return None
        return self.link("backup", shape, parent, kind)

    def link(self, role: str, shape: UplinkShape, parent: str, kind: Kind) -> Link | None:
        if not (shape.provider and shape.medium and shape.bandwidth):
            missing = ", ".join(key for key in ("provider", "medium", "bandwidth") if not getattr(shape, key))
            said = (getattr(self.declared, role) or UplinkShape()).model_fields_set - {"parent"}
            place = self.place(role) if said else kind.place  # said once there, not at each of its offices
            self.findings.append(finding(place, "incomplete-link", link=role, missing=missing, kind=kind.id))
            return None
        place = self.place(role)
        return Link(f"{self.name}.{role}", self.name, parent, shape.provider, shape.medium, shape.bandwidth, place)
