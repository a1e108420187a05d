"""The workbook, as LibreOffice and openpyxl read it."""

import csv
import io
import subprocess
from collections.abc import Iterator, Mapping
from datetime import time, timedelta
from fractions import Fraction
from pathlib import Path
from zipfile import ZipFile

import openpyxl  # type: ignore[import-untyped]
import pytest
from openpyxl.workbook import Workbook  # type: ignore[import-untyped]

from exporters.reports.documents.document import Cell, Form, Sheet
from exporters.reports.documents.formats import document_of, write_xlsx
from exporters.reports.documents.xlsx import titles
from exporters.reports.figures import MICROSECONDS, Row, UptimeReport
from inventory.model import Province
from tests.exporters.reports.documents import october
from tests.exporters.reports.documents.conftest import HOSTILE

pytestmark = pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning")  # openpyxl reads no bars
# Every sheet in a file of its own, comma and quotes, UTF-8, cells as they are shown.
EVERY_SHEET = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,true,false,false,-1"
ONE = timedelta(seconds=1)


def written(report: UptimeReport, path: Path, language: str = "en") -> Workbook:
    write_xlsx(report, path, language)
    return openpyxl.load_workbook(path)


@pytest.fixture(scope="module")
def sheets(report: UptimeReport, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[list[str]]]:
    """What LibreOffice shows, by the sheet's title."""
    folder = tmp_path_factory.mktemp("libreoffice")
    write_xlsx(report, folder / "uptime.xlsx", "en")
    subprocess.run(
        [
            "soffice",
            "--headless",
            f"-env:UserInstallation=file://{folder}/profile",
            "--convert-to",
            EVERY_SHEET,
            "--outdir",
            str(folder),
            str(folder / "uptime.xlsx"),
        ],
        capture_output=True,
        timeout=180,
        check=True,
    )
    files = folder.glob("uptime-*.csv")
    return {
        path.stem.removeprefix("uptime-"): list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
        for path in files
    }


def percent(share: Fraction | None) -> str:
    if share is None:
        return ""
    return "99.999%" if Fraction(999_995, 1_000_000) <= share < 1 else f"{float(share) * 100:.3f}%"


