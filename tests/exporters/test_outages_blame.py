"""Whose fault it was: by examples on a small province, from readings to causes."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest

from exporters.health import judge
from exporters.outages.blame import Battery, Blame
from exporters.outages.node import Cause, Fault, Kind, Node
from exporters.outages.rules import Rules
from exporters.outages.standing import Standing
from exporters.questions import Key
from exporters.reading import Reading
from inventory.load import load
from inventory.model import Link, Office, Province, Service, ServiceProbe
from inventory.topology import State
from tests.exporters.test_health import GOOD, _all_up, _reading, _silent

NOW = 1000.0
RULES = Rules(neighbours=3, together=90, battery_memory=600, cut_off=0.5)


@pytest.fixture(scope="module")
def province() -> Province:
    return load(GOOD)


def _office(name: str) -> Node:
    return Node(Kind.OFFICE, name)


def _device(name: str) -> Node:
    return Node(Kind.DEVICE, name)


def _without(province: Province, offices: Iterable[str]) -> dict[Key, Reading]:
    gone = set(offices)
    readings = _all_up(province)
    for device in province.devices.values():
        if device.office in gone:
            readings |= dict(_silent(device.id, module) for module in device.probes)
    return readings


def _blamed(
    province: Province,
    readings: Mapping[Key, Reading],
    *,
    batteries: Mapping[str, Battery] | None = None,
    planned: Mapping[Node, str] | None = None,
    fell: Mapping[Node, float] | None = None,
    lossy: Mapping[str, str] | None = None,
) -> dict[Node, Fault]:
    standing = Standing(province, judge(province, readings), frozenset(province.devices), lossy or {})
    fallen = fell or {}
    return Blame(standing, batteries or {}, planned or {}, lambda node: fallen.get(node, NOW), RULES).faults()


def _fault(state: State, cause: Cause, root: Node | None = None) -> Fault:
    return Fault(state, cause, root)


def test_all_is_well(province: Province) -> None:
    assert _blamed(province, _all_up(province)) == {}


def test_a_cut_district_is_one_root_and_all_else_follows_from_it(province: Province) -> None:
    faults = _blamed(province, _without(province, ["an-bien", "dong-yen", "nam-yen"]))
    root = _office("an-bien")
    assert faults[root] == _fault(State.DOWN, Cause.LINK)
    assert faults[_office("dong-yen")] == _fault(State.UNREACHABLE, Cause.UPSTREAM, root)
    assert faults[_office("dong-yen")].evidence == {"behind": "an-bien"}
    assert faults[Node(Kind.LINK, "an-bien.uplink")] == _fault(State.DOWN, Cause.LINK, root)
    assert faults[Node(Kind.LINK, "dong-yen.uplink")] == _fault(State.UNREACHABLE, Cause.UPSTREAM, root)
    assert {fault.root for node, fault in faults.items() if node != root} == {root}
    assert all(fault.cause is Cause.UPSTREAM for node, fault in faults.items() if node.kind is Kind.DEVICE)


def test_a_battery_before_the_silence_is_power_and_the_line_is_unknown(province: Province) -> None:
    readings = _without(province, ["dong-yen"])
    batteries = {"dong-yen": Battery(NOW - 500, "ups.dong-yen", "mains are off")}
    faults = _blamed(province, readings, batteries=batteries)
    assert faults[_office("dong-yen")] == _fault(State.DOWN, Cause.POWER)
    assert faults[_office("dong-yen")].evidence["said"] == "mains are off"
    assert not [node for node in faults if node.kind is Kind.LINK]
    long_ago = {"dong-yen": Battery(NOW - 601, "ups.dong-yen", "mains are off")}
    assert _blamed(province, readings, batteries=long_ago)[_office("dong-yen")].cause is Cause.LINK


def test_one_dead_machine_is_the_device_and_its_office_follows(province: Province) -> None:
    faults = _blamed(province, _all_up(province) | dict(_silent("box.dong-yen", m) for m in ("icmp", "ssh")))
    box = _device("box.dong-yen")
    assert faults == {
        box: _fault(State.DOWN, Cause.DEVICE),
        _office("dong-yen"): _fault(State.DEGRADED, Cause.DEVICE, box),
    }


def test_a_lossy_gateway_is_the_line(province: Province) -> None:
    readings = _all_up(province) | dict([_reading("router.dong-yen", degraded=True)])
    faults = _blamed(province, readings, lossy={"router.dong-yen": "2 of 5 packets are lost"})
    line = Node(Kind.LINK, "dong-yen.uplink")
    assert faults[line] == _fault(State.DEGRADED, Cause.LINK)
    assert faults[_device("router.dong-yen")] == _fault(State.DEGRADED, Cause.LINK, line)
    assert faults[_office("dong-yen")] == _fault(State.DEGRADED, Cause.LINK, line)


def test_planned_work_is_maintenance_also_for_what_is_behind_it(province: Province) -> None:
    faults = _blamed(
        province, _without(province, ["an-bien", "dong-yen", "nam-yen"]), planned={_office("an-bien"): "new router"}
    )
    assert {fault.cause for fault in faults.values()} == {Cause.MAINTENANCE}
    assert {fault.state for fault in faults.values()} == {State.MAINTENANCE}
    assert faults[_office("dong-yen")].root == _office("an-bien")
    assert _blamed(province, _all_up(province), planned={_office("an-bien"): "new router"}) == {}


def test_an_office_behind_its_own_router_that_is_worked_on_is_planned_too(province: Province) -> None:
    router, silent = _device("router.an-bien"), _without(province, ["an-bien", "dong-yen", "nam-yen"])
    faults = _blamed(province, silent, planned={router: "new router"})
    assert {(fault.state, fault.cause) for fault in faults.values()} == {(State.MAINTENANCE, Cause.MAINTENANCE)}
    root = _office("an-bien")  # which everybody is told of, and the router is not
    assert {fault.root for node, fault in faults.items() if node not in (router, root)} == {root}
    assert faults[router] == faults[root] == _fault(State.MAINTENANCE, Cause.MAINTENANCE)
    assert faults[router].evidence == faults[root].evidence == {"why": "new router"}
    box = _device("box.dong-yen")  # is no way to anything
    assert _blamed(province, silent, planned={box: "new disk"})[_office("dong-yen")].cause is Cause.UPSTREAM


def _siblings(province: Province, providers: Iterable[str]) -> Province:
    """Return the province with offices below its centre, of one box each, over lines of these providers."""
    centre = province.offices["centre"]
    box = province.devices["box.dong-yen"]
    offices, devices = dict(province.offices), dict(province.devices)
    for number, provider in enumerate(providers):
        name = f"post-{number}"
        line = Link(f"{name}.uplink", name, centre.id, provider, "fibre", 10**7, centre.place)
        offices[name] = Office(name, name, centre.unit, "commune", "post", "", "", line, None, centre.place)
        devices[f"box.{name}"] = replace(box, id=f"box.{name}", office=name, gateway=True)
    return replace(province, offices=offices, devices=devices, services={})


def test_neighbours_that_fell_together_over_different_lines_are_power(province: Province) -> None:
    names = ["post-0", "post-1", "post-2"]
    wide = _siblings(province, ["VNPT", "Viettel", "VNPT"])
    fell = {_office(name): NOW + 10 * number for number, name in enumerate(names)}
    faults = _blamed(wide, _without(wide, names), fell=fell)
    assert faults[_office("post-0")] == _fault(State.DOWN, Cause.POWER)
    assert faults[_office("post-2")] == _fault(State.DOWN, Cause.POWER, _office("post-0"))
    assert faults[_office("post-2")].evidence["together"] == names
    one_provider = _siblings(province, ["VNPT"] * 3)
    assert _blamed(one_provider, _without(one_provider, names), fell=fell)[_office("post-0")].cause is Cause.LINK
    apart = {_office(name): NOW + 200 * number for number, name in enumerate(names)}
    assert _blamed(wide, _without(wide, names), fell=apart)[_office("post-0")].cause is Cause.LINK


def test_machines_that_fell_together_behind_a_router_that_lives_are_power(province: Province) -> None:
    box = province.devices["box.dong-yen"]
    more = {f"pc-{n}.dong-yen": replace(box, id=f"pc-{n}.dong-yen", gateway=False) for n in range(3)}
    wide = replace(province, devices={**province.devices, **more})
    readings = _all_up(wide) | dict(_silent(name, module) for name in more for module in box.probes)
    faults = _blamed(wide, readings)
    assert [faults[_device(name)].cause for name in sorted(more)] == [Cause.POWER] * 3
    assert [faults[_device(name)].root for name in sorted(more)] == [None, *[_device("pc-0.dong-yen")] * 2]
    batteries = {"dong-yen": Battery(NOW, "ups.dong-yen", "mains are off")}
    assert _blamed(wide, readings, batteries=batteries)[_device("pc-0.dong-yen")].root == _device("ups.dong-yen")
    apart = {_device(name): NOW + 200 * number for number, name in enumerate(more)}
    assert _blamed(wide, readings, fell=apart)[_device("pc-0.dong-yen")].cause is Cause.DEVICE


def _service(province: Province, name: str, device: str, *, needs: tuple[str, ...] = ()) -> Service:
    place = province.offices["centre"].place
    return Service(name, name, (ServiceProbe("https", device, {}, place),), "", tuple(province.offices), place, needs)


def test_a_service_that_answers_badly_is_its_own_fault_or_its_machines(province: Province) -> None:
    wide = replace(province, services={"one-stop": _service(province, "one-stop", "web.centre")})
    bad = dict([_reading("web.centre", "https", success=False, service="one-stop")])
    service = Node(Kind.SERVICE, "one-stop")
    assert _blamed(wide, _all_up(wide) | bad)[service] == _fault(State.DOWN, Cause.DEVICE)
    silent = {key: replace(r, success=False, heard=False) for key, r in _all_up(wide).items() if key[0] == "web.centre"}
    gone = dict([_reading("web.centre", "https", success=False, heard=False, service="one-stop")])
    faults = _blamed(wide, _all_up(wide) | silent | gone)
    assert faults[service] == _fault(State.DOWN, Cause.UPSTREAM, _device("web.centre"))


def test_a_service_whose_need_is_down_is_degraded_and_names_it(province: Province) -> None:
    services = {
        "dns": _service(province, "dns", "web.centre"),
        "mail": _service(province, "mail", "web.centre", needs=("dns",)),
    }
    wide = replace(province, services=services)
    answers = dict(
        [
            _reading("web.centre", "https", success=False, service="dns"),
            _reading("web.centre", "https", service="mail"),
        ]
    )
    faults = _blamed(wide, _all_up(wide) | answers)
    assert faults[Node(Kind.SERVICE, "mail")] == _fault(State.DEGRADED, Cause.UPSTREAM, Node(Kind.SERVICE, "dns"))


def test_a_service_is_judged_from_where_its_users_sit(province: Province) -> None:
    wide = replace(province, services={"one-stop": _service(province, "one-stop", "web.centre")})
    fine = dict([_reading("web.centre", "https", service="one-stop")])
    cut = ["an-bien", "dong-yen", "nam-yen"]
    faults = _blamed(wide, _without(wide, cut) | fine)
    service = Node(Kind.SERVICE, "one-stop")
    assert faults[service] == _fault(State.DEGRADED, Cause.UPSTREAM, _office("an-bien"))
    assert faults[service].evidence == {"cut_off": 3, "offices": 4}
    assert service not in _blamed(wide, _without(wide, ["dong-yen"]) | fine)
    standing = Standing(wide, judge(wide, _without(wide, cut)), frozenset(), {})
    assert sorted(standing.cut_off("one-stop")) == cut
