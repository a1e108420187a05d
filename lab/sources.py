"""Where the packages of an image come from: what this machine's own apt is set up to use, of its own distribution."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from inventory.language import _
from lab.errors import MachineError

_FIELDS = ("$(REPO_URI)", "$(RELEASE)", "$(COMPONENT)", "$(CODENAME)")
_RELEASE = Path("/etc/os-release")
_SETTINGS = ("Acquire::http", "Acquire::https", "Acquire::Retries")  # proxies, mostly


def host_release() -> Mapping[str, str]:
    """Return the fields of os-release, for example {"ID": "debian", "VERSION_CODENAME": "bookworm", ...}."""
    lines = (line.partition("=") for line in _RELEASE.read_text().splitlines() if "=" in line)
    return {key: value.strip("\"'") for key, _equals, value in lines}


def suite() -> str:
    """Return the code name of the distribution's release, for example "bookworm"."""
    return host_release().get("VERSION_CODENAME", "")


def architecture() -> str:
    """Return the machine's own architecture as dpkg calls it, for example "amd64"."""
    return _told(["dpkg", "--print-architecture"])


def sources() -> list[str]:
    """Return lines of sources.list: the distribution's archives of this release. Raises MachineError without any."""
    listed = _told(["apt-get", "indextargets", "--format", "|".join(_FIELDS), "Created-By: Packages"])
    release = suite()
    found: dict[str, None] = {}  # in the order of the files
    for line in listed.splitlines():
        uri, name, component, code_name = line.split("|")
        if code_name == release or code_name.startswith(f"{release}-"):
            found[f"deb {uri} {name} {component}"] = None
    if not found:
        raise MachineError(
            _(
                "apt knows no archive of {release}; as root: apt-get update, after a look at /etc/apt/sources.list"
            ).format(release=release or "/etc/os-release")
        )
    return list(found)


def settings() -> list[str]:
    """Return how apt reaches those archives, as lines of apt.conf."""
    lines = _told(["apt-config", "dump", *_SETTINGS]).splitlines()
    return [line for line in lines if not line.endswith('"";')]


def _told(command: list[str]) -> str:
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)
    if done.returncode:
        raise MachineError(
            _("the lab cannot ask {program}: {reason}").format(program=command[0], reason=done.stderr.strip())
        )
    return done.stdout.strip()
