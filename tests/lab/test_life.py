"""How a lab comes, goes and dies: nothing of it is left behind, and nothing gets out of it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.control import keeper_of
from lab.errors import AbsentError, LabError, MachineError, RunningError
from lab.machine import check_machine
from lab.practice import Lab, enter_command, up
from tests.lab.conftest import Ask, asker
from tests.lab.small import SECRETS, large_province, small_province

pytestmark = pytest.mark.alone

HERE = Path(__file__).parents[2]
PARENT = """
import sys, time
from pathlib import Path
from lab.practice import up
from tests.lab.small import SECRETS, small_province
lab = up(small_province(), Path(sys.argv[1]), secrets=SECRETS, die_with_parent=True)
lab.impair("south.uplink", loss=0.1)
print(lab.holder, flush=True)
time.sleep(60)
"""


def namespaces() -> set[str]:
    """Return every namespace that a process of this machine is in."""
    found = set()
    for link in Path("/proc").glob("[0-9]*/ns/*"):
        try:
            found.add(str(link.readlink()))
        except OSError:  # the process has just ended
            continue
    return found


def host() -> tuple[str, str]:
    """Return the interfaces and the mounts that the host sees."""
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    return links, Path("/proc/self/mountinfo").read_text()


def processes(folder: Path) -> list[str]:
    """Return the commands of the processes that name `folder`, ours not counted."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in command and file.parent.name != str(os.getpid()):
            found.append(command)
    return found


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "lab"


def start(folder: Path) -> Lab:
    lab = up(small_province(), folder, secrets=SECRETS)
    lab.impair("south.uplink", loss=0.1)  # with a relay and its namespace too
    return lab


def test_down_leaves_nothing(folder: Path) -> None:
    before, outside = namespaces(), host()
    lab = start(folder)
    inside = subprocess.Popen(enter_command(lab, ["sleep", "60"]))
    assert namespaces() - before
    assert host() == outside
    lab.down()
    assert inside.wait(5) != 0
    assert processes(folder) == []
    assert namespaces() - before == set()
    assert host() == outside
    assert {file.name for file in folder.iterdir()} == {"lab.log", "lock"}
    with pytest.raises(AbsentError, match=r"no lab is up in .*; start one with: tuyen lab up"):
        Lab.load(folder)


