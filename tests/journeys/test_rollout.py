"""The one-stop agent brought to twenty communes in waves, its controller killed on the way; a broken version stops.

`make soak` does the same to the boxes of all communes of the example, and kills twenty times.
"""

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest

from inventory.load import load
from inventory.selector import select_devices
from lab.repository import offer
from lab.wires import CONTROLLER
from ledger.connection import FILE, open_ledger
from ledger.leases import held
from ledger.rollout_history import event_counts, unended
from ledger.rollouts import lease_name
from tests.journeys.provisioned import Provisioned, controller_of, provisioned, wait_until

BOXES = "role=server,tier=commune"
URL = "https://one-stop.machines.example/"
KILLS = 3
SECONDS = 900
DEB = "one-stop-agent_1.0_all.deb"
INSTALL = (
    f"cd /tmp && curl -sfO http://{CONTROLLER}/pool/lab/{DEB} && dpkg -i {DEB}"
    f" && printf '[agent]\\noffice = %s\\nurl = {URL}\\n' $(hostname) > /etc/one-stop-agent/agent.conf"
    " && systemctl restart one-stop-agent"
)
PROBE = 'modules:\n  agent: {probe: http, with: {port: 8099, body_must_match: \'"status": "ok"\'}}\n'


class Field(Protocol):
    """Where a fleet is: a lab with the province in `folder`."""

    @property
    def folder(self) -> Path: ...
    def tuyen(self, *words: str, seconds: float = 120) -> "subprocess.CompletedProcess[str]": ...
    def start(self, *words: str) -> "subprocess.Popen[str]": ...
    def shell(self, box: str, command: str) -> str: ...


