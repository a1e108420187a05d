"""One office as it is shown: its state, its links, its devices with what they last answered."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from exporters.outages.node import Kind, Node
from exporters.page.snapshot import Snapshot
from exporters.page.troubles import Line, line, visible_to
from exporters.page.view import View
from exporters.page.words import TROUBLE_FIRST
from exporters.reading import Reading
from exporters.watch import Watch
from inventory.model import Device, Link, Office


@dataclass(frozen=True, slots=True)
class Answer:
    """What a device last said to one question; `at` is Unix seconds, `mark` good, poor, bad or none."""

    module: str
    about: str
    mark: str
    reason: str
    milliseconds: float
    at: float


@dataclass(frozen=True, slots=True)
class Machine:
    """A device, for staff; `type` is its vendor and model."""

    id: str
    name: str
    role: str
    type: str
    address: str
    serial: str
    warranty: date | None
    state: str  # "" for a device that is asked nothing
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """A link of an office; what it is made of is for staff."""

    backup: bool
    state: str
    parent: str  # id of the office that it leads to
    parent_name: str
    provider: str = ""
    medium: str = ""
    megabits: float = 0.0


@dataclass(frozen=True, slots=True)
class OfficePage:
    """An office."""

    name: str
    district: str
    state: str
    troubles: tuple[Line, ...]
    ways: tuple[Way, ...]


@dataclass(frozen=True, slots=True)
class Devices:
    """The devices of an office; `shown` False: not to this reader. `counts` are of those asked anything, by state."""

    shown: bool
    machines: tuple[Machine, ...] = ()
    counts: tuple[tuple[str, int], ...] = ()


def office_page(snapshot: Snapshot, view: View, name: str) -> OfficePage:
    """Return an office as it is now. Raises KeyError when there is none of that id."""
    province, office = snapshot.province, snapshot.province.offices[name]
    unit = province.units.get(office.district)
    return OfficePage(
        name=office.name,
        district=unit.name.on(province.as_of) if unit else "",
        state=str(snapshot.state(Node(Kind.OFFICE, name))),
        troubles=tuple(_troubles(snapshot, view, office)),
        ways=tuple(_ways(snapshot, office, staff=name in view.inside(province))),
    )


def devices(snapshot: Snapshot, watch: Watch, view: View, name: str) -> Devices:
    """Return the devices of an office with what they last answered. Raises KeyError when there is no such office."""
    if snapshot.province.offices[name].id not in view.inside(snapshot.province):
        return Devices(shown=False)
    machines = tuple(_machines(snapshot, watch, name))
    states = Counter(machine.state for machine in machines if machine.state)
    counts = tuple((state, states[state]) for state in TROUBLE_FIRST if states[state])
    return Devices(True, machines, counts)


def _troubles(snapshot: Snapshot, view: View, office: Office) -> Iterator[Line]:
    visible, inside = visible_to(snapshot.province, view), view.inside(snapshot.province)
    nodes = [Node(Kind.OFFICE, office.id)]
    nodes += [Node(Kind.DEVICE, device.id) for device in snapshot.province.devices_of[office.id]]
    for node in nodes:
        trouble = snapshot.troubles.get(node)
        own = node.kind is Kind.OFFICE or (trouble and trouble.root in (None, node))
        if trouble and own and visible(node):
            yield line(snapshot, trouble, inside)


def _ways(snapshot: Snapshot, office: Office, *, staff: bool) -> Iterator[Way]:
    for link in (office.uplink, office.backup):
        if link:
            yield _way(snapshot, link, backup=link is office.backup, staff=staff)


def _way(snapshot: Snapshot, link: Link, *, backup: bool, staff: bool) -> Way:
    parent = snapshot.province.offices[link.parent]
    state = str(snapshot.state(Node(Kind.LINK, link.id)))
    if not staff:
        return Way(backup, state, parent.id, parent.name)
    return Way(backup, state, parent.id, parent.name, link.provider, link.medium, link.bandwidth / 1e6)


def _machines(snapshot: Snapshot, watch: Watch, office: str) -> Iterator[Machine]:
    province = snapshot.province
    for device in province.devices_of[office]:
        made = province.device_types.get(device.type)
        state = snapshot.states[Kind.DEVICE].get(device.id)
        yield Machine(
            id=device.id,
            name=device.name,
            role=device.role,
            type=f"{made.manufacturer} {made.model}" if made else device.type,
            address=device.address,
            serial=device.serial,
            warranty=device.warranty,
            state=str(state) if state else "unknown" if watch.keys_of(device.id) else "",
            answers=tuple(_answers(watch, device)),
        )


def _answers(watch: Watch, device: Device) -> Iterator[Answer]:
    for key in watch.keys_of(device.id):
        reading = watch.latest.get(key)
        _device, module, service, about = key
        told = " ".join(part for part in (service, about) if part)
        if reading is None:
            yield Answer(module, told, "none", "", 0.0, 0.0)
        else:
            yield Answer(module, told, _mark(reading), reading.reason, reading.seconds * 1000, reading.at)


def _mark(reading: Reading) -> str:
    if not reading.asked:
        return "none"
    return "bad" if not reading.success else "poor" if reading.degraded else "good"
