"""SSH sessions against OpenSSH: who gets in, who does not, and what is said about it."""

import dataclasses
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from playbooks.connection import Connection, connect, dial, scan
from playbooks.errors import ReachError
from playbooks.refusal import RefusedError
from playbooks.target import Login
from tests.exporters.daemons import HERE, free_port, peer
from tests.playbooks.loopback import USER, Server, key_pair, pin, public, sshd


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with sshd(tmp_path_factory.mktemp("sshd"), kinds=("ed25519", "ecdsa", "rsa")) as running:
        yield running


@pytest.fixture
def session(server: Server, known_hosts: Path) -> Iterator[Connection]:
    with connect(server.login(), (), known_hosts) as connection:
        yield connection


def test_command_tells_its_code_and_both_its_streams(session: Connection) -> None:
    assert session.run("printf giờ; printf lỗi >&2; exit 3") == (3, "giờ", "lỗi")


def test_command_is_given_its_input(session: Connection) -> None:
    sent = b"x" * 3_000_000
    assert session.run("wc -c", stdin=sent).out.strip() == str(len(sent))


def test_long_output_is_whole(session: Connection) -> None:
    answer = session.run("head -c 5000000 /dev/zero | tr '\\0' x; head -c 100000 /dev/zero | tr '\\0' y >&2")
    assert (len(answer.out), len(answer.err)) == (5_000_000, 100_000)


def test_command_that_a_signal_ends_has_no_code(session: Connection) -> None:
    assert session.run("kill -9 $$").code == -1
    assert session.run("true").ok


def test_command_that_hangs_is_given_up(session: Connection) -> None:
    with pytest.raises(ReachError, match=r"does not answer a command within 0\.5 s"):
        session.run("sleep 20", patience=0.5)


@pytest.mark.skipif(os.geteuid() != 0, reason="the tests' account is not root")
def test_root_needs_no_sudo(session: Connection) -> None:
    assert session.run_as_root("id -u").out == "0\n"


def test_files_go_by_sftp(session: Connection, tmp_path: Path) -> None:
    with session.sftp() as files:
        with files.open(str(tmp_path / "note"), "w") as note:
            note.write("xin chào")
        assert (tmp_path / "note").read_text() == "xin chào"


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_key_of_any_pinned_type_is_asked_for(server: Server, tmp_path: Path, kind: str) -> None:
    known_hosts = server.pinned(tmp_path / "known_hosts", kind)
    with connect(server.login(), (), known_hosts) as connection:
        assert connection.run("true").ok
    assert scan(server.login(), (), known_hosts) == public(server.host_keys[kind])


def test_one_of_several_pins_is_enough(server: Server, known_hosts: Path, tmp_path: Path) -> None:
    before = tmp_path / "before"
    pin(before, server.login(), public(key_pair(tmp_path / "old")))
    before.write_text("# old and new\n" + before.read_text() + known_hosts.read_text())
    with connect(server.login(), (), before) as connection:
        assert connection.run("true").ok


def test_scan_needs_no_pin(server: Server, tmp_path: Path) -> None:
    found = scan(server.login(), (), tmp_path / "none")
    shown = subprocess.run(
        ["ssh-keygen", "-l", "-f", server.host_keys["ed25519"]], capture_output=True, text=True, check=True, timeout=30
    ).stdout
    assert found.fingerprint in shown


def refused(login: Login, known_hosts: Path, *jumps: Login, patience: float = 5.0) -> str:
    with pytest.raises(ReachError) as caught:
        connect(login, jumps, known_hosts, patience)
    return str(caught.value)


def test_unpinned_device_is_never_asked(tmp_path: Path) -> None:
    heard = []
    with peer(lambda connection: heard.append(connection.recv(1))) as port:
        reason = refused(Login("box.hon-tre", HERE, "root", port), tmp_path / "known_hosts")
    assert reason == (
        "no host key of box.hon-tre (127.0.0.1) is pinned; look at its fingerprint with 'tuyen hosts trust box.hon-tre'"
    )
    assert heard == []


def test_changed_key_names_both_fingerprints(server: Server, tmp_path: Path) -> None:
    old = public(key_pair(tmp_path / "old"))
    pin(tmp_path / "known_hosts", server.login(), old)
    reason = refused(server.login(), tmp_path / "known_hosts")
    new = public(server.host_keys["ed25519"])
    assert f"pinned ssh-ed25519 {old.fingerprint}, now ssh-ed25519 {new.fingerprint}" in reason
    assert "write 'tuyen hosts trust box.test --replace'" in reason


