"""The chain finds what was altered: one byte of any column, a row that is gone, rows that changed places."""

import contextlib
import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from ledger.audit import FIRST, Break, Head, append, append_many, entries, head, verify
from ledger.connection import Ledger, open_ledger
from ledger.errors import LedgerDamagedError
from ledger.records import Actor
from tests.ledger.conftest import LAN

ROWS = 7
COLUMNS = ("seq", "at", "person", "account", "origin", "action", "details", "previous", "hash")
ALTERED = "it is not what was written"
FOLLOWS = "it does not follow from the row before it"
MISSING = "rows before it are missing"


def fill(ledger: Ledger) -> Head:
    """Append ROWS rows and return the head."""
    with ledger.write() as connection:
        append(connection, ledger, LAN, "keys.pin", {"device": "box.dong-yen", "key": "SHA256:Zm9v"})
        rows = [("task.intend", {"tên": f"Xã số {number}", "number": number}) for number in range(2, ROWS + 1)]
        return append_many(connection, ledger, Actor("minh", "minh"), rows)


def alter(ledger: Ledger, *statements: str) -> None:
    """Change rows behind the ledger's back."""
    with ledger.write() as connection:
        for statement in statements:
            connection.execute(text(statement))


def test_an_untouched_chain_holds(ledger: Ledger) -> None:
    assert head(ledger) == Head(0, FIRST)
    assert list(verify(ledger)) == []
    newest = fill(ledger)
    assert head(ledger) == newest
    assert newest.seq == ROWS
    assert list(verify(ledger)) == []
    assert list(verify(ledger, newest)) == []
    assert [entry.seq for entry in entries(ledger, after=2, limit=3)] == [3, 4, 5]
    assert entries(ledger)[1].details == '{"number":2,"tên":"Xã số 2"}'


def test_an_aborted_transaction_leaves_no_gap(ledger: Ledger) -> None:
    fill(ledger)
    with contextlib.suppress(ZeroDivisionError), ledger.write() as connection:
        append(connection, ledger, LAN, "keys.pin", {})
        raise ZeroDivisionError
    assert head(ledger).seq == ROWS
    with ledger.write() as connection:
        assert append(connection, ledger, LAN, "keys.pin", {}).seq == ROWS + 1
    assert list(verify(ledger)) == []


@pytest.mark.parametrize(
    ("statements", "breaks"),
    [
        (["DELETE FROM audit WHERE seq = 4"], [Break(5, MISSING)]),
        (["DELETE FROM audit WHERE seq = 1"], [Break(2, MISSING)]),
        (["DELETE FROM audit WHERE seq = 4", "UPDATE audit SET seq = 4 WHERE seq = 5"], None),
        (
            [
                "UPDATE audit SET seq = 99 WHERE seq = 3",
                "UPDATE audit SET seq = 3 WHERE seq = 4",
                "UPDATE audit SET seq = 4 WHERE seq = 99",
            ],
            [Break(3, FOLLOWS), Break(3, ALTERED), Break(4, FOLLOWS), Break(4, ALTERED), Break(5, FOLLOWS)],
        ),
        (["UPDATE audit SET person = 'minh' WHERE seq = 1"], [Break(1, ALTERED)]),
        (["UPDATE audit SET details = details || ' ' WHERE seq = 6"], [Break(6, ALTERED)]),
        ([f"UPDATE audit SET hash = '{'a' * 64}' WHERE seq = {ROWS}"], [Break(ROWS, ALTERED)]),
    ],
)
def test_what_was_done_behind_its_back_is_told(
    ledger: Ledger, statements: list[str], breaks: list[Break] | None
) -> None:
    fill(ledger)
    alter(ledger, *statements)
    found = list(verify(ledger))
    assert found
    assert breaks is None or found == breaks


def test_a_row_that_was_rewritten_with_a_right_hash_breaks_the_chain_after_it(ledger: Ledger) -> None:
    fill(ledger)
    with ledger.read() as connection:
        row = dict(connection.execute(text("SELECT * FROM audit WHERE seq = 3")).one()._mapping)
    previous, written = row.pop("previous"), row.pop("hash")
    assert written == by_the_book(previous, row)
    forged = by_the_book(previous, row | {"person": "lan"})
    alter(
        ledger,
        f"UPDATE audit SET person = 'lan', hash = '{forged}' WHERE seq = 3",
        f"UPDATE audit SET previous = '{forged}' WHERE seq = 4",
    )
    assert list(verify(ledger)) == [Break(4, ALTERED)]


