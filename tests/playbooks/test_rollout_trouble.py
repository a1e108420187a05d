"""A ledger that is locked or full, and two controllers at once: told once, nothing is begun, nothing is lost."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from ledger.audit import verify
from ledger.connection import Ledger, open_ledger
from ledger.records import Draft
from ledger.rollouts import append
from playbooks.rollout.journal import Journal
from playbooks.rollout.state import DeviceState, Kind, Status, fold
from tests.ledger.conftest import place, postgresql
from tests.ledger.test_trouble import HOLD, on_a_disk_of
from tests.playbooks.rolling import MINH, begin, boxes, plan_of_waves, simulation, told
from tests.playbooks.test_rollout_kill import fleet

__all__ = ["place", "postgresql"]  # fixtures

ROOT = Path(__file__).parents[2]
SECONDS = 60
SLOW: dict[str, dict[str, int]] = {"box.000": {"seconds": 8}}  # long enough for the second one to come
ALIKE: dict[str, dict[str, int]] = {box: {} for box in boxes(40)}
FILL = """
import os, sys
from pathlib import Path
from ledger.audit import verify
from playbooks.rollout.state import DeviceState, Status
from tests.playbooks.rolling import boxes, plan_of_waves, simulation
folder = Path(sys.argv[1])
ballast = folder / "ballast"
def fill():
    with ballast.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                pass
with simulation(folder, plan_of_waves(2, 20, 20, parallel=4)) as made:
    made.at(40, fill)
    made.at(100, ballast.unlink)
    assert made.run().status is Status.ENDED
    assert made.in_state(DeviceState.DONE) == boxes(42)
    assert made.site.devices() == boxes(42)
    begun = [int((at - made.site.given[0][0]).total_seconds()) for at, _one in made.site.given]
    assert not [second for second in begun if 60 < second < 100], begun
    assert not list(verify(made.ledger))
    print(*(notice.kind for notice in made.notices))
    print(made.notices[0].text)
"""


def test_locked_ledger_holds_the_rollout_up_and_loses_nothing(tmp_path: Path) -> None:
    with simulation(tmp_path, plan_of_waves(2, 8, parallel=4), patience=0.2) as made:
        writers: list[subprocess.Popen[str]] = []

        def lock() -> None:
            command = [sys.executable, "-c", HOLD, str(tmp_path / "ledger.sqlite")]
            streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            writers.append(subprocess.Popen(command, text=True, cwd=ROOT, **streams))  # type: ignore[call-overload]
            assert writers[0].stdout is not None
            assert writers[0].stdout.readline() == "writing\n"

        def unlock() -> None:
            writers[0].communicate(timeout=SECONDS)

        made.at(55, lock)
        made.at(70, unlock)
        assert made.run().status is Status.ENDED
        assert made.site.devices() == boxes(10)
        assert [notice.kind for notice in made.notices] == ["trouble", "ended"]
        assert f"ledger.sqlite is locked by {writers[0].pid} (" in made.notices[0].text
        assert list(verify(made.ledger)) == []


def test_full_disk_holds_the_rollout_up_and_loses_nothing(tmp_path: Path) -> None:
    said = on_a_disk_of("2M", FILL, tmp_path)
    assert said.startswith("trouble ended\n"), said
    assert "the disk is full" in said


def controller(place: Path | str, rollout: str, folder: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.playbooks.rolling_controller", str(place), rollout, str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)


def test_of_two_controllers_one_wins_and_the_other_says_who(place: Path | str, tmp_path: Path) -> None:
    with open_ledger(place) as ledger, fleet(tmp_path / "fleet", ALIKE | SLOW) as written:
        rollout = begin(ledger, plan_of_waves(10, 30, parallel=4, days=10_000))
        both = [controller(place, rollout, tmp_path / "fleet") for _one in range(2)]
        ended = [(one.communicate(timeout=SECONDS), one.returncode) for one in both]
        (_said, complained) = next(words for words, code in ended if code)
        assert "LeaseHeldError" in complained
        assert f"rollout {rollout} is held by lan on" in complained
        assert sum("over ended" in said for (said, _complained), _code in ended) == 1
        _check_once(ledger, rollout, written)


def _check_once(ledger: Ledger, rollout: str, written: Path) -> None:
    applies = [line.split() for line in written.read_text().splitlines()]
    assert [words for words in applies if words[0] in ("twice", "overlap")] == []
    assert list(verify(ledger)) == []


def _when_quiet(ledger: Ledger, rollout: str) -> int:
    """Wait until nobody is at work after a pause, and return how many devices are done."""
    end = time.monotonic() + SECONDS
    while True:
        state = fold(Journal(ledger, rollout, MINH).plan, told(ledger, rollout))
        states = [status.state for status in state.devices.values()]
        if DeviceState.AT_WORK not in states:
            return states.count(DeviceState.DONE)
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.parametrize("last", [Kind.RESUMED, Kind.ABORTED])
def test_people_act_from_another_process_while_it_runs(tmp_path: Path, last: Kind) -> None:
    place = tmp_path / "ledger.sqlite"
    plan = plan_of_waves(2, 38, parallel=2, days=10_000)
    with open_ledger(place) as ledger, fleet(tmp_path / "fleet", ALIKE) as written:
        rollout = begin(ledger, plan)
        drives = controller(place, rollout, tmp_path / "fleet")
        assert drives.stdout is not None
        drives.stdout.readline()  # open
        drives.stdout.readline()  # resumed: the first devices are at work
        append(ledger, rollout, [Draft(Kind.PAUSED)], actor=MINH)
        paused = _when_quiet(ledger, rollout)
        append(ledger, rollout, [Draft(last)], actor=MINH)
        said, complained = drives.communicate(timeout=SECONDS)
        assert "over ended" in said, complained
        state = fold(plan, told(ledger, rollout))
        done = sum(status.state is DeviceState.DONE for status in state.devices.values())
        assert done == (40 if last is Kind.RESUMED else paused)
        _check_once(ledger, rollout, written)
