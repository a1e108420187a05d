"""System programs that the package repository is made with.

LabError
└── RepositoryError      a program failed, or took too long; the message is what it said
"""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from inventory.language import _
from lab.errors import LabError, MachineError
from lab.machine import environment

PROGRAMS: Mapping[str, str] = {
    "apt-get": "apt",
    "apt-ftparchive": "apt-utils",
    "dpkg-deb": "dpkg",
    "nginx": "nginx-light",
    "sqop": "sqop",
}
_SECONDS = 60.0
_SETTINGS = {"LC_ALL": "C.UTF-8", "SOURCE_DATE_EPOCH": "1577836800"}  # packages come out the same, byte by byte


class RepositoryError(LabError):
    """The package repository cannot be made or served."""


def check_programs() -> None:
    """Raise MachineError when a program is missing, with the command that provides all that are."""
    path = environment()["PATH"]
    lacking = {program: package for program, package in PROGRAMS.items() if not shutil.which(program, path=path)}
    if lacking:
        raise MachineError(
            _("the lab's package repository needs {programs}; as root: apt-get install {packages}").format(
                programs=", ".join(lacking), packages=" ".join(sorted(set(lacking.values())))
            )
        )


def run(*command: str, folder: Path | None = None, given: str = "", seconds: float = _SECONDS) -> str:
    """Run `command` in `folder` with `given` on its standard input; return what it wrote. Raises RepositoryError."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            input=given,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            env={**environment(), **_SETTINGS},
            umask=0o022,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RepositoryError(str(error)) from error
    if done.returncode:
        reason = done.stderr.strip() or f"exit code {done.returncode}"
        raise RepositoryError(_("{program} failed: {reason}").format(program=command[0], reason=reason))
    return done.stdout
