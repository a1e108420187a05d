"""What a UPS says of itself (UPS-MIB, RFC 1628), judged."""

from collections.abc import Mapping

from exporters.reading import Metric, Outcome, metric
from inventory.language import _

_UPS = "1.3.6.1.2.1.33.1"
BATTERY: Mapping[str, str] = {
    "status": f"{_UPS}.2.1.0",  # 1 unknown, 2 normal, 3 low, 4 depleted
    "seconds": f"{_UPS}.2.2.0",  # on battery, 0 on mains
    "minutes": f"{_UPS}.2.3.0",  # left
    "charge": f"{_UPS}.2.4.0",  # percent
    "source": f"{_UPS}.4.1.0",  # of the output: 3 normal, 4 bypass, 5 battery
    "alarms": f"{_UPS}.6.1.0",
}
LOW = {3.0, 4.0}
ON_BATTERY = 5.0


def judged(numbers: Mapping[str, float]) -> Outcome:
    """Return up on mains, degraded on battery, with a low battery or with alarms. `numbers`: by `BATTERY`'s keys."""
    on_battery = numbers.get("source") == ON_BATTERY or numbers.get("seconds", 0) > 0
    low, alarms = numbers.get("status") in LOW, numbers.get("alarms", 0)
    charge = _("{charge:.0f} %").format(charge=numbers["charge"]) if "charge" in numbers else _("unknown")
    reason = _("on mains, battery charge {charge}").format(charge=charge)
    if on_battery:
        reason = _on_battery(numbers, charge)
    elif low:
        reason = _("on mains, but the battery is low (charge {charge})").format(charge=charge)
    elif alarms:
        told = _("on mains, battery charge {charge}, but {alarms:.0f} alarms are raised")
        reason = told.format(charge=charge, alarms=alarms)
    metrics = _metrics(numbers, on_battery=on_battery, low=low)
    return Outcome(True, reason, degraded=on_battery or low or alarms > 0, metrics=metrics)


def _on_battery(numbers: Mapping[str, float], charge: str) -> str:
    told = _("mains are off: on battery for {seconds:.0f} s, charge {charge}").format(
        seconds=numbers.get("seconds", 0), charge=charge
    )
    if "minutes" in numbers:
        told += _(", about {minutes:.0f} min left").format(minutes=numbers["minutes"])
    return told


def _metrics(numbers: Mapping[str, float], *, on_battery: bool, low: bool) -> tuple[Metric, ...]:
    told = {
        "tuyen_probe_ups_on_battery_seconds": ("seconds", 1.0),
        "tuyen_probe_ups_battery_charge_ratio": ("charge", 0.01),
        "tuyen_probe_ups_battery_remaining_seconds": ("minutes", 60.0),
        "tuyen_probe_ups_alarms": ("alarms", 1.0),
    }
    return (
        metric("tuyen_probe_ups_on_battery", on_battery),
        metric("tuyen_probe_ups_battery_low", low),
        *(metric(name, numbers[key] * unit) for name, (key, unit) in told.items() if key in numbers),
    )
