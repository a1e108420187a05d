"""What a file of rollouts/ may hold: the shape that people write."""

from typing import Any, Literal

from pydantic import Field

from inventory.declared_values import Bandwidth, Day, Seconds, Shape, Slug, Text, TimeOfDay, Weekday


class WaveShape(Shape):
    """One of `canary`, `percent`, `each` and `rest`: which of the devices are next, after those of earlier waves."""

    canary: list[Text] | None = Field(default=None, min_length=1)  # ids of devices
    percent: float | None = Field(default=None, gt=0, le=100)  # of all devices of the rollout
    each: Literal["district"] | None = None  # a wave for each, in the order of the inventory
    rest: bool = False
    name: Text | None = None
    approvals: int = Field(default=0, ge=0, le=20)  # people, never the author, who must agree before it begins


class BudgetShape(Shape):
    """How many devices of a wave may fail, unreachable ones counted; the larger of the two holds."""

    devices: int = Field(default=0, ge=0)
    percent: float = Field(default=0, ge=0, le=100)


class GateShape(Shape):
    """What must hold before the next wave."""

    bake: Seconds = 0.0  # how long all must have stayed well after the wave's last device
    probes: bool = True  # the probes of the devices, their offices and the services of these
    budget: BudgetShape = BudgetShape()
    query: str = ""  # in Prometheus' language; it must answer a value that is not 0


class WindowShape(Shape):
    """When the devices that `select` chooses may be worked on; it lasts over midnight if it closes earlier."""

    select: Text = ""  # default: all devices of the rollout
    days: list[Weekday] = Field(default=["mon", "tue", "wed", "thu", "fri", "sat", "sun"], min_length=1)
    opens: TimeOfDay
    closes: TimeOfDay


class LimitsShape(Shape):
    """How much is done at a time."""

    parallel: int = Field(default=20, ge=1, le=1000)  # devices
    per_uplink: int = Field(default=2, ge=0)  # devices behind one uplink; 0: no limit
    rate: Bandwidth | None = None  # for jobs that transfer; default: what the job says


class RolloutFile(Shape):
    """rollouts/<name>.yaml: one job, carried to many devices in waves behind gates."""

    about: dict[Literal["en", "vi"], Text] = Field(min_length=1)
    job: Slug
    values: dict[str, Any] = Field(default_factory=dict, alias="with")  # of the job's variables
    select: Text  # the devices
    waves: list[WaveShape] = Field(min_length=1)
    gate: GateShape = GateShape()
    windows: list[WindowShape] = Field(default_factory=list)  # default: at any time outside of working hours
    working_hours: Literal["respected", "ignored"] = "respected"
    limits: LimitsShape = LimitsShape()
    until: Day  # the last day on which devices that were away are owed the change
    on_failure: Literal["stop", "rollback-device", "rollback-wave", "rollback-all"] = "stop"
