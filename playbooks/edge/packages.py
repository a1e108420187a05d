"""Packages from the province's own archive; no other archive is asked, it may be out of reach."""

import shlex
from collections.abc import Mapping, Sequence

from pyinfra.api.command import StringCommand
from pyinfra.api.facts import FactBase
from pyinfra.api.operation import OperationMeta, operation
from pyinfra.context import host

from playbooks.drivers.pyinfra_commands import Commands
from playbooks.edge.files import written

_KEY, _SOURCES = "/etc/apt/keyrings/province.asc", "/etc/apt/sources.list.d/province.sources"
_TEXT = """\
# The province's own archive.
Types: deb
URIs: {mirror}
Suites: {release} province security
Components: main
Signed-By: {key}
"""
_UPDATE = (
    "apt-get -qq -o APT::Update::Error-Mode=any -o APT::Get::List-Cleanup=false -o Acquire::Retries=3 "
    f"-o Acquire::http::Timeout=20 -o Dir::Etc::sourcelist={_SOURCES} -o Dir::Etc::sourceparts=/dev/null update"
)
_INSTALL = (
    "DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "
    "--no-install-recommends install"
)


class Release(FactBase[str]):
    """The code name of the system: "bookworm"."""

    def command(self) -> str:
        """Return what asks for it."""
        return '. /etc/os-release && echo "$VERSION_CODENAME"'

    @staticmethod
    def default() -> str:
        """Return what no answer means."""
        return ""


class Packages(FactBase[Mapping[str, str]]):
    """Of each package "installed", "offered", or "" where the archives that were read do not have it."""

    def command(self, packages: Sequence[str]) -> str:
        """Return what asks for it."""
        return (
            f"for name in {shlex.join(packages)}; do "
            'if [ "$(dpkg-query -W -f \'${db:Status-Status}\' "$name" 2>/dev/null)" = installed ]; '
            'then echo "$name installed"; '
            'elif apt-cache policy "$name" | grep -q "Candidate: [^(]"; then echo "$name offered"; fi; done'
        )

    def process(self, output: list[str]) -> Mapping[str, str]:
        """Return what was answered."""
        return dict(line.partition(" ")[::2] for line in output)

    @staticmethod
    def default() -> Mapping[str, str]:
        """Return what no answer means."""
        return {}


@operation()
def installed(packages: Sequence[str]) -> Commands:
    """Let `packages` be installed; the archive's lists are read when something is missing."""
    states = host.get_fact(Packages, packages=packages)
    if missing := [name for name in packages if states.get(name) != "installed"]:
        yield StringCommand(_UPDATE)
        yield StringCommand(_INSTALL, *missing)


@operation()
def installed_if_offered(package: str) -> Commands:
    """Let `package` be installed where the archive has it."""
    if host.get_fact(Packages, packages=[package]).get(package) == "offered":
        yield StringCommand(_INSTALL, package)


def archive(mirror: str, key: str) -> OperationMeta:
    """Add the operations that make the machine take packages from `mirror`, signed by `key` (armored)."""
    text = _TEXT.format(mirror=mirror, release=host.get_fact(Release), key=_KEY)
    written(name="Key of the province's archive", content=f"{key.strip()}\n", path=_KEY)
    return written(name="Packages from the province's archive", content=text, path=_SOURCES)
