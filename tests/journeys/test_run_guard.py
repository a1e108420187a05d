"""A change that cuts us off returns by itself: told when the controller lives, and also when it is killed."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.journeys.provisioned import Provisioned, controller_of, provisioned, wait_until

RISKY = {
    "lock-out": ("server.dong", "cat /etc/nftables.conf", "nft list ruleset"),
    "sshd-typo": ("server.tay", "ls /etc/ssh/sshd_config.d", "sshd -T | sort"),
    "own-uplink": ("router.dong", "cat /etc/frr/frr.conf", "vtysh -c 'show running-config' | grep -v forwarding"),
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provisioned]:
    with provisioned(tmp_path_factory.mktemp("guard"), "id in (server.dong,server.tay,router.dong)") as made:
        yield made


def items(printed: str) -> dict[str, Any]:
    return {item["device"]: item for item in json.loads(printed)["items"]}


def look(lab: Provisioned, job: str) -> list[str]:
    device, *commands = RISKY[job]
    return [lab.field.shell(device, command) for command in commands]


@pytest.mark.parametrize("job", RISKY)
def test_a_change_that_cuts_us_off_returns_by_itself_and_is_reported(lab: Provisioned, job: str) -> None:
    device = RISKY[job][0]
    before = look(lab, job)
    done = lab.tuyen("run", job, device, "--yes", "--format=json")
    assert done.returncode == 1, done.stderr
    found = items(done.stdout)[device]
    assert found["state"] == "reverted", found
    assert look(lab, job) == before


@pytest.mark.parametrize("job", RISKY)
def test_it_returns_by_itself_when_the_controller_is_killed(lab: Provisioned, job: str) -> None:
    device = RISKY[job][0]
    before = look(lab, job)
    run = lab.start("run", job, device, "--yes")
    wait_until(lambda: "armed" in lab.field.shell(device, "ls /var/lib/tuyen/revert || true"), 30, 0.1)
    wait_until(lambda: not _answers(lab, device), 60)  # it has cut us off
    os.kill(controller_of(lab.field.folder), signal.SIGKILL)
    run.wait(30)
    wait_until(lambda: _answers(lab, device), 60, 1)
    assert look(lab, job) == before
    later = lab.tuyen("run", job, device, "--dry-run", "--wait", "60")
    assert later.returncode == 0, later.stdout + later.stderr
    assert "was cut short on" in later.stdout
    assert "it returned to what it was" in later.stdout


def _answers(lab: Provisioned, device: str) -> bool:
    try:
        return bool(lab.field.shell(device, "echo yes", seconds=4))
    except (AssertionError, subprocess.TimeoutExpired):
        return False
