"""Real machines for tests of this room: a lab, and a way to stand where its controller stands.

A network namespace belongs to a thread, and threads that it starts inherit it: a test that enters the lab's opens
its sockets there, and nowhere else, while everything else of it stays where it was.
"""

import contextlib
import ctypes
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from lab.practice import Lab, Machines, up
from playbooks.connection import Connection, connect, scan
from playbooks.target import Login
from tests.lab.small import SECRETS, small_province
from tests.playbooks.loopback import key_pair, pin

_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def _enter(namespace: int) -> None:
    if _libc.setns(namespace, _NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


@contextlib.contextmanager
def standing_in(lab: Lab) -> Iterator[None]:
    """Let this thread, and those that it starts, stand in the lab's network for the block."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/proc/{lab.holder}/ns/net", os.O_RDONLY)
    try:
        _enter(there)
        yield
    finally:
        _enter(home)
        os.close(home)
        os.close(there)


class Box:
    """A real machine of the lab; the account `tuyen` may become root there."""

    def __init__(self, lab: Lab, device: str, key: Path, known_hosts: Path) -> None:
        self.lab, self.device, self.known_hosts = lab, device, known_hosts
        self.login = Login(device, small_province().devices[device].address, "tuyen", key=str(key))

    def connect(self, patience: float = 10.0) -> Connection:
        return connect(self.login, (), self.known_hosts, patience)

    def root(self, command: str) -> str:
        with self.connect() as connection:
            answer = connection.run_as_root(command)
        assert answer.ok, answer
        return answer.out


@contextlib.contextmanager
def boxes(folder: Path, kinds: Mapping[str, str]) -> Iterator[dict[str, Box]]:
    """Bring up a lab in which the devices of `kinds` are real, pin their keys, and stand in it for the block."""
    key, known_hosts = key_pair(folder / "key"), folder / "known_hosts"
    authorized = (folder / "key.pub").read_text()
    machines = Machines(kinds, authorized)
    lab = up(small_province(), folder / "lab", secrets=SECRETS, machines=machines, die_with_parent=True)
    try:
        made = {device: Box(lab, device, key, known_hosts) for device in kinds}
        with standing_in(lab):
            for box in made.values():
                pin(known_hosts, box.login, scan(box.login, (), known_hosts))
            yield made
    finally:
        lab.down()
