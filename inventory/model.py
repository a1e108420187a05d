"""The values a province is made of: frozen, checked, free of input and output."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time
from functools import cached_property
from types import MappingProxyType
from typing import Any, Generic, Literal, TypeVar

from inventory.finding import Place
from inventory.letterhead import Letterhead
from inventory.windows import Window

T = TypeVar("T")
EMPTY: Mapping[str, Any] = MappingProxyType({})


def _empty() -> Mapping[str, Any]:
    return EMPTY


def _no_holidays() -> "Mapping[date, Holiday]":
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Dated(Generic[T]):
    """A value that changes on known days: `since` ascending, `values` of the same length."""

    since: tuple[date, ...]
    values: tuple[T, ...]

    def on(self, day: date) -> T:
        """Return the value in force on `day`; before the first day, the first value."""
        return self.values[max(0, bisect_right(self.since, day) - 1)]


@dataclass(frozen=True, slots=True)
class Unit:
    """An authority in the administrative tree. Its id is permanent; code, name, type and parent are dated."""

    id: str
    tier: str
    code: Dated[str]
    name: Dated[str]
    type: Dated[str]
    parent: Dated[str]  # id of a unit; "" for the root
    place: Place
    since: date = date.min
    until: date = date.max  # the first day on which it no longer exists
    into: tuple[str, ...] = ()  # ids of the units that it became
    island: str = ""

    def exists(self, day: date) -> bool:
        """Whether the unit was in force on `day`."""
        return self.since <= day < self.until


@dataclass(frozen=True, slots=True)
class Link:
    """How an office reaches its parent. Id: `<office>.uplink` or `<office>.backup`."""

    id: str
    office: str
    parent: str  # id of an office
    provider: str
    medium: str  # fibre, copper, radio, satellite, mobile
    bandwidth: int  # contracted, bit/s
    place: Place


@dataclass(frozen=True, slots=True)
class Office:
    """A place with equipment; belongs to a unit. `prefix` is "10.91.17.64/26"."""

    id: str
    name: str
    unit: str
    tier: str
    kind: str
    district: str  # id of the unit of the second tier that it lies in; "" for the province's own
    prefix: str
    uplink: Link | None  # None for the root only
    backup: Link | None
    place: Place
    island: str = ""
    labels: Mapping[str, str] = field(default_factory=_empty)

    @property
    def parent(self) -> str:
        """The id of the office that its uplink leads to; "" for the root."""
        return self.uplink.parent if self.uplink else ""


@dataclass(frozen=True, slots=True)
class DeviceType:
    """Vendor and model. `id` is the devicetype-library's slug, for example "draytek-vigor2927"."""

    id: str
    manufacturer: str
    model: str
    part_number: str
    place: Place
    interfaces: tuple[str, ...] = ()
    platform: str = ""  # operating system, as in drivers and exports: linux, cisco_ios, ...
    driver: str = ""  # ansible, pyinfra, netmiko, or "" for watched only
    warranty_years: int = 0
    end_of_support: date | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """A machine at an office. Id: `<name>.<office>`, for example "router.dong-yen". `address` is "10.91.17.65"."""

    id: str
    name: str
    office: str
    role: str
    type: str  # id of a device type
    address: str  # "" for a device without one
    probes: tuple[str, ...]  # names of modules
    place: Place
    platform: str = ""
    driver: str = ""
    gateway: bool = False
    serial: str = ""
    mac: str = ""  # "aa:bb:cc:dd:ee:ff"
    bought: date | None = None
    warranty: date | None = None  # the last day covered
    owner: str = ""
    labels: Mapping[str, str] = field(default_factory=_empty)


@dataclass(frozen=True, slots=True)
class Module:
    """A probe with its options, under a name, as blackbox_exporter's modules are. Seconds throughout."""

    name: str
    probe: str  # icmp, tcp, http, certificate, dns, ssh, snmp, ntp
    interval: float = 60.0
    timeout: float = 5.0
    options: Mapping[str, Any] = field(default_factory=_empty)  # checked by `inventory.modules`


