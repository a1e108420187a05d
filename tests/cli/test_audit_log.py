"""`tuyen audit-log`: what it shows, what it finds, and the exit codes of ledgers that cannot be read."""

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.connection import FILE, open_ledger
from ledger.records import Actor, Draft
from ledger.rollouts import append, create
from ledger.runs import begin_run, intend
from tests.conftest import Tuyen

GOOD = Path(__file__).parents[1] / "provinces" / "good"
LAN, MINH = Actor("lan", "lan.nguyen", "10.91.0.20"), Actor("minh", "minh.tran")
EVENING = datetime(2026, 11, 25, 17, 30, tzinfo=UTC)  # half past midnight of the 26th, in the province


@pytest.fixture
def province(tmp_path: Path) -> Path:
    """A province whose ledger holds a run of Lan and, half an hour into the next day, a rollout that Minh approved."""
    folder = Path(shutil.copytree(GOOD, tmp_path / "good"))
    clock = iter([EVENING.replace(hour=10)] * 4 + [EVENING] * 20)
    with open_ledger(folder / FILE, clock=lambda: next(clock)) as ledger:
        run = begin_run(ledger, job="baseline", job_digest="", plan_digest="", actor=LAN, command="tuyen run baseline")
        intend(ledger, run, {"box.dong-yen": "f"})
        rollout = create(ledger, name="agent-2", job="one-stop-agent", plan={"waves": []}, actor=LAN)
        devices = [Draft("dispatched", device, details={"dispatch": "1"}) for device in ("box.dong-yen", "box.other")]
        append(ledger, rollout, devices, actor=LAN)
        append(ledger, rollout, [Draft("approved", wave=1, details={"note": "\x1b[2J"})], actor=MINH)
    return folder


def spoil(province: Path, statement: str) -> None:
    """Change the ledger behind its back."""
    with closing(sqlite3.connect(province / FILE)) as raw:
        raw.execute(statement)
        raw.commit()


def shown(tuyen: Tuyen, province: Path, *words: str) -> list[int]:
    """Return the numbers of the rows that `show` gives as JSON."""
    done = tuyen("audit-log", "show", *words, "--format", "json", cwd=province)
    assert done.returncode == 0, done.stderr
    return [item["seq"] for item in json.loads(done.stdout)["items"]]


def test_it_shows_who_did_what_newest_first_in_the_province_s_time(tuyen: Tuyen, province: Path) -> None:
    done = tuyen("audit-log", "show", cwd=province)
    assert (done.returncode, done.stderr) == (0, "")
    head, *rows = done.stdout.splitlines()
    assert head.split() == ["NUMBER", "TIME", "PERSON", "ACCOUNT", "FROM", "ACTION", "DETAILS"]
    assert [row.split()[0] for row in rows] == ["5", "4", "3", "2", "1"]
    assert rows[0].split()[1:7] == ["2026-11-26", "00:30:00+07:00", "minh", "minh.tran", "local", "rollout.approved"]
    assert rows[4].split()[1:7] == ["2026-11-25", "17:30:00+07:00", "lan", "lan.nguyen", "10.91.0.20", "run.begin"]
    assert "\x1b" not in done.stdout


def test_it_shows_what_is_asked_for(tuyen: Tuyen, province: Path) -> None:
    assert shown(tuyen, province) == [5, 4, 3, 2, 1]
    assert shown(tuyen, province, "--limit", "2") == [5, 4]
    assert shown(tuyen, province, "--device", "box.dong-yen") == [4, 2]
    assert shown(tuyen, province, "--device", "box.dong-yen", "--limit", "1") == [4]
    assert shown(tuyen, province, "--device", "box.dong%") == []
    assert shown(tuyen, province, "--device", "baseline") == []  # a job, no device
    assert shown(tuyen, province, "--person", "minh") == shown(tuyen, province, "--person", "minh.tran") == [5]
    assert shown(tuyen, province, "--since", "2026-11-26", "--person", "lan") == [4, 3]
    assert shown(tuyen, province, "--since", "2026-11-27") == []
    done = tuyen("audit-log", "show", "--since", "yesterday", cwd=province)
    assert done.returncode == 2
    assert "'yesterday' is no day" in done.stderr


