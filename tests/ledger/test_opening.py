"""A ledger is made, found, upgraded after a backup, or refused with the reason."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import insert

import ledger.migrations
from ledger.audit import head, verify
from ledger.connection import Ledger, connect, open_ledger
from ledger.errors import LedgerAbsentError, LedgerDamagedError, LedgerFullError, LedgerNewerError
from ledger.history import history, tasks
from ledger.locks import take
from ledger.records import Draft, Task, stamp
from ledger.rollouts import append, create
from ledger.runs import intend
from ledger.schema import HEAD, METADATA, TASK
from ledger.states import State
from ledger.upgrade import back_up, upgrade
from tests.ledger.conftest import LAN, begin

NEXT = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "9999", "{before}"


def upgrade():
    op.add_column("run", sa.Column("note", sa.Text))
    {then}
"""


def next_scripts(folder: Path, then: str = "pass") -> str:
    """Return a folder with the revisions that ship and one more, as a newer tuyen has it."""
    scripts = folder / "migrations 100%"
    shutil.copytree(Path(ledger.migrations.__file__).parent, scripts)
    (scripts / "versions" / "r9999_next.py").write_text(NEXT.format(before=HEAD, then=then))
    return str(scripts)


def test_the_revisions_make_the_tables_that_the_code_knows(place: Path | str) -> None:
    with open_ledger(place) as opened, opened.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
        assert MigrationContext.configure(connection).get_current_revision() == HEAD


def test_a_new_file_is_for_the_group_only_and_durable(tmp_path: Path) -> None:
    file = tmp_path / "new" / ".tuyen" / "ledger.sqlite"
    with open_ledger(file) as opened:
        begin(opened)
        for made in file.parent.iterdir():
            assert stat.S_IMODE(made.stat().st_mode) == 0o660, made.name
        with opened.read() as connection:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    assert [made.name for made in file.parent.iterdir()] == ["ledger.sqlite"]  # no backup of nothing


def test_a_reader_sees_one_moment_and_hinders_nobody(ledger: Ledger) -> None:
    with ledger.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM run").scalar() == 0
        begin(ledger)
        assert connection.exec_driver_sql("SELECT count(*) FROM run").scalar() == 0
    assert len(history(ledger)) == 1