def test_wrong_key_is_named(server: Server, known_hosts: Path, tmp_path: Path) -> None:
    other = key_pair(tmp_path / "other")
    reason = refused(server.login(key=str(other)), known_hosts)
    assert reason.startswith(f"127.0.0.1 refuses the key {other} for {USER}: check the account there")


def test_wrong_password_is_told_and_never_shown(server: Server, known_hosts: Path) -> None:
    reason = refused(server.login(key="", password="khong-dung-dau"), known_hosts)
    assert reason.startswith(f"127.0.0.1 refuses the password for {USER}")
    assert "khong-dung" not in reason


def test_password_where_none_are_taken(tmp_path: Path) -> None:
    with sshd(tmp_path / "keys", "PasswordAuthentication no", "KbdInteractiveAuthentication no") as keys_only:
        known_hosts = keys_only.pinned(tmp_path / "known_hosts")
        reason = refused(keys_only.login(key="", password="secret"), known_hosts)
    assert reason == f"127.0.0.1 does not take the password from {USER}; it takes: publickey"


def test_second_factor_is_never_asked_of_the_terminal(tmp_path: Path) -> None:
    with sshd(tmp_path / "two", "AuthenticationMethods publickey,password") as two:
        reason = refused(two.login(), two.pinned(tmp_path / "known_hosts"))
    assert reason.startswith("127.0.0.1 does not take the key ")
    assert reason.endswith("it takes: keyboard-interactive")


def test_keys_that_cannot_be_used(server: Server, known_hosts: Path, tmp_path: Path) -> None:
    locked, torn = key_pair(tmp_path / "locked", passphrase="mật khẩu"), tmp_path / "torn"
    torn.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n")
    assert "needs a passphrase: load it into your ssh-agent" in refused(server.login(key=str(locked)), known_hosts)
    assert "is no private key that OpenSSH writes" in refused(server.login(key=str(torn)), known_hosts)
    assert "No such file or directory" in refused(server.login(key=str(tmp_path / "none")), known_hosts)


def test_closed_port_is_told(tmp_path: Path, server: Server) -> None:
    login = dataclasses.replace(server.login(), port=free_port())
    pin(tmp_path / "known_hosts", login, public(server.host_keys["ed25519"]))
    assert refused(login, tmp_path / "known_hosts").startswith(f"127.0.0.1 refuses port {login.port}: the device is up")


def silent(connection: socket.socket) -> None:
    connection.recv(1000)
    time.sleep(3)


def greeting(connection: socket.socket) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
    time.sleep(3)


def hanging_up(connection: socket.socket) -> None:
    connection.recv(1000)


def another(connection: socket.socket) -> None:
    connection.sendall(b"220 mail.example ESMTP\r\n" * 200)
    connection.recv(1000)


@pytest.mark.parametrize(
    ("talk", "reason"),
    [
        (silent, "127.0.0.1 accepts the connection and then is silent for 1 s"),
        (greeting, "127.0.0.1 accepts the connection and then is silent for 1 s"),
        (hanging_up, "127.0.0.1 closes the connection before login"),
        (another, "of 127.0.0.1 answers, but not in SSH"),
    ],
)
def test_peers_that_are_no_good(talk: "object", reason: str, server: Server, tmp_path: Path) -> None:
    with peer(talk) as port:  # type: ignore[arg-type]
        login = dataclasses.replace(server.login(), port=port)
        pin(tmp_path / "known_hosts", login, public(server.host_keys["ed25519"]))
        begun = time.monotonic()
        assert reason in refused(login, tmp_path / "known_hosts", patience=1.0)
        assert time.monotonic() - begun < 3


def test_server_that_dies_in_the_middle(server: Server, session: Connection) -> None:
    begun = time.monotonic()
    with pytest.raises(ReachError, match=r"127\.0\.0\.1 went away in the middle"):
        session.run("kill -9 $PPID; sleep 20")
    with pytest.raises(ReachError, match=r"127\.0\.0\.1 went away in the middle"):
        session.run("true")
    assert time.monotonic() - begun < 5


