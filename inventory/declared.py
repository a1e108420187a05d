"""What the other files of a province may hold: the shapes that people write, before kinds and plans are applied."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field

from inventory.declared_values import (
    Address,
    Bandwidth,
    DatedSlug,
    DatedText,
    Day,
    Mac,
    Medium,
    Network,
    Shape,
    Slug,
    SshKey,
    Text,
    TimeOfDay,
)


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
