"""What states of devices are called: on the board, and in what people are told."""

from collections import Counter
from collections.abc import Iterable, Mapping

from inventory.language import N_, _

DEVICE_STATES: Mapping[str, str] = {  # values of DeviceState, those first that are good news
    "done": N_("done"),
    "at-work": N_("at work"),
    "waiting": N_("waiting"),
    "owed": N_("owed"),
    "failed": N_("failed"),
    "rolled-back": N_("rolled back"),
    "superseded": N_("superseded"),
    "not-done": N_("not done"),
}


def counted(states: Iterable[str]) -> str:
    """Return how many devices are in which state, in words."""
    found = Counter(str(state) for state in states)
    return ", ".join(f"{found[state]} {_(label)}" for state, label in DEVICE_STATES.items() if found[state])
