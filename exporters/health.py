"""From readings to states: what each device, office and service is, and the reason in words. Pure."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

from exporters.questions import Key
from exporters.reading import Reading
from inventory.language import _
from inventory.model import Province
from inventory.topology import State, device_states, office_states, worst


@dataclass(frozen=True, slots=True)
class Health:
    """States by id, and a reason for everything that is not up."""

    devices: Mapping[str, State]
    offices: Mapping[str, State]
    services: Mapping[str, State]
    reasons: Mapping[str, str]


def judge(
    province: Province,
    readings: Mapping[Key, Reading],
    silent: Set[str] | None = None,
    unheard: Set[str] = frozenset(),
) -> Health:
    """Tell all states from the latest readings.

    `silent` names the devices that are silent, where somebody confirmed it; by default those are silent of which
    no reading heard anything. Devices that this machine could not even ask are left out, and those that are `unheard`:
    they never answered, and their silence is not confirmed.
    What is asked on behalf of a service proves that the device answers, but whether it is well is the service's.
    """
    own: dict[str, list[Reading]] = {}
    heard: dict[str, bool] = {}
    of_services: dict[str, list[Reading]] = {}
    for (device, _module, service, _about), reading in readings.items():
        if device in unheard:
            continue
        if service:
            of_services.setdefault(service, []).append(reading)
        elif reading.asked:
            own.setdefault(device, []).append(reading)
        if reading.asked:
            heard[device] = heard.get(device, False) or reading.heard
    answers = heard if silent is None else {device: device not in silent for device in heard}
    healthy = {device: all(r.success and not r.degraded for r in found) for device, found in own.items()}
    devices = device_states(province, answers, healthy)
    reached = office_states(province, answers)
    offices = {office: office_with_devices(province, office, state, devices) for office, state in reached.items()}
    services = {name: service_state(found, devices) for name, found in of_services.items()}
    return Health(devices, offices, services, dict(_reasons(province, own, devices, offices, of_services)))


def office_with_devices(province: Province, office: str, state: State, devices: Mapping[str, State]) -> State:
    """An office that answers is degraded when one of its devices is not up."""
    if state is not State.UP:
        return state
    own = [devices[device.id] for device in province.devices_of[office] if device.id in devices]
    return State.UP if all(found is State.UP for found in own) else State.DEGRADED


def service_state(readings: Iterable[Reading], devices: Mapping[str, State]) -> State:
    """A service is as bad as the worst answer about it; unreachable when only its way is."""
    states = []
    for reading in readings:
        if not reading.asked:
            states.append(State.UNKNOWN)
        elif reading.success:
            states.append(State.DEGRADED if reading.degraded else State.UP)
        else:
            way_down = not reading.heard and devices.get(reading.device) is State.UNREACHABLE
            states.append(State.UNREACHABLE if way_down else State.DOWN)
    return worst(states)


def _reasons(
    province: Province,
    by_device: Mapping[str, list[Reading]],
    devices: Mapping[str, State],
    offices: Mapping[str, State],
    service_readings: Mapping[str, Iterable[Reading]],
) -> Iterable[tuple[str, str]]:
    for device, state in devices.items():
        if state is not State.UP:
            yield device, device_reason(by_device.get(device, ()), state)
    for office, state in offices.items():
        if state is not State.UP:
            yield office, office_reason(province, office, state, devices, by_device)
    for service, readings in service_readings.items():
        if reason := service_reason(readings):
            yield service, reason


def service_reason(readings: Iterable[Reading]) -> str:
    """Return what is wrong with a service, by the first bad answer; "" when none is."""
    bad = [reading for reading in readings if not reading.success or reading.degraded]
    return f"{bad[0].device}: {bad[0].reason}" if bad else ""


def device_reason(readings: Iterable[Reading], state: State) -> str:
    """Return why a device is not up."""
    if state is State.UNREACHABLE:
        return _("its way is down")
    bad = [reading for reading in readings if not reading.success] or [r for r in readings if r.degraded]
    heard = [reading for reading in bad if reading.heard] or bad
    return f"{heard[0].module}: {heard[0].reason}" if heard else ""


def office_reason(
    province: Province,
    office: str,
    state: State,
    devices: Mapping[str, State],
    by_device: Mapping[str, list[Reading]],
) -> str:
    """Return why an office is not up."""
    if state is State.UNREACHABLE:
        return _("behind {parent}, which is silent").format(parent=province.offices[office].parent)
    if state is State.DOWN:
        return _("nothing answers: its link, its power or its router")
    own = [device for device in province.devices_of[office] if devices.get(device.id, State.UP) is not State.UP]
    if not own:
        return ""
    first = own[0].id
    more = _(" (and {count} more)").format(count=len(own) - 1) if len(own) > 1 else ""
    return f"{first}: {device_reason(by_device.get(first, ()), devices[first])}{more}"
