"""The state of a rollout, folded from its events. `evolve` is pure, total and the only place that changes a state.

An event is what the ledger keeps: a kind, a device where it is about one, a wave where it is about one, and details.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from playbooks.job import Step
from playbooks.rollout.plan import RolloutPlan

APPLY, ROLLBACK = str(Step.APPLY), str(Step.ROLLBACK)  # the steps that a rollout dispatches


class Kind(StrEnum):
    """What can happen to a rollout. In brackets: who writes it."""

    STARTED = "started"  # [person]
    APPROVED = "approved"  # [person] wave; details: person, signature
    PAUSED = "paused"  # [person, loop] details: why
    RESUMED = "resumed"  # [person]
    ABORTED = "aborted"  # [person] nothing new is begun
    ROLLBACK = "rollback"  # [person, loop] what is done is put back; details: devices, why
    WAVE_BEGAN = "wave-began"  # [loop] wave
    DISPATCHED = "dispatched"  # [loop] device; details: dispatch (an id that is never used twice), step
    REPORTED = "reported"  # [loop] device; details: dispatch, result, reason, changed (false: it was at target before)
    POSTPONED = "postponed"  # [loop] device; details: why, until
    BAKING = "baking"  # [loop] wave: all of its devices have been tried
    GATE_PASSED = "gate-passed"  # [loop] wave
    GATE_FAILED = "gate-failed"  # [loop] wave; details: why
    SUPERSEDED = "superseded"  # [loop] device: a newer rollout of the same job has it
    EXPIRED = "expired"  # [loop] device: the end date came before it did
    ENDED = "ended"  # [loop]


class Status(StrEnum):
    """How a rollout is."""

    PLANNED = "planned"
    RUNNING = "running"
    PAUSED = "paused"
    FAILED = "failed"  # a gate failed: stopped until a person resumes, aborts or rolls back
    ROLLING_BACK = "rolling-back"
    ABORTED = "aborted"
    ENDED = "ended"


class DeviceState(StrEnum):
    """How a device is, in a rollout."""

    WAITING = "waiting"  # its turn has not come
    AT_WORK = "at-work"  # dispatched, and not reported
    DONE = "done"
    FAILED = "failed"
    OWED = "owed"  # it did not answer, or was postponed: tried again in its window until the end date
    ROLLED_BACK = "rolled-back"
    SUPERSEDED = "superseded"
    NOT_DONE = "not-done"  # the end date came first


class Result(StrEnum):
    """What a site reports of a dispatch."""

    DONE = "done"  # at target, whether by us or already
    FAILED = "failed"
    UNREACHABLE = "unreachable"  # never let us in: nothing was changed
    LOST = "lost"  # let us in and went away, or was cut off, in the middle
    REVERTED = "reverted"  # changed, cut us off, returned by itself


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `seq` counts from 1 within the rollout; `at` is ISO, UTC."""

    seq: int
    at: str
    kind: Kind
    device: str = ""
    wave: int = -1
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """One device. `until` is when a postponed one may be tried again; `tries` counts dispatches of the job."""

    state: DeviceState = DeviceState.WAITING
    dispatch: str = ""  # of the last dispatch
    step: str = ""  # "apply" or "rollback", of the last dispatch
    tries: int = 0
    missed: int = 0  # dispatches of the last step that ended without an answer, since the last one that did not
    touched: bool = False  # the job has changed something here, or may have, that was not put back
    reason: str = ""
    until: str = ""
    at: str = ""  # of the last event

    @property
    def failing(self) -> bool:
        """Whether it counts against its wave's budget: it failed, or was tried and is not done since."""
        if self.state in (DeviceState.OWED, DeviceState.AT_WORK):
            return self.missed > 0 or self.step == ROLLBACK
        return self.state in (DeviceState.FAILED, DeviceState.ROLLED_BACK)

    @property
    def to_be_applied(self) -> bool:
        """Whether the job is still to be begun here, now or later."""
        return self.state is DeviceState.WAITING or (self.state is DeviceState.OWED and self.step != ROLLBACK)

    @property
    def to_be_put_back(self) -> bool:
        """Whether a rollback that names it has something left to do here, or may have."""
        if self.state is DeviceState.FAILED:
            return self.touched and self.step != ROLLBACK
        return self.state is DeviceState.AT_WORK or (
            self.touched and self.state in (DeviceState.DONE, DeviceState.OWED)
        )


