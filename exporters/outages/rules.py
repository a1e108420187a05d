"""When a trouble is believed, when it is over, and what tells that it was the power."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rules:
    """Seconds, counts and ratios, with what has proven right for links that are asked every fifteen seconds."""

    confirm: float = 20.0  # for which something must be out (or out otherwise) before it is written down
    recover: float = 30.0  # for which it must be up before its outage is over; the end is when it came up
    flaps: int = 3  # outages of a node within `flap_window`, from which on it flaps
    flap_window: float = 900.0
    flap_recover: float = 300.0  # instead of `recover`, for what flaps
    together: float = 90.0  # within which neighbours fall together
    neighbours: int = 3  # so many that fall together did not fail each by itself
    battery_memory: float = 3600.0  # how long before a silence a reading "on battery" still explains it
    cut_off: float = 0.5  # share of a service's offices that cannot reach it, from which on it is degraded


RULES = Rules()
