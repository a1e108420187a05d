"""What a rollout does next: a pure function of its plan, its state, the time and the world around it.

A decision is either events to be written down, after which the next decision is made at once, or work to be begun
and a time to wait for. Whatever happens in between asks for a new decision.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from inventory.language import _
from ledger.records import Draft
from playbooks.rollout.due import due_applies, due_rollbacks, within_limits
from playbooks.rollout.plan import OnFailure, RolloutPlan
from playbooks.rollout.situation import Situation, World
from playbooks.rollout.state import ROLLBACK, DeviceState, Kind, State, Status

__all__ = ["Decision", "Waiting", "World", "decide", "put_back"]

_CLOCKS_DIFFER = 60.0  # seconds that a bake may seem to have begun ahead of now


class Waiting(StrEnum):
    """What a rollout waits for, for those who look at it."""

    NOTHING = ""
    START = "start"
    PERSON = "person"  # it is paused, or a gate failed
    APPROVAL = "approval"
    WINDOW = "window"
    DEVICES = "devices"  # that are at work
    OWED = "owed"  # devices that were away or postponed
    BAKE = "bake"
    VERDICT = "verdict"


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do now. When there are `events`, they are all: append them and decide again."""

    events: tuple[Draft, ...] = ()
    dispatches: tuple[tuple[str, str], ...] = ()  # device and step; to be written down as DISPATCHED, then begun
    look: bool = False  # at the gate, for the devices that are done, unless it is being looked at
    judge: bool = False  # whether a good verdict of this look passes the wave
    until: datetime | None = None  # there is nothing to do before, unless something happens
    waiting_for: Waiting = Waiting.NOTHING


def decide(plan: RolloutPlan, state: State, now: datetime, world: World) -> Decision:
    """Return what to do at `now` (aware). Always the same for the same arguments."""
    here = Situation(plan, state, now, world)
    match state.status:
        case Status.RUNNING:
            return _running(here)
        case Status.ROLLING_BACK:
            return _rolling_back(here)
        case Status.PAUSED | Status.FAILED:
            return _standing(here)
        case Status.ABORTED:
            return Decision(waiting_for=Waiting.DEVICES) if here.busy else Decision(events=(Draft(Kind.ENDED),))
    return Decision(waiting_for=Waiting.START if state.status is Status.PLANNED else Waiting.NOTHING)


def put_back(plan: RolloutPlan, state: State, scope: OnFailure) -> tuple[str, ...]:
    """Return the devices on which `scope` leaves something to undo, those at work included, in the order of the plan.

    DEVICE means those that failed; WAVE all of the wave under way; ALL all; STOP none.
    """
    if scope is OnFailure.STOP:
        return ()
    begun = plan.waves[: state.wave + 1]
    waves = begun[-1:] if scope is OnFailure.WAVE else begun
    devices = ((device, state.devices[device]) for wave in waves for device in wave.devices)
    if scope is OnFailure.DEVICE:
        return tuple(device for device, status in devices if status.touched and status.failing)
    return tuple(device for device, status in devices if status.touched or status.state is DeviceState.AT_WORK)


def _running(here: Situation) -> Decision:
    events = _failed_gate(here) or _superseded(here) or _expired(here) or _ended(here) or _onward(here)
    if events:
        return Decision(events=events)
    due = due_rollbacks(here, ()) + due_applies(here)
    dispatches = within_limits(here, due.now)
    look, judge, next_look = _look(here)
    return Decision(
        dispatches=dispatches,
        look=look,
        judge=judge,
        until=_soonest(here, [*due.later, *next_look]),
        waiting_for=_waiting_for(here, bool(dispatches)),
    )


def _rolling_back(here: Situation) -> Decision:
    if events := _superseded(here) or _expired(here):
        return Decision(events=events)
    due = due_rollbacks(here, here.state.to_roll_back)
    if not due.now and not due.later and not here.busy:
        return Decision(events=(Draft(Kind.ENDED),))
    dispatches = within_limits(here, due.now)
    waiting = Waiting.DEVICES if dispatches or here.busy else Waiting.OWED
    return Decision(dispatches=dispatches, until=_soonest(here, due.later), waiting_for=waiting)


def _standing(here: Situation) -> Decision:
    """Decide where nothing may begin until a person says so: undo what the plan says, and let the end date come."""
    if events := _undone(here) or _superseded(here) or _expired(here):
        return Decision(events=events)
    if here.over and not here.busy:
        return Decision(events=(Draft(Kind.ENDED),))
    return Decision(until=_soonest(here, []), waiting_for=Waiting.PERSON)


def _undone(here: Situation) -> tuple[Draft, ...]:
    """Return the rollback that the plan wants after a gate has failed."""
    if here.state.status is not Status.FAILED:
        return ()
    chosen = put_back(here.plan, here.state, here.plan.on_failure)
    devices = [device for device in chosen if device not in here.world.newer]
    details = {"devices": devices, "why": here.state.reason}
    return (Draft(Kind.ROLLBACK, details=details),) if devices else ()


def _failed_gate(here: Situation) -> tuple[Draft, ...]:
    """Return the failure of the gate when a wave, this one or an earlier one, has more failures than it may."""
    for wave in here.plan.waves[: here.state.wave + 1]:
        failing = [device for device in wave.devices if here.state.devices[device].failing]
        count = len(failing) if not here.state.accepted else len(set(failing) - here.state.accepted)
        allowed = here.plan.gate.budget(len(wave.devices))
        if count > allowed:
            why = _("wave {wave}: {count} of {size} devices failed or did not answer, {allowed} may").format(
                wave=wave.name, count=count, size=len(wave.devices), allowed=allowed
            )
            return (Draft(Kind.GATE_FAILED, wave=here.state.wave, details={"why": why}),)
    return ()