def test_way_through_two_jump_hosts(server: Server, tmp_path: Path) -> None:
    with sshd(tmp_path / "province") as province, sshd(tmp_path / "district") as district:
        known_hosts = server.pinned(tmp_path / "known_hosts")
        province.pinned(known_hosts)
        district.pinned(known_hosts)
        jumps = (province.login("jump.province"), district.login("jump.district"))
        with connect(server.login(), jumps, known_hosts) as connection:
            assert connection.run("echo $SSH_CONNECTION").out.split()[3] == str(server.port)
        assert scan(server.login(), jumps, known_hosts) == public(server.host_keys["ed25519"])
        line = dial(server.login(), jumps, known_hosts)
        line.settimeout(5)
        assert line.recv(8) == b"SSH-2.0-"
        line.close()
        aside = dataclasses.replace(server.login(), port=free_port())
        pin(known_hosts, aside, public(server.host_keys["ed25519"]))
        reason = refused(aside, known_hosts, *jumps)
        assert reason.startswith(f"jump host jump.district cannot connect to 127.0.0.1 port {aside.port}")


def test_jump_host_is_blamed_for_what_it_does(server: Server, known_hosts: Path, tmp_path: Path) -> None:
    with sshd(tmp_path / "closed", "AllowTcpForwarding no") as closed:
        jump = closed.login("jump.an-bien")
        assert refused(server.login(), known_hosts, jump).startswith(
            "no host key of jump.an-bien (127.0.0.1) is pinned"
        )
        closed.pinned(known_hosts)
        reason = refused(server.login(), known_hosts, jump)
        assert reason.startswith("jump host jump.an-bien: it forbids forwarding to 127.0.0.1")
        wrong = dataclasses.replace(jump, key=str(key_pair(tmp_path / "wrong")))
        assert refused(server.login(), known_hosts, wrong).startswith(
            "jump host jump.an-bien: 127.0.0.1 refuses the key"
        )
    assert refused(server.login(), known_hosts, jump).startswith("jump host jump.an-bien: 127.0.0.1 refuses port")


def test_target_that_is_silent_behind_a_jump_host(server: Server, known_hosts: Path) -> None:
    with peer(silent) as port:
        login = dataclasses.replace(server.login(), port=port)
        pin(known_hosts, login, public(server.host_keys["ed25519"]))
        reason = refused(login, known_hosts, server.login("jump.an-bien"), patience=1.0)
    assert reason.startswith("127.0.0.1 accepts the connection and then is silent")


def test_changed_key_behind_a_jump_host_is_the_devices_own(server: Server, known_hosts: Path, tmp_path: Path) -> None:
    with sshd(tmp_path / "box") as box:
        pin(known_hosts, box.login(), public(key_pair(tmp_path / "old")))
        assert refused(box.login(), known_hosts, server.login("jump.an-bien")).startswith("the host key has changed")


def test_refusals_are_told_from_passing_trouble(server: Server, known_hosts: Path, tmp_path: Path) -> None:
    with pytest.raises(RefusedError):
        connect(server.login(key=str(key_pair(tmp_path / "other"))), (), known_hosts)
    away = dataclasses.replace(server.login(), port=free_port())
    pin(known_hosts, away, public(server.host_keys["ed25519"]))
    with pytest.raises(ReachError) as caught:
        connect(away, (), known_hosts)
    assert not isinstance(caught.value, RefusedError)


def test_nothing_is_written_to_the_terminal(
    server: Server, known_hosts: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    refused(server.login(key="", password="khong-dung-dau"), known_hosts)
    assert capfd.readouterr() == ("", "")


def test_session_of_a_stopped_server_times_out(server: Server, session: Connection) -> None:
    serving = int(session.run("echo $PPID").out)
    os.kill(serving, signal.SIGSTOP)
    try:
        with pytest.raises(ReachError, match=r"does not answer a command within 1 s|went away"):
            session.run("true", patience=1.0)
    finally:
        os.kill(serving, signal.SIGCONT)


def test_device_that_goes_away_behind_a_jump_host_is_missed(
    server: Server, known_hosts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playbooks.remote.PULSE", 0.5)
    with sshd(tmp_path / "box") as box:
        box.pinned(known_hosts)
        with connect(box.login(), (server.login("jump.an-bien"),), known_hosts) as connection:
            assert connection.run("sleep 1.5; echo late").out == "late\n"
            serving = int(connection.run("echo $PPID").out)
            stopping = f"kill -STOP {serving}; sleep 20"
            with pytest.raises(ReachError, match="went away in the middle"):
                connection.run(stopping)
            os.kill(serving, signal.SIGKILL)
