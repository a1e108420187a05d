"""The state of a rollout, folded from its events. `evolve` is pure, total and the only place that changes a state.

An event is what the ledger keeps: a kind, a device where it is about one, a wave where it is about one, and details.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from playbooks.rollout.plan import RolloutPlan


class Kind(StrEnum):
    """What can happen to a rollout. In brackets: who writes it."""

    STARTED = "started"  # [person]
    APPROVED = "approved"  # [person] wave; details: person, signature
    PAUSED = "paused"  # [person, loop] details: why
    RESUMED = "resumed"  # [person]
    ABORTED = "aborted"  # [person] nothing new is begun
    ROLLBACK = "rollback"  # [person, loop] what is done is put back; details: devices
    WAVE_BEGAN = "wave-began"  # [loop] wave
    DISPATCHED = "dispatched"  # [loop] device; details: dispatch (an id that is never used twice), step
    REPORTED = "reported"  # [loop] device; details: dispatch, result, reason
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
    reason: str = ""
    until: str = ""
    at: str = ""  # of the last event


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
    reason: str = ""  # why it is paused or failed
    seq: int = 0  # of the last event


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
    devices = tuple(event.details.get("devices", ())) if event.kind is Kind.ROLLBACK else ()
    return replace(state, status=after, to_roll_back=devices, reason=str(event.details.get("why", "")))


_LIVE = frozenset(Status) - {Status.PLANNED, Status.ABORTED, Status.ENDED}
# What a rollout becomes, and when: an event of the whole rollout has no effect in another status.
_STATUSES: Mapping[Kind, tuple[frozenset[Status], Status]] = {
    Kind.STARTED: (frozenset({Status.PLANNED}), Status.RUNNING),
    Kind.PAUSED: (frozenset({Status.RUNNING}), Status.PAUSED),
    Kind.RESUMED: (frozenset({Status.PAUSED, Status.FAILED}), Status.RUNNING),
    Kind.ABORTED: (_LIVE | {Status.PLANNED}, Status.ABORTED),
    Kind.ROLLBACK: (_LIVE | {Status.ABORTED}, Status.ROLLING_BACK),
    Kind.ENDED: (_LIVE | {Status.ABORTED}, Status.ENDED),
}
_WAVE_EVENTS = frozenset({Kind.APPROVED, Kind.WAVE_BEGAN, Kind.BAKING, Kind.GATE_PASSED, Kind.GATE_FAILED})


def _of_wave(state: State, event: Event) -> State:
    if event.kind is Kind.APPROVED:
        people = (*state.approved.get(event.wave, ()), str(event.details.get("person", "")))
        return replace(state, approved={**state.approved, event.wave: people})
    if event.kind is Kind.WAVE_BEGAN and event.wave == state.wave + 1:
        return replace(state, wave=event.wave, baking_since="")
    if event.wave != state.wave:
        return state
    if event.kind is Kind.BAKING:
        return replace(state, baking_since=event.at)
    if event.kind is Kind.GATE_PASSED:
        return replace(state, passed=state.passed | {event.wave}, baking_since="")
    if event.kind is Kind.GATE_FAILED and state.status is Status.RUNNING:
        return replace(state, status=Status.FAILED, baking_since="", reason=str(event.details.get("why", "")))
    return state


_REPORTS: Mapping[Result, DeviceState] = {
    Result.DONE: DeviceState.DONE,
    Result.FAILED: DeviceState.FAILED,
    Result.UNREACHABLE: DeviceState.OWED,
    Result.LOST: DeviceState.OWED,
    Result.REVERTED: DeviceState.FAILED,
}


def _of_device(state: State, event: Event) -> State:
    before = state.devices.get(event.device)
    if before is None:
        return state
    after = replace(_moved(before, event), at=event.at)
    left = state.to_roll_back
    if after.step == "rollback" and after.state in (DeviceState.ROLLED_BACK, DeviceState.FAILED):
        left = tuple(device for device in left if device != event.device)
    return replace(state, devices={**state.devices, event.device: after}, to_roll_back=left)


def _moved(device: DeviceStatus, event: Event) -> DeviceStatus:
    details = event.details
    match event.kind:
        case Kind.DISPATCHED:
            step = str(details["step"])
            tries = device.tries + (step == "apply")
            return replace(
                device, state=DeviceState.AT_WORK, dispatch=str(details["dispatch"]), step=step, tries=tries, until=""
            )
        case Kind.REPORTED if details["dispatch"] == device.dispatch and device.state is DeviceState.AT_WORK:
            return replace(device, state=_reported(device, Result(details["result"])), reason=str(details["reason"]))
        case Kind.POSTPONED if device.state in (DeviceState.WAITING, DeviceState.OWED):
            return replace(device, state=DeviceState.OWED, until=str(details["until"]), reason=str(details["why"]))
        case Kind.SUPERSEDED if device.state in (DeviceState.WAITING, DeviceState.OWED):
            return replace(device, state=DeviceState.SUPERSEDED)
        case Kind.EXPIRED if device.state in (DeviceState.WAITING, DeviceState.OWED):
            return replace(device, state=DeviceState.NOT_DONE)
    return device


def _reported(device: DeviceStatus, result: Result) -> DeviceState:
    if device.step == "rollback" and result is Result.DONE:
        return DeviceState.ROLLED_BACK
    return _REPORTS[result]
