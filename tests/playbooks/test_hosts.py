"""Pinning host keys: what OpenSSH, our own sessions and the probes then believe."""

import dataclasses
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.knowledge import read_known_hosts
from inventory.finding import Place
from inventory.model import Device
from playbooks.connection import connect
from playbooks.hosts import Host, State, pin_hosts, scan_hosts
from playbooks.target import Login, Target
from tests.exporters.daemons import free_port
from tests.playbooks.loopback import USER, Server, key_pair, pin, public, sshd


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with sshd(tmp_path_factory.mktemp("sshd"), kinds=("ed25519", "rsa")) as running:
        yield running


def target(login: Login, known_hosts: Path, *jumps: Login) -> Target:
    device = Device(login.device, "box", "test", "server", "box", login.address, (), Place("test.yaml"))
    return Target(device, login, jumps, known_hosts, {})


def test_new_then_same_then_changed(server: Server, tmp_path: Path) -> None:
    known_hosts, login = tmp_path / "state" / "known_hosts", server.login()
    (new,) = scan_hosts([target(login, known_hosts)])
    assert (new.state, new.found, new.pinned) == (State.NEW, public(server.host_keys["ed25519"]), ())
    assert pin_hosts(known_hosts, [new]) == 1
    (same,) = scan_hosts([target(login, known_hosts)])
    assert same.state is State.SAME
    assert pin_hosts(known_hosts, [same]) == 0
    old = public(key_pair(tmp_path / "old"))
    known_hosts.write_text("")
    pin(known_hosts, login, old)
    (changed,) = scan_hosts([target(login, known_hosts)])
    assert (changed.state, changed.found, changed.pinned) == (State.CHANGED, new.found, (old,))
    pin_hosts(known_hosts, [changed])
    assert old.key not in known_hosts.read_text()


def test_what_is_pinned_is_believed_by_all(server: Server, tmp_path: Path) -> None:
    known_hosts, login = tmp_path / "known_hosts", server.login()
    pin_hosts(known_hosts, scan_hosts([target(login, known_hosts)]))
    with connect(login, (), known_hosts) as connection:
        assert connection.run("true").ok
    options = ["-o", f"UserKnownHostsFile={known_hosts}", "-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes"]
    command = ["ssh", "-F", "none", "-i", login.key, *options, "-p", str(login.port), f"{USER}@{login.address}", "true"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    key = public(server.host_keys["ed25519"])
    assert read_known_hosts(known_hosts) == {f"[127.0.0.1]:{server.port}": f"{key.kind} {key.key}"}


def test_other_lines_stay(server: Server, tmp_path: Path) -> None:
    known_hosts, login = tmp_path / "known_hosts", server.login()
    name, ed25519, rsa = f"[127.0.0.1]:{login.port}", key_pair(tmp_path / "ed"), key_pair(tmp_path / "rsa", "rsa")
    other = f"10.91.0.1,{name} ssh-ed25519 {public(ed25519).key} two names"
    kept = ["# ours", "", f"{name} ssh-rsa {public(rsa).key}", "|1|hashed= ssh-rsa AAAA", "torn"]
    known_hosts.write_text("\n".join([*kept, other]) + "\n")
    found = public(server.host_keys["ed25519"])
    pin_hosts(known_hosts, [Host(login, State.NEW, found)])
    expected = [*kept, f"10.91.0.1 ssh-ed25519 {public(ed25519).key} two names"]
    assert known_hosts.read_text().splitlines() == [*expected, f"{name} ssh-ed25519 {found.key} box.test"]


def test_key_of_another_type_replaces_all_that_were_believed(server: Server, tmp_path: Path) -> None:
    known_hosts, login = tmp_path / "known_hosts", server.login()
    pin(known_hosts, login, public(key_pair(tmp_path / "ecdsa", "ecdsa")))
    (changed,) = scan_hosts([target(login, known_hosts)])
    assert changed.state is State.CHANGED
    pin_hosts(known_hosts, [changed])
    assert len(known_hosts.read_text().splitlines()) == 1


def test_silence_says_why_and_pins_nothing(server: Server, tmp_path: Path) -> None:
    known_hosts = tmp_path / "known_hosts"
    away = dataclasses.replace(server.login(), port=free_port())
    (host,) = scan_hosts([target(away, known_hosts)])
    assert host.state is State.NO_ANSWER
    assert host.reason.startswith(f"127.0.0.1 refuses port {away.port}")
    assert pin_hosts(known_hosts, [host]) == 0


def test_device_behind_an_unpinned_jump_host_is_not_asked(server: Server, tmp_path: Path) -> None:
    known_hosts, jump = tmp_path / "known_hosts", server.login("jump.an-bien")
    behind = target(server.login("box.hon-tre"), known_hosts, jump)
    (host,) = scan_hosts([behind])
    assert (host.state, "jump.an-bien" in host.reason) == (State.NO_ANSWER, True)
    server.pinned(known_hosts)
    (host,) = scan_hosts([behind])
    assert host.state is State.SAME  # the same server, by the same address


@pytest.mark.parametrize(("folder", "file"), [(0o700, 0o600), (0o2770, 0o660)])
def test_file_is_the_owners_or_the_groups(server: Server, tmp_path: Path, folder: int, file: int) -> None:
    known_hosts = tmp_path / "state" / "known_hosts"
    known_hosts.parent.mkdir()
    known_hosts.parent.chmod(folder)
    pin_hosts(known_hosts, [Host(server.login(), State.NEW, public(server.host_keys["ed25519"]))])
    assert known_hosts.stat().st_mode & 0o777 == file


def test_many_pin_at_once_and_none_is_lost(server: Server, tmp_path: Path) -> None:
    known_hosts, key = tmp_path / "known_hosts", public(server.host_keys["ed25519"])
    logins = [dataclasses.replace(server.login(f"box.{port}"), port=port) for port in range(1000, 1040)]
    threads = [
        threading.Thread(target=pin_hosts, args=(known_hosts, [Host(login, State.NEW, key)])) for login in logins
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_known_hosts(known_hosts)) == 40


def test_twenty_scans_take_little_more_than_one(server: Server, tmp_path: Path) -> None:
    targets = [target(server.login(f"box.{number}"), tmp_path / "none") for number in range(20)]
    assert {host.state for host in scan_hosts(targets)} == {State.NEW}


def test_fingerprint_is_the_one_that_ssh_shows(server: Server) -> None:
    command = ["ssh-keygen", "-lf", f"{server.host_keys['rsa']}.pub"]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=9)
    assert public(server.host_keys["rsa"]).fingerprint == told.stdout.split()[1]
