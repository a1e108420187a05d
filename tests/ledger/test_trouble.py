"""Disks that are full or may only be read, and writers that do not end: told as they are, nothing lost."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ledger.connection import Ledger, open_ledger
from ledger.errors import LedgerLockedError
from ledger.history import history
from tests.ledger.conftest import begin

ROOT = Path(__file__).parents[2]
MOUNTS = ("unshare", "--mount", *(() if os.geteuid() == 0 else ("--user", "--map-root-user")), "--")
HOLD = """
import sys
from ledger.connection import open_ledger
with open_ledger(sys.argv[1]) as ledger, ledger.write():
    print("writing", flush=True)
    sys.stdin.read()
"""
FILL = """
import sys
from pathlib import Path
from ledger.audit import verify
from ledger.connection import open_ledger
from ledger.errors import LedgerFullError
from ledger.history import history, tasks
from ledger.runs import intend
from tests.ledger.conftest import begin
folder = Path(sys.argv[1])
ledger = open_ledger(folder / "ledger.sqlite")
ballast = folder / "ballast"
ballast.write_bytes(bytes(400_000))
written = []
try:
    while True:
        run = begin(ledger)
        written.append(run)
        intend(ledger, run, {f"box.{number}": "f" * 64 for number in range(200)})
except LedgerFullError as error:
    print(error)
assert written and not list(verify(ledger))
whole = [run.id for run in history(ledger) if len(tasks(ledger, run.id)) == 200]
assert set(whole) | {written[-1]} >= set(written), (whole, written)
assert all(len(tasks(ledger, run.id)) in (0, 200) for run in history(ledger))
ballast.unlink()
intend(ledger, begin(ledger), {"box": ""})
assert not list(verify(ledger))
print("goes on")
"""
READ_ONLY = """
import subprocess, sys
from pathlib import Path
from ledger.connection import open_ledger
from ledger.errors import LedgerFullError
from tests.ledger.conftest import begin
folder = Path(sys.argv[1])
ledger = open_ledger(folder / "ledger.sqlite")
begin(ledger)
ledger.close()
subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
for place in (folder / "ledger.sqlite", folder / "new.sqlite"):
    try:
        begin(open_ledger(place))
    except LedgerFullError as error:
        print(error)
"""


LOCK = """
import sys
from pathlib import Path
from ledger.errors import LedgerFullError
from ledger.locks import is_held, take
folder = Path(sys.argv[1])
try:
    with open(folder / "ballast", "wb", buffering=0) as ballast:
        while True:
            ballast.write(bytes(4096))
except OSError:
    pass
try:
    take(folder, "box", person="lan", doing="patch", patience=0)
except LedgerFullError as error:
    print(error)
print("held" if is_held(folder, "box") else "free")
"""


def on_a_disk_of(size: str, code: str, folder: Path) -> str:
    """Run `code` where `folder` is a small disk of its own, which goes with the process, and return what it said."""
    script = f'mount -t tmpfs -o size={size} tmpfs "$1" && exec "$2" -c "$3" "$1"'
    done = subprocess.run(
        [*MOUNTS, "sh", "-c", script, "sh", str(folder), sys.executable, code],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_full_disk_is_told_and_nothing_is_lost(tmp_path: Path) -> None:
    said = on_a_disk_of("3m", FILL, tmp_path)
    assert "ledger.sqlite cannot be written: the disk is full or broken, or may only be read (" in said
    assert said.endswith("goes on\n")


def test_a_lock_for_which_there_is_no_room_is_told_and_not_held(tmp_path: Path) -> None:
    told, held = on_a_disk_of("64k", LOCK, tmp_path).splitlines()
    assert told.endswith("box.lock cannot be written: No space left on device")
    assert held == "free"


def test_a_disk_that_may_only_be_read_is_told(tmp_path: Path) -> None:
    old, new = on_a_disk_of("3m", READ_ONLY, tmp_path).splitlines()
    assert "ledger.sqlite cannot be written: the disk is full or broken, or may only be read (" in old
    assert new.endswith("new.sqlite cannot be made: Read-only file system")


def test_a_writer_that_does_not_end_is_named(place: Path | str) -> None:
    open_ledger(place).close()
    writer = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert writer.stdin is not None
    assert writer.stdout is not None
    with writer, open_ledger(place, patience=0.3) as ledger:
        assert writer.stdout.readline() == "writing\n"
        assert history(ledger) == ()  # readers do not wait
        with pytest.raises(LedgerLockedError) as locked:
            begin(ledger)
        assert f" is locked by {'tuyen ' * (ledger.file is None)}{writer.pid} " in str(locked.value)
        writer.stdin.close()
        writer.wait(30)
        begin(ledger)
        assert len(history(ledger)) == 1


def test_threads_take_turns(ledger: Ledger) -> None:
    threads = [threading.Thread(target=lambda: [begin(ledger) for _run in range(5)]) for _thread in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(history(ledger, limit=1000)) == 100


def test_a_thread_that_does_not_end_is_told(tmp_path: Path) -> None:
    with (
        open_ledger(tmp_path / "ledger.sqlite", patience=0.1) as ledger,
        ledger.write(),
        pytest.raises(LedgerLockedError, match=r"another thread of this process has been writing for over 0\.1 s"),
    ):
        begin(ledger)
