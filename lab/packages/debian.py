"""Packages of the host's own Debian or Ubuntu that jobs install, with all they need beyond the machines' image.

They come from wherever the host's apt gets its packages, once; then they lie in the cache, by what was asked.
"""

import hashlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from lab.images import cache_folder
from lab.packages.command import run
from lab.sources import suite

PACKAGES = (
    "auditd",
    "chrony",
    "logrotate",
    "prometheus-node-exporter",
    "restic",
    "rsyslog",
    "snmpd",
    "unattended-upgrades",
)
INDEX = "Packages"
POOL = "pool/debian"  # where the index says that the packages lie
_SECONDS = 600.0


def cached(status: Path, packages: Sequence[str] = PACKAGES) -> Path:
    """Return the folder with `packages`, all that they need, and their index; fetched when it is not there yet.

    `status` is the file var/lib/dpkg/status of the image: what it says is installed is not fetched.
    Raises RepositoryError.
    """
    key = hashlib.sha256("\n".join((suite(), *sorted(packages), status.read_text())).encode())
    folder = cache_folder() / f"packages-{suite()}-{key.hexdigest()[:16]}"
    if not (folder / INDEX).exists():
        _fetch(status, packages, folder)
    return folder


def _fetch(status: Path, packages: Sequence[str], folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="packages-", dir=folder.parent) as made:
        pool = Path(made, POOL)
        (pool / "partial").mkdir(parents=True)
        _download(status, packages, pool)
        (pool / "partial").rmdir()
        (pool / INDEX).write_text(run("apt-ftparchive", "packages", POOL, folder=Path(made)))
        pool.chmod(0o755)
        try:
            pool.rename(folder)
        except OSError:
            if not (folder / INDEX).exists():  # or else somebody else was faster
                raise


def _download(status: Path, packages: Sequence[str], pool: Path) -> None:
    settings = {
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "root",  # the user that apt would become may not write here
        "Debug::NoLocking": "true",
        "Dir::Cache::archives": f"{pool.resolve()}/",
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
        "Dir::State::extended_states": os.devnull,
        "Dir::State::status": str(status.resolve()),
    }
    options = [word for name, value in settings.items() for word in ("--option", f"{name}={value}")]
    run("apt-get", *options, "--yes", "--download-only", "install", *packages, seconds=_SECONDS)
