"""The one-stop agent brought to twenty communes in waves, its controller killed on the way; a broken version stops.

`make soak` does the same to the boxes of all communes of the example, and kills twenty times.
"""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.repository import offer
from tests.journeys.fleet import BOXES, Fleet, check_order, install, probed
from tests.journeys.provisioned import Provisioned, provisioned

URL = "https://one-stop.machines.example/"
KILLS = 3


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


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with provisioned(tmp_path_factory.mktemp("rollout"), BOXES) as lab, lab.field.mirror() as archive:
        probed(lab.field.folder, "type: small-box, host: 8")
        made = Fleet(Small(lab, archive), BOXES, {**lab.field.sets, "one_stop_url": URL})
        made.on_boxes(install(URL))
        assert made.versions() == {"ii 1.0"}
        offer(archive, "one-stop-agent", "2.0")
        yield made


def test_all_converge_once_though_the_controller_is_killed(fleet: Fleet) -> None:
    fleet.declare("agent-2", "2.0")
    done = fleet.rollout("agent-2", kills=KILLS)
    fleet.tell_resumption("agent-2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert fleet.versions() == {"ii 2.0"}
    assert set(fleet.changes_to("2.0").values()) == {1}
    assert fleet.kills == KILLS
    check_order(fleet, "agent-2", "2.0")
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