class Fleet:
    """Boxes, and rollouts of the agent on them. `values` are what the job needs beside the version."""

    def __init__(self, field: Field, select: str, values: Mapping[str, Any]) -> None:
        self.field, self._select, self._values = field, select, values
        self.boxes = [device.id for device in select_devices(load(field.folder), select)]
        self.canary = self.boxes[0]
        self._chance, self.kills = random.Random(2026), 0
        self._token = 0  # of the last controller that was killed

    def declare(self, name: str, version: str, *waves: dict[str, Any]) -> None:
        """Write a rollout of that version: a canary, then what is given, then the rest."""
        folder = self.field.folder / "rollouts"
        folder.mkdir(exist_ok=True)
        shape = {
            "about": {"en": f"Agent {version}."},
            "job": "one-stop-agent",
            "with": {**self._values, "version": version},
            "select": self._select,
            "waves": [{"canary": [self.canary]}, *waves, {"rest": True}],
            "gate": {"bake": "3 s", "budget": {"devices": 0}},
            "working_hours": "ignored",
            "limits": {"parallel": 20, "per_uplink": 10},
            "until": "2036-12-31",
            "on_failure": "rollback-wave",
        }
        (folder / f"{name}.yaml").write_text(json.dumps(shape, indent=1))  # JSON is YAML

    def rollout(self, name: str, kills: int = 0) -> "subprocess.CompletedProcess[str]":
        """Carry a rollout out, killing its controller so many times on the way; return how the last one ended."""
        words, self._token = ["start", name, "--yes"], 0
        for kill in range(kills):
            if (ended := self._killed(words, 1 + kill * len(self.boxes) // (kills + 1))) is not None:
                return ended
            words = ["resume", name]
        return self.field.tuyen("rollout", *words, seconds=SECONDS)

    def _killed(self, words: list[str], dispatched: int) -> "subprocess.CompletedProcess[str] | None":
        """Let a controller drive until so many devices were begun, and kill it soon after.

        Return how it ended when it was faster.
        """
        drives = self.field.start("rollout", *words)
        wait_until(lambda: self._is_driven(dispatched) or drives.poll() is not None, SECONDS)
        time.sleep(self._chance.uniform(0, 25))
        if drives.poll() is None:
            os.kill(controller_of(self.field.folder), signal.SIGKILL)
        said, _nothing = drives.communicate(timeout=30)
        if drives.returncode in (0, 1):
            return subprocess.CompletedProcess(words, drives.returncode, said, "")
        self.kills += 1
        return None

    def _is_driven(self, dispatched: int) -> bool:
        """Whether a controller that we have not killed holds the lease, and so many devices were begun."""
        with open_ledger(self.field.folder / FILE) as ledger:
            for rollout in unended(ledger):
                lease = held(ledger, lease_name(rollout.id))
                begun = event_counts(ledger, [rollout.id]).get(rollout.id, {}).get("dispatched", 0)
                if lease and lease.token > self._token and begun >= dispatched:
                    self._token = lease.token
                    return True
        return False

    def on_boxes(self, command: str) -> dict[str, str]:
        with ThreadPoolExecutor(8) as pool:
            said = pool.map(lambda box: self.field.shell(box, command).strip(), self.boxes)
            return dict(zip(self.boxes, said, strict=True))

    def versions(self) -> set[str]:
        return set(self.on_boxes("dpkg-query -W -f '${db:Status-Abbrev}${Version}' one-stop-agent").values())

    def changes_to(self, version: str) -> dict[str, int]:
        """Return how often each box has begun to install that version."""
        what = f"(install|upgrade) one-stop-agent:all .* {version}$"
        counted = self.on_boxes(f"grep -cE '{what}' /var/log/dpkg.log || true")
        return {box: int(number) for box, number in counted.items()}


@dataclass(frozen=True)
class Small:
    """The province of the tests."""

    lab: Provisioned
    archive: Path

    @property
    def folder(self) -> Path:
        return self.lab.field.folder

    def tuyen(self, *words: str, seconds: float = 120) -> "subprocess.CompletedProcess[str]":
        return self.lab.tuyen(*words, seconds=seconds)

    def start(self, *words: str) -> "subprocess.Popen[str]":
        return self.lab.start(*words)

    def shell(self, box: str, command: str) -> str:
        return self.lab.field.shell(box, command)


def probed(folder: Path, box: str) -> None:
    """Let the gate ask the agents, too: those are on the boxes that the text `box` of kinds.yaml gives."""
    province, kinds = folder / "province.yaml", folder / "kinds.yaml"
    text = province.read_text()
    province.write_text(text.replace("modules:\n", PROBE) if "modules:\n" in text else text + PROBE)
    kinds.write_text(kinds.read_text().replace(box, f"{box}, probes: [agent]"))


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with provisioned(tmp_path_factory.mktemp("rollout"), BOXES) as lab, lab.field.mirror() as archive:
        probed(lab.field.folder, "type: small-box, host: 8")
        made = Fleet(Small(lab, archive), BOXES, {**lab.field.sets, "one_stop_url": URL})
        made.on_boxes(INSTALL)
        assert made.versions() == {"ii 1.0"}
        offer(archive, "one-stop-agent", "2.0")
        yield made


def test_all_converge_once_though_the_controller_is_killed(fleet: Fleet) -> None:
    fleet.declare("agent-2", "2.0")
    done = fleet.rollout("agent-2", kills=KILLS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert fleet.versions() == {"ii 2.0"}
    assert set(fleet.changes_to("2.0").values()) == {1}
    assert fleet.kills == KILLS
    checked = fleet.field.tuyen("audit-log", "verify")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_broken_version_stops_at_the_canary_and_is_put_back_there(fleet: Fleet) -> None:
    assert isinstance(fleet.field, Small)
    offer(fleet.field.archive, "one-stop-agent", "3.0")
    fleet.declare("agent-3", "3.0")
    done = fleet.rollout("agent-3")
    assert done.returncode == 1, done.stdout + done.stderr
    assert fleet.versions() == {"ii 2.0"}
    touched = {box for box, number in fleet.changes_to("3.0").items() if number}
    assert touched == {fleet.canary}
