"""The dead man's revert on booted machines: confirmed, overdue, rebooted, locked out, refused."""

import contextlib
import dataclasses
import shlex
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from playbooks import revert
from playbooks.connection import connect
from playbooks.errors import ReachError, RevertError
from playbooks.revert import State
from tests.playbooks.inside_lab import Box, boxes

SCRIPTS = Path(revert.__file__).parent
TREE = "/etc/thử nghiệm"
LIST = (
    f"find {shlex.quote(TREE)} -printf '%p %m %u %g %y %l %T@\\n' | sort; cat {shlex.quote(TREE)}/* 2>/dev/null; true"
)
PLANT = f"""
rm -rf {shlex.quote(TREE)} /etc/new.conf /etc/new.d
mkdir -p {shlex.quote(TREE)}/sub && cd {shlex.quote(TREE)}
echo one >one; echo two >two; chmod 640 two; chown daemon:daemon two; ln -s one link; echo deep >"sub/d [*] p"
touch -d 2018-06-01 one
"""
SPOIL = f"""
cd {shlex.quote(TREE)}
echo changed >>one; rm two; ln -sf two link; echo more >more; chmod 777 sub; rm sub/*; echo new >/etc/new.conf
mkdir -p /etc/new.d; echo new >/etc/new.d/file
"""
PATHS = [TREE, f"{TREE}/one", "/etc/new.conf", "/etc/new.d"]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Box]]:
    with boxes(tmp_path_factory.mktemp("revert"), {"box.north": "booted", "box.upper": "light"}) as made:
        yield made


@pytest.fixture
def box(lab: dict[str, Box]) -> Iterator[Box]:
    box = lab["box.north"]
    box.root(PLANT)
    yield box
    assert box.root("ls /etc/systemd/system | grep -c '^tuyen-revert' || true").strip() == "0"
    assert box.root("systemctl list-units --all --plain --no-legend 'tuyen-revert-*.timer'") == ""
    box.root("rm -rf /var/lib/tuyen/revert")


def arm(box: Box, run: str, after: float = 300, commands: tuple[str, ...] = (), paths: list[str] = PATHS) -> None:
    with box.connect() as connection:
        revert.arm(connection, run, paths, commands, after)


def look(box: Box, run: str) -> revert.Standing:
    with box.connect() as connection:
        return revert.look(connection, run)


def disarm(box: Box, run: str) -> None:
    with box.connect() as connection:
        revert.disarm(connection, run)


def settled(box: Box, run: str, seconds: float = 40) -> revert.Standing:
    """Come back until the revert is neither armed nor under way."""
    end, found = time.monotonic() + seconds, None
    while time.monotonic() < end:
        with contextlib.suppress(ReachError):
            found = look(box, run)
            if found.state not in (State.ARMED, State.REVERTING):
                return found
        time.sleep(0.2)
    raise AssertionError(found)


def test_confirmed_change_stays(box: Box) -> None:
    assert look(box, "run-1").state is State.ABSENT
    arm(box, "run-1")
    armed = look(box, "run-1")
    assert armed.state is State.ARMED
    assert armed.left is not None
    assert 290 < armed.left <= 300
    box.root(SPOIL)
    spoilt = box.root(LIST)
    disarm(box, "run-1")
    disarm(box, "run-1")
    found = look(box, "run-1")
    assert found.state is State.CONFIRMED
    assert found.at is not None
    assert abs(found.at.timestamp() - time.time()) < 60
    assert box.root(LIST) == spoilt
    assert box.root("ls /var/lib/tuyen/revert/run-1; stat -c %a /var/lib/tuyen/revert").count("saved.tar") == 0


