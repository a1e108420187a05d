"""Two controllers with one ledger in PostgreSQL, each with a folder of its own: their locks are not shared."""

import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger import presence
from ledger.connection import open_ledger
from ledger.errors import DeviceBusyError
from ledger.history import history, tasks
from ledger.runs import begin_run, intend
from ledger.states import State
from playbooks.recovery import end_dead_runs
from tests.ledger.conftest import postgresql
from tests.playbooks.filing import BOXES, LAN, applied, make_province, run, use

__all__ = ["postgresql"]  # the fixture
A, B = BOXES
WORDS = {"job": "filing", "job_digest": "", "plan_digest": "", "command": ""}
pytestmark = pytest.mark.usefixtures("filing")


@pytest.fixture
def both(tmp_path: Path, postgresql: Callable[[], str]) -> tuple[Path, Path]:
    """Two copies of one province."""
    first = make_province(tmp_path)
    with (first / "province.yaml").open("a") as file:
        file.write(f"database: {postgresql()}\n")
    return first, Path(shutil.copytree(first, tmp_path / "second"))


def database(folder: Path) -> str:
    return (folder / "province.yaml").read_text().rsplit("database: ", 1)[1].strip()


def test_what_one_controller_works_on_the_other_leaves_alone(both: tuple[Path, Path]) -> None:
    first, second = both
    found: list[object] = []

    def meanwhile(_event: object) -> None:
        if not found and applying.is_set():
            found.append("asked")
            with use(second, A, B) as other:
                found.append(other.busy)
                found.append(other.recover())
                found.append([target.id for target in other.targets])

    applying = threading.Event()
    with use(first, A, listen=meanwhile) as session:
        plan = session.check()
        applying.set()
        results = session.apply(plan)
    assert results[A].state is State.CHANGED
    _asked, busy, recovered, left = found
    assert isinstance(busy, dict)
    assert list(busy) == [A]
    assert f"{A} is worked on by lan from " in busy[A]
    assert (recovered, left) == ([], [B])
    with use(second, A) as other:
        assert other.busy == {}
    assert applied(second, A) == []


def test_one_that_both_began_with_at_once_is_refused_to_the_later(both: tuple[Path, Path]) -> None:
    with open_ledger(database(both[0])) as ledger:
        one = begin_run(ledger, actor=LAN, **WORDS)
        with presence.present(ledger, one, LAN):
            intend(ledger, one, {A: ""})
            other = begin_run(ledger, actor=LAN, **WORDS)
            with pytest.raises(DeviceBusyError, match=f"{A} is worked on by lan from .* {one}"):
                intend(ledger, other, {A: "", B: ""})
            assert tasks(ledger, other) == ()
        intend(ledger, other, {A: "", B: ""})


def test_the_run_of_a_controller_that_was_killed_is_taken_over(both: tuple[Path, Path]) -> None:
    first, second = both
    controller = [sys.executable, "-m", "tests.playbooks.filing", str(first), "before", "5"]
    killed = subprocess.run(controller, cwd=Path(__file__).parents[2], capture_output=True, timeout=60, check=False)
    assert killed.returncode == -9, killed.stderr
    with open_ledger(database(second)) as ledger:
        [left] = history(ledger)
        assert left.ended_at is None
    run(second, A, B)
    with open_ledger(database(second)) as ledger:
        assert all(one.ended_at for one in history(ledger))
        assert {task.state for task in tasks(ledger, left.id)} == {State.INTERRUPTED}


def test_a_run_shows_that_it_is_alive_for_longer_than_its_lease(
    both: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "SECONDS", 1.0)
    monkeypatch.setattr(presence, "RENEWED_EVERY", 0.2)
    with open_ledger(database(both[0])) as ledger:
        young = begin_run(ledger, actor=LAN, **WORDS)
        with presence.present(ledger, young, LAN):
            threading.Event().wait(2.0)
            assert end_dead_runs(ledger, both[1] / ".tuyen" / "locks", LAN) == []
            assert history(ledger)[0].ended_at is None
        end_dead_runs(ledger, both[1] / ".tuyen" / "locks", LAN)
        assert history(ledger)[0].ended_at is not None
