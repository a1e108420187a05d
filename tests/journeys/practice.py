"""The example province with some of its machines real, as people work in it: for journeys of its communes."""

import contextlib
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from inventory.load import load
from inventory.model import Province
from lab.practice import Lab, enter_command
from tests.conftest import NO_NETWORK

SECONDS = 4 * 3600
SSH = ("-oBatchMode=yes", "-oStrictHostKeyChecking=yes", "-oConnectTimeout=20", "-oLogLevel=ERROR")


@dataclass
class Practice:
    """A province folder and its lab, once that is up, as people work in them."""

    folder: Path

    @cached_property
    def lab(self) -> Lab:
        return Lab.load(self.folder / ".tuyen" / "lab")

    @cached_property
    def declared(self) -> Province:
        return load(self.folder)

    def _lab(self, *words: str) -> list[str]:
        return [*NO_NETWORK, sys.executable, "-m", "cli", "--province", str(self.folder), "lab", *words]

    def command(self, *words: str) -> list[str]:
        """Return the command line of tuyen where the controller stands; it begins as `controller_of` looks for it."""
        words = (sys.executable, "-m", "cli", "--lang", "en", "--province", str(self.folder), *words)
        return enter_command(self.lab, words)

    def of_lab(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run `tuyen lab`, from outside."""
        return _run(self._lab(*words), 1200)

    def tuyen(self, *words: str, seconds: float = SECONDS) -> "subprocess.CompletedProcess[str]":
        return _run(self.command(*words), seconds)

    def start(self, *words: str) -> "subprocess.Popen[str]":
        streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen(self.command(*words), text=True, start_new_session=True, **streams)

    def shell(self, box: str, command: str) -> str:
        """Run a command as root on a box whose host key is pinned."""
        address = self.declared.devices[box].address
        known, key = f"-oUserKnownHostsFile={self.folder}/.tuyen/known_hosts", f"-i{self.folder}/.tuyen/id_ed25519"
        there = f"sudo -n sh -c {shlex.quote(command)}"
        done = _run(enter_command(self.lab, ["ssh", known, key, *SSH, f"tuyen@{address}", there]), 300)
        assert done.returncode == 0, done.stderr
        return done.stdout


def _run(command: list[str], seconds: float) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, check=False
    )


@contextlib.contextmanager
def practising(folder: Path, select: str, *words: str) -> Iterator[Practice]:
    """Bring the lab of the province in `folder` up for a block, and pin the keys of the machines that are real."""
    place = Practice(folder)
    done = place.of_lab("up", *words)
    try:
        assert done.returncode == 0, done.stderr
        trusted = place.tuyen("hosts", "trust", select, "--yes")
        assert trusted.returncode == 0, trusted.stderr
        yield place
    finally:
        place.of_lab("down")


def copied(kien_giang: Path, folder: Path) -> Path:
    """Return a copy of the example that tests may write into."""
    return Path(shutil.copytree(kien_giang, folder / "kien-giang"))
