"""The lab's package repository: three suites, signed, served by nginx, with versions that come when they are offered.

build_repository(folder, Path("image/var/lib/dpkg/status"))
server = start_repository(folder, "10.91.0.9", 80)
offer(folder, "one-stop-agent", "2.0")

| suite                             | holds                                                    |
|-----------------------------------|----------------------------------------------------------|
| province                          | one-stop-agent; lab-library 1.0                          |
| security                          | lab-library 1.1, once it is offered                      |
| the host's code name, as bookworm | what jobs install, from the host's own Debian or Ubuntu  |

Below the folder, `public/` is what is served; the private key and what is offered lie beside it.
"""

import json
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from inventory.language import _
from inventory.nearest import nearest
from lab.machine import environment
from lab.packages import PACKAGES, Package, build_package, debian, versions
from lab.packages.command import RepositoryError, check_programs, run
from lab.packages.suite import Suite, stanzas
from lab.signing import SigningKey
from lab.sources import suite

CERTIFICATE = "province.asc"  # the public key, as it is served
PUBLIC, LOG = "public", "requests.log"
_KEY, _OFFERS, _INDEX, _POOL = "signing.key", "offers.json", "index.json", "pool/lab"
_PATIENCE = 10.0  # seconds for the server to listen
_SERVER = """\
daemon off;
master_process off;
pid server.pid;
error_log server.log;
events {{}}
http {{
    access_log {log};
    client_body_temp_path temporary;
    proxy_temp_path temporary;
    fastcgi_temp_path temporary;
    uwsgi_temp_path temporary;
    scgi_temp_path temporary;
    default_type application/octet-stream;
    sendfile on;
    server {{
        listen {address}:{port};
        root {public};
    }}
}}
"""


def build_repository(folder: Path, status: Path, offers: Mapping[str, str] | None = None) -> None:
    """Make the repository in `folder`, which is made too, for machines whose dpkg status is the file `status`.

    `offers` are the newest versions to offer, by package; the first one of each otherwise. Debian's packages are
    fetched by the host's apt when the cache does not hold them: do it outside of the lab, which has no way out.
    Raises MachineError, RepositoryError.
    """
    check_programs()
    pool = folder / PUBLIC / _POOL
    pool.mkdir(mode=0o755, parents=True, exist_ok=True)
    for package in PACKAGES:
        build_package(package, pool)
    index = run("apt-ftparchive", "packages", _POOL, folder=folder / PUBLIC)
    (folder / _INDEX).write_text(json.dumps(stanzas(index)))
    key = SigningKey(folder / _KEY)
    (folder / PUBLIC / CERTIFICATE).write_text(key.export())
    _include(folder, debian.cached(status), key)
    first = {package.name: versions(package.name)[0] for package in PACKAGES}
    _publish(folder, {**first, **(offers or {})}, key)


def offer(folder: Path, name: str, version: str) -> None:
    """Offer the versions of the package `name` up to `version`, and no newer one. Raises RepositoryError."""
    if version not in versions(name):
        raise RepositoryError(_unknown(name, version))
    _publish(folder, {**offered(folder), name: version}, SigningKey(folder / _KEY))


def offered(folder: Path) -> Mapping[str, str]:
    """Return the newest version that is offered, by package."""
    read: dict[str, str] = json.loads((folder / _OFFERS).read_text())
    return read


def start_repository(
    folder: Path, address: str, port: int, enter: Callable[[], None] | None = None
) -> "subprocess.Popen[bytes]":
    """Serve the repository in `folder`, and return the one process that does, once it listens.

    `enter` moves the new process to where it shall listen, a network namespace for example.
    Raises RepositoryError with what the server said.
    """
    settings = _SERVER.format(address=address, port=port, public=PUBLIC, log=LOG)
    (folder / "server.conf").write_text(settings)
    (folder / "server.pid").unlink(missing_ok=True)
    said = (folder / "server.log").open("wb")
    with said:
        server = subprocess.Popen(
            ["nginx", "-p", str(folder.resolve()), "-c", "server.conf", "-e", "server.log"],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            env=environment(),
            preexec_fn=enter,
        )
    _await(server, folder)
    return server


def _await(server: "subprocess.Popen[bytes]", folder: Path) -> None:
    """Wait until `server` has written its process id: by then it listens."""
    end = time.monotonic() + _PATIENCE
    while not _written(folder / "server.pid"):
        if server.poll() is not None or time.monotonic() > end:
            server.kill()
            server.wait()
            reason = (folder / "server.log").read_text(errors="replace").strip()
            raise RepositoryError(_("the package repository is not served: {reason}").format(reason=reason))
        time.sleep(0.01)


def _written(file: Path) -> bool:
    return file.is_file() and file.stat().st_size > 0


def _include(folder: Path, cache: Path, key: SigningKey) -> None:
    """Serve the packages of the folder `cache` in the suite of the host's code name."""
    place = folder / PUBLIC / debian.POOL
    place.unlink(missing_ok=True)
    place.symlink_to(cache.resolve())
    Suite(folder, suite()).publish((cache / debian.INDEX).read_text(), key)


def _publish(folder: Path, offers: Mapping[str, str], key: SigningKey) -> None:
    known: dict[str, str] = json.loads((folder / _INDEX).read_text())
    for name in dict.fromkeys(package.suite for package in PACKAGES):
        shown = [package for package in PACKAGES if package.suite == name and _is_offered(package, offers)]
        Suite(folder, name).publish("".join(known[package.file] for package in shown), key)
    written = folder / f"{_OFFERS}.new"
    written.write_text(json.dumps(offers))
    written.replace(folder / _OFFERS)


def _is_offered(package: Package, offers: Mapping[str, str]) -> bool:
    all_versions = versions(package.name)
    return all_versions.index(package.version) <= all_versions.index(offers[package.name])


def _unknown(name: str, version: str) -> str:
    near = nearest(version, versions(name)) if versions(name) else nearest(name, [package.name for package in PACKAGES])
    text = _("the lab makes no {name} {version}; write {near}")
    return text.format(name=name, version=version, near=near)
