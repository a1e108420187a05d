"""Devices that are real machines: which kinds there are, and what a kind must be able to tell.

A kind is one module with five names and two functions (`Kind`), and one row here.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from lab.machines import booted, light, router, switch
from lab.scene import Machine


class Kind(Protocol):
    """What a kind of machine is made of: a module of this room."""

    PLATFORM: str  # of the declared devices that it can play
    IMAGE: str  # a row of lab.images.IMAGES
    PARTS: tuple[str, ...]  # packages of this Python's that it copies in
    PASSWORD: bool  # whether it lets in by the password of the access rules, not by key

    def furnish(self, machine: Machine, root: Path) -> None:
        """Write what this kind needs into `root`, the machine's own system, before its first start."""

    def command(self, machine: Machine) -> list[str]:
        """Return what systemd-nspawn is to do there: --boot, or the program that is process 1."""


ROUTER = "router"  # the kind that has lines to others of its kind
KINDS: Mapping[str, Kind] = {"booted": booted, "light": light, ROUTER: router, "switch": switch}
# Platform -> the kind that plays it when none is named.
USUAL: Mapping[str, str] = {"linux": "booted", "frr": ROUTER, "cisco_ios": "switch"}