@dataclass(frozen=True, slots=True)
class ServiceProbe:
    """One module asked of one device on behalf of a service; `options` go over the module's own."""

    module: str
    device: str  # id of a device
    options: Mapping[str, Any]
    place: Place


@dataclass(frozen=True, slots=True)
class Service:
    """An e-government system and the offices that depend on it."""

    id: str
    name: str
    probes: tuple[ServiceProbe, ...]
    users: str  # a selector of offices
    offices: tuple[str, ...]  # the ids that it selects
    place: Place
    needs: tuple[str, ...] = ()  # services that it cannot work without


@dataclass(frozen=True, slots=True)
class Person:
    """Who may do what, and where."""

    account: str
    name: str
    roles: tuple[str, ...]  # operator, approver, viewer
    under: str  # id of an office: what lies under it may be touched
    keys: tuple[str, ...]  # SSH public keys, authorized_keys form
    notify: tuple[str, ...]
    place: Place
    language: str = ""  # vi, en; "": what an address says
    quiet: Window | None = None  # in which they are told only what somebody must get up for


@dataclass(frozen=True, slots=True)
class AccessRule:
    """How to log in to the devices that a selector chooses; what is None or "" is left to other rules."""

    select: str
    user: str
    key: str  # a private key's file, relative to the province's folder
    password: str  # name of a secret
    port: int | None
    place: Place


@dataclass(frozen=True, slots=True)
class VariablesRule:
    """Values of jobs' variables for the devices that a selector chooses; a secret is `{"secret": name}`."""

    select: str
    values: Mapping[str, Any]
    place: Place


@dataclass(frozen=True, slots=True)
class StatusPage:
    """Where the status page is served: "0.0.0.0:8443"; by which certificate: files in PEM, "" for plain HTTP."""

    listen: str
    certificate: str
    key: str
    public: bool  # whether it shows anything to people who are not logged in
    place: Place


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """Who tells people of what is out, and how. Seconds throughout."""

    by: Literal["tuyen", "alertmanager", "nobody"] = "nobody"
    after: float = 120.0  # for which it lasts at least
    repeat: float = 14400.0  # between two messages about what lasts
    group_wait: float = 30.0  # for others of the same group, before a message goes out
    relay: str = "localhost:25"  # the mail server that takes what a plain `mailto:` address is to get
    sender: str = ""  # an e-mail address


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Work that comes again: what it chooses is worked on then, and what is away does not count."""

    select: str  # a selector of devices
    why: str
    window: Window
    weeks: frozenset[int]  # of the month, 1 to 4, -1 the last; empty: each
    since: date  # the first day on which it may open
    until: date  # the last one
    place: Place


@dataclass(frozen=True, slots=True)
class Schedule:
    """What the machine does by itself, in the province's time; paths are relative to the province's folder."""

    night: time = time(1, 30)  # when the first of the nightly jobs begins
    backup_folder: str = ".tuyen/backups"
    backup_keep: int = 14  # files
    passphrase_file: str = ""  # by which backups are sealed; "": they are not
    reports_folder: str = "reports"
    reports_at: time = time(6, 30)
    reports_formats: tuple[str, ...] = ("xlsx", "pdf")


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """When offices receive citizens."""

    select: str  # a selector of offices; "" for all but the root
    window: Window
    offices: frozenset[str]  # the ids that it selects
    place: Place


@dataclass(frozen=True, slots=True)
class Holiday:
    """A day on which offices are closed; `working`: one on which they are open instead of another day."""

    day: date
    name: str
    place: Place
    working: bool = False


@dataclass(frozen=True, slots=True)
class DeclaredWave:
    """A slice of a rollout's devices as it was written; "district" stands for one wave a district."""

    kind: Literal["canary", "percent", "district", "rest"]
    name: str  # "canary", "10 %", "district", "rest", or what was written
    place: Place
    devices: tuple[str, ...] = ()  # of a canary: ids
    percent: float = 0.0  # of all the rollout's devices
    approvals: int = 0  # people who must agree before it begins


