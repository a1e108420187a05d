"""The engine on a ledger and on devices that are files: what becomes of devices, and what the ledger says of it."""

import dataclasses
import resource
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ledger.audit import verify
from ledger.connection import FILE, open_ledger
from ledger.history import history, tasks, tasks_of_device
from ledger.locks import FOLDER as LOCKS
from ledger.locks import is_held, take
from ledger.records import Task
from ledger.runs import begin_run
from ledger.states import State
from playbooks.applying import Result
from playbooks.engine import RUNS
from playbooks.errors import PlaybookError
from playbooks.plan import State as Found
from playbooks.recovery import BIRTH, end_dead_runs
from tests.playbooks.filing import BOXES, LAN, applied, make_province, mood, run, use

A, B = BOXES
pytestmark = pytest.mark.usefixtures("filing")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_province(tmp_path)


def carry_out(folder: Path, *devices: str, **changes: Any) -> Mapping[str, Result]:
    with use(folder, *devices, **changes) as session:
        return session.apply(session.check())


def newest(folder: Path) -> tuple[str | None, dict[str, Task]]:
    """Return how the newest run ended, and its tasks."""
    with open_ledger(folder / FILE) as ledger:
        assert list(verify(ledger)) == []
        [found] = history(ledger, limit=1)
        return found.outcome, {task.device: task for task in tasks(ledger, found.id)}


def states(folder: Path, device: str) -> list[State]:
    """Return what became of a device, newest first."""
    with open_ledger(folder / FILE) as ledger:
        return [task.state for task in tasks_of_device(ledger, device)]


def test_what_would_change_is_changed_and_then_nothing(folder: Path) -> None:
    with use(folder) as session:
        plan = session.check()
        assert [device.state for device in plan.devices] == [Found.CHANGE, Found.CHANGE]
        assert not applied(folder, A), "asking changes nothing"
        found = session.apply(plan)
    assert {one.state for one in found.values()} == {State.CHANGED}
    outcome, ended = newest(folder)
    assert outcome == "done"
    assert [(task.changes, task.before) for task in ended.values()] == [(1, one.fingerprint) for one in plan.devices]
    assert (folder / ".tuyen" / ended[A].log).parent == session.folder
    with use(folder) as session:
        again = session.check()
        assert [device.state for device in again.devices] == [Found.AT_TARGET] * 2
        assert session.apply(again) == {}
    assert applied(folder, A) == ["wanted"]


@pytest.mark.parametrize(
    ("how", "state", "reason", "times"),
    [
        ("bad at apply", State.FAILED, "bad at apply", 0),
        ("bad at verify", State.FAILED, "bad at verify", 1),
        ("unreachable at apply", State.UNREACHABLE, "no answer", 0),
        ("unreachable at verify", State.UNREACHABLE, "no answer", 1),
        ("silent at apply", State.FAILED, "the driver ended without a word about it", 0),
    ],
)
def test_a_failure_is_its_own_and_the_others_finish(
    folder: Path, how: str, state: State, reason: str, times: int
) -> None:
    mood(folder, A, how)
    found = carry_out(folder)
    assert (found[A].state, found[A].reason) == (state, reason)
    assert found[B].state is State.CHANGED
    outcome, ended = newest(folder)
    assert (outcome, ended[A].state, ended[A].reason) == ("failed", state, reason)
    assert len(applied(folder, A)) == times


@pytest.mark.parametrize("how", ["unreachable", "bad at check", "silent at check"])
def test_what_cannot_be_asked_is_not_touched(folder: Path, how: str) -> None:
    mood(folder, A, how)
    assert set(carry_out(folder)) == {B}
    assert A not in newest(folder)[1]


def test_what_no_plan_had_told_is_a_surprise(folder: Path) -> None:
    mood(folder, A, "more at apply")
    found = carry_out(folder)
    assert [change.what for change in found[A].surprises] == ["something else"]
    assert found[B].surprises == ()
    assert len(found[A].changes) == 2


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("full", r"this machine, not a device, fails: No space left on device \(/var/log/filing\)"),
        ("odd", "the driver gives up"),
    ],
)
def test_a_driver_that_breaks_leaves_nothing_open(folder: Path, how: str, message: str) -> None:
    mood(folder, A, f"{how} at apply")
    with pytest.raises(PlaybookError, match=message):
        carry_out(folder)
    outcome, ended = newest(folder)
    assert outcome == "interrupted"
    assert {task.state for task in ended.values()} == {State.INTERRUPTED}
    assert ended[A].reason.startswith("it was stopped in the middle: ")
    mood(folder, A, "")
    assert {one.state for one in carry_out(folder).values()} == {State.CHANGED}


