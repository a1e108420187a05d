"""Ansible's view of a province: groups and variables of each host, and a static inventory that holds them.

The live inventory plugin (`tuyen.core.tuyen`) uses the same two functions, so both always agree. Our variables
begin with `tuyen_`: `serial`, `name` or `role` alone mean something else to Ansible.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from inventory.export.items import device_item
from inventory.export.ssh import ports_of
from inventory.model import Device, Province

# Platforms as netmiko calls them -> what Ansible's own network collections call them.
NETWORK_OS: Mapping[str, str] = {
    "arista_eos": "arista.eos.eos",
    "aruba_aoscx": "arubanetworks.aoscx.aoscx",
    "cisco_asa": "cisco.asa.asa",
    "cisco_ios": "cisco.ios.ios",
    "cisco_nxos": "cisco.nxos.nxos",
    "cisco_xe": "cisco.ios.ios",
    "cisco_xr": "cisco.iosxr.iosxr",
    "fortinet": "fortinet.fortios.fortios",
    "huawei": "community.network.ce",
    "huawei_vrp": "community.network.ce",
    "juniper_junos": "junipernetworks.junos.junos",
    "mikrotik_routeros": "community.routeros.routeros",
    "vyos": "vyos.vyos.vyos",
}
GROUPED_BY = ("tier", "district", "unit", "office", "kind", "role", "platform")
_TEMPLATE = re.compile(r"\{[{%#]")


def group_names(province: Province, device: Device) -> tuple[str, ...]:
    """Return the groups of a device, for example ("tier_commune", "district_an_bien", ..., "platform_linux")."""
    item = device_item(province, device)
    return tuple(_safe(f"{key}_{item[key]}") for key in GROUPED_BY if item[key])


def host_variables(province: Province, device: Device, port: int | None = None) -> dict[str, Any]:
    """Return the variables of a device: how Ansible reaches it, and everything known of it as `tuyen_...`.

    `port` is that of `ports_of`.
    """
    item = device_item(province, device)
    known = {f"tuyen_{key}": value for key, value in item.items() if value not in ("", None) and key != "address"}
    way = {"ansible_host": device.address, **({"ansible_port": port} if port else {})}
    return {**way, **_connection(device), **known}


def hosts(devices: Iterable[Device]) -> Iterator[Device]:
    """Yield the devices that Ansible can be told of: those with an address."""
    return (device for device in devices if device.address)


def write_ansible(province: Province, devices: Sequence[Device]) -> str:
    """Return a static inventory; `tuyen_driver` says which hosts Ansible is meant to configure.

    It is YAML in flow style, one host a line, and JSON at the same time: Ansible reads that five times faster.
    """
    groups: dict[str, dict[str, None]] = {}
    variables: dict[str, dict[str, Any]] = {}
    ports = ports_of(province)
    for device in hosts(devices):
        told = host_variables(province, device, ports.get(device.id))
        variables[device.id] = {key: _inert(value) for key, value in told.items()}
        for group in group_names(province, device):
            groups.setdefault(group, {})[device.id] = None
    children = {name: {"hosts": groups[name]} for name in sorted(groups)}
    return f'{{"all": {{"hosts": {_lines(variables)}, "children": {_lines(children)}}}}}\n'


def _lines(mapping: Mapping[str, Any]) -> str:
    """Return a mapping as JSON with one line a key, so that a changed host is a changed line."""
    entries = (f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in mapping.items())
    return "{\n" + ",\n".join(entries) + "\n}"


def _connection(device: Device) -> dict[str, str]:
    if device.platform == "linux":
        return {"ansible_python_interpreter": "/usr/bin/python3"}
    if device.platform in NETWORK_OS:
        return {
            "ansible_connection": "ansible.netcommon.network_cli",
            "ansible_network_os": NETWORK_OS[device.platform],
        }
    return {}


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]", "_", name)


def is_template(text: str) -> bool:
    """Whether Ansible would take `text` for a template. A label or an owner is data, whatever braces it holds."""
    return bool(_TEMPLATE.search(text))


def _inert(value: Any) -> Any:
    if isinstance(value, str):
        return {"__ansible_unsafe": value} if is_template(value) else value
    if isinstance(value, list):
        return [_inert(item) for item in value]
    if isinstance(value, dict):
        return {key: _inert(item) for key, item in value.items()}
    return value
