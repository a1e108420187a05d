"""A small province, made of values: a province, two districts, three communes; one has a backup."""

from collections.abc import Iterable
from datetime import date

from inventory.finding import Place
from inventory.model import Device, DeviceType, Link, Module, Office, Province, Service, ServiceProbe
from inventory.modules import BUILT_IN

PLACE = Place("small.yaml")
SECRETS = {str(BUILT_IN["snmp"].options["community"]["secret"]): "a-lab-community"}
TYPES = {
    name: DeviceType(name, maker, model, "", PLACE, interfaces=("eth0", "eth1"))
    for name, maker, model in (
        ("router", "DrayTek", "Vigor2927"),
        ("ups", "Santak", "Blazer 1000"),
        ("box", "Intel", "NUC 11"),
    )
}
PROBES = {
    "router": ("icmp", "ssh", "snmp"),
    "ups": ("icmp", "ups"),
    "box": ("icmp", "ssh", "node"),
    "web": ("icmp", "ssh", "http", "https", "certificate"),
    "names": ("icmp", "dns", "ntp"),
    "pc": ("icmp",),
}
ROLE_OF = {"router": "router", "ups": "ups"}


def link(office: str, parent: str, kind: str = "uplink") -> Link:
    return Link(f"{office}.{kind}", office, parent, "VNPT", "fibre", 20_000_000, PLACE)


def office(name: str, number: int, parent: str = "", backup: str = "") -> Office:
    return Office(
        id=name,
        name=name,
        unit=name,
        tier="commune",
        kind="office",
        district="",
        prefix=f"10.{91 + number // 1024}.{number // 4 % 256}.{number % 4 * 64}/26",
        uplink=link(name, parent) if parent else None,
        backup=link(name, backup, "backup") if backup else None,
        place=PLACE,
    )


def devices(offices: Iterable[Office], kinds: Iterable[str]) -> dict[str, Device]:
    made = {}
    kinds = list(kinds)
    for place in offices:
        base, last = place.prefix.split("/")[0].rsplit(".", 1)
        for position, kind in enumerate(kinds, 1):
            name = kind if kinds.count(kind) == 1 else f"{kind}-{position}"
            device = Device(
                id=f"{name}.{place.id}",
                name=name,
                office=place.id,
                role=ROLE_OF.get(kind, "server"),
                type=kind if kind in TYPES else "box",
                address=f"{base}.{int(last) + position}",
                probes=PROBES[kind],
                place=PLACE,
                platform="linux" if kind in ("box", "web", "names") else "",
                gateway=kind == "router",
            )
            made[device.id] = device
    return made


def province(
    offices: Iterable[Office], devices: dict[str, Device], services: dict[str, Service] | None = None
) -> Province:
    return Province(
        id="small",
        name="Small",
        folder="",
        domain="small.example",
        time_zone="Asia/Ho_Chi_Minh",
        tiers=("province", "district", "commune"),
        as_of=date(2018, 6, 1),
        networks=("10.88.0.0/13",),
        units={},
        offices={place.id: place for place in offices},
        devices=devices,
        device_types=TYPES,
        services=services or {},
        people={},
        modules=dict(BUILT_IN) | {"old-web": Module("old-web", "http", options={"path": "/login"})},
    )


def small_province() -> Province:
    """Return it: hub <- north <- (upper, lower with a backup to the hub), hub <- south <- island."""
    hub = office("hub", 0)
    others = [
        office("north", 1, "hub"),
        office("upper", 2, "north"),
        office("lower", 3, "north", backup="hub"),
        office("south", 4, "hub"),
        office("island", 5, "south"),
    ]
    machines = devices([hub], ["router", "web", "names"]) | devices(others, ["router", "ups", "box"])
    probes = (
        ServiceProbe("https", "web.hub", {"host": "one-stop.small.example", "path": "/login"}, PLACE),
        ServiceProbe("certificate", "web.hub", {"server_name": "portal.small.example"}, PLACE),
    )
    one_stop = Service("one-stop", "Một cửa điện tử", probes, "", (), PLACE)
    return province([hub, *others], machines, {"one-stop": one_stop})


def large_province(count: int, kinds: Iterable[str] = ("router", "ups", "box", "web")) -> Province:
    """Return a hub and, below it, offices with one device of each of `kinds` (at most 62): `count` devices in all."""
    each = list(kinds)
    hub = office("hub", 0)
    offices = [office(f"c{number}", number, "hub") for number in range(1, count // len(each) + 1)]
    return province([hub, *offices], devices(offices, each))