@dataclass(frozen=True, slots=True)
class State:
    """A rollout as it is after its events. `wave` is the one under way, -1 before the first has begun."""

    status: Status = Status.PLANNED
    wave: int = -1
    devices: Mapping[str, DeviceStatus] = field(default_factory=dict)
    approved: Mapping[int, tuple[str, ...]] = field(default_factory=dict)  # people by wave
    passed: frozenset[int] = frozenset()  # waves whose gate has passed
    baking_since: str = ""  # of the wave under way; "" while its devices are still being tried
    to_roll_back: tuple[str, ...] = ()  # devices that are to be put back and are not yet
    accepted: frozenset[str] = frozenset()  # devices that had failed when a person went on after a failed gate
    reason: str = ""  # why it is paused or failed
    seq: int = 0  # of the last event

    @property
    def between_waves(self) -> bool:
        """Whether no wave is under way: none has begun yet, or the last that began has passed its gate."""
        return self.wave == -1 or self.wave in self.passed


def initial(plan: RolloutPlan) -> State:
    """Return the state before any event."""
    return State(devices={device: DeviceStatus() for device in plan.devices})


def fold(plan: RolloutPlan, events: Iterable[Event]) -> State:
    """Return the state after `events`, in their order."""
    state = initial(plan)
    for event in events:
        state = evolve(state, event)
    return state


def evolve(state: State, event: Event) -> State:
    """Return the state after one more event. Total: an event that makes no sense here changes nothing but `seq`."""
    return replace(_evolved(state, event), seq=event.seq)


def _evolved(state: State, event: Event) -> State:
    if event.device:
        return _of_device(state, event)
    if event.kind in _WAVE_EVENTS:
        return _of_wave(state, event)
    before, after = _STATUSES.get(event.kind, (frozenset(), Status.PLANNED))
    if state.status not in before:
        return state
    accepted = state.accepted
    if event.kind is Kind.RESUMED and state.status is Status.FAILED:
        accepted |= {device for device, status in state.devices.items() if status.failing}
    to_roll_back = _to_roll_back(state, event) if event.kind is Kind.ROLLBACK else ()
    why = str(event.details.get("why", state.reason if event.kind is Kind.ENDED else ""))
    return replace(state, status=after, to_roll_back=to_roll_back, accepted=accepted, reason=why)


_LIVE = frozenset(Status) - {Status.PLANNED, Status.ABORTED, Status.ENDED}
# What a rollout becomes, and when: an event of the whole rollout has no effect in another status. One that ended can
# still be rolled back: what it brought may turn out to be bad a day later.
_STATUSES: Mapping[Kind, tuple[frozenset[Status], Status]] = {
    Kind.STARTED: (frozenset({Status.PLANNED}), Status.RUNNING),
    Kind.PAUSED: (frozenset({Status.RUNNING}), Status.PAUSED),
    Kind.RESUMED: (frozenset({Status.PAUSED, Status.FAILED}), Status.RUNNING),
    Kind.ABORTED: (_LIVE | {Status.PLANNED}, Status.ABORTED),
    Kind.ROLLBACK: (_LIVE | {Status.ABORTED, Status.ENDED}, Status.ROLLING_BACK),
    Kind.ENDED: (_LIVE | {Status.ABORTED}, Status.ENDED),
}
_WAVE_EVENTS = frozenset({Kind.APPROVED, Kind.WAVE_BEGAN, Kind.BAKING, Kind.GATE_PASSED, Kind.GATE_FAILED})


def _to_roll_back(state: State, event: Event) -> tuple[str, ...]:
    """Return the devices that the event names, after those that were named before, where there is anything to undo."""
    devices = event.details.get("devices")
    named = dict.fromkeys((*state.to_roll_back, *map(str, devices if isinstance(devices, list | tuple) else ())))
    known = {device: state.devices[device] for device in named if device in state.devices}
    return tuple(device for device, status in known.items() if status.touched or status.to_be_put_back)


