"""The waves of a rollout: which device is in which, from what was declared and the devices that were chosen."""

import math
from collections.abc import Iterable, Iterator, Mapping

from inventory.language import _
from inventory.model import DeclaredWave
from playbooks.errors import PlaybookError
from playbooks.rollout.plan import Wave


def make_waves(declared: Iterable[DeclaredWave], devices: Mapping[str, str]) -> tuple[Wave, ...]:
    """Return the waves in order; each device is in exactly one, and none is empty.

    `devices` are ids with the district that each lies in ("" for the province's own), in the order of the inventory.
    Raises PlaybookError when some are in no wave.
    """
    left = dict(devices)
    waves = []
    for wave in declared:
        for made in _made(wave, left, len(devices)):
            waves.append(made)
            for device in made.devices:
                del left[device]
    if left:
        raise PlaybookError(
            _("{count} devices are in no wave, among them {device}; a last wave 'rest: true' takes them").format(
                count=len(left), device=next(iter(left))
            )
        )
    return tuple(waves)


def _made(wave: DeclaredWave, left: Mapping[str, str], total: int) -> Iterator[Wave]:
    """Yield what a declared wave becomes: one wave, one a district, or none when nobody is left for it."""
    if wave.kind == "district":
        for district in dict.fromkeys(district for district in left.values() if district):
            devices = tuple(device for device, lies_in in left.items() if lies_in == district)
            yield Wave(f"{wave.name} {district}", devices, wave.approvals)
    elif devices := _taken(wave, tuple(left), total):
        yield Wave(wave.name, devices, wave.approvals)


def _taken(wave: DeclaredWave, left: tuple[str, ...], total: int) -> tuple[str, ...]:
    match wave.kind:
        case "canary":
            return tuple(device for device in dict.fromkeys(wave.devices) if device in left)
        case "percent":
            return _spread(left, math.ceil(wave.percent * total / 100 - 1e-9))
        case _:
            return left


def _spread(left: tuple[str, ...], count: int) -> tuple[str, ...]:
    """Return `count` of those left, evenly over the inventory: a slice resembles the whole, not its first district.

    Rounded up by the caller, so that percentages that add up to a hundred leave nobody out.
    """
    count = min(count, len(left))
    return tuple(left[position * len(left) // count] for position in range(count))
