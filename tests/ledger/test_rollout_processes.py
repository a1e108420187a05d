"""Real processes on one rollout: killed in the middle of writing, several at once; and disks and locks in their way."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ledger.audit import verify
from ledger.connection import Ledger, open_ledger
from ledger.errors import LedgerLockedError
from ledger.evidence import verify_rollouts
from ledger.leases import acquire
from ledger.records import Draft
from ledger.rollout_history import events
from ledger.rollouts import append, lease_name
from tests.ledger.conftest import LAN, driving
from tests.ledger.test_rollouts import planned
from tests.ledger.test_trouble import HOLD, ROOT, on_a_disk_of

KILLS = {"sqlite": 8, "postgresql": 3}
FILL = """
import sys
from pathlib import Path
from ledger.audit import verify
from ledger.connection import open_ledger
from ledger.errors import LedgerFullError
from ledger.evidence import verify_rollouts
from ledger.records import Draft
from ledger.rollout_history import events
from ledger.rollouts import append
from tests.ledger.conftest import LAN
from tests.ledger.test_rollouts import planned
folder = Path(sys.argv[1])
ledger = open_ledger(folder / "ledger.sqlite")
ballast = folder / "ballast"
ballast.write_bytes(bytes(400_000))
rollout, written = planned(ledger), 0
drafts = [Draft("dispatched", f"box.{number}", details={"dispatch": "f" * 64}) for number in range(100)]
try:
    while True:
        written = append(ledger, rollout, drafts, actor=LAN)[-1]
except LedgerFullError as error:
    print(error)
assert written
assert len(events(ledger, rollout)) == written
ballast.unlink()
assert append(ledger, rollout, drafts, actor=LAN)[0] == written + 1
assert not list(verify(ledger)) and not list(verify_rollouts(ledger))
print("goes on")
"""


def test_kill_9_in_the_middle_of_writing_leaves_nothing_half(place: Path | str, ledger: Ledger) -> None:
    chance = random.Random(2026)
    rollout = planned(ledger)
    for kill in range(KILLS["postgresql" if isinstance(place, str) else "sqlite"]):
        before = len(events(ledger, rollout))
        said = killed(place, rollout, chance.randint(1, 100), chance.random() * 0.02)
        with ledger.write():
            pass  # PostgreSQL may still be at the last wish of the dead
        found = events(ledger, rollout)[before:]
        assert [event.seq for event in found] == list(range(before + 1, before + len(found) + 1))
        assert len(found) - 2 * len(said) in (0, 2)  # each append is whole; at most one could not be said any more
        assert {event.token for event in found} == {kill + 1}
        assert [*verify(ledger), *verify_rollouts(ledger)] == []


def killed(place: Path | str, rollout: str, lines: int, pause: float) -> list[str]:
    """Let a controller write, kill it with -9 `pause` seconds after so many lines, return the lines it said."""
    with driving(place, rollout, "1000") as controller:
        assert controller.stdout is not None
        assert controller.stdout.readline().startswith("lease ")  # at once: the one before it is dead
        said = [controller.stdout.readline() for _line in range(lines)]
        time.sleep(pause)
        controller.kill()
        said += controller.stdout.readlines()
        assert controller.wait(60) == -9
    return [line for line in said if line.endswith("\n")]


def test_two_who_write_at_once_leave_no_gap(place: Path | str, ledger: Ledger) -> None:
    rollout = planned(ledger)
    with driving(place, rollout, "60") as one, driving(place, rollout, "60", "person") as other:
        said = [controller.communicate(timeout=120)[0].splitlines() for controller in (one, other)]
    assert said[0].pop(0) == "lease 1"
    mine, others = (sorted(int(seq) for line in lines for seq in line.split()) for lines in said)
    assert len(mine) == len(others) == 120
    found = events(ledger, rollout)
    assert sorted(mine + others) == [event.seq for event in found] == list(range(1, 241))
    assert [event.seq for event in found if event.token == 1] == mine
    assert [event.seq for event in found if event.person == "person"] == others
    assert [*verify(ledger), *verify_rollouts(ledger)] == []


def test_a_full_disk_is_told_and_no_event_is_lost(tmp_path: Path) -> None:
    said = on_a_disk_of("3m", FILL, tmp_path)
    assert "ledger.sqlite cannot be written: the disk is full or broken, or may only be read (" in said
    assert said.endswith("goes on\n")


def test_a_ledger_that_is_locked_is_told_with_who_writes(place: Path | str, ledger: Ledger) -> None:
    rollout = planned(ledger)
    writer = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert writer.stdin is not None
    assert writer.stdout is not None
    with writer, open_ledger(place, patience=0.3) as hasty:
        assert writer.stdout.readline() == "writing\n"
        assert events(hasty, rollout) == ()  # readers do not wait
        for write in (
            lambda: append(hasty, rollout, [Draft("started")], actor=LAN),
            lambda: acquire(hasty, lease_name(rollout), actor=LAN, seconds=30),
        ):
            with pytest.raises(LedgerLockedError, match=f" {writer.pid} "):
                write()
        writer.stdin.close()
        writer.wait(30)
        assert append(hasty, rollout, [Draft("started")], actor=LAN) == (1,)
