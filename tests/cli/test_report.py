"""`tuyen report`: from a small ledger to tables, texts, JSON and documents."""

import json
import os
import shutil
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile
from zoneinfo import ZoneInfo

import pytest
import typer

from cli.report import _days, _form, _last_month, _last_week, _yesterday
from cli.report_files import ReportFormat, target_of
from ledger.connection import FILE, open_ledger
from ledger.leases import acquire, release
from ledger.outages import WATCH, Closed, Opened, note, record
from ledger.records import Actor
from ledger.watching import Day, begin_span, extend_span
from tests.conftest import Tuyen
from tests.exporters.test_health import GOOD
from tests.ledger.test_trouble import MOUNTS, ROOT

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
WATCHER = Actor("watch", "watch")
HOLIDAYS = "holidays:\n  2026-10-06: Lễ của tỉnh\n"


def on(day: int, hour: float) -> datetime:
    """Return a local moment of October 2026."""
    return datetime(2026, 10, 1, tzinfo=ZONE) + timedelta(days=day - 1, hours=hour)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A province that was watched from 2 October on; its district was cut off on the 5th, and lost power on the 6th."""
    made = Path(shutil.copytree(GOOD, tmp_path / "province"))
    (made / "holidays.yaml").write_text(HOLIDAYS)
    with open_ledger(made / FILE) as ledger:
        lease = acquire(ledger, WATCH, actor=WATCHER, seconds=60)
        token = lease.token
        begun = begin_span(ledger, on(2, 0), token=token)
        extend_span(ledger, begun, on(32, 0), token=token)
        for name, day, cause in (("cut", 5, "link"), ("power", 6, "unknown")):
            opened = [Opened(name, "office", "an-bien", on(day, 9), "down", cause, None, {"why": "no answer"})]
            for office in ("dong-yen", "nam-yen"):
                behind = {"behind": "an-bien"}
                opened.append(
                    Opened(f"{name}-{office}", "office", office, on(day, 9), "unreachable", "upstream", name, behind)
                )
            record(ledger, [*opened, *(Closed(one.id, on(day, 11)) for one in opened)], token=token)
        release(ledger, lease, actor=WATCHER)
        note(ledger, "power", "=EVN cắt điện", actor=Actor("lan", "lan"), cause="power")
    return made


def report(tuyen: Tuyen, folder: Path, *words: str) -> Any:
    done = tuyen("report", *words, "--format", "json", cwd=folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_month_as_json(tuyen: Tuyen, folder: Path) -> None:
    told = report(tuyen, folder, "uptime", "--month", "2026-10")
    assert told["schema"] == 1
    items = {(item["kind"], item["id"]): item for item in told["items"]}
    office = items["office", "dong-yen"]
    assert (office["away_seconds"], office["behind_seconds"], office["unknown_seconds"]) == (14_400, 14_400, 86_400)
    assert office["working_away_seconds"] == 7200  # the 6th is a holiday
    assert office["availability"] == (30 * 24 - 4) / (30 * 24)
    assert items["province", "good"]["outages"] == 2
    assert items["district", "an-bien"]["repair_seconds"] == 14_400
    assert items["service", "one-stop"]["availability"] == 1
    assert {cause["cause"]: cause["behind_seconds"] for cause in told["report"]["causes"]} == {
        "link": 14_400,
        "power": 14_400,
    }
    assert told["report"]["before"]["name"] == "2026-09"


def test_documents_have_the_letterhead_of_the_province(tuyen: Tuyen, folder: Path) -> None:
    with (folder / "province.yaml").open("a") as file:
        file.write("letterhead: {body: Sở Thử nghiệm, symbol: STN, addressee: Ủy ban <b>, capacity: [GIÁM ĐỐC]}\n")
    for command in ("uptime", "lifecycle"):
        done = tuyen("report", command, "--out", f"{command}.html", cwd=folder)
        assert done.returncode == 0, done.stderr
        page = (folder / f"{command}.html").read_text(encoding="utf-8")
        for words in ("SỞ THỬ NGHIỆM", "/BC-STN", "To: Ủy ban &lt;b&gt;", "GIÁM ĐỐC"):
            assert words in page


def test_documents_have_stable_names_and_a_second_run_gives_the_same_bytes(tuyen: Tuyen, folder: Path) -> None:
    words = ("report", "uptime", "--month", "2026-10", "--out-dir", "out", "--format")
    for form in ("json", "xlsx", "pdf"):
        done = tuyen(*words, form, cwd=folder)
        assert (done.returncode, done.stdout) == (0, f"out/uptime-2026-10.{form}: written\n"), done.stderr
    first = {path.name: path.read_bytes() for path in (folder / "out").iterdir()}
    assert first.keys() == {"uptime-2026-10.json", "uptime-2026-10.xlsx", "uptime-2026-10.pdf"}
    assert first["uptime-2026-10.pdf"].startswith(b"%PDF-")
    for form in ("json", "xlsx"):
        assert tuyen(*words, form, cwd=folder).returncode == 0
    assert {path.name: path.read_bytes() for path in (folder / "out").iterdir()} == first
    with ZipFile(folder / "out" / "uptime-2026-10.xlsx") as book:
        assert "<f>" not in "".join(book.read(name).decode() for name in book.namelist() if name.endswith(".xml"))


def test_the_table_tells_the_same(tuyen: Tuyen, folder: Path) -> None:
    done = tuyen("report", "uptime", "--month", "2026-10", cwd=folder)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    district = next(line for line in lines if line.startswith("Huyện An Biên"))
    assert "99.44%" in district
    assert "12:00" in district  # three offices, four hours each
    assert any(line.startswith("Worst offices:") for line in lines)
    assert "Trung tâm dữ liệu" not in done.stdout  # it was never away


def test_what_was_never_watched_has_no_figures(tuyen: Tuyen, folder: Path) -> None:
    done = tuyen("report", "uptime", "--month", "2026-08", "--offices", cwd=folder)
    assert done.returncode == 0, done.stderr
    (office,) = (line for line in done.stdout.splitlines() if line.startswith("Trung tâm dữ liệu"))
    assert "no figures yet" in office
    assert "100" not in done.stdout


def test_only_what_lies_under_a_unit(tuyen: Tuyen, folder: Path) -> None:
    told = report(tuyen, folder, "uptime", "--from", "2026-10-05", "--to", "2026-10-06", "--under", "nam-yen")
    assert [(item["kind"], item["id"]) for item in told["items"]] == [
        ("province", "nam-yen"),
        ("tier", "commune"),
        ("district", "an-bien"),
        ("office", "nam-yen"),
        ("service", "one-stop"),
    ]
    assert told["report"]["period"]["name"] == "2026-10-05_2026-10-06"
    done = tuyen("report", "uptime", "--month", "2026-10", "--under", "nam-yin", cwd=folder)
    assert done.returncode == 2
    assert "no unit and no office is called 'nam-yin'" in done.stderr


def test_units_are_named_as_on_a_day(tuyen: Tuyen, folder: Path) -> None:
    units, head = folder / "units.yaml", folder / "province.yaml"
    dated = "{2000-01-01: Xã Đông Yên, 2026-10-10: Xã Đông Thái, 2026-11-01: Phường Đông Thái}"
    units.write_text(units.read_text().replace("name: Xã Đông Yên", f"name: {dated}"))
    head.write_text("".join(line for line in head.read_text().splitlines(keepends=True) if "as_of" not in line))
    names = {
        words: next(
            item["name"]
            for item in report(tuyen, folder, "uptime", *words)["items"]
            if (item["kind"], item["id"]) == ("office", "dong-yen")
        )
        for words in (("--month", "2026-10"), ("--day", "2026-10-06"), ("--month", "2026-10", "--as-of", "2026-11-02"))
    }
    assert list(names.values()) == ["Xã Đông Thái", "Xã Đông Yên", "Phường Đông Thái"]


def test_an_office_that_came_in_mid_month_counts_from_then(tuyen: Tuyen, folder: Path) -> None:
    with open_ledger(folder / FILE) as ledger:
        token = acquire(ledger, WATCH, actor=WATCHER, seconds=60).token
        begun = begin_span(ledger, on(2, 1), token=token)
        days = [
            Day(f"2026-10-{day:02}", "office", office, up=86_400.0)
            for office, first in (("centre", 2), ("an-bien", 2), ("dong-yen", 2), ("nam-yen", 30))
            for day in range(first, 32)
        ]
        extend_span(ledger, begun, on(31, 0), days, token=token)
    items = report(tuyen, folder, "uptime", "--month", "2026-10")["items"]
    observed = {item["id"]: item["observed_seconds"] for item in items if item["kind"] == "office"}
    assert observed["an-bien"] == 30 * 86_400
    assert observed["nam-yen"] == 4 * 86_400  # it was seen to fall on the 5th and 6th, so it was there
    unknown = {item["id"]: item["unknown_seconds"] for item in items if item["kind"] == "office"}
    assert (unknown["an-bien"], unknown["nam-yen"]) == (86_400, 23 * 86_400)


def test_a_day_and_a_week_in_a_few_lines(tuyen: Tuyen, folder: Path) -> None:
    done = tuyen("report", "daily", "--day", "2026-10-06", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Tỉnh Mẫu: the day 06/10/2026\n")
    assert "(=EVN cắt điện)" in done.stdout
    done = tuyen("report", "weekly", "--week", "2026-W41", "--out-dir", "out", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "week 41 of 2026" in (folder / "out" / "weekly-2026-W41.txt").read_text()
    done = tuyen("report", "daily", "--format", "html", "--out-dir", "out", "--under", "an-bien", cwd=folder)
    assert done.returncode == 0, done.stderr
    (page,) = (folder / "out").glob("daily-*-an-bien.html")
    assert page.read_text().startswith("<!DOCTYPE html>")


def test_the_days_that_are_meant_by_default() -> None:
    wednesday = date(2026, 11, 25)
    assert _last_month(wednesday) == (date(2026, 10, 1), date(2026, 10, 31))
    assert _last_month(date(2026, 1, 1)) == (date(2025, 12, 1), date(2025, 12, 31))
    assert _last_week(wednesday) == _last_week(date(2026, 11, 23)) == (date(2026, 11, 16), date(2026, 11, 22))
    assert _last_week(date(2026, 11, 22)) == (date(2026, 11, 9), date(2026, 11, 15))
    assert _yesterday(wednesday) == (date(2026, 11, 24), date(2026, 11, 24))


def test_lifecycle(tuyen: Tuyen, folder: Path) -> None:
    told = report(tuyen, folder, "lifecycle", "--as-of", "2021-01-01", "--under", "dong-yen")
    assert told["report"]["warranty_due"] == [f"{device}.dong-yen" for device in ("box", "pc-1", "pc-3", "router")]
    assert {item["warranty_state"] for item in told["items"]} == {"ending"}
    done = tuyen("report", "lifecycle", "--as-of", "2026-11-25", "--out", "age.xlsx", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "age.xlsx").read_bytes().startswith(b"PK")


@pytest.mark.parametrize(
    ("month", "week", "day", "since", "until"),
    [
        ("2026-10", "2026-W41", "", "", ""),
        ("2026-10", "", "2026-10-05", "", ""),
        ("", "", "", "2026-10-01", ""),
        ("", "", "", "", "2026-10-01"),
        ("", "", "2026-10-05", "2026-10-01", "2026-10-05"),
    ],
)
def test_options_that_name_no_one_period(month: str, week: str, day: str, since: str, until: str) -> None:
    with pytest.raises(typer.BadParameter, match="write one of --month"):
        _days(month, week, day, since, until)


def test_where_a_report_goes() -> None:
    out, folder = Path("a.pdf"), Path("b")
    assert target_of(ReportFormat.TABLE, None, None, "x") is None
    assert target_of(ReportFormat.TEXT, None, folder, "x") == Path("b/x.txt")
    assert target_of(ReportFormat.PDF, out, None, "x") == out
    for form in (ReportFormat.PDF, ReportFormat.XLSX, ReportFormat.HTML):
        with pytest.raises(typer.BadParameter, match=rf"{form} needs a file: add --out FILE\.{form}"):
            target_of(form, None, None, "x")
    with pytest.raises(typer.BadParameter, match="write either --out FILE or --out-dir DIR"):
        target_of(ReportFormat.PDF, out, folder, "x")
    with pytest.raises(typer.BadParameter, match="a table goes to the terminal"):
        target_of(ReportFormat.TABLE, Path("a.text"), None, "x")
    assert _form(None, Path("a.PDF"), ReportFormat.TABLE) is ReportFormat.PDF
    assert _form(None, Path("a.txt"), ReportFormat.TABLE) is ReportFormat.TEXT
    assert _form(None, None, ReportFormat.TEXT) is ReportFormat.TEXT
    assert _form(ReportFormat.HTML, Path("a.pdf"), ReportFormat.TABLE) is ReportFormat.HTML


def test_a_period_that_has_not_begun(tuyen: Tuyen, folder: Path) -> None:
    done = tuyen("report", "uptime", "--day", "2999-01-01", cwd=folder)
    assert (done.returncode, done.stderr) == (2, "2999-01-01 has not begun yet\n")


FULL = """
mkdir out && mount -t tmpfs -o size=16k tmpfs out && printf 'the old one' > out/uptime-2026-10.html
"$1" -m cli report uptime --month 2026-10 --format html --out-dir out
code=$?
cat out/uptime-2026-10.html
ls -A out
exit $code
"""


def test_a_full_disk_is_told_and_the_old_file_stays(folder: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8", "LANGUAGE": "en"}
    words = [*MOUNTS, "sh", "-c", FULL, "sh", sys.executable]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1, done.stderr
    assert done.stderr == "out/uptime-2026-10.html cannot be written: No space left on device\n"
    assert done.stdout == "the old oneuptime-2026-10.html\n"


def test_vietnamese(tuyen: Tuyen, folder: Path) -> None:
    done = tuyen("--lang", "vi", "report", "uptime", "--month", "2026-10", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "99,44" in done.stdout
