"""What the interface answers with: flat items under the words that commands and tables use. Unknown keys are refused.

Text that is not there is "", a time or day that is not there is null. Times are UTC (2026-11-25T19:36:50.000000Z).
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from exporters.outages.node import Cause, Kind
from inventory.language import N_
from inventory.topology import State

Id = Annotated[str, Field(description=N_("permanent id"))]
StateField = Annotated[State, Field(description=N_("up, degraded, down, unreachable, maintenance or unknown"))]
Reason = Annotated[str, Field(description=N_("what is wrong, as the probes tell it"))]
OfficeId = Annotated[str, Field(description=N_("id of the office"))]
KindField = Annotated[Kind, Field(description=N_("device, office, link or service"))]
Node = Annotated[str, Field(description=N_("id of the device, office, link or service"))]
Day = Annotated[str | None, Field(description=N_("a day, such as 2026-10-31"))]
Time = Annotated[str, Field(description=N_("a time in UTC"))]
Seconds = Annotated[float, Field(ge=0, description=N_("seconds"))]
Count = Annotated[int, Field(ge=0, description=N_("how many"))]
Bandwidth = Annotated[int | None, Field(description=N_("contracted bandwidth, bit/s"))]
Labels = Annotated[dict[str, str], Field(description=N_("what the inventory notes beside"))]


class Item(BaseModel):
    """One thing of a list."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class OfficeItem(Item):
    """An office, where it belongs and how it is reached."""

    id: Id
    name: str
    unit: str
    unit_code: str
    unit_name: str
    unit_type: str
    tier: str
    district: str
    kind: str
    prefix: str
    parent: Annotated[str, Field(description=N_("id of the office that its uplink leads to"))]
    provider: str
    medium: str
    bandwidth: Bandwidth
    backup_parent: str
    backup_provider: str
    backup_medium: str
    backup_bandwidth: Bandwidth
    island: str
    devices: Count
    labels: Labels
    state: StateField
    reason: Reason


class DeviceItem(Item):
    """A machine, where it stands and what it is."""

    id: Id
    name: str
    office: OfficeId
    office_name: str
    unit: str
    tier: str
    district: str
    kind: str
    role: str
    type: str
    manufacturer: str
    model: str
    address: str
    host_name: str
    gateway: Annotated[bool, Field(description=N_("whether its office is reached through it"))]
    platform: str
    driver: str
    serial: str
    mac: str
    bought: Day
    warranty: Day
    end_of_support: Day
    owner: str
    provider: str
    medium: str
    island: str
    probes: list[str]
    labels: Labels
    state: StateField
    reason: Reason


class ServiceItem(Item):
    """An e-government system, and the offices that depend on it, as far as you may look into them."""

    id: Id
    name: str
    needs: Annotated[list[str], Field(description=N_("services that it cannot work without"))]
    offices: list[str]
    state: StateField
    reason: Reason


class StateItem(Item):
    """How one device, office, link or service is now."""

    kind: KindField
    id: Node
    office: Annotated[str, Field(description=N_("id of the office where it is; of a service, none"))]
    state: StateField
    reason: Reason


class OutageItem(Item):
    """An interval in which something was not up, with its cause."""

    id: Id
    kind: KindField
    node: Node
    began: Time
    ended: Annotated[str | None, Field(description=N_("null while it lasts"))]
    seconds: Seconds
    state: StateField
    cause: Annotated[Cause, Field(description=N_("device, link, power, upstream, maintenance or unknown"))]
    cause_by: Annotated[str, Field(description=N_("the person who said what caused it; nobody where it was found"))]
    root: Annotated[str | None, Field(description=N_("id of the outage that it follows from"))]
    evidence: Annotated[dict[str, Any], Field(description=N_("what tells its cause"))]
    note: str
    noted_by: str
    acked_until: Annotated[str | None, Field(description=N_("until when nobody is alerted"))]
    acked_by: str


class PlannedItem(Item):
    """Work that is under way or to come: what is away meanwhile does not count. Of what comes again, the next time."""

    id: Annotated[str, Field(description=N_("permanent id; of what comes again, where it is declared"))]
    began: Annotated[str, Field(description=N_("from when on, a time in UTC"))]
    until: Annotated[str, Field(description=N_("until when, a time in UTC"))]
    recurring: Annotated[bool, Field(description=N_("whether it is declared, and comes again"))]
    under_way: Annotated[bool, Field(description=N_("whether it is being done now"))]
    selector: Annotated[str, Field(description=N_("what is worked on, as it was written down"))]
    offices: Annotated[
        list[str], Field(description=N_("ids of the offices that all of is worked on, or that are cut off by it"))
    ]
    services: Annotated[list[str], Field(description=N_("ids of the services that all of is worked on"))]
    devices: Annotated[list[str], Field(description=N_("ids of all devices that are worked on"))]
    why: str
    person: Annotated[str, Field(description=N_("who planned it; nobody where it is declared"))]


class DayItem(Item):
    """What a local day was like: seconds in each state, and what it lacks to a whole day is unknown."""

    day: Annotated[str, Field(description=N_("the province's own day, such as 2026-10-31"))]
    kind: KindField
    node: Node
    up: Seconds
    degraded: Seconds
    down: Seconds
    unreachable: Seconds
    maintenance: Seconds
    available: Annotated[
        float | None, Field(ge=0, le=1, description=N_("ratio of the time that counts in which it was up or degraded"))
    ]
    asked: Annotated[int, Field(ge=0, description=N_("questions that were asked"))]
    unanswered: Annotated[int, Field(ge=0, description=N_("questions without an answer"))]
    trips: Annotated[int, Field(ge=0, description=N_("pings that were answered"))]
    trip_seconds: Annotated[float, Field(ge=0, description=N_("the sum of their round trips, seconds"))]
    longest_trip: Annotated[float, Field(ge=0, description=N_("the longest of them, seconds"))]


class RolloutItem(Item):
    """The newest rollout of its name, and how many of its devices are in which state."""

    rollout: Annotated[str, Field(description=N_("its name"))]
    id: Id
    job: str
    author: str
    status: str
    wave: Annotated[int, Field(ge=0, description=N_("the wave under way, 0 before the first"))]
    waves: Count
    devices: Annotated[dict[str, int], Field(description=N_("devices by their state"))]
