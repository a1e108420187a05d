"""Which questions a province's devices are asked: those of their roles and kinds, and those of the services."""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel

from exporters.reading import Target
from inventory.model import EMPTY, Device, Module, Province
from inventory.modules import options_of

Key = tuple[str, str, str, str]  # device, module, service, about


@dataclass(frozen=True, slots=True)
class Question:
    """One module asked of one device; `service` and `about` say on whose behalf and for which page or name."""

    device: str
    module: Module
    options: BaseModel
    target: Target
    service: str = ""
    about: str = ""

    @property
    def key(self) -> Key:
        """What tells it from every other question of the province."""
        return (self.device, self.module.name, self.service, self.about)


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What probes may use beside the declaration: opened secrets, pinned host keys by address, trusted CAs."""

    secrets: Mapping[str, str] = field(default_factory=lambda: EMPTY, repr=False)
    host_keys: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    ca_file: str = ""


def questions(province: Province, devices: Iterable[Device], knowledge: Knowledge) -> Iterator[Question]:
    """Yield the questions of the devices' own modules."""
    options = {name: options_of(module) for name, module in province.modules.items()}
    for device in devices:
        if device.address:
            target = target_of(province, device, knowledge)
            for name in dict.fromkeys(device.probes):
                module = province.modules[name]
                yield Question(device.id, module, options[name], target)


def service_questions(province: Province, knowledge: Knowledge) -> Iterator[Question]:
    """Yield the questions that are asked on behalf of the services."""
    for service in province.services.values():
        for probe in service.probes:
            device = province.devices[probe.device]
            if device.address:
                module = province.modules[probe.module]
                target = target_of(province, device, knowledge)
                options = options_of(module, probe.options)
                yield Question(device.id, module, options, target, service.id, _about(options))


def _about(options: BaseModel) -> str:
    """Return what a service's question is about: host and path, name, or port."""
    told = options.model_dump()
    text = f"{told.get('host') or told.get('server_name') or told.get('name') or ''}{told.get('path', '')}"
    return text or str(told.get("port") or "")


def way_questions(province: Province, devices: Iterable[Device], knowledge: Knowledge) -> Iterator[Question]:
    """Yield one ping for the gateway of every office of `devices`, and of every office on the way to them.

    Without them a silent device could not be told from a silent office, nor that from one whose way is down.
    """
    seen = {device.office for device in devices}
    waiting = list(seen)
    while waiting:
        office = province.offices[waiting.pop()]
        for link in (office.uplink, office.backup):
            if link and link.parent not in seen:
                seen.add(link.parent)
                waiting.append(link.parent)
    icmp = province.modules["icmp"]
    for office in province.offices.values():
        for device in province.devices_of[office.id] if office.id in seen else ():
            if device.gateway and device.address:
                yield Question(device.id, icmp, options_of(icmp), target_of(province, device, knowledge))


def target_of(province: Province, device: Device, knowledge: Knowledge) -> Target:
    """Return whom to ask when asking `device`."""
    return Target(
        address=device.address,
        host_name=province.host_name(device),
        host_key=knowledge.host_keys.get(device.address, ""),
        ca_file=knowledge.ca_file,
        secrets=knowledge.secrets,
    )


def find_device(province: Province, name: str) -> Device | None:
    """Return the device that `name` (an id, a host name or an address) means."""
    if device := province.devices.get(name.removesuffix(f".{province.domain}")):
        return device
    return next((device for device in province.devices.values() if name and device.address == name), None)


def in_plan(province: Province, address: str) -> bool:
    """Whether `address` is an IPv4 address inside the province's networks."""
    try:
        wanted = ipaddress.IPv4Address(address)
    except ValueError:
        return False
    return any(wanted in ipaddress.IPv4Network(network) for network in province.networks)
