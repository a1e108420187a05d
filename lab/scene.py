"""What the lab is to play: hosts with their open ports, offices with their ways, as plain values.

A scene is made from a province once, by `lab.staging`, and handed to the keeper as JSON: the process that plays
it neither reads files nor loads the inventory. It holds secrets (SNMP communities), so it travels through a pipe
only.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

DATAGRAM = frozenset({"dns", "ntp", "snmp"})  # the kinds of ports that take datagrams, not connections


class Port(NamedTuple):
    """An open port. `kind` is ssh, http, https, tcp (stream) or dns, ntp, snmp (datagram)."""

    kind: str
    number: int
    community: str = ""  # snmp only
    names: tuple[str, ...] = ()  # http and https: the names that are served besides the device's own
    pages: Mapping[str, str] = {}  # http and https: path -> title


class Way(NamedTuple):
    """One link of an office: its id, and the id of the office that it leads to."""

    link: str
    parent: str


class Place(NamedTuple):
    """An office: its ways in order of preference (none for the root) and its prefix, "10.91.17.64/26"."""

    id: str
    prefix: str
    ways: tuple[Way, ...]


class Host(NamedTuple):
    """A device with an address. `name` is its full host name, `description` what SNMP says of it."""

    id: str
    office: str
    name: str
    address: str
    role: str
    description: str
    interfaces: tuple[str, ...]
    ports: tuple[Port, ...]


class WanEnd(NamedTuple):
    """One end of a line between two real routers: of the declared `link`, with the router `peer` at the other end.

    `up` says that the link is the uplink of this end's office; `cost` is what OSPF is told.
    """

    link: str
    peer: str  # id of a device
    interface: str  # "wan1"
    address: str  # "198.18.128.0/31"
    cost: int
    up: bool


class Machine(NamedTuple):
    """A device that is real. `kind` is a row of lab.machines.KINDS; `length` that of its office's prefix, 26.

    `user` and `password` are those of the province's access rules, "" where keys let in.
    """

    id: str
    kind: str
    name: str  # full host name
    address: str
    length: int
    gateway: str  # the address of its office's gateway; "" when it is the gateway itself
    mac: str  # "02:00:0a:5b:11:48"
    user: str = ""
    password: str = ""
    wans: tuple[WanEnd, ...] = ()


class Scene(NamedTuple):
    """A whole province. `name_server` is the address of its DNS server, "" when none is declared.

    `machines` are those of the `hosts` that are real; `images` the archives that they are made from, by name;
    `authorized` the public keys that log in to them.
    """

    province: str
    networks: tuple[str, ...]
    places: tuple[Place, ...]
    hosts: tuple[Host, ...]
    names: Mapping[str, str]  # name of a service -> address
    name_server: str
    machines: tuple[Machine, ...] = ()
    images: Mapping[str, str] = {}
    authorized: str = ""
    repository: str = ""  # the folder of the packages that are served to machines; "" for none


def dump_scene(scene: Scene) -> bytes:
    """Return `scene` as JSON, in UTF-8."""
    return json.dumps(scene, ensure_ascii=False).encode()


def read_scene(text: bytes) -> Scene:
    """Return the scene that `dump_scene` wrote."""
    province, networks, places, hosts, names, name_server, machines, *rest = json.loads(text)
    return Scene(
        province,
        tuple(networks),
        tuple(Place(office, prefix, tuple(Way(*way) for way in ways)) for office, prefix, ways in places),
        tuple(_read_host(fields) for fields in hosts),
        names,
        name_server,
        tuple(_read_machine(fields) for fields in machines),
        *rest,
    )


def _read_machine(fields: list[Any]) -> Machine:
    machine = Machine(*fields)
    return machine._replace(wans=tuple(WanEnd(*end) for end in machine.wans))


def _read_host(fields: list[Any]) -> Host:
    identity, office, name, address, role, description, interfaces, ports = fields
    opened = tuple(
        Port(kind, number, community, tuple(names), pages) for kind, number, community, names, pages in ports
    )
    return Host(identity, office, name, address, role, description, tuple(interfaces), opened)