def _of_wave(state: State, event: Event) -> State:
    if event.kind is Kind.APPROVED:
        people = (*state.approved.get(event.wave, ()), str(event.details.get("person", "")))
        return replace(state, approved={**state.approved, event.wave: people})
    if event.kind is Kind.WAVE_BEGAN and event.wave == state.wave + 1 and state.between_waves:
        return replace(state, wave=event.wave, baking_since="")
    if event.wave != state.wave or event.wave < 0:
        return state
    if event.kind is Kind.BAKING and not state.between_waves:
        return replace(state, baking_since=event.at)
    if event.kind is Kind.GATE_PASSED and state.baking_since:
        return replace(state, passed=state.passed | {event.wave}, baking_since="")
    if event.kind is Kind.GATE_FAILED and state.status is Status.RUNNING:
        return replace(state, status=Status.FAILED, baking_since="", reason=str(event.details.get("why", "")))
    return state


# Values of Result -> what the device is then.
_REPORTS: Mapping[str, DeviceState] = {
    Result.DONE: DeviceState.DONE,
    Result.FAILED: DeviceState.FAILED,
    Result.UNREACHABLE: DeviceState.OWED,
    Result.LOST: DeviceState.OWED,
    Result.REVERTED: DeviceState.FAILED,
}
_NOTHING_LEFT = frozenset({Result.UNREACHABLE, Result.REVERTED})  # results of an apply that leave nothing to undo


def _of_device(state: State, event: Event) -> State:
    before = state.devices.get(event.device)
    if before is None:
        return state
    named = event.device in state.to_roll_back
    moved = _moved(before, event, named)
    if moved is before:
        return state
    after = replace(moved, at=event.at)
    left = state.to_roll_back
    if named and not after.to_be_put_back:
        left = tuple(device for device in left if device != event.device)
    return replace(state, devices={**state.devices, event.device: after}, to_roll_back=left)


def _moved(device: DeviceStatus, event: Event, named: bool) -> DeviceStatus:
    """Return what an event makes of a device; the same object when nothing. `named`: a rollback is to put it back."""
    details = event.details
    idle = device.state in (DeviceState.WAITING, DeviceState.OWED)
    match event.kind:
        case Kind.DISPATCHED:
            return _dispatched(device, str(details.get("dispatch", "")), str(details.get("step", "")))
        case Kind.REPORTED:
            return _reported(device, details)
        case Kind.POSTPONED if idle:
            until, why = str(details.get("until", "")), str(details.get("why", ""))
            return replace(device, state=DeviceState.OWED, until=until, reason=why)
        case Kind.SUPERSEDED if idle or (named and device.state is not DeviceState.AT_WORK):
            return replace(device, state=DeviceState.SUPERSEDED)
        case Kind.EXPIRED if idle:
            return replace(device, state=DeviceState.NOT_DONE)
    return device


def _dispatched(device: DeviceStatus, dispatch: str, step: str) -> DeviceStatus:
    fits = device.to_be_applied if step == APPLY else step == ROLLBACK and device.touched
    if not fits or device.state is DeviceState.AT_WORK:
        return device
    tries, missed = device.tries + (step == APPLY), device.missed if step == device.step else 0
    return replace(
        device, state=DeviceState.AT_WORK, dispatch=dispatch, step=step, tries=tries, missed=missed, until=""
    )


def _reported(device: DeviceStatus, details: Mapping[str, Any]) -> DeviceStatus:
    result = str(details.get("result", ""))
    state = _REPORTS.get(result)
    if state is None or device.state is not DeviceState.AT_WORK or details.get("dispatch") != device.dispatch:
        return device
    touched = device.touched or (result not in _NOTHING_LEFT and details.get("changed") is not False)
    reason = str(details.get("reason", ""))
    if device.step == ROLLBACK and state is DeviceState.DONE:
        state, touched, reason = DeviceState.ROLLED_BACK, False, reason or device.reason  # why it had to be
    missed = device.missed + 1 if state is DeviceState.OWED else 0
    return replace(device, state=state, missed=missed, touched=touched, reason=reason)
