"""One lock a device: held by a process and its children, told by name, free when the last of them is gone."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ledger.errors import DeviceBusyError, LedgerFullError
from ledger.locks import DeviceLock, is_held, take, take_all
from ledger.records import here

ROOT = Path(__file__).parents[2]
HOLD = """
import subprocess, sys, time
from pathlib import Path
from ledger.locks import take
lock = take(Path(sys.argv[1]), "box.dong-yen", person="lan", doing="run patch", patience=0)
child = subprocess.Popen(["sleep", "60"], pass_fds=[lock.descriptor], stdout=subprocess.DEVNULL)
print(child.pid, flush=True)
time.sleep(60)
"""


def taken(folder: Path, device: str = "box.dong-yen", patience: float = 0) -> DeviceLock:
    """Take a lock as Minh."""
    return take(folder, device, person="minh", doing="run baseline", patience=patience)


def test_people_are_told_times_as_the_clock_of_this_machine_shows_them(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as changed:
        changed.setenv("TZ", "Asia/Ho_Chi_Minh")
        time.tzset()
        assert here("2026-11-25T19:36:50.123456Z") == "2026-11-26 02:36:50+07:00"
        assert here("long ago") == "long ago"
    time.tzset()


def test_a_lock_is_ours_alone_until_we_let_go(tmp_path: Path) -> None:
    folder = tmp_path / ".tuyen" / "locks"
    with taken(folder):
        with pytest.raises(DeviceBusyError) as busy, taken(folder):
            pass
        assert busy.value.device == "box.dong-yen"
        since = r"20\S+ \d\d:\d\d:\d\d\S\d\d:\d\d"
        told = rf"box.dong-yen is held by minh \(process {os.getpid()}\) since {since}: run baseline"
        assert re.fullmatch(told, str(busy.value))
        assert f"minh {os.getpid()}" in busy.value.holder
        taken(folder, "box.dong-thai").release()
        assert is_held(folder, "box.dong-yen")
        assert not is_held(folder, "box.dong-thai")
        assert not is_held(folder, "box.never")
    assert not is_held(folder, "box.dong-yen")
    taken(folder).release()
    files = {file.name for file in folder.iterdir()}  # kept: another process may just be opening one
    assert files == {"box.dong-yen.lock", "box.dong-thai.lock"}


def test_a_lock_waits_as_long_as_it_was_told(tmp_path: Path) -> None:
    first = taken(tmp_path)
    began = time.monotonic()
    with pytest.raises(DeviceBusyError):
        taken(tmp_path, patience=0.3)
    assert 0.3 <= time.monotonic() - began < 2
    threading.Timer(0.3, first.release).start()
    taken(tmp_path, patience=30).release()


def test_a_child_holds_the_lock_after_its_parent_was_killed(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert parent.stdout is not None
    with parent:
        child = int(parent.stdout.readline())
        try:
            with pytest.raises(DeviceBusyError, match=f"held by lan .process {parent.pid}. since .*: run patch$"):
                taken(tmp_path)
            parent.kill()
            parent.wait(30)
            with pytest.raises(DeviceBusyError) as busy:
                taken(tmp_path)
            told = str(busy.value)
            assert "the run of lan since" in told
            assert f"(run patch) is dead, but what it started still acts: {child} (sleep 60);" in told
        finally:
            os.kill(child, signal.SIGKILL)
    taken(tmp_path, patience=10).release()


def test_a_child_holds_the_lock_that_its_parent_let_go(tmp_path: Path) -> None:
    lock = taken(tmp_path)
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=[lock.descriptor]) as child:
        lock.release()
        with pytest.raises(DeviceBusyError):
            taken(tmp_path)
        assert child.stdin is not None
        child.stdin.close()
    taken(tmp_path).release()


def test_children_that_were_not_given_it_do_not_hold_it(tmp_path: Path) -> None:
    lock = taken(tmp_path)
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, close_fds=False) as child:
        lock.release()
        taken(tmp_path).release()
        assert child.stdin is not None
        child.stdin.close()


def test_a_number_that_was_given_to_another_process_is_not_the_holder(tmp_path: Path) -> None:
    with taken(tmp_path) as lock:
        holder = json.loads(os.pread(lock.descriptor, 4096, 0))
        file = tmp_path / "box.dong-yen.lock"
        file.write_text(json.dumps(holder | {"began": "1"}))
        with pytest.raises(DeviceBusyError, match=r"the run of minh .* is dead"):
            taken(tmp_path)
        file.write_text(json.dumps(holder | {"began": "1", "space": "pid:[1]"}))  # not for us to judge
        with pytest.raises(DeviceBusyError, match="is held by minh"):
            taken(tmp_path)
        file.write_text("{")
        with pytest.raises(DeviceBusyError, match="held by a process that has just begun"):
            taken(tmp_path)


def test_many_locks_are_taken_in_order_and_the_busy_ones_told(tmp_path: Path) -> None:
    with taken(tmp_path, "b"):
        with take_all(tmp_path, ["c", "a", "b", "a"], person="lan", doing="run x", patience=0.1) as got:
            assert [lock.device for lock in got.locks] == ["a", "c"]
            assert [error.device for error in got.busy] == ["b"]
            with pytest.raises(DeviceBusyError, match="lan"):
                taken(tmp_path, "a")
        taken(tmp_path, "a").release()


def test_two_who_want_the_same_locks_both_get_on(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from ledger.locks import take_all
for _turn in range(20):
    with take_all(Path(sys.argv[1]), sys.argv[2:], person="x", doing="y", patience=60) as got:
        assert not got.busy
"""
    orders = (["a", "b", "c", "d"], ["d", "c", "b", "a"])
    both = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), *order], cwd=ROOT) for order in orders]
    assert [one.wait(60) for one in both] == [0, 0]


def test_a_device_never_names_a_file_elsewhere(tmp_path: Path) -> None:
    taken(tmp_path / "locks", "../../outside").release()
    assert [file.name for file in tmp_path.rglob("*.lock")] == ["..%2F..%2Foutside.lock"]
    assert not (tmp_path / "outside.lock").exists()


def test_lock_files_are_for_the_group(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        taken(tmp_path).release()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "box.dong-yen.lock").stat().st_mode) == 0o660


def test_a_place_without_room_for_locks_is_told(tmp_path: Path) -> None:
    (tmp_path / "locks").touch()
    with pytest.raises(LedgerFullError, match=r"the lock .*box\.dong-yen\.lock cannot be opened: File exists"):
        taken(tmp_path / "locks")


def test_when_there_are_too_many_files_none_is_kept(tmp_path: Path) -> None:
    code = """
import resource, sys
from pathlib import Path
from ledger.errors import LedgerFullError
from ledger.locks import take_all
resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
try:
    take_all(Path(sys.argv[1]), map(str, range(100)), person="x", doing="y", patience=0)
except LedgerFullError as error:
    print(error)
print(len(take_all(Path(sys.argv[1]), map(str, range(20)), person="x", doing="y", patience=0).locks))
"""
    words = [sys.executable, "-c", code, str(tmp_path)]
    said = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60, cwd=ROOT).stdout
    assert "cannot be opened: Too many open files" in said
    assert said.endswith("\n20\n")
