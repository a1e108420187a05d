"""What a rollout is going to do: a value, content-addressed, made once from the declaration and the province."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from playbooks.plan import digest


class OnFailure(StrEnum):
    """What is put back when a wave fails. It stops in any case."""

    STOP = "stop"
    DEVICE = "rollback-device"  # each device that fails, at once
    WAVE = "rollback-wave"
    ALL = "rollback-all"


@dataclass(frozen=True, slots=True)
class Gate:
    """What must hold before the next wave. Durations are seconds."""

    bake: float = 0.0  # how long everything must have stayed well after the wave's last device
    probes: bool = True  # devices, their offices and the services that these depend on are asked
    budget_devices: int = 0  # failures that a wave may have, unreachable ones counted
    budget_ratio: float = 0.0  # the same as a ratio of the wave's devices; the larger of the two holds
    query: str = ""  # a Prometheus query that must answer a value that is not 0

    def budget(self, size: int) -> int:
        """Return how many of `size` devices may fail."""
        return max(self.budget_devices, int(self.budget_ratio * size + 1e-9))


@dataclass(frozen=True, slots=True)
class Wave:
    """A slice of the devices, by id, in order. `approvals` people must agree before it begins."""

    name: str
    devices: tuple[str, ...]
    approvals: int = 0


@dataclass(frozen=True, slots=True)
class RolloutPlan:
    """A rollout as it was planned. Each device is in exactly one wave; there is at least one."""

    name: str
    job: str
    job_digest: str
    sets: Mapping[str, Any]
    author: str
    made_at: str  # ISO, UTC
    waves: tuple[Wave, ...]
    gate: Gate
    parallel: int
    per_uplink: int  # devices at a time behind one uplink; 0: no limit
    until: str  # ISO, UTC: devices that were away are owed the change until then
    on_failure: OnFailure
    uplinks: Mapping[str, str]  # device -> id of the office whose uplink carries it

    @property
    def digest(self) -> str:
        """The plan's address."""
        return digest(asdict(self))

    @property
    def devices(self) -> tuple[str, ...]:
        """All devices, in the order of the waves."""
        return tuple(device for wave in self.waves for device in wave.devices)

    def wave_of(self, device: str) -> int:
        """Return the number of the wave that a device is in, from 0."""
        return next(number for number, wave in enumerate(self.waves) if device in wave.devices)


def dump_rollout(plan: RolloutPlan) -> dict[str, Any]:
    """Return a plan as plain values for JSON."""
    return asdict(plan)


def load_rollout(content: Mapping[str, Any]) -> RolloutPlan:
    """Return the plan that `dump_rollout` made."""
    waves = tuple(Wave(**{**wave, "devices": tuple(wave["devices"])}) for wave in content["waves"])
    return RolloutPlan(
        **{
            **content,
            "waves": waves,
            "gate": Gate(**content["gate"]),
            "on_failure": OnFailure(content["on_failure"]),
        }
    )
