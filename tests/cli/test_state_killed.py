"""`tuyen state` killed with -9: at every step that it takes, and at some moments of the clock."""

import json
import random
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.cli.saving import backup, note, province_with_state, restore, told
from tests.conftest import Tuyen

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def province(tmp_path: Path) -> Path:
    return province_with_state(tmp_path)


def _killed(what: str, province: Path, *words: str) -> "list[dict[str, Any]]":
    """Return how things were after a kill at each step, and after a second go; see tests.cli.killing."""
    (province / ".tuyen/pipe").unlink()
    command = [sys.executable, "-m", "tests.cli.killing", what, str(province), *words]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_restore_killed_at_any_step_leaves_the_old_state_or_the_new(tuyen: Tuyen, province: Path) -> None:
    saved = backup(tuyen, province)
    new, old = (province / ".tuyen/known_hosts").read_text(), "10.91.0.1 ssh-ed25519 CCCC\n"
    note(province, "old")
    (province / ".tuyen/known_hosts").write_text(old)
    tried = _killed("restore", province, str(saved))
    assert len(tried) > 60
    fates = []
    for one in tried:
        after, again = one["after"], one["again"]
        is_new = after["actions"] == ["test", "state.restore"]
        assert is_new or after["actions"] == ["test", "state.backup", "test"]
        assert after["pins"] == (new if is_new else old)
        assert after["holds"]
        assert again["holds"]
        assert not again["room"]
        assert old in (again["pins"], *again["former"])  # never deleted
        fates.append(is_new)
    assert tried[-1]["again"]["pins"] == new
    assert fates == sorted(fates)  # one moment divides the old from the new
    assert len(set(fates)) == 2


def test_a_backup_killed_at_any_step_leaves_a_whole_file_or_none(tuyen: Tuyen, province: Path) -> None:
    tried = _killed("save", province)
    assert len(tried) > 8
    for one in tried:
        assert all(count == 4 for count in one["after"]["files"])
        assert one["after"]["actions"] in (["test"], ["test", "state.backup"])
        second_go = len(one["again"]["actions"]) > len(one["after"]["actions"])
        assert not second_go or (one["again"]["files"][-1], one["again"]["odd"]) == (4, [])
    assert [len(one["after"]["files"]) for one in tried] == sorted(len(one["after"]["files"]) for one in tried)


def test_a_restore_killed_by_the_clock_is_finished_by_the_next(tuyen: Tuyen, province: Path) -> None:
    (province / ".tuyen/large").write_bytes(random.Random(1).randbytes(2 << 20))
    saved = backup(tuyen, province)
    note(province, "old")
    words = [sys.executable, "-m", "cli", "--province", str(province), "state", "restore", str(saved), "--yes"]
    for seconds in (0.8, 1.2, 1.6):
        with subprocess.Popen(words, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            with suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
            process.kill()
        assert told(province)[-1] in ("test", "state.restore")
    assert "the state is back" in restore(tuyen, province, saved)
    assert told(province) == ["test", "state.restore"]
    assert not (province / ".tuyen.restoring").exists()
