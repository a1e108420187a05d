"""A copy of the ledger is of one moment and whole, whatever is written meanwhile."""

import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import inspect

from ledger import backup
from ledger.audit import append, head, verify
from ledger.backup import copy, drivers, load, look
from ledger.connection import Ledger, connect, open_ledger
from ledger.errors import BadBackupError, LedgerAbsentError, LedgerDamagedError
from ledger.leases import acquire
from ledger.schema import HEAD
from ledger.upgrade import KEPT_SCHEMA, upgrade
from tests.ledger.conftest import LAN, begin
from tests.ledger.test_opening import next_scripts

WRITING = """
import sys
from ledger.audit import append
from ledger.connection import open_ledger
from ledger.records import Actor

with open_ledger(sys.argv[1], patience=60) as ledger:
    while True:
        with ledger.write() as connection:
            seq = append(connection, ledger, Actor("lan", "lan"), "test", {"text": "x" * 500}).seq
        print(seq, flush=True)
"""


def test_a_copy_made_while_another_process_writes_holds_all_that_was_committed(
    place: Path | str, tmp_path: Path, postgresql: Callable[[], str]
) -> None:
    with open_ledger(place) as ledger:
        writer = subprocess.Popen([sys.executable, "-c", WRITING, str(place)], stdout=subprocess.PIPE, text=True)
        with writer:
            try:
                assert writer.stdout
                for _turn in range(3):
                    committed = int([next(writer.stdout) for _row in range(20)][-1])
                    file = tmp_path / f"copy-{committed}"
                    found = copy(ledger, file)
                    assert found.head.seq >= committed
                    assert found.breaks == 0
                    assert writer.poll() is None
                while int(next(writer.stdout)) <= found.head.seq:
                    pass  # it goes on writing
            finally:
                writer.kill()
        newest = head(ledger)
    assert newest.seq > found.head.seq
    again = file if isinstance(place, Path) else postgresql()
    if not isinstance(place, Path):
        with connect(again) as empty:
            load(empty, file, found.head)
    with open_ledger(again) as restored:
        assert head(restored) == found.head
        assert list(verify(restored, found.head)) == []
        begin(restored)  # it can be written to


def test_a_damaged_ledger_is_not_copied_as_if_it_were_whole(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    with open_ledger(file) as ledger:
        for _run in range(50):
            begin(ledger)
        copy(ledger, tmp_path / "copy")
    whole = bytearray((tmp_path / "copy").read_bytes())
    whole[8192:12288] = random.Random(1).randbytes(4096)
    (tmp_path / "copy").write_bytes(whole)
    with pytest.raises(LedgerDamagedError):
        look(tmp_path / "copy")


def test_an_altered_trail_is_saved_all_the_same_and_told(in_a_file: Ledger, tmp_path: Path) -> None:
    for _run in range(3):
        with in_a_file.write() as connection:
            append(connection, in_a_file, LAN, "test", {})
    with in_a_file.write() as connection:
        connection.exec_driver_sql("UPDATE audit SET details = '{\"x\":1}' WHERE seq = 2")
    assert copy(in_a_file, tmp_path / "copy").breaks == 1


def test_who_drives_is_told(ledger: Ledger) -> None:
    assert drivers(ledger) == ()
    acquire(ledger, "watch", actor=LAN, seconds=60)
    assert [line.partition("@")[0] for line in drivers(ledger)] == ["watch: lan"]


def test_a_database_that_is_not_empty_is_not_filled(postgresql: Callable[[], str], tmp_path: Path) -> None:
    with open_ledger(postgresql()) as ledger:
        begin(ledger)
        with ledger.write() as connection:
            append(connection, ledger, LAN, "test", {})
        found = copy(ledger, tmp_path / "dump")
        load(ledger, tmp_path / "dump", found.head)  # it has all of it already
    with open_ledger(postgresql()) as other, pytest.raises(BadBackupError, match="is not empty; make an empty"):
        load(other, tmp_path / "dump", found.head)


def test_a_dump_that_is_cut_short_fills_nothing(postgresql: Callable[[], str], tmp_path: Path) -> None:
    with open_ledger(postgresql()) as ledger:
        for _run in range(20):
            begin(ledger)
        found = copy(ledger, tmp_path / "dump")
    dump = tmp_path / "dump"
    dump.write_bytes(dump.read_bytes()[: dump.stat().st_size * 3 // 4])
    with connect(postgresql()) as empty:
        with pytest.raises(BadBackupError, match="pg_restore failed on"):
            load(empty, dump, found.head)
        with empty.read() as connection:
            assert inspect(connection).get_table_names() == []


def test_no_password_is_in_an_argument(
    postgresql: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "told"
    program = tmp_path / "postgresql" / "99" / "bin" / "pg_dump"
    program.parent.mkdir(parents=True)
    program.write_text(
        f'#!/bin/sh\necho "pg_dump (PostgreSQL) 99.1 $*" | /usr/bin/tee -a {told}\necho "$PGPASSWORD" >> {told}\n'
    )
    program.chmod(0o755)
    monkeypatch.setattr(backup, "_DEBIAN", tmp_path / "postgresql")
    monkeypatch.setenv("PATH", str(tmp_path))
    with open_ledger(postgresql().replace("tuyen@", "tuyen:hush@")) as ledger:
        copy(ledger, tmp_path / "dump")
    said = told.read_text().splitlines()
    assert [line for line in said if "hush" in line] == ["hush"]
    assert "dbname=ledger" in told.read_text()


def test_postgresql_keeps_what_was_before_an_upgrade_and_saves_only_what_is(
    postgresql: Callable[[], str], tmp_path: Path
) -> None:
    with open_ledger(postgresql()) as ledger:
        run = begin(ledger)
        for _again in range(2):  # also after the copy of an earlier upgrade
            upgrade(ledger, next_scripts(tmp_path), "9999")
            shutil.rmtree(tmp_path / "migrations 100%")
            with ledger.write() as connection:
                kept = connection.exec_driver_sql(f"SELECT id FROM {KEPT_SCHEMA}{HEAD}.run").scalars().all()
                assert kept == [run]
                connection.exec_driver_sql("ALTER TABLE run DROP COLUMN note")
                connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{HEAD}'")
        found = copy(ledger, tmp_path / "dump")
    with connect(postgresql()) as restored:
        load(restored, tmp_path / "dump", found.head)
        with restored.read() as connection:
            assert inspect(connection).get_schema_names() == ["information_schema", "public"]


def test_an_upgrade_of_postgresql_that_fails_keeps_nothing(postgresql: Callable[[], str], tmp_path: Path) -> None:
    with open_ledger(postgresql()) as ledger:
        with pytest.raises(ZeroDivisionError):
            upgrade(ledger, next_scripts(tmp_path, "1 / 0"), "9999")
        with ledger.read() as connection:
            assert inspect(connection).get_schema_names() == ["information_schema", "public"]


def test_a_server_newer_than_every_program_is_told(
    postgresql: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "_DEBIAN", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    told = "no pg_dump of that version or newer is here; install postgresql-client-"
    with open_ledger(postgresql()) as ledger, pytest.raises(LedgerAbsentError, match=told):
        copy(ledger, tmp_path / "dump")
