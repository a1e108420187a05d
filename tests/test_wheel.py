"""What ships: the wheel, in a fresh environment, away from the sources."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def _run(*words: str | Path, cwd: Path) -> "subprocess.CompletedProcess[str]":
    plain = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "TUYEN_", "LC_", "LANG"))}
    done = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env={**plain, "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that holds the locked packages and the wheel, nothing of this folder."""
    folder = tmp_path_factory.mktemp("wheel")
    uv = shutil.which("uv") or ROOT / ".uv" / "bin" / "uv"
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    wheel = next(folder.glob("*.whl"))
    fresh = folder / "environment"
    _run(uv, "venv", "--quiet", "--python", sys.executable, fresh, cwd=folder)
    python = fresh / "bin" / "python"
    lock = ROOT / "requirements.txt"
    _run(uv, "pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r", lock, "--python", python, cwd=folder)
    _run(uv, "pip", "install", "--quiet", "--no-deps", "--python", python, wheel, cwd=folder)
    return fresh / "bin"


def test_the_wheel_makes_checks_and_exports_a_province(installed: Path, tmp_path: Path) -> None:
    made = _run(installed / "tuyen", "init", "mine", cwd=tmp_path)
    assert "161 units" in made.stdout
    assert "nothing to complain of" in _run(installed / "tuyen", "inventory", "check", cwd=tmp_path / "mine").stdout
    assert "không" in _run(installed / "tuyen", "--lang", "vi", "inventory", "check", cwd=tmp_path / "mine").stdout


def test_stock_ansible_reads_the_province_through_the_installed_plugin(installed: Path, tmp_path: Path) -> None:
    _run(installed / "tuyen", "init", "mine", cwd=tmp_path)
    source = tmp_path / "mine" / "province.tuyen.yml"
    source.write_text("plugin: tuyen.core.tuyen\nprovince: .\nselector: under=an-bien\n")
    listed = json.loads(_run(installed / "ansible-inventory", "-i", source, "--list", cwd=tmp_path / "mine").stdout)
    assert listed["_meta"]["hostvars"]["box.dong-yen"]["ansible_host"].startswith("10.91.")


def test_the_wheel_brings_only_its_rooms(installed: Path) -> None:
    wheel = next(installed.parents[1].glob("*.whl"))
    names = _run(sys.executable, "-m", "zipfile", "-l", wheel, cwd=wheel.parent).stdout
    for unwanted in ("tests/", "benchmarks/", ".tuyen/", "secrets.yaml", "__pycache__"):
        assert unwanted not in names, unwanted
    shipped = ("inventory/kien-giang/units.yaml", "inventory/small/offices/huyen-mau.yaml")
    for wanted in (*shipped, "inventory/locale/vi/LC_MESSAGES/tuyen.mo", "COPYING"):
        assert wanted in names, wanted
