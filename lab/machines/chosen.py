"""Which declared devices become real machines, and of what kind."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address

from inventory.language import _
from inventory.model import Device, Office, Province
from inventory.selector import select_devices
from lab.errors import NotRealError
from lab.machines import KINDS, ROUTER, USUAL
from lab.machines.parts import folder_of
from lab.machines.trunks import trunks
from lab.scene import Machine


@dataclass(frozen=True, slots=True)
class Machines:
    """The devices that become real: the kind by device id; `authorized` holds the public keys that log in there."""

    kinds: Mapping[str, str] = field(default_factory=dict)
    authorized: str = ""

    def __bool__(self) -> bool:
        return bool(self.kinds)


NO_MACHINES = Machines()


def usual_kinds(devices: Iterable[Device]) -> dict[str, str]:
    """Return the kind of machine that plays each of `devices`. Raises NotRealError, naming all that none can."""
    devices = list(devices)
    _refuse(_("the lab has no machine for {devices}"), (d for d in devices if not d.address or d.platform not in USUAL))
    return {device.id: USUAL[device.platform] for device in devices}


def light_kinds(devices: Iterable[Device]) -> dict[str, str]:
    """Return the light kind for each of `devices`. Raises NotRealError, naming those that it cannot play."""
    devices = list(devices)
    platform = KINDS["light"].PLATFORM
    _refuse(_("no light machine can be {devices}"), (d for d in devices if not d.address or d.platform != platform))
    return dict.fromkeys((device.id for device in devices), "light")


def _refuse(message: str, devices: Iterable[Device]) -> None:
    wrong = [_("{device} ({platform})").format(device=d.id, platform=d.platform or _("no platform")) for d in devices]
    if wrong:
        known = ", ".join(sorted({kind.PLATFORM for kind in KINDS.values()}))
        raise NotRealError(
            _("{message}; real ones are made for an address and a platform of: {known}").format(
                message=message.format(devices=", ".join(wrong)), known=known
            )
        )


def cast(province: Province, machines: Machines, secrets: Mapping[str, str]) -> tuple[Machine, ...]:
    """Return the machines that the scene is to have. Raises NotRealError, MachineError."""
    routers = [device for device, kind in machines.kinds.items() if kind == ROUTER]
    made = (_machine(province, device, kind, secrets) for device, kind in machines.kinds.items())
    lines = trunks(province, routers)
    return tuple(machine._replace(wans=lines.get(machine.id, ())) for machine in made)


def _machine(province: Province, device_id: str, kind: str, secrets: Mapping[str, str]) -> Machine:
    device = province.devices.get(device_id)
    if device is None or not device.address or kind not in KINDS:
        raise NotRealError(
            _("'{device}' cannot be a '{kind}' machine; known kinds: {kinds}").format(
                device=device_id, kind=kind, kinds=", ".join(KINDS)
            )
        )
    for part in KINDS[kind].PARTS:
        folder_of(part)
    office = province.offices[device.office]
    user, password = _account(province, device, secrets) if KINDS[kind].PASSWORD else ("", "")
    return Machine(
        id=device.id,
        kind=kind,
        name=province.host_name(device).lower(),
        address=device.address,
        length=int(office.prefix.partition("/")[2] or 32),
        gateway="" if device.gateway else _gateway(province, office),
        mac=device.mac or "02:00:" + ":".join(f"{byte:02x}" for byte in IPv4Address(device.address).packed),
        user=user,
        password=password,
    )


def _account(province: Province, device: Device, secrets: Mapping[str, str]) -> tuple[str, str]:
    """Return user and password by which the province's access rules log in to a device. Raises NotRealError."""
    user, secret = "", ""
    for rule in province.access:
        if device in select_devices(province, rule.select):
            user, secret = rule.user or user, rule.password or secret
    if not user or secret not in secrets:
        raise NotRealError(
            _(
                "'{device}' lets in by password only; name user and password for it under access: in province.yaml"
            ).format(device=device.id)
        )
    return user, secrets[secret]


def _gateway(province: Province, office: Office) -> str:
    return next((device.address for device in province.devices_of[office.id] if device.gateway), "")
