"""The states of everything, kept up to date: only what a new reading can have changed is judged again.

Whatever comes in which order, the result is that of `exporters.health.judge` for the same readings.
"""

from collections.abc import Callable, Iterable, Set

from exporters.health import Health, device_reason, office_reason, office_with_devices, service_reason, service_state
from exporters.questions import Key
from exporters.reading import Reading
from inventory.model import Province
from inventory.topology import State, device_state, office_states

Readings = Callable[[str], Iterable[tuple[Key, Reading]]]  # of a device, those that are not overdue


class Judging:
    """States by id, changed in place: who wants to keep them copies them."""

    def __init__(self, province: Province) -> None:
        self._province = province
        self._own: dict[str, list[Reading]] = {}
        self._of_services: dict[str, dict[Key, Reading]] = {}
        self._answers: dict[str, bool] = {}
        self._reached: dict[str, State] = office_states(province, {})
        self._touched: set[str] = set()
        self._devices: dict[str, State] = {}
        self._offices = dict(self._reached)
        self._services: dict[str, State] = {}
        self._reasons: dict[str, str] = {}
        self._judge_offices(province.offices)

    def touch(self, device: str) -> None:
        """Have a device judged again the next time."""
        self._touched.add(device)

    def health(self, readings: Readings, silent: Set[str], unheard: Set[str] = frozenset()) -> Health:
        """Return the states as of now; `silent` names the devices whose silence is confirmed.

        Of those that are `unheard`, nothing is known: they never answered, and their silence is not confirmed.
        """
        if self._touched:
            touched, self._touched = self._touched, set()
            turned = [self._read(device, readings, silent, unheard) for device in touched]
            offices = self._reach() if any(turned) else set()
            for office in offices:
                touched.update(device.id for device in self._province.devices_of[office] if device.id in self._answers)
            for device in touched:
                self._judge_device(device)
            self._judge_offices(offices | {self._province.devices[device].office for device in touched})
            self._judge_services()
        return Health(self._devices, self._offices, self._services, self._reasons)

    def _read(self, device: str, readings: Readings, silent: Set[str], unheard: Set[str]) -> bool:
        """Take the readings of a device, and return whether it answers where it did not before, or the reverse."""
        before = self._answers.pop(device, None)
        self._own.pop(device, None)
        found = [] if device in unheard else list(readings(device))
        self._read_services(device, found)
        asked = [reading for _key, reading in found if reading.asked]
        if own := [reading for key, reading in found if reading.asked and not key[2]]:
            self._own[device] = own
        if asked:
            self._answers[device] = device not in silent
        return self._answers.get(device) is not before

    def _read_services(self, device: str, found: Iterable[tuple[Key, Reading]]) -> None:
        for known in self._of_services.values():
            for key in [key for key in known if key[0] == device]:
                del known[key]
        for key, reading in found:
            if key[2]:
                self._of_services.setdefault(key[2], {})[key] = reading

    def _reach(self) -> set[str]:
        """Tell again which offices are reached, and return those for which that changed."""
        reached = office_states(self._province, self._answers)
        changed = {office for office, state in reached.items() if self._reached[office] is not state}
        self._reached = reached
        return changed

    def _judge_device(self, device: str) -> None:
        self._devices.pop(device, None)
        self._reasons.pop(device, None)
        if device in self._answers:
            own = self._own.get(device, ())
            healthy = all(reading.success and not reading.degraded for reading in own)
            answers = self._answers[device]
            state = device_state(self._province.devices[device], answers, healthy, self._reached)
            self._devices[device] = state
            if state is not State.UP:
                self._reasons[device] = device_reason(own, state)

    def _judge_offices(self, offices: Iterable[str]) -> None:
        for office in offices:
            state = office_with_devices(self._province, office, self._reached[office], self._devices)
            self._offices[office] = state
            self._reasons.pop(office, None)
            if state is not State.UP:
                self._reasons[office] = office_reason(self._province, office, state, self._devices, self._own)

    def _judge_services(self) -> None:
        for service, readings in self._of_services.items():
            self._services.pop(service, None)
            self._reasons.pop(service, None)
            if readings:
                self._services[service] = service_state(readings.values(), self._devices)
                if reason := service_reason(readings.values()):
                    self._reasons[service] = reason