def test_stopping_leaves_the_rest_untouched_and_the_next_run_finds_out(folder: Path) -> None:
    mood(folder, A, "stop at apply")  # it is still done itself
    found = carry_out(folder)
    assert found[A].state is State.INTERRUPTED, "it could not be verified any more"
    assert (found[B].state, found[B].reason) == (State.INTERRUPTED, "interrupted")
    assert (applied(folder, A), applied(folder, B)) == (["wanted"], [])
    mood(folder, A, "")
    with use(folder) as session:
        session.check()
    assert states(folder, A) == [State.CHANGED]
    assert states(folder, B) == [State.INTERRUPTED]


def test_nothing_is_begun_after_a_stop(folder: Path) -> None:
    with use(folder) as session:
        plan = session.check()
        session.stop.set()
        found = session.apply(plan)
    assert {(one.state, one.reason) for one in found.values()} == {
        (State.INTERRUPTED, "interrupted before it was touched")
    }
    assert not applied(folder, A)
    run(folder)
    assert states(folder, A) == [State.CHANGED, State.INTERRUPTED]
    run(folder)
    assert states(folder, A) == [State.CHANGED, State.INTERRUPTED], "it was the second run that changed it"


def test_what_was_never_begun_has_changed_nothing(folder: Path) -> None:
    with use(folder, A) as session:
        plan = session.check()
        session.stop.set()
        session.apply(plan)
    (folder / "devices" / A).write_text("wanted")  # by hand
    run(folder, A)
    assert states(folder, A) == [State.UNCHANGED]


def test_devices_that_others_hold_are_left_out(folder: Path) -> None:
    with use(folder, A) as first, use(folder) as second:
        assert set(second.busy) == {A}
        assert "is held by lan" in second.busy[A]
        assert "filing: tuyen run filing" in second.busy[A]
        assert [target.id for target in second.targets] == [B]
        assert set(second.apply(second.check())) == {B}
        assert set(first.apply(first.check())) == {A}
    with use(folder) as third:
        assert not third.busy


def test_rolling_back_is_a_run_of_its_own(folder: Path) -> None:
    run(folder)
    mood(folder, B, "unreachable")
    with use(folder) as session:
        found = session.roll_back(session.check())
    assert {device: one.state for device, one in found.items()} == {A: State.CHANGED}
    assert applied(folder, A) == ["wanted", "back"]
    with open_ledger(folder / FILE) as ledger:
        assert [one.job for one in history(ledger)] == ["filing --rollback", "filing"]


def test_a_rollback_that_was_cut_short_is_not_taken_for_the_job(folder: Path) -> None:
    run(folder, A)
    mood(folder, A, "unreachable at rollback")
    with use(folder, A) as session:
        session.roll_back(session.check())
    run(folder, A)
    assert states(folder, A) == [State.UNREACHABLE, State.CHANGED]


def test_a_run_that_is_just_being_born_is_not_taken_for_dead(folder: Path) -> None:
    held: list[bool] = []
    with use(folder, A) as session:
        clock = session.ledger.clock

        def look() -> object:
            held.append(is_held(folder / LOCKS, BIRTH))
            return clock()

        session.ledger = dataclasses.replace(session.ledger, clock=look)  # type: ignore[arg-type]
        session.apply(session.check())
    assert held[0], "its birth was hidden from others"
    assert not held[-1]
    with open_ledger(folder / FILE) as ledger:
        ended: list[Task] = []
        asking = threading.Thread(target=lambda: ended.extend(end_dead_runs(ledger, folder / LOCKS, LAN)))
        with take(folder / LOCKS, BIRTH, person="lan", doing="test", patience=1):
            words = {"job": "filing", "job_digest": "", "plan_digest": "", "command": ""}
            young = begin_run(ledger, actor=LAN, **words)
            asking.start()
            asking.join(0.3)
            assert asking.is_alive(), "it waits until the run holds its lock"
            lock = take(folder / LOCKS, f"run-{young}", person="lan", doing="test", patience=1)
        with lock:
            asking.join(10)
        assert history(ledger, limit=1)[0].ended_at is None


def test_logs_and_plans_are_as_open_to_the_group_as_the_province(folder: Path) -> None:
    folder.chmod(0o2770)
    with use(folder, A) as session:
        session.check()
        assert (folder / RUNS).stat().st_mode & 0o7777 == 0o2770
        assert session.folder.stat().st_mode & 0o7777 == 0o2770


def test_a_folder_that_cannot_be_made_is_told(folder: Path) -> None:
    (folder / ".tuyen").mkdir()
    (folder / RUNS).touch()
    with pytest.raises(PlaybookError, match=r"this machine, not a device, fails: File exists"), use(folder, A):
        pass
    assert not is_held(folder / LOCKS, A)


@pytest.fixture
def few_files() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.usefixtures("few_files")
def test_a_whole_province_may_be_locked_at_once(folder: Path) -> None:
    with use(folder):
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 1000


def test_this_process_holds_nothing_afterwards(folder: Path) -> None:
    run(folder)
    before = len(list(Path("/proc/self/fd").iterdir()))
    run(folder)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
