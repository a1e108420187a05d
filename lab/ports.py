"""Which ports a device answers on: read from the probes that are declared for it and for its services."""

from collections.abc import Iterator, Mapping
from typing import Any

from inventory.language import _
from inventory.model import Device, Module, Province
from inventory.modules import options_of
from lab.errors import LabError
from lab.scene import DATAGRAM, Port

Options = Mapping[str, Any]

# What a port that a plain TCP probe looks at is really for; any other just accepts.
WELL_KNOWN: Mapping[int, str] = {22: "ssh", 80: "http", 443: "https", 8080: "http", 8443: "https"}
Opened = dict[tuple[bool, int], Port]  # by whether it is of datagrams, and number


def device_ports(province: Province, secrets: Mapping[str, str]) -> tuple[dict[str, tuple[Port, ...]], dict[str, str]]:
    """Return the open ports of every device by its id, and the address of every name that is asked for.

    Raises LabError for a secret that `secrets` lacks.
    """
    opened: dict[str, Opened] = {device: {} for device in province.devices}
    names: dict[str, str] = {}
    options = {module.name: options_of(module).model_dump() for module in _modules_in_use(province)}
    for device in province.devices.values():
        for name in device.probes:
            _open(opened[device.id], _port(province.modules[name].probe, options[name], device, "", secrets))
            names.update(_names_asked_for(province.modules[name].probe, options[name], device))
    for asked, probe, asked_options, title in _asked_by_services(province):
        _open(opened[asked.id], _port(probe, asked_options, asked, title, secrets))
        names.update(_names_asked_for(probe, asked_options, asked))
    return {device: tuple(ports.values()) for device, ports in opened.items()}, names


def _modules_in_use(province: Province) -> list[Module]:
    used = {name for device in province.devices.values() for name in device.probes}
    return [province.modules[name] for name in sorted(used)]


def _asked_by_services(province: Province) -> Iterator[tuple[Device, str, Options, str]]:
    for service in province.services.values():
        for probe in service.probes:
            module = province.modules[probe.module]
            options = options_of(module, probe.options).model_dump()
            yield province.devices[probe.device], module.probe, options, service.name


def _port(probe: str, options: Options, device: Device, title: str, secrets: Mapping[str, str]) -> Port | None:
    """Return the port of `device` that a probe with `options` looks at; None for ICMP."""
    if probe == "icmp":
        return None
    number = options["port"] or (443 if options["tls"] else 80)
    kind = _kind(probe, number, options, device)
    if kind == "snmp":
        return Port(kind, number, _secret(options["community"]["secret"], secrets))
    if kind not in ("http", "https"):
        return Port(kind, number)
    path = str(options.get("path", "/")).partition("?")[0]
    return Port(kind, number, "", tuple(_hosts(options)), {path: title} if title else {path: device.id})


def _kind(probe: str, number: int, options: Options, device: Device) -> str:
    if probe == "certificate" or options.get("tls"):
        return "https"
    if probe != "tcp":
        return probe
    if number == 9100 and device.platform == "linux":  # node_exporter's; on a printer it is raw printing
        return "http"
    return WELL_KNOWN.get(number, "tcp")


def _hosts(options: Options) -> list[str]:
    return [str(options[key]).lower() for key in ("host", "server_name") if options.get(key)]


def _names_asked_for(probe: str, options: Options, device: Device) -> dict[str, str]:
    """Return the names, with their addresses, that must exist for the probe to succeed."""
    if probe == "dns" and options["name"] and options["type"] == "A":
        return {str(options["name"]).lower().rstrip("."): options["expect"] or device.address}
    return dict.fromkeys(_hosts(options), device.address)


def _secret(name: str, secrets: Mapping[str, str]) -> str:
    try:
        return secrets[name]
    except KeyError:
        raise LabError(_("secret '{name}' has no value; write it into secrets.yaml").format(name=name)) from None


def _open(opened: Opened, port: Port | None) -> None:
    """Add `port`; several probes may look at one, and then it serves all their names and pages."""
    if port is None:
        return
    key = (port.kind in DATAGRAM, port.number)
    before = opened.get(key)
    if before is None or before.kind == "tcp":
        opened[key] = port
    elif port.kind in (before.kind, "https"):
        names = dict.fromkeys((*before.names, *port.names))
        opened[key] = Port(port.kind, port.number, before.community, tuple(names), {**before.pages, **port.pages})
