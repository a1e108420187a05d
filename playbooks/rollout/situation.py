"""What a decision is made of, besides the plan: the state, the time, and what is known of the world around."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from inventory.windows import Hours
from playbooks.rollout.plan import OnFailure, RolloutPlan
from playbooks.rollout.state import ROLLBACK, DeviceState, DeviceStatus, State

T = TypeVar("T")
LONGEST_PAUSE = 3600.0  # seconds between tries of a device that does not answer


@dataclass(frozen=True, slots=True)
class World:
    """What a decision must know that is not in the ledger. Durations are seconds."""

    hours: Mapping[str, Hours]  # device -> when it may be worked on; always, for one that is absent
    newer: frozenset[str] = frozenset()  # devices that a newer rollout of the same job has
    retry: float = 60.0  # before a device that did not answer is tried again; doubles with each try, up to an hour
    probe_interval: float = 30.0  # between looks at the devices that are done; asking the silent ones takes ten more
    looked: datetime | None = None  # when the last look was begun


@dataclass(frozen=True, slots=True)
class Situation:
    """A plan and where it stands now."""

    plan: RolloutPlan
    state: State
    now: datetime
    world: World
    _open: dict[int, bool] = field(default_factory=dict)  # by the identity of hours, which many devices share
    _opening: dict[int, datetime | None] = field(default_factory=dict)

    def statuses(self) -> Iterator[tuple[str, DeviceStatus]]:
        """Yield all devices in the order of the plan, which no decision may stray from, and how they are."""
        devices = self.state.devices
        return ((device, devices[device]) for wave in self.plan.waves for device in wave.devices)

    def begun(self) -> Iterator[tuple[str, DeviceStatus]]:
        """Yield the devices of the waves that have begun."""
        devices = self.state.devices
        waves = self.plan.waves[: self.state.wave + 1]
        return ((device, devices[device]) for wave in waves for device in wave.devices)

    def wave(self) -> list[DeviceStatus]:
        """Return how the devices of the wave under way are; none when no wave is."""
        if self.state.between_waves:
            return []
        return [self.state.devices[device] for device in self.plan.waves[self.state.wave].devices]

    @property
    def over(self) -> bool:
        """Whether the end date has come."""
        return self.now >= datetime.fromisoformat(self.plan.until)

    @property
    def busy(self) -> bool:
        """Whether a device is at work."""
        return any(status.state is DeviceState.AT_WORK for status in self.state.devices.values())

    def by_itself(self, device: str, status: DeviceStatus) -> bool:
        """Whether a device is to be put back because it failed, without any rollback that names it."""
        if device in self.world.newer:
            return False
        if status.state is DeviceState.OWED:
            return status.step == ROLLBACK
        failed = status.state is DeviceState.FAILED and status.to_be_put_back
        return failed and self.plan.on_failure is OnFailure.DEVICE

    def is_open(self, device: str) -> bool:
        """Whether work may begin on a device now."""
        hours = self.world.hours.get(device)
        return hours is None or _once(self._open, hours, hours.is_open, self.now)

    def opens(self, device: str) -> datetime | None:
        """Return when work may next begin on a device; None when it never may."""
        hours = self.world.hours.get(device)
        return self.now if hours is None else _once(self._opening, hours, hours.next_open, self.now)

    def ready(self, status: DeviceStatus) -> datetime:
        """Return when a device that is owed something may be tried again; the start of time when at once."""
        if not (status.until or status.missed):
            return datetime.min.replace(tzinfo=UTC)
        told = datetime.fromisoformat(status.at)
        pause = timedelta(seconds=min(LONGEST_PAUSE, self.world.retry * 2 ** min(status.missed - 1, 16)))
        due = datetime.fromisoformat(status.until) if status.until else told + pause
        # What lies further ahead than its pause is long was before the clock was put back: do not wait for it.
        return self.now if told - self.now > due - told else due


def _once(answers: dict[int, T], hours: Hours, ask: Callable[[datetime], T], now: datetime) -> T:
    """Return what hours answer, asked once. `world` keeps them alive, so that their identity stays theirs."""
    if id(hours) not in answers:
        answers[id(hours)] = ask(now)
    return answers[id(hours)]
