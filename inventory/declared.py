"""What each file of a province may hold: the shapes that people write, before kinds and plans are applied."""

from datetime import date, time
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

from inventory import forms

Slug = Annotated[str, AfterValidator(forms.slug)]
Address = Annotated[str, AfterValidator(forms.address)]
Network = Annotated[str, AfterValidator(forms.network)]
Mac = Annotated[str, AfterValidator(forms.mac)]
Bandwidth = Annotated[int, BeforeValidator(forms.bandwidth, json_schema_input_type=str)]
Seconds = Annotated[float, BeforeValidator(forms.seconds, json_schema_input_type=str)]
TimeZone = Annotated[str, AfterValidator(forms.time_zone)]
SshKey = Annotated[str, AfterValidator(forms.ssh_key)]
Listen = Annotated[str, AfterValidator(forms.listen)]
Relay = Annotated[str, AfterValidator(forms.relay)]
Email = Annotated[str, AfterValidator(forms.email)]
Domain = Annotated[str, AfterValidator(forms.domain)]
Day = Annotated[date, BeforeValidator(forms.day, json_schema_input_type=str)]
TimeOfDay = Annotated[time, BeforeValidator(forms.time_of_day, json_schema_input_type=str)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Text = Annotated[str, Field(min_length=1)]


def _how_dated(value: object) -> str:
    return "[dates]" if isinstance(value, dict) else "[text]"


# Told apart by what is written, so that of two shapes only the one that was meant complains.
DatedText = Annotated[
    Annotated[Text, Tag("[text]")] | Annotated[dict[Day, Text], Field(min_length=1), Tag("[dates]")],
    Discriminator(_how_dated),
]
DatedSlug = Annotated[
    Annotated[Slug, Tag("[text]")] | Annotated[dict[Day, Slug], Field(min_length=1), Tag("[dates]")],
    Discriminator(_how_dated),
]
Medium = Literal["fibre", "copper", "radio", "satellite", "mobile"]


class Shape(BaseModel):
    """What all declared shapes share: frozen, and a misspelt key is refused, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class AddressPlan(Shape):
    """Where addresses come from. An office's `number` counts in steps of a `/slot` in its block."""

    networks: list[Network] = Field(min_length=1)
    slot: int = Field(default=26, ge=8, le=30)


class ModuleShape(Shape):
    """A probe with its options, under a name of its own."""

    probe: Text
    interval: Seconds = 60.0
    timeout: Seconds = 5.0
    options: dict[str, Any] = Field(default_factory=dict, alias="with")


class ContactShape(Shape):
    """Whom to call."""

    name: Text
    telephone: Text = ""
    email: Text = ""


class SecretShape(Shape):
    """A value that is written in secrets.yaml only: `{secret: name}`."""

    secret: Text


class AccessShape(Shape):
    """How we log in to the devices that `select` chooses; what a later entry says goes over an earlier one."""

    select: Text = ""
    user: Text | None = None  # default: the account of the person who acts
    key: Text | None = None  # a private key's file: relative to the province's folder, or ~/...
    password: SecretShape | None = None
    port: int | None = Field(default=None, ge=1, le=65535)


class VariablesShape(Shape):
    """Values of jobs' variables for the devices that `select` chooses; a later entry goes over an earlier one."""

    select: Text = ""
    values: dict[str, Any] = Field(alias="with", min_length=1)


class WorkingHoursShape(Shape):
    """When the offices that `select` chooses receive citizens; to be closed at "00:00" is to be so at midnight."""

    select: Text = ""  # default: all offices but the root
    days: list[Weekday] = Field(default=["mon", "tue", "wed", "thu", "fri"], min_length=1)
    opens: TimeOfDay = time(7)
    closes: TimeOfDay = time(17)


WorkingHours = Annotated[
    Annotated[WorkingHoursShape, Tag("[one]")] | Annotated[list[WorkingHoursShape], Field(min_length=1), Tag("[list]")],
    Discriminator(lambda value: "[list]" if isinstance(value, list) else "[one]"),
]


class PageShape(Shape):
    """The status page: where it is served, and by which certificate; both files relative to the province's folder."""

    listen: Listen
    certificate: Text = ""  # PEM, with the certificates of the authorities below the root
    key: Text = ""  # PEM, without a password
    public: bool = True  # whether it shows anything to people who are not logged in


class AlertsShape(Shape):
    """Who tells people of what is out, and how: what is told lasts at least `after`, and is told again at `repeat`."""

    by: Literal["tuyen", "alertmanager", "nobody"] = "tuyen"
    after: Seconds = 120.0
    repeat: Annotated[Seconds, Field(ge=60, le=604800)] = 14400.0
    group_wait: Seconds = 30.0  # for others of the same group, before a message goes out
    relay: Relay = "localhost:25"  # the mail server that takes what a plain `mailto:` address is to get
    sender: Email | None = None  # default: tuyen@ the domain


class MaintenanceShape(Shape):
    """Work that comes again: what `select` chooses is worked on in these hours, and what is away then does not count.

    It lasts over midnight if it closes earlier than it opens.
    """

    select: Text  # devices
    why: Text
    days: list[Weekday] = Field(default=["mon", "tue", "wed", "thu", "fri", "sat", "sun"], min_length=1)
    weeks: list[Literal["first", "second", "third", "fourth", "last"]] = Field(default_factory=list)  # of the month
    opens: TimeOfDay
    closes: TimeOfDay
    since: Day = Field(default=date.min, alias="from")  # the first day on which it may open
    until: Day = date.max  # the last one


class BackupShape(Shape):
    """Where backups of tuyen's state go, and how many are kept; paths relative to the province's folder."""

    folder: Text = ".tuyen/backups"
    keep: int = Field(default=14, ge=1, le=1000)
    passphrase_file: Text = ""  # by which they are sealed; default: they are not


class ReportsShape(Shape):
    """Where reports that are written by themselves go, and at what time of the day."""

    folder: Text = "reports"
    at: TimeOfDay = time(6, 30)
    formats: list[Literal["xlsx", "pdf", "html", "json"]] = Field(default=["xlsx", "pdf"], min_length=1)


class ScheduleShape(Shape):
    """What `tuyen schedule` lets the machine do by itself; times are the province's."""

    night: TimeOfDay = time(1, 30)  # when the first of the nightly jobs begins
    backup: BackupShape = BackupShape()
    reports: ReportsShape = ReportsShape()


class LetterheadShape(Shape):
    """Who issues reports, in the form of Nghị định 30/2020/NĐ-CP; what is not said is left to the clerk."""

    body: Text
    authority: Text = ""
    symbol: Text = ""
    place: Text = ""
    addressee: Text = ""
    recipients: list[Text] = Field(default_factory=list)
    drafted_by: Text = ""
    capacity: list[Text] = Field(default_factory=list)
    signer: Text = ""


class ProvinceFile(Shape):
    """province.yaml: what holds for the whole province."""

    id: Slug
    name: Text
    domain: Domain
    time_zone: TimeZone = "Asia/Ho_Chi_Minh"
    tiers: list[Slug] = Field(min_length=1)
    root: Slug  # the office that all others reach the network through
    address_plan: AddressPlan
    as_of: Day | None = None  # read dated attributes as on this day; default: today
    modules: dict[Slug, ModuleShape] = Field(default_factory=dict)
    contacts: list[ContactShape] = Field(default_factory=list)
    access: list[AccessShape] = Field(default_factory=list)
    variables: list[VariablesShape] = Field(default_factory=list)
    working_hours: WorkingHours = WorkingHoursShape()  # in which no rollout touches an office
    practice: bool = False  # its addresses are nobody's: ask them in the lab only
    database: Text = ""  # URL of the ledger; default: SQLite below .tuyen/
    page: PageShape | None = None  # default: 'tuyen watch' serves no status page
    alerts: AlertsShape | None = None  # default: 'tuyen watch' tells nobody
    maintenance: list[MaintenanceShape] = Field(default_factory=list)
    schedule: ScheduleShape = ScheduleShape()
    letterhead: LetterheadShape | None = None  # default: the province's name, and blanks


class UnitShape(Shape):
    """One authority. A dated attribute is either one value or a mapping from the first day to the value."""

    tier: Slug
    code: DatedText
    name: DatedText
    type: DatedText
    parent: DatedSlug | None = None
    since: Day = date.min
    until: Day = date.max
    into: list[Slug] = Field(default_factory=list)
    island: Text = ""


class UnitsFile(Shape):
    """units.yaml: the administrative tree."""

    units: dict[Slug, UnitShape] = Field(min_length=1)


class RoleShape(Shape):
    """What a device is for, and what is asked of every such device."""

    probes: list[Slug] = Field(default_factory=list)


class DeviceShape(Shape):
    """A device as a kind gives it, or what an office says otherwise about one of its own."""

    role: Slug | None = None
    type: Text | None = None  # slug of a device type
    host: int | None = Field(default=None, ge=1)  # place within the office's prefix
    count: int | None = Field(default=None, ge=1, le=500)
    address: Address | None = None
    gateway: bool | None = None
    probes: list[Slug] | None = None  # beside those of the role
    platform: Text | None = None
    driver: Literal["ansible", "pyinfra", "netmiko"] | None = None
    serial: Text | None = None
    mac: Mac | None = None
    bought: Day | None = None
    warranty: Day | None = None
    owner: Text | None = None
    labels: dict[str, str] | None = None
    absent: bool = False  # the kind has it, this office does not


class SupportShape(Shape):
    """What tuyen needs beside the devicetype-library's own keys."""

    platform: Text = ""  # linux, cisco_ios, ...: netmiko's and Ansible's names
    driver: Literal["ansible", "pyinfra", "netmiko", ""] = ""
    warranty_years: int = Field(default=0, ge=0, le=25)
    end_of_support: Day | None = None


Components = list[dict[str, Any]]


class DeviceTypeFile(Shape):
    """device-types/<Vendor>/<Model>.yaml in the NetBox devicetype-library's form, with one key of our own."""

    manufacturer: Text
    model: Text
    slug: Annotated[str, Field(pattern=r"^[-a-zA-Z0-9_]+$", max_length=100)]
    part_number: Text = ""
    u_height: float = Field(default=0, ge=0)
    is_full_depth: bool = True
    airflow: Text = ""
    weight: float | None = None
    weight_unit: Text = ""
    front_image: bool = False
    rear_image: bool = False
    subdevice_role: Text = ""
    is_powered: bool = True
    console_ports: Components = Field(default_factory=list, alias="console-ports")
    console_server_ports: Components = Field(default_factory=list, alias="console-server-ports")
    power_ports: Components = Field(default_factory=list, alias="power-ports")
    power_outlets: Components = Field(default_factory=list, alias="power-outlets")
    interfaces: Components = Field(default_factory=list)
    front_ports: Components = Field(default_factory=list, alias="front-ports")
    rear_ports: Components = Field(default_factory=list, alias="rear-ports")
    module_bays: Components = Field(default_factory=list, alias="module-bays")
    device_bays: Components = Field(default_factory=list, alias="device-bays")
    inventory_items: Components = Field(default_factory=list, alias="inventory-items")
    description: str | None = None
    comments: str | None = None
    tuyen: SupportShape = SupportShape()


class UplinkShape(Shape):
    """How an office reaches its parent; what is not said comes from the kind."""

    parent: Slug | None = None
    provider: Text | None = None
    medium: Medium | None = None
    bandwidth: Bandwidth | None = None


class KindShape(Shape):
    """What an office of this kind has unless it says otherwise."""

    extends: Slug | None = None
    tier: Slug | None = None
    prefix_length: int | None = Field(default=None, ge=8, le=32)
    uplink: UplinkShape = UplinkShape()
    backup: UplinkShape | None = None
    devices: dict[Slug, DeviceShape] = Field(default_factory=dict)
    labels: dict[str, str] = Field(default_factory=dict)


class KindsFile(Shape):
    """kinds.yaml: the roles of devices and the kinds of offices."""

    roles: dict[Slug, RoleShape] = Field(min_length=1)
    kinds: dict[Slug, KindShape] = Field(min_length=1)


class OfficeShape(Shape):
    """One office; its unit is the one of the same id unless it names another."""

    name: Text | None = None
    unit: Slug | None = None
    kind: Slug | None = None
    number: int | None = Field(default=None, ge=0)
    prefix: Network | None = None
    uplink: UplinkShape = UplinkShape()
    backup: UplinkShape | None = None
    equipped: Day | None = None  # when its devices were bought, unless they say otherwise
    devices: dict[Slug, DeviceShape] = Field(default_factory=dict)
    labels: dict[str, str] = Field(default_factory=dict)


class OfficesFile(Shape):
    """offices/<district>.yaml: the offices of one district, and what they have in common."""

    block: Network
    kind: Slug | None = None
    parent: Slug | None = None  # the office that their uplinks lead to
    offices: dict[Slug, OfficeShape | None] = Field(min_length=1)


class ServiceProbeShape(Shape):
    """One question about a service, put to one device."""

    module: Slug
    device: Text
    options: dict[str, Any] = Field(default_factory=dict, alias="with")


class ServiceShape(Shape):
    """An e-government system."""

    name: Text
    users: Text = ""  # a selector: the offices that depend on it
    needs: list[Slug] = Field(default_factory=list)  # services that it cannot work without
    probes: list[ServiceProbeShape] = Field(min_length=1)


class ServicesFile(Shape):
    """services.yaml: the systems that must stay up."""

    services: dict[Slug, ServiceShape] = Field(min_length=1)


class QuietShape(Shape):
    """The hours in which a person is told only what somebody must get up for."""

    since: TimeOfDay = Field(alias="from")
    until: TimeOfDay


class PersonShape(Shape):
    """Who; `under` is the office below which they may act."""

    name: Text
    roles: list[Literal["operator", "approver", "viewer"]] = Field(min_length=1)
    under: Slug
    keys: list[SshKey] = Field(default_factory=list)
    notify: list[Text] = Field(default_factory=list)
    language: Literal["vi", "en"] | None = None  # default: what the address says (?lang=en), or Vietnamese
    quiet: QuietShape | None = None


class PeopleFile(Shape):
    """people.yaml: the staff, by account."""

    people: dict[Slug, PersonShape] = Field(min_length=1)
