"""What all tests share: the tuyen command as users start it, a province of their own made by it, and a browser."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

Tuyen = Callable[..., "subprocess.CompletedProcess[str]"]
SECONDS = 120
# Modules that take minutes go first, by what their paths begin with, so that no worker ends long after the others.
# Those that watch a province mostly wait, and want a machine that is not busy: they come before what mostly works.
FIRST = (
    "journeys/test_outages",
    "journeys/test_alerts",
    "journeys/test_watch",
    "exporters/test_kit",
    "journeys/test_page",
    "playbooks/test_job_",
    "journeys/",
    "playbooks/test_driver_",
    "playbooks/test_gear",
    "playbooks/test_revert",
    "lab/test_machines",
    "playbooks/",
)
QUIET = (  # a browser that asks nothing of the network by itself
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
)
NO_NETWORK = ("unshare", "--net", *(() if os.geteuid() == 0 else ("--user", "--map-root-user")), "--")


def pytest_configure(config: pytest.Config) -> None:
    """Let pytest-xdist hand modules out in our order, not those with most tests first; and let Ctrl-C be heeded.

    Whoever starts us in the background may have made us ignore it, and all that we start would ignore it, too.
    """
    config.option.loadscopereorder = False
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the modules that take longest first, and leave the others as they are."""
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    path = item.path.relative_to(Path(__file__).parent).as_posix()
    return next((turn for turn, beginning in enumerate(FIRST) if path.startswith(beginning)), len(FIRST))


def run_tuyen(*words: str, cwd: Path | None = None, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run tuyen in a process of its own, in English unless told otherwise, and return what it printed.

    It runs where there is no network at all: a command that should refuse to ask, and does not, harms nobody.
    """
    plain = {key: value for key, value in os.environ.items() if not key.startswith(("TUYEN_", "LC_", "LANG"))}
    return subprocess.run(
        [*NO_NETWORK, sys.executable, "-m", "cli", *words],
        cwd=cwd,
        env={**plain, "PYTHONUTF8": "1", **environment},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.fixture(scope="session")
def tuyen() -> Tuyen:
    return run_tuyen


@pytest.fixture(scope="session")
def kien_giang(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A province folder as `tuyen init` makes it; tests only read it."""
    folder = tmp_path_factory.mktemp("province") / "kien-giang"
    done = run_tuyen("init", str(folder))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET.split())
        yield browser
        browser.close()