@dataclass(frozen=True, slots=True)
class DeclaredGate:
    """What must hold before the next wave."""

    bake: float = 0.0  # seconds for which all must have stayed well
    probes: bool = True  # the probes of the devices, their offices and services must stay well
    budget_devices: int = 0  # failures that a wave may have, unreachable devices counted
    budget_percent: float = 0.0  # the same, in percent of the wave; the larger of the two holds
    query: str = ""  # in Prometheus' language


@dataclass(frozen=True, slots=True)
class DeclaredWindow:
    """When some of a rollout's devices may be worked on."""

    select: str  # a selector of devices; "" for all
    window: Window
    devices: frozenset[str]  # those of the rollout that it selects
    place: Place


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a rollout does at a time."""

    parallel: int = 20  # devices
    per_uplink: int = 2  # devices behind one uplink; 0: no limit
    rate: int = 0  # bit/s, for jobs that transfer; 0: what the job says


@dataclass(frozen=True, slots=True)
class Rollout:
    """One job carried to many devices, as it was declared. Its name is that of its file."""

    name: str
    about: Mapping[str, str]  # by language: en, vi
    job: str
    values: Mapping[str, Any]  # of the job's variables; a secret is `{"secret": name}`
    select: str
    devices: tuple[str, ...]  # the ids that it selects, in the order of the inventory
    waves: tuple[DeclaredWave, ...]
    gate: DeclaredGate
    windows: tuple[DeclaredWindow, ...]
    respects_hours: bool  # whether working hours are left alone
    limits: Limits
    until: date  # the last day, local, on which devices that were away are owed the change
    on_failure: Literal["stop", "rollback-device", "rollback-wave", "rollback-all"]
    place: Place


@dataclass(frozen=True)
class Province:
    """Everything declared, loaded and checked. Mappings keep the order of the files."""

    id: str
    name: str
    folder: str
    domain: str
    time_zone: str
    tiers: tuple[str, ...]  # top first
    as_of: date  # the day on which dated attributes are read
    networks: tuple[str, ...]  # "10.91.0.0/16"
    units: Mapping[str, Unit]
    offices: Mapping[str, Office]
    devices: Mapping[str, Device]
    device_types: Mapping[str, DeviceType]
    services: Mapping[str, Service]
    people: Mapping[str, Person]
    modules: Mapping[str, Module]
    access: tuple[AccessRule, ...] = ()  # later rules go over earlier ones
    variables: tuple[VariablesRule, ...] = ()
    database: str = ""  # URL of the ledger; "": SQLite below the province's .tuyen/
    working_hours: tuple[WorkingHours, ...] = ()
    holidays: Mapping[date, Holiday] = field(default_factory=_no_holidays)  # in order of time
    rollouts: Mapping[str, Rollout] = field(default_factory=_empty)
    practice: bool = False  # its addresses are nobody's: ask them in the lab only
    page: StatusPage | None = None
    alerts: AlertSettings = AlertSettings()
    maintenance: tuple[Maintenance, ...] = ()
    schedule: Schedule = Schedule()
    letterhead: Letterhead | None = None
    roles: tuple[str, ...] = ()  # the names in kinds.yaml, also of those that nothing has yet
    kinds: tuple[str, ...] = ()

    @cached_property
    def devices_of(self) -> Mapping[str, tuple[Device, ...]]:
        """The devices of each office, by the office's id."""
        grouped: dict[str, list[Device]] = {office: [] for office in self.offices}
        for device in self.devices.values():
            grouped[device.office].append(device)
        return {office: tuple(devices) for office, devices in grouped.items()}

    def host_name(self, device: Device) -> str:
        """Return the full name of `device`, for example "router.dong-yen.kien-giang.example"."""
        return f"{device.id}.{self.domain}"
