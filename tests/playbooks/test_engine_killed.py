"""A controller that is killed at each of its writes to the ledger: the next finds out, and nothing is done twice."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.audit import verify
from ledger.connection import FILE, open_ledger
from ledger.history import history, tasks
from ledger.states import State
from tests.playbooks.filing import BOXES, applied, make_province, run, use

WRITES = 6  # of a run: begun, intended, applying, verifying, changed, ended
MOMENTS = [(when, number) for number in range(1, WRITES + 1) for when in ("before", "after")]
LOST, FOUND = (State.INTERRUPTED, "the controller went away in the middle"), "found at its target by a later run"
pytestmark = pytest.mark.usefixtures("filing")


def first_run(folder: Path) -> list[tuple[State, str]]:
    with open_ledger(folder / FILE) as ledger:
        assert list(verify(ledger)) == []
        runs = history(ledger)
        assert all(one.ended_at for one in runs)
        return sorted({(task.state, task.reason) for task in tasks(ledger, runs[-1].id)}) if runs else []


def expected(when: str, number: int) -> list[tuple[State, str]]:
    """Return what the killed run's devices have become, when the next one has asked them."""
    done = number - (when == "before")  # writes that were on disk
    if done < 2:
        return []
    if (when, number) in (("after", 2), ("before", 3), ("after", 3)):
        return [LOST]  # nothing was changed
    return [(State.CHANGED, FOUND if done < 5 else "")]


@pytest.mark.parametrize(("when", "number"), MOMENTS)
def test_killed_and_resumed(tmp_path: Path, when: str, number: int) -> None:
    folder = make_province(tmp_path)
    open_ledger(folder / FILE).close()
    command = [sys.executable, "-m", "tests.playbooks.filing", str(folder), when, str(number)]
    done = subprocess.run(command, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    for _turn in range(2):
        run(folder)
        assert [applied(folder, box) for box in BOXES] == [["wanted"], ["wanted"]]
        assert first_run(folder)[: len(expected(when, number))] == expected(when, number)
    with use(folder) as session:
        assert not session.busy
        assert session.recover() == [], "nothing is told again and again"
