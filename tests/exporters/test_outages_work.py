"""What is being worked on: once or again and again, and how states look meanwhile."""

from dataclasses import replace
from datetime import UTC, datetime, time

import pytest

from exporters.health import Health, judge
from exporters.outages.node import Kind, Node
from exporters.outages.work import Works, with_planned
from inventory.finding import Place
from inventory.load import load
from inventory.model import Maintenance, Province
from inventory.topology import State
from inventory.windows import Window
from ledger.planned import Planned
from ledger.records import stamp
from tests.exporters.test_health import GOOD, _all_up, _reading

START = datetime(2026, 11, 29, 13, 0, tzinfo=UTC)  # Sunday, 20:00 in the province
DONG_YEN = {Node(Kind.OFFICE, "dong-yen"), Node(Kind.LINK, "dong-yen.uplink"), Node(Kind.DEVICE, "box.dong-yen")}


@pytest.fixture(scope="module")
def province() -> Province:
    sundays = Maintenance(
        "under=dong-yen", "mast", Window(frozenset({6}), time(19), time(21)), frozenset({-1}), START.date(),
        START.date(), Place("province.yaml", 9),
    )  # fmt: skip
    return replace(load(GOOD), maintenance=(sundays,))


def nodes(works: Works, province: Province, hours: float) -> set[Node]:
    return set(works.nodes(province, START.timestamp() + hours * 3600))


def test_it_comes_again_on_its_days_and_in_its_hours(province: Province) -> None:
    works = Works()
    assert nodes(works, province, 0) >= DONG_YEN
    assert set(works.nodes(province, START.timestamp()).values()) == {"mast"}
    assert nodes(works, province, 1) == nodes(works, province, -1.01) == set()
    assert nodes(works, province, 7 * 24) == set()  # its last day was the last Sunday of November


def test_what_is_planned_once_goes_over_it(province: Province) -> None:
    works = Works()
    begin, end = stamp(START), stamp(START.replace(hour=14))
    works.planned = (Planned("1", "box.dong-yen", begin, end, "a new disk", "lan", begin),)
    found = works.nodes(province, START.timestamp())
    assert found[Node(Kind.DEVICE, "box.dong-yen")] == "a new disk"
    assert found[Node(Kind.OFFICE, "dong-yen")] == "mast"


def test_what_is_to_come_is_told_with_its_next_time_and_until_it_is_over(province: Province) -> None:
    works = Works()
    works.planned = (
        Planned("1", "box.dong-yen", stamp(START), stamp(START.replace(hour=14)), "a new disk", "lan", stamp(START)),
        Planned("2", "box.gone", stamp(START), stamp(START.replace(hour=15)), "nothing of it is left", "lan", ""),
    )

    def coming(hours: float) -> list[tuple[str, bool]]:
        return [(one.why, one.under_way) for one in works.coming(province, START.timestamp() + hours * 3600)]

    assert coming(-48) == coming(-1.01) == [("mast", False), ("a new disk", False)]
    assert coming(-1) == [("mast", True), ("a new disk", False)]
    assert coming(0.99) == [("mast", True), ("a new disk", True)]
    assert coming(1) == []
    mast, disk = works.coming(province, START.timestamp())
    assert (mast.id, mast.recurring, mast.person) == ("province.yaml:9", True, "")
    assert (mast.began, mast.until) == (START.timestamp() - 3600, START.timestamp() + 3600)
    assert set(mast.nodes) >= DONG_YEN
    assert (disk.id, disk.recurring, disk.person) == ("1", False, "lan")
    assert (disk.began, disk.until) == (START.timestamp(), START.timestamp() + 3600)
    assert disk.nodes == (Node(Kind.DEVICE, "box.dong-yen"),)


def test_work_on_a_router_is_told_to_all_whom_it_cuts_off(province: Province) -> None:
    works = Works()

    def offices(selector: str) -> set[str]:
        works.planned = (Planned("1", selector, stamp(START), stamp(START.replace(hour=14)), "x", "lan", ""),)
        (work,) = [one for one in works.coming(replace(province, maintenance=()), START.timestamp()) if one.id == "1"]
        return {node.id for node in work.nodes if node.kind is Kind.OFFICE}

    assert offices("router.dong-yen") == {"dong-yen"}
    assert offices("router.an-bien") == {"an-bien", "dong-yen", "nam-yen"}
    assert offices("box.dong-yen") == set()
    assert offices("router.centre") == set(province.offices)
    with_two = replace(province.devices["box.dong-yen"], gateway=True)
    province = replace(province, devices={**province.devices, "box.dong-yen": with_two})
    assert offices("router.dong-yen") == set()  # the other way in is there
    assert offices("office=dong-yen") == {"dong-yen"}
    assert set(works.nodes(province, START.timestamp())).isdisjoint(
        {Node(Kind.OFFICE, "an-bien")}
    )  # these do not count


def test_what_is_worked_on_is_in_maintenance_unless_it_is_up(province: Province) -> None:
    planned = Works().nodes(province, START.timestamp())
    up = judge(province, _all_up(province))
    assert with_planned(province, up, planned) == up
    silent = dict(
        _reading(device, module, success=False, heard=False)
        if device.endswith(".dong-yen")
        else _reading(device, module)
        for device, module, _service, _about in _all_up(province)
    )
    health = judge(province, silent)
    assert health.offices["dong-yen"] is State.DOWN
    found = with_planned(province, health, planned)
    assert found.offices == {**health.offices, "dong-yen": State.MAINTENANCE}
    assert {found.devices[device] for device in ("router.dong-yen", "box.dong-yen")} == {State.MAINTENANCE}
    assert found.reasons["dong-yen"] == "mast"
    assert with_planned(province, health, {}) is health


def test_what_is_behind_it_is_in_maintenance_too(province: Province) -> None:
    silent = dict(
        _reading(device, module) if device.endswith(".centre") else _reading(device, module, success=False, heard=False)
        for device, module, _service, _about in _all_up(province)
    )
    health: Health = judge(province, silent)
    assert health.offices["nam-yen"] is State.UNREACHABLE
    found = with_planned(province, health, {Node(Kind.OFFICE, "an-bien"): "a new router"})
    assert {found.offices[office] for office in ("an-bien", "dong-yen", "nam-yen")} == {State.MAINTENANCE}