@pytest.mark.parametrize("victim", ["keeper", "holder"])
def test_killed_lab_leaves_nothing_and_is_known_to_be_gone(folder: Path, victim: str) -> None:
    before = namespaces()
    lab = start(folder)
    assert Lab.load(folder) == lab
    os.kill(keeper_of(folder) if victim == "keeper" else lab.holder, signal.SIGKILL)
    assert within(5, lambda: processes(folder) == [] and namespaces() <= before)
    assert (folder / "lab.json").exists()
    with pytest.raises(AbsentError):
        Lab.load(folder)
    assert not (folder / "lab.json").exists()
    start(folder).down()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_leashed_lab_goes_with_its_parent(folder: Path, number: signal.Signals) -> None:
    before = namespaces()
    command = [sys.executable, "-c", PARENT, str(folder)]
    with subprocess.Popen(command, cwd=HERE, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as parent:
        assert parent.stdout
        assert Path(f"/proc/{parent.stdout.readline().strip()}").exists()
        parent.send_signal(number)
    assert within(5, lambda: processes(folder) == [] and namespaces() <= before)


def test_of_two_that_start_one_wins(folder: Path) -> None:
    lab = start(folder)
    try:
        with pytest.raises(RunningError, match="a lab is already up in"):
            up(small_province(), folder, secrets=SECRETS)
        assert lab.status().devices == 18
    finally:
        lab.down()


def test_there_is_no_way_out(small_lab: Lab, ask: Ask) -> None:
    for address in ("192.0.2.1", "198.51.100.1", "10.96.0.1"):
        assert ask("tcp", address=address, port=443, patience=1) == {"error": "OSError"}  # unreachable, at once
    routes = subprocess.run(
        enter_command(small_lab, ["ip", "route", "show", "table", "all", "default"]),
        capture_output=True,
        text=True,
        check=True,
    )
    assert routes.stdout == ""


def test_command_keeps_folder_environment_and_outcome(
    small_lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OF_THE_USER", "kept as it is")
    command = enter_command(small_lab, ["sh", "-c", 'echo "$PWD|$OF_THE_USER|$1"; exit 7', "-", "a  b"])
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == f"{tmp_path}|kept as it is|a  b\n"
    assert done.returncode == 7


def test_missing_secret_is_named(folder: Path) -> None:
    with pytest.raises(LabError, match=f"secret '{next(iter(SECRETS))}' has no value"):
        up(small_province(), folder, secrets={})


def test_missing_program_is_named_with_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for program in ("unshare", "nsenter", "setsid", "setpriv", "mount"):
        (tmp_path / program).symlink_to("/bin/true")
    monkeypatch.setattr("lab.machine.SYSTEM_PATH", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MachineError, match="the lab needs ip; as root: apt-get install iproute2"):
        check_machine()


def test_two_thousand_devices_come_up_in_seconds(folder: Path) -> None:
    began = time.monotonic()
    lab = up(large_province(2000), folder, secrets=SECRETS, die_with_parent=True)
    took = time.monotonic() - began
    try:
        status = lab.status()
        assert (status.devices, status.ports) == (2000, 4000)
        assert took < 5
        assert status.memory < 150_000_000
        addresses = [device.address for device in large_province(2000).devices.values()]
        answers = asker(lab)("ping", addresses=addresses)
        assert sum(seconds != [None] for seconds in answers.values()) == 2000
    finally:
        lab.down()


UNPRIVILEGED = """
set -e
mkdir "$1/python" "$1/house" "$1/packages"
mount --bind "$2" "$1/python"
mount --bind "$3" "$1/house"
mount --bind "$4" "$1/packages"
mkdir -m 777 "$1/state"
cd "$1/house"
exec setpriv --reuid=65534 --regid=65534 --clear-groups \\
    env -i PATH=/usr/bin:/bin HOME=/nonexistent PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$1/house:$1/packages" \\
    LD_LIBRARY_PATH="$1/python/lib" \\
    "$1/python/$5" -c "$6" "$1/state/lab"
"""
ORDINARY_USER = """
import json, os, sys
from pathlib import Path
from lab.practice import up
from tests.lab.conftest import asker
from tests.lab.small import SECRETS, small_province
assert os.getuid() == 65534
lab = up(small_province(), Path(sys.argv[1]), secrets=SECRETS, die_with_parent=True)
ask = asker(lab)
found = {"ssh": ask("tcp", address="10.91.0.1", port=22)["said"][:8]}
found["name"] = ask("resolve", host="one-stop.small.example")
lab.cut(["north"])
found["cut"] = [len(times) - times.count(None) for times in ask("ping", addresses=["10.91.0.65", "10.91.1.1"]).values()]
lab.impair("south.uplink", delay=0.1)
found["delay"] = ask("ping", addresses=["10.91.1.1"])["10.91.1.1"][0]
lab.down()
print(json.dumps(found))
"""


def test_ordinary_user_has_a_lab_too() -> None:
    """An account without rights sees our python and sources through mounts: both may lie in a private home."""
    place = Path("/tmp") / f"tuyen-lab-test-{os.getpid()}"
    place.mkdir(mode=0o755)
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    executable = Path(sys.executable).resolve().relative_to(Path(sys.base_prefix).resolve())
    before = namespaces()
    arguments = [place, Path(sys.base_prefix).resolve(), HERE, packages, executable, ORDINARY_USER]
    try:
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", UNPRIVILEGED, "-", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=40,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
    finally:
        shutil.rmtree(place / "state", ignore_errors=True)
        for mounted in ("python", "house", "packages", ""):  # empty, unless a mount has leaked: then this fails
            place.joinpath(mounted).rmdir()
    assert found["ssh"] == "SSH-2.0-"
    assert found["name"] == "10.91.0.2"
    assert found["cut"] == [0, 1]
    assert 0.1 <= found["delay"] < 0.2
    assert within(5, lambda: namespaces() <= before)
