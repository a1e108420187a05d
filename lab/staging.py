"""From a province to the scene that the lab plays."""

from collections.abc import Mapping

from inventory.model import Device, Office, Province
from lab.machines.chosen import NO_MACHINES, Machines, cast
from lab.ports import device_ports
from lab.scene import Host, Place, Port, Scene, Way


def make_scene(province: Province, secrets: Mapping[str, str], machines: Machines = NO_MACHINES) -> Scene:
    """Return what the lab is to play for `province`; `secrets` are the values that modules refer to by name.

    Of the devices that are real `machines` nothing is played. Raises LabError.
    """
    ports, names = device_ports(province, secrets)
    hosts = tuple(_host(province, device, ports[device.id]) for device in province.devices.values() if device.address)
    servers = (host.address for host in hosts for port in host.ports if port.kind == "dns")
    return Scene(
        province=province.id,
        networks=province.networks,
        places=tuple(_place(office) for office in province.offices.values()),
        hosts=hosts,
        names=names,
        name_server=next(servers, ""),
        machines=cast(province, machines, secrets),
        authorized=machines.authorized,
    )


def _place(office: Office) -> Place:
    links = (office.uplink, office.backup)
    return Place(office.id, office.prefix, tuple(Way(link.id, link.parent) for link in links if link))


def _host(province: Province, device: Device, ports: tuple[Port, ...]) -> Host:
    known = province.device_types.get(device.type)
    description = f"{known.manufacturer} {known.model}" if known else device.type
    return Host(
        device.id,
        device.office,
        province.host_name(device).lower(),
        device.address,
        device.role,
        f"{description}, {device.platform}" if device.platform else description,
        (known.interfaces if known else ()) or ("eth0",),
        ports,
    )
