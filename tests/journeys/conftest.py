"""A whole province in the lab with the real watch in it, which answers on this side's loopback."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from inventory.load import load
from inventory.model import Province
from inventory.secrets import open_secrets
from lab.practice import enter_command, up
from lab.running import Lab


@dataclass(frozen=True)
class Watched:
    """The lab, the province in it, and where its watch answers."""

    lab: Lab
    province: Province
    folder: Path
    base: str

    def get(self, path: str) -> str:
        """Return what the watch serves at `path`; for an error its text."""
        try:
            with urllib.request.urlopen(self.base + path, timeout=20) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            return error.read().decode()

    def samples(self) -> dict[str, float]:
        """Return the series of /metrics and their values."""
        lines = (line for line in self.get("/metrics").splitlines() if line and not line.startswith("#"))
        return {series: float(value) for series, _space, value in (line.rpartition(" ") for line in lines)}

    def states(self, kind: str) -> dict[str, str]:
        """Return the state of every office, device or service, as the metrics tell it."""
        found = {}
        for series, value in self.samples().items():
            if series.startswith(f"tuyen_{kind}_state{{") and value == 1:
                labels = dict(pair.split("=", 1) for pair in series.partition("{")[2][:-1].split(","))
                found[labels[kind].strip('"')] = labels["state"].strip('"')
        return found

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run tuyen in the lab."""
        command = [sys.executable, "-m", "cli", "--lang", "en", "--province", str(self.folder), *words]
        return subprocess.run(
            enter_command(self.lab, command), capture_output=True, text=True, timeout=120, check=False
        )


def wait_for(what: Callable[[], object], seconds: float, step: float = 0.5) -> float:
    """Return after how many seconds `what` became true; fail after `seconds`."""
    start = time.monotonic()
    while not what():
        waited = time.monotonic() - start
        assert waited < seconds, f"not within {seconds} s"
        time.sleep(step)
    return time.monotonic() - start


@contextlib.contextmanager
def started(lab: Lab, folder: Path) -> Iterator[str]:
    """Start the watch in the lab, listening on this side's loopback; yield its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        words = ["--province", str(folder), "watch", "--fd", str(listener.fileno())]
        command = enter_command(lab, [sys.executable, "-m", "cli", *words])
        with subprocess.Popen(command, pass_fds=[listener.fileno()], env=os.environ) as process:
            try:
                yield f"http://127.0.0.1:{listener.getsockname()[1]}"
            finally:
                process.terminate()
                process.wait(20)


@pytest.fixture(scope="module")
def watched(kien_giang: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """The whole example province, watched, after its first full round."""
    folder = Path(shutil.copytree(kien_giang, tmp_path_factory.mktemp("watched") / "kien-giang"))
    province = load(folder)
    lab = up(province, folder / ".tuyen" / "lab", secrets=open_secrets(folder), die_with_parent=True)
    try:
        with started(lab, folder) as base:
            found = Watched(lab, province, folder, base)
            wait_for(lambda: _round_done(found), 60)
            yield found
    finally:
        lab.down()


def _round_done(watched: Watched) -> bool:
    try:
        health = json.loads(watched.get("/healthz"))
    except (OSError, ValueError):
        return False
    return bool(health["answered"] == health["questions"])
