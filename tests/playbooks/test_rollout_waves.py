"""Waves: every chosen device in exactly one, whatever is declared."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.finding import Place
from inventory.model import DeclaredWave
from playbooks.errors import PlaybookError
from playbooks.rollout.plan import Wave
from playbooks.rollout.waves import make_waves

HERE = Place("rollouts/agent.yaml", 1)
CANARY = DeclaredWave("canary", "canary", HERE, devices=("box.c", "box.a"), approvals=1)
DISTRICT = DeclaredWave("district", "district", HERE, approvals=2)
REST = DeclaredWave("rest", "rest", HERE)
DEVICES = {f"box.{letter}": district for letter, district in zip("abcdefgh", [*"yyxxxz", "", "z"], strict=True)}


def percent(share: float) -> DeclaredWave:
    return DeclaredWave("percent", f"{share:g} %", HERE, percent=share)


def test_canaries_come_in_the_order_written_and_a_wave_a_district_in_that_of_the_inventory() -> None:
    assert make_waves([CANARY, DISTRICT, REST], DEVICES) == (
        Wave("canary", ("box.c", "box.a"), 1),
        Wave("district y", ("box.b",), 2),
        Wave("district x", ("box.d", "box.e"), 2),
        Wave("district z", ("box.f", "box.h"), 2),
        Wave("rest", ("box.g",), 0),
    )


def test_percent_is_of_all_devices_at_least_one_and_spread_over_the_inventory() -> None:
    devices = {f"box.{number:03}": "" for number in range(145)}
    few, tenth, rest = make_waves([percent(0.1), percent(10), REST], devices)
    assert few.devices == ("box.000",)
    assert len(tenth.devices) == 15
    numbers = [int(device[4:]) for device in tenth.devices]
    assert {later - earlier for earlier, later in pairwise(numbers)} <= {9, 10}
    assert len(rest.devices) == 145 - 16


def test_percentages_that_add_up_leave_nobody_out() -> None:
    halves = make_waves([percent(50), percent(50)], {"box.a": "", "box.b": "", "box.c": ""})
    assert [len(wave.devices) for wave in halves] == [2, 1]


def test_a_wave_for_which_nobody_is_left_is_none() -> None:
    assert make_waves([CANARY, percent(100), DISTRICT, REST], {"box.a": "x"}) == (Wave("canary", ("box.a",), 1),)


def test_devices_in_no_wave_are_refused_with_their_number() -> None:
    message = "6 devices are in no wave, among them box.b; a last wave 'rest: true' takes them"
    with pytest.raises(PlaybookError, match=re.escape(message)):
        make_waves([CANARY], DEVICES)
    with pytest.raises(PlaybookError, match=re.escape("1 devices are in no wave, among them box.g")):
        make_waves([DISTRICT], DEVICES)


CHOSEN = st.dictionaries(
    st.integers(0, 40).map("box.{}".format), st.sampled_from(["", "x", "y", "z"]), min_size=1, max_size=40
)
WAVES = st.lists(
    st.one_of(
        st.builds(
            DeclaredWave,
            kind=st.just("canary"),
            name=st.just("canary"),
            place=st.just(HERE),
            devices=st.lists(st.integers(0, 45).map("box.{}".format), min_size=1, max_size=5).map(tuple),
            approvals=st.integers(0, 3),
        ),
        st.floats(0.01, 100).map(percent),
        st.just(DISTRICT),
    ),
    max_size=5,
)


@given(CHOSEN, WAVES)
def test_each_device_is_in_exactly_one_wave(devices: dict[str, str], declared: list[DeclaredWave]) -> None:
    waves = make_waves([*declared, REST], devices)
    placed = [device for wave in waves for device in wave.devices]
    assert sorted(placed) == sorted(devices)
    assert all(wave.devices for wave in waves)
    assert waves == make_waves([*declared, REST], dict(devices))


@given(CHOSEN, WAVES)
def test_without_a_rest_all_are_placed_or_the_missing_are_counted(
    devices: dict[str, str], declared: list[DeclaredWave]
) -> None:
    with_rest = make_waves([*declared, REST], devices)
    left = with_rest[-1].devices if with_rest[-1].name == "rest" else ()
    if left:
        with pytest.raises(PlaybookError, match=f"^{len(left)} devices are in no wave, among them {left[0]};"):
            make_waves(declared, devices)
    else:
        assert make_waves(declared, devices) == with_rest


@given(st.integers(1, 300), st.lists(st.integers(1, 60), min_size=1, max_size=8))
def test_percentages_over_a_hundred_take_all(count: int, shares: list[int]) -> None:
    devices = {f"box.{number}": "" for number in range(count)}
    missing = max(0, 100 - sum(shares))
    waves = make_waves([percent(share) for share in (*shares, missing) if share], devices)
    assert sum(len(wave.devices) for wave in waves) == count
