"""Long runs: random cuts and restores of the whole province, after each of which the watch must tell the truth."""

import random

import pytest

from inventory.topology import State
from tests.journeys.conftest import Watched, wait_for

ROUNDS = 20
pytestmark = pytest.mark.soak


def _expected(watched: Watched, cuts: set[str]) -> dict[str, str]:
    """Return the state of every office while `cuts` hold: cut ones are silent, and all that has no way left."""
    offices = watched.province.offices
    reached: set[str] = set()
    while more := {o.id for o in offices.values() if o.id not in reached | cuts and _has_way(watched, o.id, reached)}:
        reached |= more
    found = {}
    for office in offices.values():
        ways = [link.parent for link in (office.uplink, office.backup) if link]
        if office.id in reached:
            found[office.id] = State.UP.value
        elif ways and not any(way in reached for way in ways):
            found[office.id] = State.UNREACHABLE.value
        else:
            found[office.id] = State.DOWN.value
    return found


def _has_way(watched: Watched, office: str, reached: set[str]) -> bool:
    declared = watched.province.offices[office]
    links = [link for link in (declared.uplink, declared.backup) if link]
    return not links or any(link.parent in reached for link in links)


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_the_watch_tells_the_truth_after_any_cut(watched: Watched, seed: int) -> None:
    chance = random.Random(seed)
    names = [office for office in watched.province.offices if watched.province.offices[office].parent]
    cuts = set(chance.sample(names, chance.randint(1, 12)))
    watched.lab.restore()
    watched.lab.cut(sorted(cuts))
    try:
        expected = _expected(watched, cuts)
        waited = wait_for(lambda: watched.states("office") == expected, 40)
        print(f"{len(cuts)} cuts told after {waited:.1f} s")
    finally:
        watched.lab.restore()
    wait_for(lambda: set(watched.states("office").values()) == {"up"}, 40)
