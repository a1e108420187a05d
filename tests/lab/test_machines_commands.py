"""`tuyen lab` with real machines, as one types it: up, log in, power, disk, packages, down."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Tuyen

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="real machines are made by root")
ADDRESS = "10.91.148.8"  # box.dong-yen
SSH = ["ssh", "-i", ".tuyen/id_ed25519", "-oBatchMode=yes", "-oStrictHostKeyChecking=accept-new", "-oLogLevel=ERROR"]


@pytest.fixture(scope="module")
def folder(kien_giang: Path, tuyen: Tuyen, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("commands") / "kien-giang"
    shutil.copytree(kien_giang, folder)
    chosen = ["--machines", "box.dong-yen", "--light", "role=server,office in (dong-thai,dong-yen),!serial"]
    done = tuyen("lab", "up", *chosen, "--packages", cwd=folder)
    try:
        assert done.returncode == 0, done.stderr
        assert "real machines: 2 up\npackages: http://198.18.0.1, signed by " in done.stdout
        yield folder
    finally:
        done = tuyen("lab", "down", cwd=folder)
    assert done.stdout == "the lab is gone; nothing of it is left\n"
    assert {file.name for file in (folder / ".tuyen/lab").iterdir()} == {"lab.log", "lock"}


def log_in(tuyen: Tuyen, folder: Path, script: str) -> str:
    known = f"-oUserKnownHostsFile={folder / 'known'}"
    done = tuyen("lab", "run", "--", *SSH, known, f"tuyen@{ADDRESS}", script, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_key_of_the_province_logs_in(folder: Path, tuyen: Tuyen) -> None:
    assert log_in(tuyen, folder, "hostname; sudo id -un") == "box.dong-yen\nroot\n"


def test_status_tells_which_machines_are_off(folder: Path, tuyen: Tuyen) -> None:
    done = tuyen("lab", "power", "off", "box.dong-yen", cwd=folder)
    assert "real machines: 1 up\nreal machines, off: box.dong-yen\n" in done.stdout
    status = json.loads(tuyen("lab", "status", "--format", "json", cwd=folder).stdout)
    assert status["items"][0]["machines"] == {"box.dong-yen": "off", "box.dong-thai": "up"}
    assert tuyen("lab", "power", "on", "box.dong-yen", cwd=folder).returncode == 0
    waiting = f"until echo > /dev/tcp/{ADDRESS}/22; do sleep 0.2; done"
    assert tuyen("lab", "run", "--", "timeout", "20", "bash", "-c", waiting, cwd=folder).returncode == 0


def test_disk_and_line(folder: Path, tuyen: Tuyen) -> None:
    assert tuyen("lab", "disk", "box.dong-yen", "--fill", cwd=folder).returncode == 0
    assert "100%" in log_in(tuyen, folder, "head -c 1000000 /dev/zero > big 2> /dev/null; df / | tail -n1")
    assert tuyen("lab", "disk", "box.dong-yen", "--free", cwd=folder).returncode == 0
    done = tuyen("lab", "cut", "dong-yen.uplink", "--rate", "1000", cwd=folder)
    assert "dong-yen.uplink: at most 1000 kbit/s to and from real machines\n" in done.stdout
    assert tuyen("lab", "restore", cwd=folder).returncode == 0


def test_packages_are_served_and_offered(folder: Path, tuyen: Tuyen) -> None:
    newest = "curl -sf http://198.18.0.1/dists/province/main/binary-amd64/Packages | grep -A9 one-stop | grep Version"
    assert "1.0" in log_in(tuyen, folder, newest)
    assert tuyen("lab", "offer", "one-stop-agent", "2.0", cwd=folder).returncode == 0
    assert "2.0" in log_in(tuyen, folder, newest)
    done = tuyen("lab", "offer", "one-stop-agent", "9.0", cwd=folder)
    assert done.returncode == 1
    assert done.stderr.startswith("the lab makes no one-stop-agent 9.0")


def test_what_cannot_be_real_is_refused(folder: Path, tuyen: Tuyen) -> None:
    done = tuyen("lab", "power", "off", "kiosk.dong-yen", cwd=folder)
    assert done.returncode == 1
    assert "kiosk.dong-yen is no real machine in this lab" in done.stderr
    done = tuyen("lab", "up", "--machines", "kiosk.dong-yen", cwd=folder)
    assert done.returncode == 1
    assert done.stderr.startswith("the lab has no machine for kiosk.dong-yen (")
