"""From readings to states: devices, offices, services and their reasons; on the small province of the tests."""

from pathlib import Path

import pytest

from exporters.health import judge
from exporters.questions import Key
from exporters.reading import Reading
from inventory.load import load
from inventory.model import Province
from inventory.topology import State

GOOD = Path(__file__).parents[1] / "provinces" / "good"


@pytest.fixture(scope="module")
def province() -> Province:
    return load(GOOD)


def _reading(
    device: str,
    module: str = "icmp",
    *,
    success: bool = True,
    degraded: bool = False,
    heard: bool = True,
    asked: bool = True,
    service: str = "",
) -> tuple[Key, Reading]:
    reason = "fine" if success else f"{module} of {device} is bad"
    reading = Reading(device, module, success, degraded, reason, 0.1, 0.0, asked=asked, heard=heard)
    return (device, module, service, ""), reading


def _all_up(province: Province) -> dict[Key, Reading]:
    return dict(_reading(device.id, module) for device in province.devices.values() for module in device.probes)


def _silent(device: str, module: str = "icmp") -> tuple[Key, Reading]:
    return _reading(device, module, success=False, heard=False)


def test_all_up(province: Province) -> None:
    health = judge(province, _all_up(province))
    assert set(health.devices.values()) == {State.UP}
    assert health.offices == dict.fromkeys(province.offices, State.UP)
    assert health.reasons == {}


def test_a_silent_district_is_down_and_its_communes_only_unreachable(province: Province) -> None:
    readings = _all_up(province)
    for device in province.devices.values():
        if device.office != "centre":
            readings |= dict(_silent(device.id, module) for module in device.probes)
    health = judge(province, readings)
    assert health.offices == {
        "an-bien": State.DOWN,
        "dong-yen": State.UNREACHABLE,
        "nam-yen": State.UNREACHABLE,
        "centre": State.UP,
    }
    assert health.devices["router.an-bien"] is State.DOWN
    assert health.devices["server-1.an-bien"] is State.UNREACHABLE
    assert health.devices["router.dong-yen"] is State.UNREACHABLE
    assert "an-bien" in health.reasons["dong-yen"]


def test_a_refused_port_is_a_degraded_device_not_a_dead_one(province: Province) -> None:
    readings = _all_up(province) | dict([_reading("box.dong-yen", "ssh", success=False)])
    health = judge(province, readings)
    assert health.devices["box.dong-yen"] is State.DEGRADED
    assert health.offices["dong-yen"] is State.DEGRADED
    assert health.reasons["dong-yen"] == "box.dong-yen: ssh: ssh of box.dong-yen is bad"
    both = [_reading(f"server-{number}.an-bien", "ssh", success=False) for number in (1, 2)]
    told = judge(province, _all_up(province) | dict(both)).reasons["an-bien"]
    assert told == "server-1.an-bien: ssh: ssh of server-1.an-bien is bad (and 1 more)"


def test_a_device_that_drops_ping_but_answers_otherwise_is_not_dead(province: Province) -> None:
    health = judge(province, _all_up(province) | dict([_silent("box.dong-yen")]))
    assert health.devices["box.dong-yen"] is State.DEGRADED


def test_what_this_machine_could_not_ask_says_nothing_of_the_device(province: Province) -> None:
    readings = dict([_reading("box.dong-yen", success=False, asked=False, heard=False)])
    health = judge(province, readings)
    assert "box.dong-yen" not in health.devices
    assert health.offices["dong-yen"] is State.UNKNOWN
    service = dict([_reading("web.centre", "https", success=False, asked=False, heard=False, service="one-stop")])
    assert judge(province, service).services == {"one-stop": State.UNKNOWN}


def test_a_service_is_judged_by_its_own_answers_and_its_host_by_its_own(province: Province) -> None:
    readings = _all_up(province) | dict([_reading("web.centre", "https", success=False, service="one-stop")])
    health = judge(province, readings)
    assert health.services == {"one-stop": State.DOWN}
    assert health.devices["web.centre"] is State.UP
    assert health.reasons["one-stop"] == "web.centre: https of web.centre is bad"


def test_a_service_behind_a_dead_way_is_unreachable(province: Province) -> None:
    readings = {key: reading for key, reading in _all_up(province).items() if key[0] != "server-1.an-bien"}
    readings |= dict(
        _silent(device.id, module) for device in province.devices_of["an-bien"] for module in device.probes
    )
    readings |= dict([_reading("server-1.an-bien", "https", success=False, heard=False, service="local")])
    assert judge(province, readings).services == {"local": State.UNREACHABLE}


def test_a_silence_that_is_not_confirmed_yet_changes_no_state_to_down(province: Province) -> None:
    readings = _all_up(province) | dict(_silent("box.dong-yen", module) for module in ("icmp", "ssh"))
    assert judge(province, readings, silent=set()).devices["box.dong-yen"] is State.DEGRADED
    assert judge(province, readings, silent={"box.dong-yen"}).devices["box.dong-yen"] is State.DOWN