def test_overdue_change_is_undone_exactly(box: Box) -> None:
    before = box.root(LIST)
    arm(box, "run-2", 6, commands=("false", f"cp {shlex.quote(TREE)}/one /run/after", "echo 'it'\\''s' >&2; exit 7"))
    box.root(SPOIL)
    assert box.root(LIST) != before
    found = settled(box, "run-2")
    assert found.state is State.REVERTED
    assert "that failed with code 1" in found.told
    assert "that failed with code 7" in found.told
    assert box.root(LIST) == before
    assert box.root("cat /run/after; ls -d /etc/new.conf /etc/new.d 2>/dev/null || true") == "one\n"
    assert "all is as it was before run run-2" in box.root("journalctl -u tuyen-revert-run-2.service --no-pager")
    with pytest.raises(RevertError, match="the device has already returned to what it was"):
        disarm(box, "run-2")
    with pytest.raises(RevertError, match="run run-2 was already settled there"):
        arm(box, "run-2")


def test_only_one_is_armed_at_a_time(box: Box) -> None:
    arm(box, "run-3")
    for run in ("run-4", "run-3"):
        with pytest.raises(RevertError, match="run run-3 is already armed there"):
            arm(box, run)
    assert look(box, "run-4").state is State.ABSENT
    disarm(box, "run-3")
    with pytest.raises(RevertError, match="nothing is armed there"):
        disarm(box, "run-4")


def test_fired_at_once(box: Box) -> None:
    before = box.root(LIST)
    arm(box, "run-5")
    box.root(SPOIL)
    with box.connect() as connection:
        revert.fire(connection, "run-5")
    assert settled(box, "run-5").state is State.REVERTED
    assert box.root(LIST) == before


def test_power_cut_while_armed_reverts_at_boot(box: Box) -> None:
    before = box.root(LIST)
    arm(box, "run-6", 300, commands=("touch /run/after-boot",))
    box.root(SPOIL + "sync")
    box.lab.power(box.device, on=False)
    box.lab.power(box.device, on=True)
    assert settled(box, "run-6", 60).state is State.REVERTED
    assert box.root(LIST) == before
    box.root("test -e /run/after-boot")


def test_power_cut_after_confirmation_changes_nothing(box: Box) -> None:
    arm(box, "run-7")
    box.root(SPOIL)
    spoilt = box.root(LIST)
    disarm(box, "run-7")
    box.lab.power(box.device, on=False)
    box.lab.power(box.device, on=True)
    box.lab.wait_ssh([box.device], 60)
    assert box.root(LIST) == spoilt


def test_confirmation_that_a_power_cut_tore_is_tidied_at_boot(box: Box) -> None:
    arm(box, "run-16")
    folder = "/var/lib/tuyen/revert"
    box.root(f"cd {folder} && mv -T armed run-16/confirming && date +%s >run-16/confirmed")
    box.root(SPOIL)
    spoilt = box.root(LIST)
    box.lab.power(box.device, on=False)
    box.lab.power(box.device, on=True)
    box.lab.wait_ssh([box.device], 60)
    box.root("timeout 20 sh -c 'while [ -e /etc/systemd/system/tuyen-revert-run-16.service ]; do sleep 0.2; done'")
    assert look(box, "run-16").state is State.CONFIRMED
    assert box.root(LIST) == spoilt


def test_firewall_that_locks_us_out(box: Box) -> None:
    arm(box, "run-8", 8, ("nft flush ruleset",), ["/etc/nftables.conf"])
    box.root("nft add table inet x; nft add chain inet x y '{ type filter hook input priority 0; policy drop; }'")
    with pytest.raises(ReachError, match="no answer from"):
        box.connect(1.0)
    assert settled(box, "run-8").state is State.REVERTED
    assert box.root("nft list ruleset") == ""


def test_sshd_that_no_longer_starts(box: Box) -> None:
    arm(box, "run-9", 8, ("systemctl restart ssh",), ["/etc/ssh"])
    box.root("echo 'Prot 2' >>/etc/ssh/sshd_config; systemctl --no-block restart ssh")
    time.sleep(1.5)
    with pytest.raises(ReachError, match=r"refuses port 22|closes the connection"):
        box.connect(1.0)
    assert settled(box, "run-9").state is State.REVERTED