def test_what_holds_is_told_with_the_head_to_write_down(tuyen: Tuyen, province: Path) -> None:
    done = tuyen("audit-log", "verify", cwd=province)
    assert (done.returncode, done.stderr) == (0, "")
    first, second = done.stdout.splitlines()
    assert first == "the audit trail holds: 5 rows"
    assert second.startswith("head, to be written down elsewhere: 5:")
    head = second.split()[-1]
    told = json.loads(tuyen("audit-log", "verify", "--head", head, "--format", "json", cwd=province).stdout)
    assert told == {"schema": 1, "head": head, "items": []}


def test_what_was_altered_is_told_and_fails(tuyen: Tuyen, province: Path) -> None:
    spoil(province, "UPDATE audit SET person = 'thu' WHERE seq = 2")
    done = tuyen("audit-log", "verify", cwd=province)
    assert done.returncode == 1
    assert "row 2  it is not what was written" in done.stdout
    assert "the audit trail does not hold: 1 places" in done.stderr


def test_rows_that_are_gone_show_by_the_head(tuyen: Tuyen, province: Path) -> None:
    head = json.loads(tuyen("audit-log", "verify", "--format", "json", cwd=province).stdout)["head"]
    spoil(province, "DELETE FROM audit WHERE seq = 5")
    spoil(province, "DELETE FROM rollout_event WHERE seq = 3")
    assert tuyen("audit-log", "verify", cwd=province).returncode == 0
    done = tuyen("audit-log", "verify", "--head", head, "--format", "json", cwd=province)
    assert done.returncode == 1
    assert json.loads(done.stdout)["items"] == [
        {"rollout": "", "run": "", "device": "", "seq": 4, "why": "newer rows were there once, and are gone"}
    ]


def test_an_approval_that_was_written_into_the_tables_is_found(tuyen: Tuyen, province: Path) -> None:
    spoil(
        province,
        "INSERT INTO rollout_event SELECT rollout, 4, at, kind, device, 2, details, 'thu', token"
        " FROM rollout_event WHERE seq = 3",
    )
    done = tuyen("audit-log", "verify", cwd=province)
    assert done.returncode == 1
    assert ", event 4  the audit trail knows nothing of it" in done.stdout


def test_a_run_that_was_written_into_the_tables_is_found(tuyen: Tuyen, province: Path) -> None:
    spoil(province, "INSERT INTO run VALUES ('r1', 'patch', 'd', 'p', 'thu', 'thu', '', 'tuyen', '2026', NULL, NULL)")
    spoil(province, "INSERT INTO task VALUES ('r1', 'box', 'changed', '', '2026', NULL, NULL, '', 1, '', NULL)")
    done = tuyen("audit-log", "verify", cwd=province)
    assert done.returncode == 1
    assert "run r1       the audit trail knows nothing of it\nrun r1, box  the audit" in done.stdout


def test_altered_rows_are_shown_all_the_same(tuyen: Tuyen, province: Path) -> None:
    spoil(province, 'UPDATE audit SET details = \'{"device":"box.dong-yen"\' WHERE seq = 3')
    spoil(province, "UPDATE audit SET at = 'yesterday' WHERE seq = 4")
    assert shown(tuyen, province, "--device", "box.dong-yen") == [4, 3, 2]
    assert "yesterday" in tuyen("audit-log", "show", cwd=province).stdout


@pytest.mark.parametrize("head", ["5", "5:abc", "x:" + "0" * 64, ""])
def test_a_head_that_is_none_is_wrong_usage(tuyen: Tuyen, province: Path, head: str) -> None:
    done = tuyen("audit-log", "verify", "--head", head, cwd=province)
    assert done.returncode == 2
    assert "SEQ:HASH" in done.stderr


@pytest.mark.parametrize(
    ("content", "code", "told"),
    [(b"no ledger\n" * 100, 2, "is damaged"), (b"", 0, "the audit trail holds: 0 rows")],
)
def test_a_ledger_that_cannot_be_read_is_told_with_2(
    tuyen: Tuyen, province: Path, content: bytes, code: int, told: str
) -> None:
    (province / FILE).write_bytes(content)
    done = tuyen("audit-log", "verify", cwd=province)
    assert done.returncode == code
    assert told in done.stdout + done.stderr


def test_a_ledger_of_a_newer_tuyen_is_told_with_2(tuyen: Tuyen, province: Path) -> None:
    spoil(province, "UPDATE alembic_version SET version_num = '9999'")
    done = tuyen("audit-log", "show", cwd=province)
    assert done.returncode == 2
    assert "was written by a newer tuyen (revision 9999)" in done.stderr
