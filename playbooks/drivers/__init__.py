"""Drivers: how a job reaches its devices. One file each, one signature, one literal table."""

from collections.abc import Mapping
from importlib import import_module
from typing import Protocol, cast

from playbooks.batch import Batch

# Imported when first used: each pulls in a library that takes a third of a second and more.
DRIVERS: Mapping[str, str] = {
    "ansible": "playbooks.drivers.ansible",
    "pyinfra": "playbooks.drivers.pyinfra",
    "netmiko": "playbooks.drivers.netmiko",
    "sftp": "playbooks.drivers.sftp",
}


class Driver(Protocol):
    """A module that carries out one step of a job on some devices."""

    def perform(self, batch: Batch) -> None:
        """Do it, telling events; returns when every device has been told Done."""


def driver(name: str) -> Driver:
    """Return the driver called `name`, a key of DRIVERS."""
    return cast("Driver", import_module(DRIVERS[name]))
