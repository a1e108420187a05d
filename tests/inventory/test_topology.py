"""Down or only unreachable: what silence means, in random trees with random answers."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.model import Province
from inventory.topology import State, device_states, office_states, offices_top_down, worst
from tests.inventory.trees import chain, tree

SILENT = (State.DOWN, State.UNREACHABLE)


@st.composite
def provinces(draw: st.DrawFn, *, backups: bool = True) -> Province:
    """A tree of up to twelve offices in any order, some with a backup to any other."""
    count = draw(st.integers(1, 12))
    parents = {f"o{n}": f"o{draw(st.integers(0, n - 1))}" if n else "" for n in range(count)}
    others = {
        name: draw(st.sampled_from(["", *(other for other in parents if other != name)])) for name in parents if backups
    }
    names = draw(st.permutations(list(parents)))
    return tree({name: parents[name] for name in names}, {name: others.get(name, "") for name in names if name != "o0"})


@st.composite
def answers_of(draw: st.DrawFn, province: Province) -> dict[str, bool]:
    asked = draw(st.lists(st.sampled_from(sorted(province.devices)), unique=True))
    return {device: draw(st.booleans()) for device in asked}


@st.composite
def situations(draw: st.DrawFn) -> tuple[Province, dict[str, bool]]:
    province = draw(provinces())
    return province, draw(answers_of(province))


def silent_offices(province: Province, answers: dict[str, bool]) -> set[str]:
    """Return the offices of which something was asked and nothing answers."""
    asked = {province.devices[device].office for device in answers}
    return asked - {province.devices[device].office for device, answered in answers.items() if answered}


@given(situations())
def test_what_answers_is_never_down_and_what_is_silent_never_up(case: tuple[Province, dict[str, bool]]) -> None:
    province, answers = case
    states = office_states(province, answers)
    silent = silent_offices(province, answers)
    assert states.keys() == province.offices.keys()
    for device, answered in answers.items():
        if answered:
            assert states[province.devices[device].office] in (State.UP, State.DEGRADED)
    assert all(states[office] in SILENT for office in silent)
    for name, state in states.items():
        if state is State.DEGRADED:
            assert answers[f"router.{name}"] is False


@given(situations())
def test_silent_behind_silence_is_unreachable_and_behind_an_answer_down(case: tuple[Province, dict[str, bool]]) -> None:
    province, answers = case
    states = office_states(province, answers)
    silent = silent_offices(province, answers)
    for name in silent:
        office = province.offices[name]
        ways = {link.parent for link in (office.uplink, office.backup) if link}
        if ways and ways <= silent:
            assert states[name] is State.UNREACHABLE
        if not ways or any(states[way] in (State.UP, State.DEGRADED) for way in ways):
            assert states[name] is State.DOWN


@given(provinces())
def test_when_everything_answers_everything_is_up(province: Province) -> None:
    answers = dict.fromkeys(province.devices, True)
    assert set(office_states(province, answers).values()) == {State.UP}
    assert set(device_states(province, answers, {}).values()) == {State.UP}


@given(provinces(), st.data())
def test_the_order_of_the_files_does_not_matter(province: Province, data: st.DataObject) -> None:
    answers = data.draw(answers_of(province))
    turned = tree(
        {name: office.parent for name, office in reversed(list(province.offices.items()))},
        {name: office.backup.parent for name, office in province.offices.items() if office.backup},
    )
    assert office_states(turned, answers) == office_states(province, answers)


@given(provinces(backups=False), st.data())
def test_a_cut_link_makes_one_office_down_and_what_is_behind_it_unreachable(
    province: Province, data: st.DataObject
) -> None:
    cut = data.draw(st.sampled_from(sorted(province.offices)))
    behind, grew = {cut}, True
    while grew:
        more = {office.id for office in province.offices.values() if office.parent in behind} - behind
        behind, grew = behind | more, bool(more)
    answers = {device.id: device.office not in behind for device in province.devices.values()}
    states = office_states(province, answers)
    assert {name for name, state in states.items() if state is State.UNREACHABLE} == behind - {cut}
    assert {name for name, state in states.items() if state is State.DOWN} == {cut}
    devices = device_states(province, answers, {})
    assert {name for name, state in devices.items() if state is State.DOWN} == {f"router.{cut}"}


@given(situations(), st.data())
def test_devices_that_answer_are_up_or_degraded_as_their_probes_say(
    case: tuple[Province, dict[str, bool]], data: st.DataObject
) -> None:
    province, answers = case
    healthy = {device: data.draw(st.booleans()) for device in answers}
    for device, state in device_states(province, answers, healthy).items():
        if answers[device]:
            assert state is (State.UP if healthy[device] else State.DEGRADED)
        else:
            assert state in SILENT


def test_an_office_that_nobody_asked_takes_its_parents_word() -> None:
    province = tree({"root": "", "a": "root", "b": "a", "c": "b"}, {"c": "d"})
    assert office_states(province, {"box.root": True})["b"] is State.UNKNOWN
    assert office_states(province, {"box.root": False})["b"] is State.UNREACHABLE
    assert office_states(province, {"box.a": False, "box.c": False}) == {
        "root": State.UNKNOWN,
        "a": State.DOWN,
        "b": State.UNREACHABLE,
        "c": State.UNREACHABLE,
    }


def test_backups_in_a_circle_lead_nowhere() -> None:
    province = tree({"root": "", "a": "root", "b": "root"}, {"a": "b", "b": "a"})
    silent = {f"box.{name}": False for name in ("root", "a", "b")}
    assert office_states(province, silent)["a"] is State.UNREACHABLE
    assert office_states(province, {"box.root": False})["a"] is State.UNREACHABLE


def test_a_chain_of_five_thousand_offices_is_no_burden() -> None:
    province = chain(5000)
    before = time.monotonic()
    states = office_states(province, {"box.o0": False})
    assert list(states.values()).count(State.UNREACHABLE) == 4999
    assert [office.id for office in offices_top_down(province)][-1] == "o4999"
    assert time.monotonic() - before < 2


@pytest.mark.parametrize(
    ("states", "expected"),
    [([], State.UNKNOWN), ([State.UP, State.DEGRADED], State.DEGRADED), (list(State), State.DOWN)],
)
def test_the_worst(states: list[State], expected: State) -> None:
    assert worst(states) is expected
