"""OpenSSH client configuration: every device that speaks SSH under its id, with the province's pinned keys only."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from inventory.finding import InventoryError
from inventory.language import _
from inventory.model import Device, Province
from inventory.nearest import nearest
from inventory.selector import select_devices

KNOWN_HOSTS = Path(".tuyen", "known_hosts")  # below the province's folder
JUMP_LABEL = "jump"


class JumpError(InventoryError):
    """A label `jump` names something that is no device. The message says whose, and the nearest right id."""


def write_ssh_config(province: Province, devices: Sequence[Device]) -> str:
    """Return the text of an ssh_config file: `ssh -F FILE router.dong-yen`.

    A device goes through another one only when the label `jump` of the device, or of its office, holds that
    other one's id; the jump hosts are added to the file. Raises JumpError.
    """
    known_hosts = quoted(os.path.abspath(Path(province.folder) / KNOWN_HOSTS))  # noqa: PTH100  (keeps symlinks)
    chosen = _with_jumps(province, [device for device in devices if speaks_ssh(province, device)])
    heading = " ".join(province.name.split())  # a line break would end the comment
    head = f"# {heading}: {len(chosen)} hosts. Written by 'tuyen inventory export ssh-config'.\n"
    ports = ports_of(province)
    return head + "".join(_host(province, device, known_hosts, ports.get(device.id)) for device in chosen)


def ports_of(province: Province) -> Mapping[str, int]:
    """Return the port of SSH by device, for those for which 'access:' in province.yaml names one."""
    ports: dict[str, int] = {}
    for rule in province.access:  # what a later one says goes over an earlier one
        if rule.port:
            ports |= {device.id: rule.port for device in select_devices(province, rule.select)}
    return ports


def speaks_ssh(province: Province, device: Device) -> bool:
    """Whether a device has an address and is either driven by us or asked by an SSH probe."""
    asked = any(province.modules[name].probe == "ssh" for name in device.probes if name in province.modules)
    return bool(device.address) and (bool(device.driver) or asked)


def jump_of(province: Province, device: Device) -> Device | None:
    """Return the device that the way to `device` leads through, or None. Raises JumpError."""
    name = device.labels.get(JUMP_LABEL) or province.offices[device.office].labels.get(JUMP_LABEL)
    if not name or name == device.id:
        return None  # an office's jump host is itself in that office
    if name not in province.devices:
        raise JumpError(
            _("{place}: the label 'jump' of '{device}' is '{name}', which is no device; write {near}").format(
                place=device.place, device=device.id, name=name, near=nearest(name, province.devices)
            )
        )
    return province.devices[name]


def _with_jumps(province: Province, devices: Sequence[Device]) -> tuple[Device, ...]:
    chosen = {device.id: device for device in devices}
    waiting = list(devices)
    while waiting:
        jump = jump_of(province, waiting.pop())
        if jump and jump.id not in chosen:
            chosen[jump.id] = jump
            waiting.append(jump)
    return tuple(chosen.values())


def _host(province: Province, device: Device, known_hosts: str, port: int | None) -> str:
    return "".join(f"{line}\n" for line in _lines(province, device, known_hosts, port))


def _lines(province: Province, device: Device, known_hosts: str, port: int | None) -> Iterator[str]:
    yield ""
    yield f"Host {device.id} {province.host_name(device)}"
    yield f"    HostName {device.address}"
    if port:
        yield f"    Port {port}"
    if jump := jump_of(province, device):
        yield f"    ProxyJump {jump.id}"
    yield f"    UserKnownHostsFile {known_hosts}"
    yield "    StrictHostKeyChecking yes"


def quoted(path: str) -> str:
    """Return a path as ssh_config reads it back: quotes kept, its own marks for tokens and variables doubled."""
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'
