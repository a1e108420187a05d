"""SSH against OpenSSH, with its host key pinned, changed, and of another kind."""

import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from exporters.reading import Target
from tests.exporters.asking import reading, values
from tests.exporters.daemons import HERE, accepts, daemon, free_port, peer


class Server(NamedTuple):
    port: int
    keys: dict[str, str]  # the public key by its type, as ssh-keygen writes it


def key_pair(folder: Path, kind: str) -> Path:
    file = folder / f"key-{kind}"
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", file], check=True, timeout=30)
    return file


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder, port = tmp_path_factory.mktemp("sshd"), free_port()
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where sshd insists on shutting itself in
    files = {kind: key_pair(folder, kind) for kind in ("ed25519", "rsa", "ecdsa")}
    command = ["/usr/sbin/sshd", "-D", "-e", "-f", "/dev/null", "-p", str(port), "-o", f"ListenAddress={HERE}"]
    command += ["-o", f"PidFile={folder}/pid", "-o", "MaxStartups=100"]
    for file in files.values():
        command += ["-h", str(file)]
    with daemon(command, lambda: accepts(port), folder / "log"):
        yield Server(port, {kind: file.with_suffix(".pub").read_text() for kind, file in files.items()})


def test_greeting_is_told(sshd: Server) -> None:
    found = reading("ssh", port=sshd.port)
    assert found.success
    assert found.reason.startswith("greets as SSH-2.0-OpenSSH")


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_pinned_key_of_any_kind_is_proven(sshd: Server, kind: str) -> None:
    found = reading("ssh", Target(HERE, host_key=sshd.keys[kind]), port=sshd.port)
    assert found.success, found.reason
    assert found.reason.endswith("the host key is the pinned one")
    assert values(found)["tuyen_probe_ssh_host_key_matches"] == 1


def test_one_of_several_pins_is_enough(sshd: Server, tmp_path: Path) -> None:
    old = key_pair(tmp_path, "ed25519").with_suffix(".pub").read_text()
    target = Target(HERE, host_key=old + sshd.keys["ed25519"])
    assert reading("ssh", target, port=sshd.port).success


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_changed_key_fails(sshd: Server, tmp_path: Path, kind: str) -> None:
    pin = key_pair(tmp_path, kind).with_suffix(".pub").read_text()
    found = reading("ssh", Target(HERE, host_key=pin), port=sshd.port)
    assert not found.success
    assert found.reason.startswith("the host key is not the pinned one (ssh-")
    assert values(found)["tuyen_probe_ssh_host_key_matches"] == 0


def test_key_of_a_kind_that_is_gone_counts_as_changed(tmp_path: Path) -> None:
    port = free_port()
    held, pinned = key_pair(tmp_path, "rsa"), key_pair(tmp_path, "ed25519").with_suffix(".pub")
    command = ["/usr/sbin/sshd", "-D", "-e", "-f", "/dev/null", "-p", str(port), "-h", str(held)]
    command += ["-o", f"ListenAddress={HERE}", "-o", f"PidFile={tmp_path}/pid"]
    with daemon(command, lambda: accepts(port), tmp_path / "log"):
        found = reading("ssh", Target(HERE, host_key=pinned.read_text()), port=port)
    assert not found.success
    assert "no ssh-ed25519 any more" in found.reason


def test_banner_before_the_greeting_is_passed_over(sshd: Server) -> None:
    def talk(connection: socket.socket) -> None:
        connection.sendall(b"Chi nguoi co tham quyen\r\nSSH-2.0-Cisco-1.25\r\n")
        connection.recv(1)

    with peer(talk) as port:
        assert reading("ssh", port=port).reason == "greets as SSH-2.0-Cisco-1.25"


def test_silence_in_the_key_exchange_leaves_no_thread(sshd: Server) -> None:
    def talk(connection: socket.socket) -> None:
        connection.sendall(b"SSH-2.0-Tarpit\r\n")
        while connection.recv(4096):
            pass

    with peer(talk) as port:
        found = reading("ssh", Target(HERE, host_key=sshd.keys["rsa"]), timeout=0.5, port=port)
    assert found.reason == f"port {port} greets, then stays silent during the key exchange (waited 0.5 s)"
    assert found.heard
    for thread in threading.enumerate():
        if type(thread).__name__ == "Transport":
            thread.join(5)
    assert not [thread for thread in threading.enumerate() if type(thread).__name__ == "Transport"]


def test_old_protocol_is_refused() -> None:
    with peer(lambda connection: connection.sendall(b"SSH-1.5-OldRouter\r\n")) as port:
        found = reading("ssh", port=port)
    assert (found.success, found.reason) == (False, f"port {port} speaks an SSH that is too old: SSH-1.5-OldRouter")