def test_an_upgrade_keeps_all_and_leaves_a_copy(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    with open_ledger(file) as opened:
        run = begin(opened)
        intend(opened, run, {"a": "f"})
        upgrade(opened, next_scripts(tmp_path), "9999")
        with opened.read() as connection:
            assert connection.exec_driver_sql("SELECT note FROM run").all() == [(None,)]
        assert [task.device for task in tasks(opened, run)] == ["a"]
        assert list(verify(opened)) == []
    copy = tmp_path / f"ledger.sqlite.before-upgrade-from-{HEAD}"
    with open_ledger(copy) as opened:
        assert [task.before for task in tasks(opened, run)] == ["f"]
    assert not list(tmp_path.glob("*.part"))


def test_an_upgrade_that_fails_changes_nothing(place: Path | str, tmp_path: Path) -> None:
    with open_ledger(place) as opened:
        run = begin(opened)
        with pytest.raises(ZeroDivisionError):
            upgrade(opened, next_scripts(tmp_path, "1 / 0"), "9999")
    with open_ledger(place) as opened:
        assert [found.id for found in history(opened)] == [run]
        with opened.read() as connection:
            assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_a_ledger_of_a_newer_tuyen_is_refused(place: Path | str, tmp_path: Path) -> None:
    with open_ledger(place) as opened:
        upgrade(opened, next_scripts(tmp_path), "9999")
    with pytest.raises(LedgerNewerError) as refused:
        open_ledger(place)
    assert str(refused.value).endswith(" was written by a newer tuyen (revision 9999); install that one or a newer one")
    assert refused.value.values["revision"] == "9999"
    assert "{revision}" in refused.value.message


@pytest.mark.parametrize("content", [b"province: kien-giang\n" * 100, b"SQLite format 3\0" + b"\x07" * 4096, b"x"])
def test_a_file_that_is_no_ledger_is_told_and_left_alone(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "ledger.sqlite"
    file.write_bytes(content)
    with pytest.raises(LedgerDamagedError, match=r"ledger\.sqlite is damaged.*; bring back a copy of it"):
        open_ledger(file)
    assert file.read_bytes() == content


def test_a_ledger_that_was_cut_short_is_told(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    with open_ledger(file) as opened:
        begin(opened)
    file.write_bytes(file.read_bytes()[:9000])
    with pytest.raises(LedgerDamagedError), open_ledger(file) as opened:
        history(opened)


def test_a_folder_in_its_place_is_told(tmp_path: Path) -> None:
    with pytest.raises(LedgerFullError, match="unable to open database file"):
        open_ledger(tmp_path)
    (tmp_path / "file").touch()
    for place in (tmp_path / "file" / "ledger.sqlite", tmp_path / "file" / "below" / "ledger.sqlite"):
        with pytest.raises(LedgerFullError, match=r"unable to open database file|cannot be made: Not a directory"):
            open_ledger(place)


def test_a_group_that_shares_the_province_shares_its_state(tmp_path: Path) -> None:
    tmp_path.chmod(0o2775)
    before = os.umask(0o077)
    try:
        open_ledger(tmp_path / ".tuyen" / "ledger.sqlite").close()
        take(tmp_path / ".tuyen" / "locks", "box", person="lan", doing="run x", patience=0).release()
    finally:
        os.umask(before)
    modes = {made.name: oct(stat.S_IMODE(made.stat().st_mode)) for made in tmp_path.rglob("*")}
    assert modes == {".tuyen": "0o2770", "locks": "0o2770", "ledger.sqlite": "0o660", "box.lock": "0o660"}


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("mysql://tuyen:hush@db.example/ledger", "mysql://tuyen:***@db.example/ledger: a ledger is kept in SQLite"),
        ("sqlite://", "sqlite://: a ledger is kept in SQLite (a path) or in PostgreSQL"),
        ("postgres ql://tuyen:hush@x", "the ledger's address cannot be read; write it as postgresql://user@host"),
        ("postgresql://tuyen:hush@/x?host=/nowhere", "postgresql+psycopg://tuyen:***@/x?host=%2Fnowhere does not let"),
        ("postgresql://tuyen:hush@127.0.0.1:1/x", "postgresql+psycopg://tuyen:***@127.0.0.1:1/x does not let us in"),
    ],
)
def test_an_address_that_leads_nowhere_is_told_without_its_password(place: str, told: str) -> None:
    with pytest.raises(LedgerAbsentError) as refused:
        open_ledger(place, patience=2)
    assert str(refused.value).startswith(told)
    assert "hush" not in repr(refused.value) + str(refused.value.values)


def test_a_database_that_is_not_there_is_told(postgresql: Callable[[], str]) -> None:
    with pytest.raises(LedgerAbsentError, match="does not exist"):
        open_ledger(postgresql().replace("/ledger_", "/never_"))


def test_a_sqlite_url_is_a_path(tmp_path: Path) -> None:
    with open_ledger(f"sqlite:///{tmp_path}/ledger.sqlite") as opened:
        assert opened.file == tmp_path / "ledger.sqlite"


def test_the_room_is_cheap_to_enter() -> None:
    code = (
        "import sys, ledger, ledger.errors, ledger.locks, ledger.records, ledger.states;"
        "print([name for name in sys.modules if name in ('sqlalchemy', 'alembic')])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout
    assert said == "[]\n"


def test_alembic_comes_only_when_there_is_something_to_upgrade(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    open_ledger(file).close()
    code = (
        "import sys; from ledger.connection import open_ledger;"
        "open_ledger(sys.argv[1]); print('alembic' in sys.modules)"
    )
    words = [sys.executable, "-c", code, str(file)]
    assert subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout == "False\n"


def test_a_copy_is_whole_while_others_write(in_a_file: Ledger, tmp_path: Path) -> None:
    assert in_a_file.file is not None
    begin(in_a_file)
    with in_a_file.write() as connection:
        connection.exec_driver_sql("UPDATE run SET job = 'not yet'")
        back_up(in_a_file.file, tmp_path / "copy.sqlite")
    with closing(sqlite3.connect(tmp_path / "copy.sqlite")) as copy:
        assert copy.execute("SELECT job FROM run").fetchall() == [("baseline",)]
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_ledger_from_before_rollouts_is_upgraded_with_all_it_knew(place: Path | str) -> None:
    before = connect(place)
    upgrade(before, newest="0001")  # as the first tuyen left it
    run = begin(before)
    with before.write() as connection:  # what intends today looks into tables that were not there yet
        connection.execute(
            insert(TASK), [asdict(Task(run, "a", State.INTENDED, "", stamp(before.clock()), before="f"))]
        )
    newest = head(before)
    before.close()
    with open_ledger(place) as opened:
        assert [task.before for task in tasks(opened, run)] == ["f"]
        assert head(opened) == newest
        rollout = create(opened, name="agent", job="one-stop-agent", plan={}, actor=LAN)
        append(opened, rollout, [Draft("started")], actor=LAN)
        assert list(verify(opened, newest)) == []
    if isinstance(place, Path):
        with connect(place.with_name("ledger.sqlite.before-upgrade-from-0001")) as copy, copy.read() as connection:
            assert connection.exec_driver_sql("SELECT id FROM run").all() == [(run,)]
            assert MigrationContext.configure(connection).get_current_revision() == "0001"
