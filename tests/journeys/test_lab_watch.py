"""`tuyen lab watch`: the watch asks inside the lab, and what it serves is seen on this side, where nobody answers."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

from tests.journeys.conftest import wait_for

COMMAND = [sys.executable, "-m", "cli", "--lang", "en", "--province"]


def _get(address: str) -> str:
    with urllib.request.urlopen(address, timeout=30) as answer:
        text: str = answer.read().decode()
        return text


def test_the_watch_of_a_lab_is_seen_from_outside(kien_giang: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(kien_giang, tmp_path / "province", ignore=shutil.ignore_patterns("lab")))
    tuyen = [*COMMAND, str(folder)]
    none = subprocess.run([*tuyen, "lab", "watch"], capture_output=True, text=True, timeout=60, check=False)
    assert (none.returncode, "no lab is up" in none.stderr) == (1, True), none.stderr
    subprocess.run([*tuyen, "lab", "up"], check=True, capture_output=True, timeout=120)
    printed = tmp_path / "printed"
    words = ["lab", "watch", "--listen", "127.0.0.1:0", "--page", "127.0.0.1:0"]
    try:
        with printed.open("w") as output:
            watching = subprocess.Popen([*tuyen, *words], stdout=output, start_new_session=True)
        try:
            wait_for(lambda: printed.read_text().count("http://") == 2, 60)
            page, metrics = re.findall(r"http://127\.0\.0\.1:\d+/\w*", printed.read_text())
            wait_for(lambda: "All 208 offices are up" in _get(f"{page}?lang=en"), 120)
            assert "tuyen_office_state{" in _get(metrics)
            os.killpg(watching.pid, signal.SIGINT)  # as a terminal does: to all of them
            assert watching.wait(60) in (0, 130)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(watching.pid, signal.SIGKILL)
            watching.wait()
    finally:
        subprocess.run([*tuyen, "lab", "down"], check=True, capture_output=True, timeout=60)
