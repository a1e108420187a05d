"""Which offices answer and what their lines do, as pure functions of what is cut and impaired."""

import pytest

from lab.staging import make_scene
from lab.ways import Impairment, answering, effects, ways_in_use
from tests.lab.small import SECRETS, devices, office, province, small_province

SCENE = make_scene(small_province(), SECRETS)


def reached(*cuts: str) -> set[str]:
    return set(ways_in_use(SCENE.places, set(cuts)))


EVERYTHING = {"hub", "north", "upper", "lower", "south", "island"}


@pytest.mark.parametrize(
    ("cuts", "lost"),
    [
        ((), set()),
        (("island",), {"island"}),
        (("south",), {"south", "island"}),
        (("south.uplink",), {"south", "island"}),
        (("north",), {"north", "upper"}),  # lower has its backup
        (("lower.uplink",), set()),
        (("lower.backup",), set()),
        (("lower.uplink", "lower.backup"), {"lower"}),
        (("north.uplink", "lower.backup"), {"north", "upper", "lower"}),
        (("hub",), EVERYTHING),
        (("router.north",), set()),
    ],
)
def test_cut_takes_what_lies_behind(cuts: tuple[str, ...], lost: set[str]) -> None:
    assert EVERYTHING - reached(*cuts) == lost


def test_cut_device_is_silent_alone() -> None:
    silent = answering(SCENE, set()) - answering(SCENE, {"box.upper"})
    assert silent == {host.address for host in SCENE.hosts if host.id == "box.upper"}


def test_two_backups_never_hold_each_other_up() -> None:
    offices = [office("hub", 0), office("a", 1, "hub", backup="b"), office("b", 2, "hub", backup="a")]
    places = make_scene(province(offices, devices(offices, ["pc"])), {}).places
    assert set(ways_in_use(places, {"a.uplink", "b.uplink"})) == {"hub"}
    assert set(ways_in_use(places, {"a.uplink"})) == {"hub", "a", "b"}


def test_lines_in_a_row_add_up() -> None:
    found = effects(
        SCENE.places,
        set(),
        {"north.uplink": Impairment(0.5, 0.1), "upper.uplink": Impairment(0.5, 0.02, 0.01)},
    )
    assert found["10.91.0.64/26"] == Impairment(0.5, 0.1)
    assert found["10.91.0.128/26"] == Impairment(0.75, 0.1 + 0.02, 0.01)
    assert "10.91.1.0/26" not in found  # the south


def test_backup_in_use_escapes_the_bad_line() -> None:
    bad = {"north.uplink": Impairment(0.5)}
    assert "10.91.0.192/26" in effects(SCENE.places, set(), bad)
    assert "10.91.0.192/26" not in effects(SCENE.places, {"lower.uplink"}, bad)
