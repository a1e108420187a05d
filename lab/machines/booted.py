"""A booted server: systemd with its services, timers and packages, as on the real one."""

from pathlib import Path

from lab.scene import Machine

PLATFORM = "linux"
IMAGE = "server"
PARTS: tuple[str, ...] = ()
PASSWORD = False


def furnish(_machine: Machine, _root: Path) -> None:
    """The image is complete."""


def command(_machine: Machine) -> list[str]:
    """Boot it."""
    return ["--boot"]
