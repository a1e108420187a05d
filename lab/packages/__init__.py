"""The packages that the lab makes itself: their versions, in which suite each is offered, and what is in them.

one-stop-agent 3.0 is broken on purpose: its service fails at start, so its installation fails half-way and dpkg
calls it half-configured. lab-library 1.1 asks for a reboot, as a new C library does.
"""

import random
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lab.packages.command import run

PROVINCE, SECURITY = "province", "security"  # suites
SOURCES = Path(__file__).parent
_PAYLOAD = 400_000  # bytes of the agent that do not compress: what an upgrade costs a weak link
_MISSING = "import one_stop_protocol  # which this version forgot to bring\n"


@dataclass(frozen=True, slots=True)
class Package:
    """One version of a package of ours. `files` are the paths on the machine, by the name in its sources."""

    name: str
    version: str
    suite: str
    description: str
    depends: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    scripts: tuple[str, ...] = ()
    configuration: tuple[str, ...] = ()  # paths that dpkg leaves as the administrator wrote them
    payload: str = ""  # path of a file of random bytes
    broken: bool = False

    @property
    def file(self) -> str:
        """The name of its .deb file."""
        return f"{self.name}_{self.version}_all.deb"


_AGENT = {
    "agent.py": "/usr/lib/one-stop-agent/agent.py",
    "one-stop-agent.service": "/usr/lib/systemd/system/one-stop-agent.service",
    "agent.conf": "/etc/one-stop-agent/agent.conf",
}


def _agent(version: str, *, broken: bool = False) -> Package:
    return Package(
        "one-stop-agent",
        version,
        PROVINCE,
        "counter of a one-stop office: health endpoint and queue",
        "python3-minimal, systemd",
        _AGENT,
        ("postinst", "prerm"),
        (_AGENT["agent.conf"],),
        "/usr/share/one-stop-agent/forms.bin",
        broken,
    )


PACKAGES = (  # of each name, oldest first
    _agent("1.0"),
    _agent("2.0"),
    _agent("3.0", broken=True),
    Package("lab-library", "1.0", PROVINCE, "library that nothing uses"),
    Package("lab-library", "1.1", SECURITY, "library that nothing uses", scripts=("postinst",)),
)


def versions(name: str) -> tuple[str, ...]:
    """Return the versions of the package `name`, oldest first; empty for a name that is not ours."""
    return tuple(package.version for package in PACKAGES if package.name == name)


def build_package(package: Package, folder: Path) -> Path:
    """Return the .deb of `package`, made in `folder`; each time the same bytes. Raises RepositoryError."""
    tree = folder / f"{package.name}-{package.version}"
    _write(tree / "DEBIAN/control", _control(package))
    for script in package.scripts:
        _write(tree / "DEBIAN" / script, _source(package, script), 0o755)
    if package.configuration:
        _write(tree / "DEBIAN/conffiles", "".join(f"{path}\n" for path in package.configuration))
    for name, path in package.files.items():
        _write(tree / path[1:], _source(package, name), 0o755 if name.endswith(".py") else 0o644)
    if package.payload:
        _write(tree / package.payload[1:], random.Random(package.version).randbytes(_PAYLOAD))  # noqa: S311  (filler)
    built = folder / package.file
    run("dpkg-deb", "--root-owner-group", "--build", str(tree), str(built))
    shutil.rmtree(tree)
    return built


def _source(package: Package, name: str) -> str:
    text = (SOURCES / package.name / name).read_text().replace("@VERSION@", package.version)
    broken = package.broken and name == "agent.py"
    return text.replace("import configparser\n", f"import configparser\n{_MISSING}", 1) if broken else text


def _control(package: Package) -> str:
    fields = {
        "Package": package.name,
        "Version": package.version,
        "Architecture": "all",
        "Maintainer": "The practice province <lab@lab.example>",
        "Depends": package.depends,
        "Description": package.description,
    }
    return "".join(f"{name}: {value}\n" for name, value in fields.items() if value)


def _write(file: Path, content: str | bytes, mode: int = 0o644) -> None:
    file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    file.chmod(mode)
