"""Troubles that single readings tell of: power, certificates, host keys, time servers; judged as in the kit."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from exporters.alerts.source import place_of
from exporters.alerts.trouble import Trouble, trouble
from exporters.kit.machine_alerts import CLOCK_OFF, EARLY, LOW_CHARGE, SOON
from exporters.questions import Key, Question
from exporters.reading import Reading
from exporters.watch import Watch
from inventory.topology import State

_UPS = "tuyen_probe_ups_on_battery"
_LOW, _CHARGE = "tuyen_probe_ups_battery_low", "tuyen_probe_ups_battery_charge_ratio"
_EXPIRY = "tuyen_probe_certificate_expiry_timestamp_seconds"
_OFFSET = "tuyen_probe_ntp_offset_seconds"
Values = Mapping[str, float]  # by the name of the metric; of these there is one each in a reading


@dataclass(frozen=True, slots=True)
class Sign:
    """An alert of the kit, the metric without which nothing is known, when it is bad, and what the text shows."""

    alert: str
    metric: str
    is_bad: Callable[[Values, float], bool]  # at that moment, in Unix seconds
    shown: Callable[[Values, float], float] = lambda _values, _at: 0.0
    by_page: bool = False  # whether it is about one page or name of the device


def _left(values: Values, at: float) -> float:
    return values[_EXPIRY] - at


SIGNS = (
    Sign("UpsOnBattery", _UPS, lambda v, _at: v[_UPS] == 1),
    Sign("UpsBatteryLow", _LOW, lambda v, _at: v[_LOW] == 1 or (v.get(_UPS) == 1 and v.get(_CHARGE, 1) < LOW_CHARGE)),
    Sign("CertificateEnds", _EXPIRY, lambda v, at: SOON < _left(v, at) < EARLY, _left, by_page=True),
    Sign("CertificateEndsSoon", _EXPIRY, lambda v, at: _left(v, at) <= SOON, _left, by_page=True),
    Sign(
        "CertificateUntrusted",
        "tuyen_probe_certificate_trusted",
        lambda v, _at: v["tuyen_probe_certificate_trusted"] == 0,
        by_page=True,
    ),
    Sign(
        "HostKeyChanged",
        "tuyen_probe_ssh_host_key_matches",
        lambda v, _at: v["tuyen_probe_ssh_host_key_matches"] == 0,
    ),
    Sign("TimeServerOff", _OFFSET, lambda v, _at: abs(v[_OFFSET]) > CLOCK_OFF, lambda v, _at: abs(v[_OFFSET])),
)
NAMES = frozenset(sign.alert for sign in SIGNS)
_BY_PAGE = frozenset(sign.alert for sign in SIGNS if sign.by_page)
_METRICS = frozenset({_CHARGE, *(sign.metric for sign in SIGNS)})


class Signs:
    """Keeps what the latest reading of each question said; a silence changes nothing."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._said: dict[Key, dict[str, Trouble | None]] = {}  # by alert; None: nothing is wrong
        watch.listeners.append(self.take)

    def take(self, question: Question, reading: Reading) -> None:
        """Judge a reading."""
        values = {metric.name: metric.value for metric in reading.metrics if metric.name in _METRICS}
        if values:
            before = self._said.get(question.key, {})
            self._said[question.key] = {
                sign.alert: self._judge(sign, question, values, reading.at, before.get(sign.alert))
                for sign in SIGNS
                if sign.metric in values
            }

    def _judge(
        self, sign: Sign, question: Question, values: Values, at: float, before: Trouble | None
    ) -> Trouble | None:
        if not sign.is_bad(values, at):
            return None
        province = self._watch.province
        page = question.about if sign.by_page else ""
        about = f"{question.device} {page}".strip()
        labels = {**place_of(province, province.devices[question.device]), "about": page}
        found = trouble(sign.alert, about, before.since if before else at, **labels)
        return replace(found, value=sign.shown(values, at))

    def troubles(self, _at: float) -> Iterator[Trouble]:
        """Yield what is wrong; muted while its device does not answer, as nothing newer is known."""
        for key in self._said.keys() - self._watch.asked.keys():
            del self._said[key]
        silent = {d for d, state in self._watch.health().devices.items() if state in (State.DOWN, State.UNREACHABLE)}
        for key, said in self._said.items():
            for found in said.values():
                if found:
                    yield replace(found, muted=True) if key[0] in silent else found

    def ended(self, trouble: Trouble, at: float) -> float | None:
        """Return now where a reading says that all is well, or where nobody asks any more."""
        device, page = trouble.labels.get("device", ""), trouble.labels.get("about", "")
        keys = [key for key in self._watch.keys_of(device) if trouble.name not in _BY_PAGE or key[3] == page]
        known = any(trouble.name in self._said.get(key, ()) for key in keys)
        return at if known or not keys else None
