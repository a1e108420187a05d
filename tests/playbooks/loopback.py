"""OpenSSH servers on free ports of 127.0.0.1, with keys of their own, that let in whoever runs the tests."""

import contextlib
import getpass
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from playbooks.pins import Pin, entry_name
from playbooks.target import Login
from tests.exporters.daemons import HERE, accepts, daemon, free_port

USER = getpass.getuser()


def key_pair(file: Path, kind: str = "ed25519", passphrase: str = "") -> Path:
    """Make a key pair; the private file."""
    command = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-f", str(file)]
    subprocess.run(command, check=True, timeout=30)
    return file


def public(file: Path) -> Pin:
    kind, key = file.with_name(file.name + ".pub").read_text().split()[:2]
    return Pin(kind, key)


def pin(known_hosts: Path, login: Login, *keys: Pin) -> None:
    with known_hosts.open("a") as written:
        for key in keys:
            written.write(f"{entry_name(login)} {key.kind} {key.key}\n")


class Server:
    """A running sshd; `folder` holds its host keys, and the key "client" that it lets in."""

    def __init__(self, folder: Path, port: int, host_keys: dict[str, Path], client: Path) -> None:
        self.folder, self.port, self.host_keys, self.client = folder, port, host_keys, client

    def login(self, device: str = "box.test", **others: str) -> Login:
        return Login(device, HERE, **{"user": USER, "key": str(self.client), **others}, port=self.port)

    def pinned(self, known_hosts: Path, kind: str = "ed25519") -> Path:
        pin(known_hosts, self.login(), public(self.host_keys[kind]))
        return known_hosts


@contextlib.contextmanager
def sshd(folder: Path, *options: str, kinds: tuple[str, ...] = ("ed25519",), port: int = 0) -> Iterator[Server]:
    """Serve until the block ends; `options` are those of sshd_config, such as "AllowTcpForwarding no"."""
    folder.mkdir(exist_ok=True)
    port = port or free_port()
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where sshd insists on shutting itself in
    host_keys = {kind: key_pair(folder / f"host-{kind}-{port}", kind) for kind in kinds}
    client = folder / "client"
    if not client.exists():
        key_pair(client)
    given = [f"ListenAddress {HERE}", f"PidFile {folder}/pid", "StrictModes no", "MaxStartups 100"]
    given += [f"AuthorizedKeysFile {client}.pub", "Subsystem sftp internal-sftp", *options]
    command = ["/usr/sbin/sshd", "-D", "-e", "-f", "/dev/null", "-p", str(port)]
    command += [word for option in given for word in ("-o", option)]
    command += [word for file in host_keys.values() for word in ("-h", str(file))]
    with daemon(command, lambda: accepts(port), folder / "log"):
        yield Server(folder, port, host_keys, client)
