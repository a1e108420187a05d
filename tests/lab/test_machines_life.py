"""How a lab of real machines comes, goes and dies: the host is as it was; and the images that they are made from."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from inventory.keypair import ensure_key
from lab import images, sources
from lab.control import keeper_of
from lab.errors import AbsentError, MachineError, StartError
from lab.files import GROUP, is_alive
from lab.groups import groups_folder
from lab.machine import check_machine
from lab.practice import Lab, Machines, up
from tests.lab.small import SECRETS, small_province
from tests.lab.test_life import host, namespaces, processes, within

pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(os.geteuid() != 0, reason="real machines are made by root"),
]
KINDS = {"box.north": "booted", "box.upper": "booted", "box.south": "light"}
WATCHES = Path("/proc/sys/fs/inotify/max_user_instances")


def start(folder: Path) -> Lab:
    machines = Machines(KINDS, ensure_key(folder))
    return up(small_province(), folder / "lab", secrets=SECRETS, machines=machines)


def group_of(lab: Lab) -> Path:
    return Path((lab.folder / GROUP).read_text().strip())


def labs() -> set[Path]:
    """Return the control groups of all labs of this machine."""
    folder = groups_folder()
    assert folder
    return set(folder.glob("tuyen-lab-*"))


@pytest.fixture(autouse=True)
def _host_is_as_it_was(tmp_path: Path) -> Iterator[None]:
    before, links, watches = namespaces(), host()[0], WATCHES.read_text()
    others = labs()
    yield
    folder = tmp_path / "lab"
    assert within(5, lambda: processes(folder) == [])
    assert host()[0] == links
    assert str(folder) not in host()[1]
    if not others and not labs():  # nobody else's lab has come or gone meanwhile
        assert WATCHES.read_text() == watches
        assert within(5, lambda: namespaces() <= before)
    assert not (folder / GROUP).exists()
    assert {file.name for file in folder.iterdir()} <= {"lab.log", "lock"}


def test_down_leaves_nothing(tmp_path: Path) -> None:
    lab = start(tmp_path)
    group = group_of(lab)
    assert {"m1", "m2", "m3"} <= {path.name for path in group.iterdir()}
    assert int(WATCHES.read_text()) >= 8192
    lab.down()
    assert not group.exists()


@pytest.mark.parametrize("victim", ["keeper", "holder"])
def test_killed_lab_leaves_nothing(tmp_path: Path, victim: str) -> None:
    lab = start(tmp_path)
    group = group_of(lab)
    os.kill(keeper_of(lab.folder) if victim == "keeper" else lab.holder, signal.SIGKILL)
    assert within(10, lambda: not is_alive(lab.folder))
    assert not group.exists()
    with pytest.raises(AbsentError):
        Lab.load(lab.folder)


def test_lab_ends_with_its_janitor_and_the_next_look_tidies_up(tmp_path: Path) -> None:
    lab = start(tmp_path)
    group = group_of(lab)
    status = Path(f"/proc/{lab.holder}/status").read_text()
    os.kill(next(int(line.split()[1]) for line in status.splitlines() if line.startswith("PPid:")), signal.SIGKILL)
    assert within(10, lambda: not Path(f"/proc/{lab.holder}").exists())
    assert within(10, lambda: "populated 0" in (group / "cgroup.events").read_text())
    with pytest.raises(AbsentError):
        Lab.load(lab.folder)
    assert not group.exists()


def test_machine_that_does_not_come_up_ends_the_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.images.IMAGES", {"server": "apt"})
    hollow = images.archive("server")
    hollow.parent.mkdir(parents=True, exist_ok=True)
    empty = tmp_path / "empty"
    for folder in ("etc/ssh", "root", "home/tuyen", "usr"):
        (empty / folder).mkdir(parents=True)
    subprocess.run(["tar", "--create", "--zstd", f"--file={hollow}", "-C", str(empty), "."], check=True, timeout=20)
    try:
        with pytest.raises(StartError, match=r"machines have ended by themselves: box\.north: .*"):
            up(
                small_province(),
                tmp_path / "lab",
                secrets=SECRETS,
                machines=Machines({"box.north": "booted"}, ensure_key(tmp_path)),
                patience=30,
            )
    finally:
        hollow.unlink()


def test_missing_program_is_named_when_machines_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lab").mkdir()
    for program in ("unshare", "nsenter", "setsid", "setpriv", "mount", "ip", "tc", "tar", "zstd"):
        (tmp_path / program).symlink_to("/bin/true")
    monkeypatch.setattr("lab.machine.SYSTEM_PATH", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    check_machine()
    with pytest.raises(MachineError) as lacking:
        check_machine(machines=True)
    assert str(lacking.value).splitlines() == [
        "the lab needs mmdebstrap; as root: apt-get install mmdebstrap",
        "the lab needs systemd-nspawn; as root: apt-get install systemd-container",
    ]
    for made in tmp_path.iterdir():
        if made.is_symlink():
            made.unlink()


def test_image_is_named_after_what_it_is_made_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lab").mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    named = images.archive("server")
    assert named.parent == tmp_path / "cache" / "tuyen" / "lab"
    assert named.name.startswith(f"server-{sources.suite()}-{sources.architecture()}-")
    monkeypatch.setattr("lab.images.IMAGES", {"server": f"{images.SERVER} less"})
    assert images.archive("server").name != named.name


def test_image_that_cannot_be_made_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lab").mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("lab.images.sources", lambda: [f"deb [trusted=yes] file://{tmp_path} none main"])
    with pytest.raises(MachineError, match="the image 'server' could not be made: E: "):
        images.provide("server")
    assert not list((tmp_path / "cache").rglob("*.tar.*new"))


def test_image_names_no_mirror_and_holds_no_key(tmp_path: Path) -> None:
    (tmp_path / "lab").mkdir()
    listed = subprocess.run(
        ["tar", "--list", "--zstd", f"--file={images.provide('server')}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout.splitlines()
    assert "./etc/sudoers.d/tuyen" in listed
    assert [path for path in listed if "ssh_host_" in path or "authorized_keys" in path] == []
    assert [
        path
        for path in listed
        if path.startswith(("./etc/apt/sources.list.d/", "./var/lib/apt/lists/")) and not path.endswith(("/", "lock"))
    ] == []
