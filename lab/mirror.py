"""The package repository of a lab with real machines: made before the lab starts, served where the controller stands.

It has to be made outside: the host's apt fetches what is not in the cache yet, and a lab has no way out.
"""

import subprocess
from pathlib import Path

from inventory.language import _
from lab.errors import NotRealError
from lab.files import REPOSITORY
from lab.images import provide, read_file
from lab.namespaces import NetworkNamespace
from lab.packages.command import check_programs
from lab.repository import CERTIFICATE, PUBLIC, build_repository, offer, start_repository
from lab.wires import CONTROLLER

URL = f"http://{CONTROLLER}"
_PORT = 80
_STATUS = "var/lib/dpkg/status"


def make_mirror(folder: Path) -> Path:
    """Make the repository of the lab in `folder`; what server machines have is not in it. Raises LabError."""
    check_programs()
    made = folder / REPOSITORY
    made.mkdir(mode=0o755)
    status = made / "status"
    status.write_bytes(read_file(provide("server"), _STATUS))
    build_repository(made, status)
    return made


def serve_mirror(repository: Path, controller: NetworkNamespace) -> "subprocess.Popen[bytes]":
    """Serve the repository to the machines. Raises RepositoryError."""
    return start_repository(repository, CONTROLLER, _PORT, controller.enter)


def certificate(folder: Path) -> Path:
    """Return the file with the public key that the repository of the lab in `folder` is signed by."""
    return folder / REPOSITORY / PUBLIC / CERTIFICATE


def offer_package(folder: Path, name: str, version: str) -> None:
    """Let the lab in `folder` offer the package up to this version. Raises RepositoryError, NotRealError."""
    if not certificate(folder).exists():
        raise NotRealError(_("this lab serves no packages; bring it up with: tuyen lab up --packages"))
    offer(folder / REPOSITORY, name, version)
