"""SNMP against Debian's snmpd: system, interfaces, and a UPS whose values a file holds."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from exporters.reading import Reading, Target
from tests.exporters.asking import reading, values
from tests.exporters.daemons import HERE, bound, daemon, free_port, pass_persist

COMMUNITY = "quan-sat"
SECRET: dict[str, Any] = {"community": {"secret": "snmp-community"}}
MAINS = {"2.1.0": 2, "2.2.0": 0, "2.3.0": 42, "2.4.0": 98, "4.1.0": 3, "6.1.0": 0}


class Agent(NamedTuple):
    port: int
    battery: Path


@pytest.fixture(scope="module")
def snmpd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    folder, port = tmp_path_factory.mktemp("snmpd"), free_port(socket.SOCK_DGRAM)
    agent = Agent(port, folder / "ups.json")
    agent.battery.write_text(json.dumps(MAINS))
    written = folder / "snmpd.conf"
    written.write_text(f"rocommunity {COMMUNITY} 127.0.0.0/8\nsysName ups.dong-yen\n{pass_persist(agent.battery)}\n")
    command = ["snmpd", "-f", "-Lo", "-C", "-c", str(written), f"udp:{HERE}:{port}"]
    with daemon(command, lambda: bound(port), folder / "log", SNMP_PERSISTENT_DIR=str(folder)):
        yield agent


def asked(agent: Agent, mib: str, community: str = COMMUNITY, timeout: float = 5.0) -> Reading:
    target = Target(HERE, secrets={"snmp-community": community})
    return reading("snmp", target, timeout, port=agent.port, mib=mib, **SECRET)


def test_system_tells_name_and_uptime(snmpd: Agent) -> None:
    found = asked(snmpd, "system")
    assert found.success
    assert found.reason == "ups.dong-yen has been up for 0.0 days"
    assert 0 < values(found)["tuyen_probe_snmp_uptime_seconds"] < 120


def test_interfaces_are_those_of_this_machine(snmpd: Agent) -> None:
    found = asked(snmpd, "interfaces")
    told, names = values(found), [name for _index, name in socket.if_nameindex()]
    assert found.success
    assert told["tuyen_probe_interface_up{interface=lo}"] == 1
    assert told["tuyen_probe_interface_enabled{interface=lo}"] == 1
    assert told["tuyen_probe_interface_receive_bytes_total{interface=lo}"] > 0
    assert {f"tuyen_probe_interface_up{{interface={name}}}" for name in names} <= set(told)
    assert f"of {len(names)} interfaces are up" in found.reason


@pytest.mark.parametrize(
    ("changed", "degraded", "reason"),
    [
        ({}, False, "on mains, battery charge 98 %"),
        (
            {"2.2.0": 125, "2.4.0": 61, "2.3.0": 14, "4.1.0": 5},
            True,
            "mains are off: on battery for 125 s, charge 61 %, about 14 min left",
        ),
        ({"2.1.0": 3, "2.4.0": 9}, True, "on mains, but the battery is low (charge 9 %)"),
        ({"6.1.0": 2}, True, "on mains, battery charge 98 %, but 2 alarms are raised"),
    ],
)
def test_battery_is_judged(snmpd: Agent, changed: dict[str, int], degraded: bool, reason: str) -> None:
    snmpd.battery.write_text(json.dumps(MAINS | changed))
    found = asked(snmpd, "ups")
    assert (found.success, found.degraded, found.reason) == (True, degraded, reason)
    told, numbers = values(found), MAINS | changed
    assert told["tuyen_probe_ups_battery_charge_ratio"] == numbers["2.4.0"] / 100
    assert told["tuyen_probe_ups_battery_remaining_seconds"] == numbers["2.3.0"] * 60
    assert told["tuyen_probe_ups_on_battery"] == (numbers["4.1.0"] == 5)
    assert told["tuyen_probe_ups_battery_low"] == (numbers["2.1.0"] in (3, 4))


def test_ups_that_tells_little_is_read_as_far_as_it_goes(snmpd: Agent) -> None:
    snmpd.battery.write_text(json.dumps({"2.4.0": 77}))
    assert asked(snmpd, "ups").reason == "on mains, battery charge 77 %"
    snmpd.battery.write_text("{}")
    assert asked(snmpd, "ups").reason == "the agent answers, but knows nothing of a UPS (UPS-MIB)"


def test_wrong_community_is_silence_and_the_reason_says_both(snmpd: Agent) -> None:
    found = asked(snmpd, "system", community="public", timeout=0.5)
    assert not found.success
    assert found.reason == (
        f"no answer from SNMP port {snmpd.port}: it is off or unreachable, or the community is wrong (waited 0.5 s)"
    )


def test_missing_secret_is_named_and_no_fault_of_the_device(snmpd: Agent) -> None:
    found = reading("snmp", Target(HERE), port=snmpd.port, **SECRET)
    assert (found.success, found.asked) == (False, False)
    assert "“snmp-community” is missing" in found.reason


def test_closed_port_is_told() -> None:
    port = free_port(socket.SOCK_DGRAM)
    target = Target(HERE, secrets={"snmp-community": "x"})
    found = reading("snmp", target, port=port, **SECRET)
    assert found.reason == f"port {port} refuses connections: the service is not running"
