"""A lab of real machines in which tuyen is run as people run it, with the jobs of tests/journeys/jobs."""

import contextlib
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from inventory.secrets import PASSWORD_FILE, encrypt
from lab.practice import enter_command
from tests.playbooks.field import Field, field_of

JOBS = Path(__file__).parent / "jobs"


@dataclass(frozen=True)
class Provisioned:
    """A field, and tuyen in it."""

    field: Field

    def command(self, *words: str) -> list[str]:
        """Return the command line that runs tuyen where the controller stands."""
        tuyen = [sys.executable, "-m", "cli", "--lang", "en", "--province", str(self.field.folder), *words]
        return enter_command(self.field.lab, tuyen)

    def tuyen(self, *words: str, seconds: float = 120) -> "subprocess.CompletedProcess[str]":
        """Run tuyen and return what it printed."""
        command = self.command(*words)
        return subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """Start tuyen and leave it at work, in a process group of its own."""
        command = self.command(*words)
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen(command, text=True, start_new_session=True, **streams)  # type: ignore[call-overload,no-any-return]

    def write(self, name: str, text: str) -> None:
        """Add lines to a file of the province."""
        with (self.field.folder / name).open("a") as file:
            file.write(text)

    def logs(self) -> str:
        """Return everything that runs have kept."""
        files = (path for path in (self.field.folder / ".tuyen" / "runs").rglob("*") if path.is_file())
        return "\n".join(path.read_text(errors="replace") for path in files)


@contextlib.contextmanager
def provisioned(folder: Path, booted: str, light: str = "", **values: str) -> Iterator[Provisioned]:
    """Bring a lab up whose province holds the tests' jobs, and a vault with `values`."""
    with field_of(folder, booted, light) as field:
        shutil.copytree(JOBS, field.folder / "jobs")
        password = field.folder / PASSWORD_FILE
        password.write_text(secrets.token_urlsafe(16))
        encrypt(field.folder, values or {"unused": "unused"})
        yield Provisioned(field)


def wait_until(what: Callable[[], object], seconds: float, step: float = 0.3) -> None:
    """Return when `what` has become true; fail after `seconds`."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(step)


def controller_of(folder: Path) -> int:
    """Return the process of the tuyen that acts on the province in `folder`: python itself, not its way in."""
    wanted = [b"-m", b"cli", b"--lang", b"en", b"--province", str(folder).encode()]
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = entry.read_bytes().split(b"\0")
            if words[1:7] == wanted:
                return int(entry.parent.name)
    raise AssertionError("no controller is at work")
