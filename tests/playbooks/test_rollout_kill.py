"""kill -9 of the controller at random moments: nobody is lost, nobody gets the change twice, no gate is passed by."""

import json
import random
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest

from ledger.audit import verify
from ledger.connection import Ledger, open_ledger
from playbooks.rollout.plan import Gate, RolloutPlan
from playbooks.rollout.state import DeviceState, Event, Kind, State, Status, fold
from tests.ledger.conftest import place, postgresql
from tests.playbooks.rolling import begin, boxes, plan_of_waves, told

__all__ = ["place", "postgresql"]  # fixtures

ROOT = Path(__file__).parents[2]
SECONDS = 60
SLOW = {box: {"seconds": 2} for box in ("box.001", "box.007", "box.020", "box.060", "box.099")}  # outlive a controller
SHAPES: dict[str, dict[str, int]] = {
    **SLOW,
    "box.015": {"away": 2},
    "box.040": {"away": 4},
    "box.050": {"fail": 1},
    "box.090": {"fail": 1},
}
PLAN = plan_of_waves(2, 8, 30, 30, 30, gate=Gate(bake=0.05, budget_devices=3), parallel=8, days=10_000)


@dataclass
class Killer:
    """Starts controllers of one rollout and kills them. `resumed` are the seconds until a new one had settled all."""

    place: Path | str
    chance: random.Random
    kills: int
    killed: int = 0
    resumed: list[float] = field(default_factory=list)

    def drive(self, rollout: str, folder: Path) -> None:
        """Drive the rollout to its end, killing who drives it while any kill is left."""
        for _life in range(1000):
            if self._life(rollout, folder):
                return
        raise AssertionError("it never ends")

    def _life(self, rollout: str, folder: Path) -> bool:
        """Let one controller live for a while; say whether it came to the end."""
        command = [sys.executable, "-m", "tests.playbooks.rolling_controller", str(self.place), rollout, str(folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as lives:
            if self.killed < self.kills:
                self._wait(lives)
                lives.kill()
            said, complained = lives.communicate(timeout=SECONDS)
        lines = [line.split() for line in said.splitlines()]
        self.resumed += [float(words[1]) for words in lines if words[0] == "resumed"]
        if lives.returncode == -9:
            self.killed += 1
            return False
        assert lives.returncode == 0, complained
        return any(words[0] == "over" for words in lines)

    def _wait(self, lives: "subprocess.Popen[str]") -> None:
        if self.chance.random() < 0.1:
            time.sleep(self.chance.uniform(0, 1))
            return
        assert lives.stdout is not None
        lives.stdout.readline()  # "open"
        time.sleep(self.chance.uniform(0, 0.4))


@contextmanager
def fleet(folder: Path, shapes: dict[str, dict[str, int]]) -> Iterator[Path]:
    """Let devices live for a block; yield the file that they write into."""
    folder.mkdir()
    command = [sys.executable, "-m", "tests.playbooks.fleet", str(folder), json.dumps(shapes)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as lives:
        assert lives.stdout is not None
        assert lives.stdout.readline() == "ready\n"
        try:
            yield folder / "applies"
        finally:
            lives.communicate(timeout=SECONDS)


def check(plan: RolloutPlan, events: list[Event], applies: list[list[str]]) -> None:
    """Check what devices wrote against what the ledger says."""
    state = fold(plan, events)
    assert state.status is Status.ENDED
    failing = {box for box, shape in SHAPES.items() if "fail" in shape}
    left = {box for box, status in state.devices.items() if status.state is not DeviceState.DONE}
    assert left == failing, "lost"
    assert [words for words in applies if words[0] in ("twice", "overlap")] == []
    begun = Counter(words[1] for words in applies if words[0] == "begin")
    assert {box: number for box, number in begun.items() if number != 1 and box not in failing} == {}
    _check_order(plan, state, events, applies)


def _check_order(plan: RolloutPlan, state: State, events: list[Event], applies: list[list[str]]) -> None:
    """Check that nothing was begun before the ledger said so, nor before the gate of the wave before had passed."""
    passed = {event.wave: event.at for event in events if event.kind is Kind.GATE_PASSED}
    assert sorted(passed) == list(range(len(plan.waves)))
    dispatched = {event.details["dispatch"]: event.at for event in events if event.kind is Kind.DISPATCHED}
    assert len(dispatched) == sum(event.kind is Kind.DISPATCHED for event in events), "an id is never used twice"
    for what, device, identity, moment in applies:
        if what == "begin":
            first = passed.get(plan.wave_of(device) - 1, dispatched[identity])
            assert max(datetime.fromisoformat(at).timestamp() for at in (first, dispatched[identity])) <= float(moment)


def survive(place: Path | str, folder: Path, kills: int, seed: int) -> Killer:
    """Carry rollouts through so many kills, one after the other on the same ledger, and check each."""
    killer = Killer(place, random.Random(seed), kills)
    number = 0
    while killer.killed < kills:
        with open_ledger(place) as ledger:
            rollout = begin(ledger, PLAN)
        with fleet(folder / f"fleet{number}", {box: SHAPES.get(box, {}) for box in boxes(100)}) as written:
            killer.drive(rollout, folder / f"fleet{number}")
            applies = [line.split() for line in written.read_text().splitlines()]
        with open_ledger(place) as ledger:
            check(PLAN, told(ledger, rollout), applies)
            _check_audit(ledger)
        number += 1
    print(
        f"{kills} kills in {number} rollouts; settled after a kill within {statistics.median(killer.resumed):.2f} s"
        f" (median), {max(killer.resumed):.2f} s (worst), start of the process included"
    )
    return killer


def _check_audit(ledger: Ledger) -> None:
    assert list(verify(ledger)) == []


def test_twenty_kills(place: Path | str, tmp_path: Path) -> None:
    survive(place, tmp_path, 10 if isinstance(place, str) else 20, seed=2026)


@pytest.mark.soak
def test_two_hundred_kills(place: Path | str, tmp_path: Path) -> None:
    survive(place, tmp_path, 200, seed=145)
