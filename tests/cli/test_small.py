"""The small province as a newcomer meets it: made, brought up as it is, cut, and taken down again."""

import json
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.lab import _say_where
from inventory.load import load
from inventory.template import EXAMPLE, SMALL
from tests.conftest import Tuyen


@pytest.fixture
def small(tuyen: Tuyen, tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    assert tuyen("init", str(folder), "--small").returncode == 0
    up = tuyen("lab", "up", cwd=folder)
    assert up.returncode == 0, up.stderr
    try:
        yield folder
    finally:
        tuyen("lab", "down", cwd=folder)


def _become(tuyen: Tuyen, folder: Path, states: dict[str, str]) -> bool:
    """Whether these offices are found not to be up, and no others; asked again while a busy machine lets one wait."""
    return any(_states(tuyen, folder) == states for _time in range(5))


def _states(tuyen: Tuyen, folder: Path) -> dict[str, str]:
    """Ask everything in the lab; return the states that are not up, by office."""
    done = tuyen("lab", "run", "--", sys.executable, "-m", "cli", "check", "--format", "json", cwd=folder)
    items = json.loads(done.stdout)["items"]
    return {item["office"]: item["state"] for item in items if item["is"] == "office" and item["state"] != "up"}


def test_three_offices_answer_in_the_lab_without_snmp_and_secrets(tuyen: Tuyen, small: Path) -> None:
    assert _become(tuyen, small, {})
    for part, silent in (("xa-mau.uplink", {}), ("xa-mau.backup", {"xa-mau": "down"})):
        assert tuyen("lab", "cut", part, cwd=small).returncode == 0
        assert _become(tuyen, small, silent)
    assert tuyen("lab", "restore", cwd=small).returncode == 0
    tuyen("lab", "cut", "huyen-mau", cwd=small)
    assert _become(tuyen, small, {"huyen-mau": "down", "xa-mau": "unreachable"})
    down = tuyen("lab", "down", cwd=small)
    assert (down.returncode, down.stderr) == (0, "")


@pytest.mark.parametrize(("example", "hub"), [("small", "huyen-mau"), ("kien-giang", "an-bien")])
def test_the_demo_hints_at_an_office_with_others_behind_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], example: str, hub: str
) -> None:
    folder = EXAMPLE
    if example == "small":
        folder = Path(shutil.copytree(SMALL, tmp_path / example))
        shutil.copytree(EXAMPLE / "device-types", folder / "device-types")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        _say_where(load(folder), folder, listener)
    said = capsys.readouterr().out
    assert f"tuyen lab cut {hub}\n" in said
    assert f"tuyen check under={hub}\n" in said