def test_half_armed_is_harmless(box: Box) -> None:
    whole = len(revert._script("arm.sh"))
    with box.connect() as connection:
        for part in (10, whole // 2, whole - len("main </dev/null 2>/dev/null")):
            given = f"ID=half AFTER=2 PATHS={shlex.quote(TREE)} COMMANDS= REVERT=\n{revert._script('arm.sh')[:part]}"
            connection.run_as_root("sh -s", stdin=given.encode())
        assert revert.state(connection, "half") is State.ABSENT
    box.root("mkdir -p /var/lib/tuyen/revert/half; touch /var/lib/tuyen/revert/half/saved.tar")
    arm(box, "half")
    disarm(box, "half")


def test_full_disk_refuses_arming(box: Box) -> None:
    box.lab.fill_disk(box.device)
    try:
        with pytest.raises(RevertError, match=r"cannot be written: is the disk full|the files cannot be saved"):
            arm(box, "run-10")
    finally:
        box.lab.fill_disk(box.device, full=False)
    assert look(box, "run-10").state is State.ABSENT


def test_full_disk_does_not_hinder_the_revert(box: Box) -> None:
    before = box.root(LIST)
    arm(box, "run-11", 6)
    box.root(SPOIL)
    box.lab.fill_disk(box.device)
    try:
        found = settled(box, "run-11")
    finally:
        box.lab.fill_disk(box.device, full=False)
    assert found.state is State.REVERTED, found
    assert box.root(LIST) == before


def test_damaged_store_touches_nothing_and_says_so(box: Box) -> None:
    arm(box, "run-12")
    box.root(SPOIL + "\necho torn >/var/lib/tuyen/revert/run-12/saved.tar")
    spoilt = box.root(LIST)
    with box.connect() as connection:
        revert.fire(connection, "run-12")
    found = settled(box, "run-12")
    assert found.state is State.FAILED
    assert found.told == "the saved files cannot be read: nothing was touched"
    assert box.root(LIST) == spoilt
    with pytest.raises(RevertError, match="run run-12 is being reverted there"):
        arm(box, "run-13")
    disarm(box, "run-12")
    assert look(box, "run-12").state is State.CONFIRMED
    arm(box, "run-13")
    disarm(box, "run-13")


def test_empty_list_of_paths_runs_the_commands(box: Box) -> None:
    arm(box, "run-14", 2, ("touch /run/ran",), [])
    assert settled(box, "run-14").state is State.REVERTED
    box.root("test -e /run/ran")


def test_machine_without_systemd(lab: dict[str, Box]) -> None:
    with pytest.raises(RevertError, match="the device runs no systemd, which would keep the revert"):
        arm(lab["box.upper"], "run-1")


def test_account_that_may_not_become_root(box: Box) -> None:
    box.root("useradd -m lan && cp -r /home/tuyen/.ssh /home/lan/ && chown -R lan: /home/lan/.ssh")
    login = dataclasses.replace(box.login, user="lan")
    with connect(login, (), box.known_hosts) as connection, pytest.raises(RevertError, match="lan may not become root"):
        revert.arm(connection, "run-15", PATHS, (), 300)


@pytest.mark.parametrize("path", ["/", "/etc", "etc/ssh", "/etc/../etc/ssh", "/etc/ssh/", "/etc/a\nb"])
def test_paths_that_cannot_be_put_back(lab: dict[str, Box], path: str) -> None:
    with pytest.raises(RevertError, match="cannot be put back: write absolute paths"):
        arm(lab["box.north"], "run-1", paths=[path])


@pytest.mark.parametrize("run", ["", "../x", "a b", "-x", "x" * 65])
def test_names_that_cannot_be(lab: dict[str, Box], run: str) -> None:
    with pytest.raises(RevertError, match="cannot name a revert"):
        arm(lab["box.north"], run)


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("*.sh")), ids=lambda script: str(script.name))
def test_scripts_are_clean_in_any_posix_shell(script: Path) -> None:
    for command in (["dash", "-n"], ["shellcheck", "--shell=sh"]):
        done = subprocess.run([*command, script], capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