def by_the_book(previous: str, row: dict[str, Any]) -> str:
    """Return the hash of a row as any other program would compute it."""
    canonical = json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256((previous + canonical).encode()).hexdigest()


def test_newest_rows_that_are_gone_show_by_a_head_that_was_written_down(ledger: Ledger) -> None:
    written = fill(ledger)
    alter(ledger, f"DELETE FROM audit WHERE seq > {ROWS - 2}")
    assert list(verify(ledger)) == []  # the chain alone cannot tell
    assert list(verify(ledger, written)) == [Break(ROWS - 2, "newer rows were there once, and are gone")]
    with ledger.write() as connection:
        append_many(connection, ledger, LAN, [("forged", {}), ("forged", {}), ("forged", {})])
    assert list(verify(ledger)) == []
    assert list(verify(ledger, written)) == [Break(ROWS, "it is not the row whose hash was written down")]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """A filled ledger that each example alters and mends."""
    ledger = open_ledger(tmp_path_factory.mktemp("audit") / "ledger.sqlite")
    fill(ledger)
    return ledger


@settings(max_examples=150, deadline=None)
@given(seq=st.integers(1, ROWS), column=st.sampled_from(COLUMNS), where=st.integers(0), mask=st.integers(1, 255))
def test_one_altered_byte_is_found(kept: Ledger, seq: int, column: str, where: int, mask: int) -> None:
    assert kept.file is not None
    with closing(sqlite3.connect(kept.file, isolation_level=None)) as raw:
        before = raw.execute(f"SELECT CAST({column} AS BLOB) FROM audit WHERE seq = ?", (seq,)).fetchone()[0]
        if column == "seq":
            other = seq ^ mask or 256
            change, mend = (other, seq), (seq, other)
            if not 1 <= other <= ROWS:
                raw.execute("UPDATE audit SET seq = ? WHERE seq = ?", change)
                assert list(verify(kept))
                raw.execute("UPDATE audit SET seq = ? WHERE seq = ?", mend)
        else:
            altered = bytearray(before)
            altered[where % len(before)] ^= mask
            put = f"UPDATE audit SET {column} = CAST(? AS TEXT) WHERE seq = ?"
            raw.execute(put, (bytes(altered), seq))
            assert list(verify(kept))
            raw.execute(put, (before, seq))
    assert list(verify(kept)) == []


@pytest.mark.parametrize("value", ["NULL", "x'6c616e'", "CAST(x'ff' AS TEXT)", "'lan' || char(0)"])
def test_a_value_of_another_kind_is_found(in_a_file: Ledger, value: str) -> None:
    fill(in_a_file)
    alter(
        in_a_file,
        "CREATE TABLE copy AS SELECT * FROM audit",  # without its constraints
        "DROP TABLE audit",
        "ALTER TABLE copy RENAME TO audit",
    )
    assert list(verify(in_a_file)) == []
    alter(in_a_file, f"UPDATE audit SET person = {value} WHERE seq = 1")
    assert list(verify(in_a_file)) == [Break(1, ALTERED)]


def test_a_byte_of_the_file_that_is_altered_on_disk_is_found(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    with open_ledger(file) as ledger:
        fill(ledger)
    content = file.read_bytes()
    at = content.index("Xã số 4".encode())
    for position in range(at, at + 9):
        file.write_bytes(content[:position] + bytes([content[position] ^ 0x01]) + content[position + 1 :])
        with open_ledger(file) as ledger:
            assert list(verify(ledger)) == [Break(4, ALTERED)]


def test_broken_pages_are_told_as_damage(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    with open_ledger(file) as ledger:
        fill(ledger)
    content = file.read_bytes()
    with closing(sqlite3.connect(file)) as raw:
        page = raw.execute("SELECT rootpage FROM sqlite_master WHERE name = 'audit'").fetchone()[0]
    begin = (page - 1) * 4096
    file.write_bytes(content[:begin] + b"\xff" * 4096 + content[begin + 4096 :])
    with open_ledger(file) as ledger, pytest.raises(LedgerDamagedError, match=r"ledger\.sqlite is damaged"):
        list(verify(ledger))
