"""The devices of one office: what its kind gives, what the office says otherwise, and their addresses."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from inventory.addresses import Span, span_of, to_integer, to_text
from inventory.calendar import years_after
from inventory.declared import DeviceShape, OfficeShape
from inventory.finding import Finding, Place, finding
from inventory.gaps import Gaps
from inventory.kinds import Kind, check_device, missing_keys, named_twice, overlay, single
from inventory.model import EMPTY, Device, DeviceType, Office
from inventory.nearest import nearest
from inventory.yamlfile import Document


@dataclass(frozen=True, eq=False, slots=True)
class Equipment:
    """One office and what its devices are made from."""

    document: Document
    office: Office
    declared: OfficeShape
    kind: Kind
    roles: Mapping[str, tuple[str, ...]]  # probes by role
    device_types: Mapping[str, DeviceType]
    modules: Mapping[str, object]
    gaps: Gaps

    def place(self, device: str, *path: str) -> Place:
        """Return where the office speaks of the device, or the office itself."""
        if device in self.declared.devices:
            return self.document.place("offices", self.office.id, "devices", device, *path)
        return self.office.place

    def source(self, device: str, *keys: str) -> Place:
        """Return where one of `keys` was said of the device: at the office, or once for all offices of its kind."""
        for name in (device, device.rpartition("-")[0]):  # itself, or the template that counts it
            shape = self.declared.devices.get(name)
            for key in keys:
                if shape and key in shape.model_fields_set:
                    return self.document.place("offices", self.office.id, "devices", name, key)
        return self.kind.places.get(device) or self.place(device)


def equip(equipment: Equipment, findings: list[Finding], unmade: set[str]) -> dict[str, Device]:
    """Return the devices of an office by id, and add what is wrong to `findings` and what was left out to `unmade`."""
    if equipment.declared.devices:
        findings += _check_declared(equipment)
        shapes = _shapes(equipment, findings)
    else:
        shapes = dict(equipment.kind.devices)
    span = span_of(equipment.office.prefix) if equipment.office.prefix else Span(0, -1)
    devices: dict[str, Device] = {}
    for name, shape in shapes.items():
        if device := _device(equipment, name, shape, span, findings):
            devices[device.id] = device
        else:
            unmade.add(f"{name}.{equipment.office.id}")
    findings += _check_gateway(equipment, shapes, devices)
    findings += _check_hosts(equipment, shapes, devices)
    return devices


def _check_declared(equipment: Equipment) -> Iterator[Finding]:
    office = equipment.office.id
    for name, shape in equipment.declared.devices.items():
        path = ("offices", office, "devices", name)
        yield from check_device(
            equipment.document, path, shape, equipment.roles, equipment.device_types, equipment.modules, equipment.gaps
        )
        known = {**equipment.kind.templates, **equipment.kind.devices}
        if shape.absent and name not in known:
            near = nearest(name, known)
            place = equipment.place(name)
            yield finding(place, "nothing-absent", kind=equipment.kind.id, device=name, near=near)


def _shapes(equipment: Equipment, findings: list[Finding]) -> dict[str, DeviceShape]:
    """Lay the office's words over the kind's: first over its templates, then over the single devices."""
    templates = dict(equipment.kind.templates)
    rest: dict[str, DeviceShape] = {}
    for name, shape in equipment.declared.devices.items():
        if name in templates:
            templates[name] = overlay(templates[name], shape)
        elif shape.count is not None:
            templates[name] = shape
        else:
            rest[name] = shape
    findings += (
        finding(equipment.place(name), "duplicate-device", device=device)
        for name, device in named_twice(templates)
        if name in equipment.declared.devices
    )
    shapes = dict(single(templates))
    for name, shape in rest.items():
        shapes[name] = overlay(shapes[name], shape) if name in shapes else shape
    return {name: shape for name, shape in shapes.items() if not shape.absent}


def _device(equipment: Equipment, name: str, shape: DeviceShape, span: Span, findings: list[Finding]) -> Device | None:
    """Make one device; None, with a complaint unless another check made it, when role or type is not known."""
    device_type = equipment.device_types.get(shape.type or "")
    probes_of_role = equipment.roles.get(shape.role or "")
    if device_type is None or probes_of_role is None or shape.role is None:
        missing = missing_keys(shape)
        if missing and name not in equipment.kind.devices:
            near = nearest(name, equipment.kind.devices)
            values = {"device": name, "missing": missing, "kind": equipment.kind.id, "near": near}
            findings.append(finding(equipment.place(name), "foreign-device", **values))
        return None
    office = equipment.office
    address = _address(equipment, name, shape, span, findings)
    bought = shape.bought or equipment.declared.equipped
    warranty = shape.warranty
    if warranty is None and bought and device_type.warranty_years:
        warranty = years_after(bought, device_type.warranty_years)
    if warranty and bought and warranty < bought:
        place = equipment.place(name, "warranty")
        findings.append(finding(place, "warranty-before-purchase", warranty=warranty, bought=bought))
    probes = (*probes_of_role, *shape.probes) if shape.probes else probes_of_role
    if probes and not address and office.prefix:
        findings.append(finding(equipment.source(name, "role", "probes"), "probe-without-address", device=name))
    return Device(
        id=f"{name}.{office.id}",
        name=name,
        office=office.id,
        role=shape.role,
        type=device_type.id,
        address=address,
        probes=probes,
        place=equipment.place(name),
        platform=shape.platform or device_type.platform,
        driver=shape.driver or device_type.driver,
        gateway=bool(shape.gateway),
        serial=shape.serial or "",
        mac=shape.mac or "",
        bought=bought,
        warranty=warranty,
        owner=shape.owner or "",
        labels=shape.labels or EMPTY,
    )


def _address(equipment: Equipment, name: str, shape: DeviceShape, span: Span, findings: list[Finding]) -> str:
    prefix = equipment.office.prefix
    if shape.address:
        if prefix and not span.first <= to_integer(shape.address) <= span.last:
            place = equipment.place(name, "address")
            findings.append(finding(place, "address-outside-prefix", address=shape.address, prefix=prefix))
        elif span.last - span.first > 1 and to_integer(shape.address) in (span.first, span.last):
            place = equipment.place(name, "address")
            findings.append(finding(place, "reserved-address", address=shape.address, prefix=prefix))
        return shape.address
    if shape.host is None or not prefix:
        return ""
    if span.first + shape.host >= span.last:  # the last address is the broadcast
        place = equipment.source(name, "host", "count")
        if not any(found.place == place and found.rule == "host-outside-prefix" for found in findings):
            last, length = span.last - span.first - 1, prefix.partition("/")[2]
            values = {"host": shape.host, "device": name, "length": length, "last": last}
            findings.append(finding(place, "host-outside-prefix", **values))
        return ""
    return to_text(span.first + shape.host)


def _check_gateway(
    equipment: Equipment, shapes: Mapping[str, DeviceShape], devices: Mapping[str, Device]
) -> Iterator[Finding]:
    gateways = [name for name, shape in shapes.items() if shape.gateway]
    if not gateways and any(device.address for device in devices.values()):
        given = any(shape.gateway for shape in equipment.kind.devices.values())
        yield finding(equipment.office.place if given else equipment.kind.place, "no-gateway")
    if len(gateways) > 1:
        first, second = gateways[:2]
        yield finding(equipment.source(second, "gateway"), "two-gateways", first=first, second=second)


def _check_hosts(
    equipment: Equipment, shapes: Mapping[str, DeviceShape], devices: Mapping[str, Device]
) -> Iterator[Finding]:
    """Complain of two devices of the office on one address."""
    if len({device.address for device in devices.values()}) == len(devices):
        return
    taken: dict[str, str] = {}
    for device in devices.values():
        other = taken.setdefault(device.address, device.name) if device.address else device.name
        if other == device.name:
            continue
        places = [equipment.source(name, "host", "address", "count") for name in (device.name, other)]
        place = next((place for place in places if place.file == equipment.document.file), places[0])
        host = shapes[device.name].host or device.address
        yield finding(place, "duplicate-host", host=host, device=device.name, other=other)
