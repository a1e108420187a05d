"""What province.yaml may hold: the shapes that people write."""

from datetime import date, time
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from inventory.declared_values import (
    Day,
    Domain,
    Email,
    Listen,
    Network,
    Relay,
    Seconds,
    Shape,
    Slug,
    Text,
    TimeOfDay,
    TimeZone,
    Weekday,
)


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