def _superseded(here: Situation) -> tuple[Draft, ...]:
    """Return the devices that are left to a newer rollout; what that brings must not be undone, either."""
    if not here.world.newer:
        return ()
    idle, named = (DeviceState.WAITING, DeviceState.OWED), frozenset(here.state.to_roll_back)
    return tuple(
        Draft(Kind.SUPERSEDED, device=device)
        for device, status in here.statuses()
        if device in here.world.newer
        and (status.state in idle or (device in named and status.state is not DeviceState.AT_WORK))
    )


def _expired(here: Situation) -> tuple[Draft, ...]:
    """Return the devices for which the end date came first. A rollback is tried once even after it."""
    if not here.over:
        return ()
    waiting = here.state.status is not Status.ROLLING_BACK
    return tuple(
        Draft(Kind.EXPIRED, device=device)
        for device, status in here.statuses()
        if (waiting and status.to_be_applied) or (status.state is DeviceState.OWED and status.step == ROLLBACK)
    )


def _ended(here: Situation) -> tuple[Draft, ...]:
    """Return the end of a rollout whose devices are all final, and judged where they had begun."""
    open_states = (DeviceState.WAITING, DeviceState.OWED, DeviceState.AT_WORK)
    judged = here.over or here.state.between_waves
    if not judged or any(
        status.state in open_states or here.by_itself(device, status) for device, status in here.statuses()
    ):
        return ()
    return (Draft(Kind.ENDED),)


def _onward(here: Situation) -> tuple[Draft, ...]:
    """Return the beginning of the next wave, or of the bake of the one under way."""
    state = here.state
    if here.over:
        return ()
    if state.between_waves:
        return (Draft(Kind.WAVE_BEGAN, wave=state.wave + 1),) if _next_approved(here) else ()
    if state.baking_since:
        ahead = datetime.fromisoformat(state.baking_since) - here.now
        # The clock was put back: what has stayed well until now is not known, so that the bake begins again.
        again = ahead > timedelta(seconds=max(_CLOCKS_DIFFER, here.plan.gate.bake))
        return (Draft(Kind.BAKING, wave=state.wave),) if again else ()
    return (Draft(Kind.BAKING, wave=state.wave),) if _all_tried(here) else ()


def _next_approved(here: Situation) -> bool:
    """Whether there is a next wave, and enough people other than the author agreed to it."""
    number = here.state.wave + 1
    if number >= len(here.plan.waves):
        return False
    people = {person for person in here.state.approved.get(number, ()) if person} - {here.plan.author}
    return len(people) >= here.plan.waves[number].approvals


def _all_tried(here: Situation) -> bool:
    """Whether the wave under way can be judged: all had their turn.

    Devices that are owed do not hold it up, unless all are and none was even tried: a canary that is only postponed
    says nothing about the change.
    """
    wave = here.wave()
    if any(status.state in (DeviceState.WAITING, DeviceState.AT_WORK) for status in wave):
        return False
    return any(status.tries for status in wave) or not any(status.state is DeviceState.OWED for status in wave)


def _look(here: Situation) -> tuple[bool, bool, list[datetime]]:
    """Return whether to look at the gate now, whether that look judges the wave, and when to look next."""
    gate, state, world = here.plan.gate, here.state, here.world
    wave = here.wave()
    if not wave:
        return False, False, []
    moments = []
    if state.baking_since:
        baked = datetime.fromisoformat(state.baking_since) + timedelta(seconds=gate.bake)
        if baked <= here.now:
            return True, True, []
        moments.append(baked)
    if (gate.probes or gate.query) and any(status.state is DeviceState.DONE for status in wave):
        interval = timedelta(seconds=world.probe_interval)
        if world.looked is None or not world.looked <= here.now < world.looked + interval:
            return True, False, [*moments, here.now + interval]
        moments.append(world.looked + interval)
    return False, False, moments


def _soonest(here: Situation, moments: Iterable[datetime]) -> datetime | None:
    """Return the first of moments, and of the end date, that lies ahead."""
    ahead = [moment for moment in (*moments, datetime.fromisoformat(here.plan.until)) if moment > here.now]
    return min(ahead, default=None)


def _waiting_for(here: Situation, begins: bool) -> Waiting:
    return next(_reasons(here, begins), Waiting.NOTHING)


def _reasons(here: Situation, begins: bool) -> Iterator[Waiting]:
    """Yield what a running rollout waits for, the most telling first."""
    state, wave = here.state, here.wave()
    if state.between_waves and state.wave + 1 < len(here.plan.waves):
        yield Waiting.APPROVAL
    if state.baking_since:
        baked = datetime.fromisoformat(state.baking_since) + timedelta(seconds=here.plan.gate.bake)
        yield Waiting.BAKE if baked > here.now else Waiting.VERDICT
    if begins or here.busy:
        yield Waiting.DEVICES
    if any(status.state is DeviceState.WAITING for status in wave):
        yield Waiting.WINDOW
    if any(status.state is DeviceState.OWED for status in state.devices.values()):
        yield Waiting.OWED
