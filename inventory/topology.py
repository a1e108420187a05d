"""Which office is behind which link, and what follows from silence: down, or only unreachable."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from inventory.model import Device, Office, Province


class State(StrEnum):
    """How something is. Unreachable: its way is down, so nothing is known of the thing itself."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    UNREACHABLE = "unreachable"
    MAINTENANCE = "maintenance"
    UNKNOWN = "unknown"


SEVERITY: Mapping[State, int] = {
    State.DOWN: 0,
    State.UNREACHABLE: 1,
    State.DEGRADED: 2,
    State.UNKNOWN: 3,
    State.MAINTENANCE: 4,
    State.UP: 5,
}


def worst(states: Iterable[State]) -> State:
    """Return the worst of `states`; unknown when there is none."""
    return min(states, key=SEVERITY.__getitem__, default=State.UNKNOWN)


def offices_top_down(province: Province) -> tuple[Office, ...]:
    """Return every office after the office that its uplink leads to."""
    children: dict[str, list[Office]] = {}
    for office in province.offices.values():
        children.setdefault(office.parent, []).append(office)
    ordered: list[Office] = []
    waiting = list(reversed(children.get("", [])))
    while waiting:
        office = waiting.pop()
        ordered.append(office)
        waiting.extend(reversed(children.get(office.id, [])))
    return tuple(ordered)


def office_states(province: Province, answers: Mapping[str, bool]) -> dict[str, State]:
    """Tell the state of every office from which devices answered anything at all.

    `answers` maps device ids to whether the device answered; a device that was not asked is absent.
    An office where anything answers is up (or degraded, if its gateway does not). A silent office is
    unreachable when the office its uplink leads to (and the one its backup leads to) is silent too,
    otherwise down. An office of which nothing was asked takes its parents' word: unreachable or unknown.
    """
    states: dict[str, State] = {}
    for office in offices_top_down(province):
        ways = {link.parent for link in (office.uplink, office.backup) if link}
        way_up = not ways or any(states.get(way) not in (State.DOWN, State.UNREACHABLE) for way in ways)
        states[office.id] = _office_state(province.devices_of[office.id], answers, way_up)
    return states


def _office_state(devices: tuple[Device, ...], answers: Mapping[str, bool], way_up: bool) -> State:
    asked = [device for device in devices if device.id in answers]
    if any(answers[device.id] for device in asked):
        gateway_silent = any(device.gateway and not answers[device.id] for device in asked)
        return State.DEGRADED if gateway_silent else State.UP
    if not way_up:
        return State.UNREACHABLE
    return State.DOWN if asked else State.UNKNOWN


def device_states(province: Province, answers: Mapping[str, bool], healthy: Mapping[str, bool]) -> dict[str, State]:
    """Tell the state of every device that was asked.

    `healthy` says of a device that answers whether all its probes succeeded. A silent device in a silent
    office is unreachable, but for the gateway of an office that is itself down: nearest to us, it is what failed.
    """
    offices = office_states(province, answers)
    return {
        device: _device_state(province.devices[device], answered, healthy.get(device, True), offices)
        for device, answered in answers.items()
    }


def _device_state(device: Device, answered: bool, healthy: bool, offices: Mapping[str, State]) -> State:
    if answered:
        return State.UP if healthy else State.DEGRADED
    office = offices[device.office]
    if office is State.UNREACHABLE or (office is State.DOWN and not device.gateway):
        return State.UNREACHABLE
    return State.DOWN