def hours(duration: int) -> Iterator[str]:
    """Yield how a time may be shown: to the second, rounded or cut off."""
    for seconds in {duration // MICROSECONDS, (duration + MICROSECONDS // 2) // MICROSECONDS}:
        yield f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def test_libreoffice_shows_every_office_as_the_report_has_it(
    sheets: Mapping[str, list[list[str]]], report: UptimeReport
) -> None:
    head, *lines = sheets["By office"]
    assert len(lines) == len(report.offices)
    for line, row in zip(lines, report.offices, strict=True):
        assert line[0] == row.name
        shown = dict(zip(head, line, strict=True))
        _check(shown, row)


def _check(shown: Mapping[str, str], row: Row) -> None:
    now = row.now
    assert shown["Availability"] == percent(now.all_hours.availability)
    assert shown["In working hours"] == percent(now.working_hours.availability)
    assert shown["Number of outages"] == str(now.outages)
    assert shown["Time away"] in hours(now.all_hours.away)
    assert shown["Degraded"] in hours(now.all_hours.degraded)
    assert shown["Maintenance"] in hours(now.all_hours.maintenance)
    assert shown["Not watched"] in hours(now.all_hours.unknown)


def test_libreoffice_shows_districts_services_and_the_whole(
    sheets: Mapping[str, list[list[str]]], report: UptimeReport
) -> None:
    head, *places = sheets["Tiers and districts"]
    for line, row in zip(places, (report.total, *report.tiers, *report.districts), strict=True):
        _check(dict(zip(head, line, strict=True)), row)
    head, *services = sheets["By service"]
    for line, row in zip(services, report.services, strict=True):
        _check(dict(zip(head, line, strict=True)), row)


def test_libreoffice_shows_how_the_whole_changed(sheets: Mapping[str, list[list[str]]], report: UptimeReport) -> None:
    (line,) = [line for line in sheets["Summary"] if line[0] == "Availability, all hours"]
    total = report.total
    assert total.change is not None
    assert line[1:3] == [percent(total.now.all_hours.availability), percent(total.before.all_hours.availability)]
    assert line[3] == f"{float(total.change) * 100:+.3f}"


def test_every_sheet_opens(sheets: Mapping[str, list[list[str]]]) -> None:
    assert set(sheets) == {
        "Summary",
        "Tiers and districts",
        "By office",
        "By service",
        "By cause",
        "Costliest outages",
        "How it is counted",
    }
    everything = "\n".join(",".join(line) for lines in sheets.values() for line in lines)
    assert "#" not in everything.replace("#panic", "")  # neither ### nor #NAME?
    assert "Err:" not in everything


def seconds_of(value: object) -> float:
    """Return a cell's time as openpyxl gives it: below a day a time of day, above it a difference."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    assert isinstance(value, time)
    return timedelta(hours=value.hour, minutes=value.minute, seconds=value.second, microseconds=value.microsecond) / ONE


def test_cells_are_numbers_with_formats(report: UptimeReport, tmp_path: Path) -> None:
    page = written(report, tmp_path / "uptime.xlsx")["By office"]
    heads = {str(cell.value): cell.column for cell in page[1]}
    for number, row in enumerate(report.offices, 2):
        away = page.cell(number, heads["Time away"])
        assert away.number_format == "[h]:mm:ss"
        seconds = (
            away.value.total_seconds() if hasattr(away.value, "total_seconds") else float(away.value or 0) * 86_400
        )
        assert seconds == pytest.approx(row.now.all_hours.away / MICROSECONDS, abs=0.001)
        share = page.cell(number, heads["Availability"])
        assert share.value == pytest.approx(float(row.now.all_hours.availability or 0), abs=1e-15)
        assert "0.000%" in share.number_format


def test_sheets_are_ready_to_work_with_and_to_print(report: UptimeReport, tmp_path: Path) -> None:
    book = written(report, tmp_path / "uptime.xlsx")
    page = book["By office"]
    assert page.freeze_panes == "B2"
    assert page.auto_filter.ref == f"A1:S{len(report.offices) + 1}"
    assert page.conditional_formatting
    for sheet in book.worksheets:
        assert sheet.page_setup.orientation == "landscape"
        assert int(sheet.page_setup.paperSize or 0) == 9
    with ZipFile(tmp_path / "uptime.xlsx") as parts:
        assert sum(name.startswith("xl/charts/chart") for name in parts.namelist()) == 2


@pytest.mark.parametrize("language", ["vi", "en"])
def test_hostile_names_are_text(hostile: UptimeReport, tmp_path: Path, language: str) -> None:
    path = tmp_path / "uptime.xlsx"
    book = written(hostile, path, language)
    found = {
        cell.value for page in book.worksheets for row in page.iter_rows() for cell in row if cell.data_type == "s"
    }
    for name in HOSTILE.values():
        assert name.replace("\u0007", "") in {
            str(value).replace("_x0007_", "").replace("\u0007", "") for value in found
        }
    assert not [cell for page in book.worksheets for row in page.iter_rows() for cell in row if cell.data_type == "f"]
    with ZipFile(path) as parts:
        for name in parts.namelist():
            part = parts.read(name)
            assert b"<f>" not in part or name.startswith("xl/charts/")
            assert b"<hyperlink" not in part


def test_a_share_of_almost_all_is_not_shown_as_all(province: Province, tmp_path: Path) -> None:
    page = written(october.october(province), tmp_path / "uptime.xlsx", "vi").worksheets[2]
    assert page["E2"].number_format == '[=1]0.000%;[>=0.999995]"99,999%";0.000%'


def test_titles_of_sheets_are_what_workbooks_take() -> None:
    long = "Những lần gián đoạn tốn kém nhất"
    found = titles([Sheet(long), Sheet(long.upper()), Sheet("'a/b'"), Sheet("A:b"), Sheet("[x]")])
    assert found == [long[:31], long.upper()[:28] + " 2", "a b", "A b 2", "x"]


def test_the_same_bytes_again(report: UptimeReport, tmp_path: Path) -> None:
    write_xlsx(report, tmp_path / "one.xlsx", "vi")
    write_xlsx(report, tmp_path / "two.xlsx", "vi")
    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "two.xlsx").read_bytes()


def test_summary_compares_with_the_month_before(report: UptimeReport) -> None:
    table = document_of(report, "en").sheets[0].tables[0]
    words, now, before, changed = table.rows[0]
    assert words == "Availability, all hours"
    assert now == Cell(Form.SHARE, report.total.now.all_hours.availability)
    assert before == Cell(Form.SHARE, report.total.before.all_hours.availability)
    assert changed == Cell(Form.CHANGE, report.total.change)
