"""What each file of a province may hold: the shapes that people write, before kinds and plans are applied."""

import ipaddress
import re
import unicodedata
from datetime import date
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}|[0-9a-f]{2}(-[0-9a-f]{2}){5}|[0-9a-f]{4}(\.[0-9a-f]{4}){2}")
_NUMBER = r"([0-9]{1,9}(?:\.[0-9]{1,9})?)"
_BANDWIDTH = re.compile(_NUMBER + r" ?([kMG])bit/s")
_LIKE_BANDWIDTH = re.compile(_NUMBER + r" ?([kMG])b.*", re.IGNORECASE)
_SECONDS = re.compile(_NUMBER + r" ?(ms|s|m|h)")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LIKE_DAY = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})")
_HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_FACTORS = {"k": 1_000, "M": 1_000_000, "G": 1_000_000_000, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_SSH_KEY = re.compile(r"(ssh-(ed25519|rsa)|ecdsa-sha2-nistp\d+|sk-[a-z0-9@.-]+) [A-Za-z0-9+/]{40,}={0,3}( .*)?")


def _refuse(rule: str, value: object, near: str = "") -> PydanticCustomError:
    return PydanticCustomError(rule, "{value}", {"value": str(value)[:60], "near": near})


def _slug(text: str) -> str:
    if not _SLUG.fullmatch(text) or len(text) > 63:
        raise _refuse("bad-id", text, slug_of(text) or "dong-yen")
    return text


def slug_of(text: str) -> str:
    """Return the id that a name suggests: "Đông Yên" gives "dong-yen"; "" when nothing of it is left."""
    letters = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return re.sub("[^a-z0-9]+", "-", plain)[:63].strip("-")


def _address(text: str) -> str:
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise _refuse("bad-address", text) from None


def _network(text: str) -> str:
    try:
        return str(ipaddress.IPv4Network(text))
    except ValueError:
        raise _refuse("bad-prefix", text, _like_network(text)) from None


def _like_network(text: str) -> str:
    try:
        return str(ipaddress.IPv4Network(text, strict=False))
    except ValueError:
        return "10.91.16.64/26"


def _mac(text: str) -> str:
    lowered = text.lower()
    if not _MAC.fullmatch(lowered):
        raise _refuse("bad-mac", text)
    digits = re.sub("[^0-9a-f]", "", lowered)
    return ":".join(digits[place : place + 2] for place in range(0, 12, 2))


def _bandwidth(value: object) -> object:
    match = _BANDWIDTH.fullmatch(value) if isinstance(value, str) else None
    if not match:
        like = _LIKE_BANDWIDTH.fullmatch(str(value))
        unit = {"K": "k"}.get(like[2].upper(), like[2].upper()) if like else ""
        raise _refuse("bad-bandwidth", value, f"{like[1]} {unit}bit/s" if like else "256 kbit/s or 20 Mbit/s")
    return round(float(match[1]) * _FACTORS[match[2]])


def _seconds(value: object) -> object:
    match = _SECONDS.fullmatch(value) if isinstance(value, str) else None
    if not match or float(match[1]) <= 0:
        raise _refuse("bad-duration", value)
    return float(match[1]) * _FACTORS[match[2]]


def _time_zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _refuse("unknown-time-zone", text) from None
    return text


def _ssh_key(text: str) -> str:
    if not _SSH_KEY.fullmatch(text):
        raise _refuse("bad-ssh-key", text)
    return text


def _domain(text: str) -> str:
    if not _HOST_NAME.fullmatch(text):
        raise _refuse("bad-host-name", text)
    return text


def _day(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        if _DAY.fullmatch(value):  # fromisoformat takes other forms too
            return date.fromisoformat(value)
    except ValueError:
        pass
    like = _LIKE_DAY.fullmatch(value)
    raise _refuse("bad-date", value, f"{like[3]}-{like[2]:0>2}-{like[1]:0>2}" if like else "2026-10-31")


Slug = Annotated[str, AfterValidator(_slug)]
Address = Annotated[str, AfterValidator(_address)]
Network = Annotated[str, AfterValidator(_network)]
Mac = Annotated[str, AfterValidator(_mac)]
Bandwidth = Annotated[int, BeforeValidator(_bandwidth, json_schema_input_type=str)]
Seconds = Annotated[float, BeforeValidator(_seconds, json_schema_input_type=str)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
SshKey = Annotated[str, AfterValidator(_ssh_key)]
Domain = Annotated[str, AfterValidator(_domain)]
Day = Annotated[date, BeforeValidator(_day, json_schema_input_type=str)]
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
    practice: bool = False  # its addresses are nobody's: ask them in the lab only
    database: Text = ""  # URL of the ledger; default: SQLite below .tuyen/


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


class PersonShape(Shape):
    """Who; `under` is the office below which they may act."""

    name: Text
    roles: list[Literal["operator", "approver", "viewer"]] = Field(min_length=1)
    under: Slug
    keys: list[SshKey] = Field(default_factory=list)
    notify: list[Text] = Field(default_factory=list)


class PeopleFile(Shape):
    """people.yaml: the staff, by account."""

    people: dict[Slug, PersonShape] = Field(min_length=1)
