"""The one-stop agent on booted boxes of all communes of the example, its controller killed twenty times on the way."""

import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from inventory.load import load
from tests.conftest import NO_NETWORK
from tests.journeys.test_rollout import BOXES, INSTALL, URL, Fleet, probed

pytestmark = pytest.mark.soak
KILLS = 20
SECONDS = 4 * 3600
SSH = ("-oBatchMode=yes", "-oStrictHostKeyChecking=yes", "-oConnectTimeout=20", "-oLogLevel=ERROR")


@dataclass(frozen=True)
class Province:
    """A province folder whose lab is up, as people work in it."""

    folder: Path

    def _in_lab(self, *words: str) -> list[str]:
        return [*NO_NETWORK, sys.executable, "-m", "cli", "--province", str(self.folder), "lab", *words]

    def _tuyen(self, *words: str) -> list[str]:
        # its first words are those that controller_of looks for
        return self._in_lab(
            "run", "--", sys.executable, "-m", "cli", "--lang", "en", "--province", str(self.folder), *words
        )

    def lab(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return _run(self._in_lab(*words), 1200)

    def tuyen(self, *words: str, seconds: float = SECONDS) -> "subprocess.CompletedProcess[str]":
        return _run(self._tuyen(*words), seconds)

    def start(self, *words: str) -> "subprocess.Popen[str]":
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen(self._tuyen(*words), text=True, start_new_session=True, **streams)  # type: ignore[call-overload,no-any-return]

    def shell(self, box: str, command: str) -> str:
        address = load(self.folder).devices[box].address
        known, key = f"-oUserKnownHostsFile={self.folder}/.tuyen/known_hosts", f"-i{self.folder}/.tuyen/id_ed25519"
        there = f"sudo -n sh -c {shlex.quote(command)}"
        done = _run(self._in_lab("run", "--", "ssh", known, key, *SSH, f"tuyen@{address}", there), 120)
        assert done.returncode == 0, done.stderr
        return done.stdout


def _run(command: list[str], seconds: float) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)


@pytest.fixture(scope="module")
def fleet(kien_giang: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = Path(shutil.copytree(kien_giang, tmp_path_factory.mktemp("communes") / "kien-giang"))
    place = Province(folder)
    done = place.lab("up", "--machines", BOXES, "--packages")
    try:
        assert done.returncode == 0, done.stderr
        probed(folder, "type: advantech-ark-1123h, host: 8")
        trusted = place.tuyen("hosts", "trust", BOXES, "--yes")
        assert trusted.returncode == 0, trusted.stderr
        yield Fleet(place, BOXES, {"one_stop_url": URL})
    finally:
        place.lab("down")


def test_all_communes_converge_once_though_the_controller_is_killed(fleet: Fleet) -> None:
    fleet.on_boxes(INSTALL)
    assert Province(fleet.field.folder).lab("offer", "one-stop-agent", "2.0").returncode == 0
    fleet.declare("agent-2", "2.0", {"percent": 20}, {"percent": 40})
    done = fleet.rollout("agent-2", kills=KILLS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert fleet.versions() == {"ii 2.0"}
    assert set(fleet.changes_to("2.0").values()) == {1}
    assert fleet.kills == KILLS
