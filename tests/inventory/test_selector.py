"""Selectors: every selector that can be written chooses what asking each office and device would choose."""

import contextlib
from collections.abc import Callable, Collection
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.load import load
from inventory.model import Device, Office, Province
from inventory.selector import NothingChosenError, SelectorError, below, parse, select_devices, select_offices
from tests.inventory.trees import chain

GOOD = load(Path(__file__).parents[1] / "provinces" / "good")


def way(province: Province, office: Office) -> list[str]:
    return [office.id, *(way(province, province.offices[office.parent]) if office.parent else ())]


OFFICE: dict[str, Callable[[Office], Collection[str]]] = {
    "office": lambda office: [office.id],
    "unit": lambda office: [office.unit],
    "tier": lambda office: [office.tier],
    "kind": lambda office: [office.kind],
    "district": lambda office: [office.district],
    "parent": lambda office: [office.parent],
    "under": lambda office: way(GOOD, office),
    "provider": lambda office: [office.uplink.provider] if office.uplink else [],
    "medium": lambda office: [office.uplink.medium] if office.uplink else [],
    "backup": lambda office: [office.backup.medium] if office.backup else [],
}
DEVICE: dict[str, Callable[[Device], Collection[str]]] = {
    "id": lambda device: [device.id],
    "name": lambda device: [device.name],
    "role": lambda device: [device.role],
    "type": lambda device: [device.type],
    "serial": lambda device: [device.serial],
    "mac": lambda device: [device.mac],
    "address": lambda device: [device.address],
    "bought": lambda device: [str(device.bought or "")],
    "warranty": lambda device: [str(device.warranty or "")],
    "probe": lambda device: device.probes,
    "manufacturer": lambda device: [GOOD.device_types[device.type].manufacturer],
    "model": lambda device: [GOOD.device_types[device.type].model],
    "platform": lambda device: [device.platform],
    "driver": lambda device: [device.driver],
    "owner": lambda device: [device.owner],
    **{key: lambda device, read=read: read(GOOD.offices[device.office]) for key, read in OFFICE.items()},  # type: ignore[misc]
}
SPACE = st.sampled_from(["", " ", "  "])


@st.composite
def conditions(draw: st.DrawFn, keys: dict[str, Callable[..., Collection[str]]], things: list[Office] | list[Device]):  # type: ignore[no-untyped-def]
    """A condition as text, and as a function that says whether it holds for something."""
    key = draw(st.sampled_from(sorted(keys)))
    read = keys[key]
    known = sorted({value for thing in things for value in read(thing) if value})
    space, form = draw(SPACE), draw(st.sampled_from(["there", "absent", "=", "==", "!=", "in", "notin"]))
    if form in ("there", "absent") or not known:
        absent = form == "absent"
        return f"{space}{'!' if absent else ''}{key}{space}", lambda thing: any(read(thing)) != absent
    if form in ("=", "==", "!="):
        value = draw(st.sampled_from(known))
        return f"{space}{key}{space}{form}{space}{value}", lambda thing: (value in read(thing)) != (form == "!=")
    values = draw(st.lists(st.sampled_from(known), min_size=1))
    text = f"{key} {form}{space}({f'{space},{space}'.join(values)}){space}"
    return text, lambda thing: bool(set(values) & set(read(thing))) != (form == "notin")


@given(st.lists(conditions(OFFICE, list(GOOD.offices.values())), max_size=4))
def test_offices_are_those_that_hold_every_condition(chosen: list[tuple[str, Callable[[Office], bool]]]) -> None:
    text = ",".join(words for words, _holds in chosen)
    expected = [office for office in GOOD.offices.values() if all(holds(office) for _words, holds in chosen)]
    assert list(select_offices(GOOD, text)) == expected


@given(st.lists(conditions(DEVICE, list(GOOD.devices.values())), max_size=4))
def test_devices_are_those_that_hold_every_condition(chosen: list[tuple[str, Callable[[Device], bool]]]) -> None:
    text = ",".join(words for words, _holds in chosen)
    expected = [device for device in GOOD.devices.values() if all(holds(device) for _words, holds in chosen)]
    assert list(select_devices(GOOD, text)) == expected


@given(st.text() | st.text("abtier=!,() in/-_. ", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    for choose in (parse, lambda words: select_devices(GOOD, words)):
        with contextlib.suppress(SelectorError):  # anything else it raises fails this test
            choose(text)


def test_a_word_alone_is_an_office_a_device_or_a_key() -> None:
    assert [office.id for office in select_offices(GOOD, "dong-yen")] == ["dong-yen"]
    assert [device.id for device in select_devices(GOOD, "web.centre")] == ["web.centre"]
    assert {device.office for device in select_devices(GOOD, "dong-yen")} == {"dong-yen"}
    assert "dong-yen" not in {office.id for office in select_offices(GOOD, "!dong-yen")}
    assert select_offices(GOOD, "label/floor") == ()
    assert len(select_devices(GOOD, "!label/floor")) == len(GOOD.devices)
    assert select_devices(GOOD, "label/floor=3") == ()


MESSAGES = [
    ("tier=comune", "selector: nothing has tier=comune; write 'commune' (the nearest that exists)"),
    ("under=an-bin", "selector: nothing has under=an-bin; write 'an-bien' (the nearest that exists)"),
    ("teir=commune", "selector key 'teir' is not known; write 'tier' (the nearest that exists)"),
    ("dong-yem", "no office, device or key is called 'dong-yem'; write 'dong-yen' (the nearest that exists)"),
    ("tier=", "selector 'tier=': cannot be read from 'tier='; write key=value, key in (a,b) or an id"),
    ("tier in ()", "selector 'tier in ()': the list in parentheses is empty"),
    ("tier=commune,", "selector 'tier=commune,': ends with a comma; write another condition"),
]


@pytest.mark.parametrize(("text", "message"), MESSAGES)
def test_what_is_wrong_is_told_with_the_right_spelling(text: str, message: str) -> None:
    with pytest.raises(SelectorError) as caught:
        select_offices(GOOD, text)
    assert str(caught.value) == message


def test_a_key_of_devices_is_unknown_to_offices_and_the_other_way_round_it_is_known() -> None:
    with pytest.raises(SelectorError, match="selector key 'role'"):
        select_offices(GOOD, "role=server")
    with pytest.raises(NothingChosenError):
        select_devices(GOOD, "role=servr")
    with pytest.raises(SelectorError, match="selector key 'rolle'"):
        select_devices(GOOD, "rolle=server")


def test_a_chain_of_five_thousand_offices_is_no_burden() -> None:
    province = chain(5000)
    assert len(below(province, "o0")) == 5000
    assert len(select_offices(province, "under=o2500")) == 2500
    assert len(select_devices(province, "under in (o2500, o4999)")) == 5000
    assert below(province, "nowhere") == []
