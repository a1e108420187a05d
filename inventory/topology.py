"""Which office is behind which link, and what follows from silence: down, or only unreachable."""

from collections.abc import Iterable, Mapping, Set
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
    asked = {
        office: [device for device in devices if device.id in answers]
        for office, devices in province.devices_of.items()
    }
    answering = {office for office, devices in asked.items() if any(answers[device.id] for device in devices)}
    open_ways = _open_ways(province, answering, {office for office, devices in asked.items() if devices} - answering)
    states: dict[str, State] = {}
    for office in offices_top_down(province):
        if office.id in answering:
            silent_gateway = any(device.gateway and not answers[device.id] for device in asked[office.id])
            states[office.id] = State.DEGRADED if silent_gateway else State.UP
        elif ways_of(office) and open_ways.isdisjoint(ways_of(office)):
            states[office.id] = State.UNREACHABLE
        else:
            states[office.id] = State.DOWN if asked[office.id] else State.UNKNOWN
    return states


def ways_of(office: Office) -> tuple[str, ...]:
    """Return the offices that it reaches the network through: its uplink's parent and its backup's."""
    return tuple(link.parent for link in (office.uplink, office.backup) if link)


def _open_ways(province: Province, answering: Set[str], silent: Set[str]) -> Set[str]:
    """Return the offices that a way may lead through: what answers, and what was not asked behind an open way."""
    behind: dict[str, list[str]] = {}
    for office in province.offices.values():
        for way in ways_of(office):
            behind.setdefault(way, []).append(office.id)
    waiting = [*answering, *(office.id for office in province.offices.values() if not ways_of(office))]
    found: set[str] = set()
    while waiting:
        office_id = waiting.pop()
        if office_id not in found and office_id not in silent:
            found.add(office_id)
            waiting += behind.get(office_id, ())
    return found


def device_states(province: Province, answers: Mapping[str, bool], healthy: Mapping[str, bool]) -> dict[str, State]:
    """Tell the state of every device that was asked.

    `healthy` says of a device that answers whether all its probes succeeded. A silent device in a silent
    office is unreachable, but for the gateway of an office that is itself down: nearest to us, it is what failed.
    """
    offices = office_states(province, answers)
    return {
        device: device_state(province.devices[device], answered, healthy.get(device, True), offices)
        for device, answered in answers.items()
    }


def device_state(device: Device, answered: bool, healthy: bool, offices: Mapping[str, State]) -> State:
    """Return the state of one device whose office is among `offices`."""
    if answered:
        return State.UP if healthy else State.DEGRADED
    office = offices[device.office]
    if office is State.UNREACHABLE or (office is State.DOWN and not device.gateway):
        return State.UNREACHABLE
    return State.DOWN
