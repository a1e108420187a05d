"""Drivers: how a job reaches its devices. One file each, one signature, one literal table."""

from collections.abc import Mapping
from importlib import import_module
from typing import NamedTuple, Protocol, cast

from playbooks.batch import Batch
from playbooks.job import Job, Step


class Kind(NamedTuple):
    """A driver's module, and how the file of a step is called in a job's folder; "" when the driver knows itself."""

    module: str
    file: str


# Imported when first used: each pulls in a library that takes a third of a second and more.
DRIVERS: Mapping[str, Kind] = {
    "ansible": Kind("playbooks.drivers.ansible", "{step}.yml"),
    "pyinfra": Kind("playbooks.drivers.pyinfra", "{step}.py"),
    "netmiko": Kind("playbooks.drivers.netmiko", ""),
    "sftp": Kind("playbooks.drivers.sftp", ""),
}


class Driver(Protocol):
    """A module that carries out one step of a job on some devices."""

    def perform(self, batch: Batch) -> None:
        """Do it, telling events; returns when every device has been told Done."""


def driver(name: str) -> Driver:
    """Return the driver called `name`, a key of DRIVERS."""
    return cast("Driver", import_module(DRIVERS[name].module))


def can(job: Job, step: Step) -> bool:
    """Whether a job has that step. Checking is applying in check mode."""
    pattern = DRIVERS[job.shape.driver].file
    step = Step.APPLY if step is Step.CHECK else step
    return not pattern or (job.folder / pattern.format(step=step)).is_file()
