"""One lab of the small province for all tests that change nothing, or put back what they change."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.practice import Lab, enter_command, up
from tests.lab.small import SECRETS, small_province

Ask = Callable[..., Any]
Silent = Callable[[], set[str]]


def asker(lab: Lab) -> Ask:
    """Return a function that puts one of the questions of `tests.lab.probing` from inside `lab`."""

    def ask(do: str, **asked: object) -> Any:
        question = json.dumps({"do": do, **asked})
        command = enter_command(lab, [sys.executable, "-m", "tests.lab.probing", question])
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return ask


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    # The folder's path is longer than a socket's may be.
    folder: Path = tmp_path_factory.mktemp("lab") / ("long" * 30)
    lab = up(small_province(), folder, secrets=SECRETS, die_with_parent=True)
    yield lab
    lab.down()


@pytest.fixture
def small_lab(running: Lab) -> Iterator[Lab]:
    yield running
    running.restore()


@pytest.fixture
def ask(small_lab: Lab) -> Ask:
    return asker(small_lab)


@pytest.fixture
def silent(ask: Ask) -> Silent:
    """Return a function that pings every device and tells which do not answer."""
    addresses = {device.address: device.id for device in small_province().devices.values()}

    def pinged() -> set[str]:
        answers = ask("ping", addresses=list(addresses))
        return {addresses[address] for address, seconds in answers.items() if seconds == [None]}

    return pinged
