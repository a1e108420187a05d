"""Real routers with OSPF on the declared lines: what lies behind them is reached through them, and by the backup too.

hub <- north <- lower, with a backup to the hub; behind lower a booted server, and devices that are played.
"""

import dataclasses
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab.machines.chosen import Machines
from lab.practice import Lab, enter_command, up
from tests.lab.small import SECRETS, small_province
from tests.playbooks.loopback import key_pair

ROUTERS = ("router.hub", "router.north", "router.lower")


@dataclass(frozen=True)
class Network:
    """The lab with its routers; commands run where the controller stands."""

    lab: Lab
    key: Path

    def run(self, *command: str, seconds: float = 20) -> str:
        done = subprocess.run(
            enter_command(self.lab, command), capture_output=True, text=True, timeout=seconds, check=False
        )
        return done.stdout

    def on(self, device: str, command: str) -> str:
        options = [
            "-oStrictHostKeyChecking=no",
            "-oUserKnownHostsFile=/dev/null",
            "-oConnectTimeout=3",
            "-oLogLevel=ERROR",
        ]
        return self.run("ssh", *options, "-i", str(self.key), f"root@{address(device)}", command)

    def echo(self, device: str) -> dict[str, Any] | None:
        """Return what came back from a ping."""
        answer: dict[str, Any] | None = json.loads(self.run(sys.executable, "-m", "tests.lab.echo", address(device)))
        return answer

    def hops(self, device: str) -> int:
        """How many hops an answer of `device` has made on its way to us; 0 for silence, or a complaint."""
        answer = self.echo(device)
        return 64 - answer["ttl"] if answer and answer["kind"] == 0 else 0

    def answers(self, device: str) -> bool:
        return self.hops(device) > 0


def address(device: str) -> str:
    return small_province().devices[device].address


def within(seconds: float, holds: Callable[[], bool]) -> float:
    """Return after how many seconds it holds."""
    begun = time.monotonic()
    while not holds():
        assert time.monotonic() - begun < seconds
        time.sleep(0.2)
    return time.monotonic() - begun


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    folder, plain = tmp_path_factory.mktemp("routers"), small_province()
    frr = {name: dataclasses.replace(plain.devices[name], platform="frr") for name in ROUTERS}
    province = dataclasses.replace(plain, devices={**plain.devices, **frr})
    key_pair(folder / "key")
    kinds = {**dict.fromkeys(ROUTERS, "router"), "box.lower": "booted"}
    machines = Machines(kinds, (folder / "key.pub").read_text())
    lab = up(province, folder, secrets=SECRETS, machines=machines, die_with_parent=True, patience=300)
    try:
        yield Network(lab, folder / "key")
    finally:
        lab.down()


@pytest.fixture(autouse=True)
def mended(network: Network) -> Iterator[None]:
    yield
    network.lab.restore()


def neighbours(network: Network, device: str) -> int:
    return network.on(device, "vtysh -c 'show ip ospf neighbor'").count("Full")


def test_each_line_has_made_neighbours(network: Network) -> None:
    within(20, lambda: [neighbours(network, name) for name in ROUTERS] == [2, 2, 2])


@pytest.mark.parametrize("device", ["router.lower", "box.lower", "ups.lower"])
def test_what_is_behind_is_reached_through_the_routers(network: Network, device: str) -> None:
    within(20, lambda: network.answers(device))
    # lower (unless it is the router itself, or what the province plays), north, hub, and the province on the way to us
    hops = {"router.lower": 3, "ups.lower": 4, "box.lower": 5}[device]
    within(40, lambda: network.hops(device) == hops)  # routers that are kept waiting use the backup meanwhile


def test_a_cut_uplink_is_silent_and_the_backup_takes_over(network: Network) -> None:
    before = 5  # by the uplink
    within(40, lambda: network.answers("box.lower") and network.hops("box.lower") == before)
    network.lab.cut(["lower.uplink"])
    assert "LOWER_UP" in network.on("router.north", "ip link show wan2")  # the carrier stays
    assert within(20, lambda: network.answers("box.lower")) < 15
    assert network.hops("box.lower") == before - 1
    assert network.answers("ups.lower")
    network.lab.restore()
    within(20, lambda: network.answers("box.lower") and network.hops("box.lower") == before)


def test_without_any_way_left_nothing_answers_and_nothing_complains(network: Network) -> None:
    within(20, lambda: network.answers("box.lower"))
    network.lab.cut(["lower.uplink", "lower.backup"])
    for device in ("router.lower", "box.lower", "ups.lower"):
        assert network.echo(device) is None
    assert network.answers("router.north")
    network.lab.restore()
    within(20, lambda: all(network.answers(device) for device in ("router.lower", "box.lower", "ups.lower")))


def test_a_router_without_power_takes_its_office_along_and_comes_back_with_its_lines(network: Network) -> None:
    within(20, lambda: network.answers("ups.lower"))
    network.lab.power("router.lower", on=False)
    assert not network.answers("ups.lower")
    assert not network.answers("box.lower")
    network.lab.power("router.lower", on=True)
    within(30, lambda: network.answers("box.lower"))
    within(20, lambda: neighbours(network, "router.lower") == 2)
