"""A light server: sshd as process 1 of a system of its own. For files, facts and transfers; no services or timers."""

from pathlib import Path

from lab.scene import Machine

PLATFORM = "linux"
IMAGE = "server"
PARTS: tuple[str, ...] = ()
PASSWORD = False


def furnish(_machine: Machine, _root: Path) -> None:
    """The image is complete."""


def command(_machine: Machine) -> list[str]:
    """Start sshd, which buries orphans as process 1 must."""
    return ["--", "/bin/sh", "-c", "mkdir -p -m 755 /run/sshd && exec /usr/sbin/sshd -D -e"]
