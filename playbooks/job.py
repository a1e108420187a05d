"""Jobs: something to do to one device, idempotent. A folder with job.yaml and one file a step.

apply        what brings the device to its target; asked in check mode, it says what it would change
verify       whether the device is at its target and works, asked on a new connection
rollback     back to what was before

What the files are called is the driver's affair: apply.yml for ansible, apply.py for pyinfra, ...
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from inventory.declared_values import Seconds, Shape, Text
from inventory.finding import Place, finding
from inventory.language import current
from inventory.validate import validate
from inventory.yamlfile import read
from playbooks.errors import InvalidJobError

MARK = "job.yaml"


class Step(StrEnum):
    """What a driver can be asked to do with a job."""

    CHECK = "check"
    APPLY = "apply"
    VERIFY = "verify"
    ROLLBACK = "rollback"


class VariableShape(Shape):
    """A variable of a job. `select` gives it the addresses of the devices that a selector chooses."""

    type: Literal["text", "integer", "number", "boolean", "list", "mapping", "addresses"] = "text"
    about: Text
    default: Any = None
    required: bool = False  # without a value the job cannot run
    select: Text = ""  # for addresses: the default


class RevertShape(Shape):
    """What the device puts back by itself unless we come back and confirm."""

    after: Seconds = 300.0  # from arming; must cover applying and verifying
    paths: list[Text] = Field(default_factory=list)  # files and folders, restored exactly as they were
    commands: list[Text] = Field(default_factory=list)  # run after restoring, in a shell, as root


class JobShape(Shape):
    """job.yaml."""

    about: dict[Literal["en", "vi"], Text] = Field(min_length=1)
    driver: Literal["ansible", "pyinfra", "netmiko", "sftp"]
    fits: Text  # a selector of devices
    risk: Literal["ordinary", "cut-off"] = "ordinary"  # cut-off: may take our own way to the device away
    revert: RevertShape = RevertShape()
    timeout: Seconds = 900.0  # of one step, for all devices of a batch
    takes: Seconds = 60.0  # a device, about: for estimates, until the ledger knows better
    bytes: int = Field(default=0, ge=0)  # that a device downloads, about: for estimates
    variables: dict[str, VariableShape] = Field(default_factory=dict)
    options: dict[str, Any] = Field(default_factory=dict)  # the driver's own


@dataclass(frozen=True, slots=True)
class Job:
    """One job: its declaration and its folder. `digest` (hex) covers every file of it, and what its driver shares."""

    name: str
    folder: Path
    shape: JobShape
    digest: str

    @property
    def about(self) -> str:
        """What it is for, in the chosen language."""
        texts: Mapping[Any, str] = self.shape.about
        return texts.get(current()) or texts.get("en") or next(iter(texts.values()))

    @property
    def risky(self) -> bool:
        """Whether it may cut us off, and so needs an armed revert."""
        return self.shape.risk == "cut-off"


def read_job(folder: Path) -> Job:
    """Return the job in `folder`. Raises InvalidJobError."""
    document, findings = read(folder / MARK, f"{folder.name}/{MARK}")
    if document is None:
        raise InvalidJobError(findings)
    shape, findings = validate(document, JobShape)
    if shape is None or findings:
        raise InvalidJobError(findings)
    if shape.risk == "cut-off" and not (shape.revert.paths or shape.revert.commands):
        raise InvalidJobError([finding(Place(f"{folder.name}/{MARK}"), "nothing-to-revert")])
    shared = Path(__file__).parent / SHARED[shape.driver]
    try:
        return Job(folder.name, folder, shape, _digest(folder, *([shared] if SHARED[shape.driver] else [])))
    except OSError as error:
        place = Place(f"{folder.name}/{Path(error.filename or MARK).name}")
        raise InvalidJobError([finding(place, "file-unreadable", reason=error.strerror)]) from error


# What the jobs of a driver have in common, in this room: it is part of each of them.
SHARED: Mapping[str, str] = {"ansible": "roles", "pyinfra": "edge", "netmiko": "gear", "sftp": ""}


def _digest(*folders: Path) -> str:
    """Hash names and contents of all files below `folders`, in the order of their names."""
    total = hashlib.sha256()
    for folder in folders:
        for path in sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
            name = path.relative_to(folder).as_posix()
            total.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()
