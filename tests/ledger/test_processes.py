"""Real processes on one ledger: killed in the middle of writing, several at once, several making it at once."""

import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ledger.audit import entries, verify
from ledger.connection import Ledger, open_ledger
from ledger.history import find_run, history, tasks, unfinished
from ledger.records import Actor
from ledger.runs import interrupt
from ledger.states import MOVES, OPEN, State

ROOT = Path(__file__).parents[2]
SECONDS = 120
KILLS = {"sqlite": 8, "postgresql": 3}


def start(place: Path | str, devices: int) -> "subprocess.Popen[str]":
    """Start a worker on the ledger at `place`."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.ledger.worker", str(place), str(devices)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def finish(worker: "subprocess.Popen[str]") -> str:
    """Wait for a worker to end well and return what it said."""
    said, complained = worker.communicate(timeout=SECONDS)
    assert worker.returncode == 0, complained
    return said


def killed(place: Path | str, lines: int, pause: float) -> list[list[str]]:
    """Start a worker, kill it with -9 `pause` seconds after it said so many lines, return the words it said."""
    worker = start(place, 100)
    assert worker.stdout is not None
    with worker:
        said = [worker.stdout.readline() for _line in range(lines)]
        time.sleep(pause)
        worker.kill()
        said += worker.stdout.readlines()
        assert worker.wait(SECONDS) == -9, worker.stderr and worker.stderr.read()
    return [line.split() for line in said if line.endswith("\n")]


def test_kill_9_loses_nothing_that_was_said(place: Path | str, request: pytest.FixtureRequest) -> None:
    chance = random.Random(2026)
    for _kill in range(KILLS["postgresql" if isinstance(place, str) else "sqlite"]):
        said = killed(place, chance.randint(1, 120), chance.random() * 0.02)
        with open_ledger(place) as ledger:
            check(ledger, said)


def check(ledger: Ledger, said: list[list[str]]) -> None:
    """Check that the ledger holds what a killed worker said, and at most the step that it could not say any more."""
    with ledger.write():
        pass  # PostgreSQL may still be at the last wish of the dead
    assert list(verify(ledger)) == []
    run = said[0][1]
    assert find_run(ledger, run).ended_at is None
    steps = {device: State(state) for device, _run, state in said[1:]}
    found = {task.device: task.state for task in tasks(ledger, run)}
    ahead = [device for device, state in found.items() if state is not steps.get(device, State.INTENDED)]
    assert len(ahead) <= 1
    assert all(found[device] in MOVES[steps.get(device, State.INTENDED)] | {State.CHANGED} for device in ahead)
    ended = {entry.details for entry in entries(ledger, limit=10**6) if entry.action == "task.end"}
    assert sum(run in details for details in ended) == sum(state not in OPEN for state in found.values())
    left = unfinished(ledger, lambda _run: False)
    assert [task.device for task in left] == [device for device, state in sorted(found.items()) if state in OPEN]
    interrupt(ledger, run, reason="killed", actor=Actor("minh", "minh"))


def test_writers_at_once_do_not_disturb_each_other(place: Path | str) -> None:
    workers = [start(place, 25) for _worker in range(3)]  # the ledger is not there yet: all three make it
    for worker in workers:
        assert finish(worker).count("changed") == 25
    with open_ledger(place) as ledger:
        assert list(verify(ledger)) == []
        assert [run.outcome for run in history(ledger)] == ["done"] * 3
        assert len(entries(ledger)) == 3 * (1 + 25 + 25 + 1)


def test_a_new_ledger_is_made_once_by_many(place: Path | str) -> None:
    code = "import sys; from ledger.connection import open_ledger; sys.stdin.read(); open_ledger(sys.argv[1]).close()"
    openers: list[subprocess.Popen[Any]] = [
        subprocess.Popen([sys.executable, "-c", code, str(place)], stdin=subprocess.PIPE, cwd=ROOT) for _one in range(4)
    ]
    time.sleep(1.0)  # all have imported and wait
    for opener in openers:
        assert opener.stdin is not None
        opener.stdin.close()
    assert [opener.wait(SECONDS) for opener in openers] == [0] * 4
    with open_ledger(place) as ledger:
        assert history(ledger) == ()
