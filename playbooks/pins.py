"""Pinned SSH host keys, as OpenSSH's known_hosts holds them: plain names, a line an address and key type."""

import base64
import binascii
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from playbooks.target import Login

SSH_PORT = 22


class Pin(NamedTuple):
    """One host key: its type ("ssh-ed25519") and the key in base64."""

    kind: str
    key: str

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` tells it: "SHA256:..."."""
        digest = hashlib.sha256(base64.b64decode(self.key)).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")

    def __str__(self) -> str:
        return f"{self.kind} {self.fingerprint}"


def entry_name(login: Login) -> str:
    """Return how known_hosts names the place: "10.91.17.65", or "[10.91.17.65]:2222" off the usual port."""
    return login.address if login.port == SSH_PORT else f"[{login.address}]:{login.port}"


def pins_of(login: Login, known_hosts: Path) -> tuple[Pin, ...]:
    """Return the keys that are pinned for where `login` leads; none when there is no such file."""
    if not known_hosts.is_file():
        return ()
    lines = known_hosts.read_text(encoding="utf-8", errors="replace").splitlines()  # a torn line is passed over
    return tuple(pin for name, pin in read_pins(lines) if name == entry_name(login))


def read_pins(lines: Iterable[str]) -> Iterator[tuple[str, Pin]]:
    """Yield each name and its key; comments, markers, hashed names and torn lines are passed over."""
    for line in lines:
        words = line.split()
        if len(words) >= 3 and not words[0].startswith(("#", "@", "|")) and _whole(words[2]):
            yield from ((name, Pin(words[1], words[2])) for name in words[0].split(","))


def _whole(key: str) -> bool:
    try:
        return bool(base64.b64decode(key, validate=True))
    except binascii.Error:
        return False
