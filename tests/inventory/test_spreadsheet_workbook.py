"""A workbook that was exported says what the province says, whatever its texts look like, in both languages."""

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import openpyxl  # type: ignore[import-untyped]
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inventory.language import current, use
from inventory.load import load
from inventory.model import Device, Province
from inventory.selector import select_devices
from inventory.spreadsheet.changes import compare_workbook
from inventory.spreadsheet.values import bandwidth_text
from inventory.spreadsheet.workbook import write_workbook

ROOT = Path(__file__).parents[2]
GOOD = ROOT / "tests" / "provinces" / "good"
EXAMPLE = ROOT / "inventory" / "kien-giang"
RISKY = ["=1+1", "+84 297", "-5", "@SUM(A1)", "00123", "1E5", "TRUE", "31/12/2026", "http://a.example", "{=A1}"]


@pytest.fixture(scope="module")
def good() -> Province:
    return load(GOOD)


@pytest.fixture(scope="module")
def example() -> Province:
    return load(EXAMPLE)


@pytest.fixture
def vietnamese() -> Iterator[None]:
    use("vi")
    yield
    use("en")


def with_device(province: Province, name: str, **attributes: object) -> Province:
    device: Device = replace(province.devices[name], **attributes)  # type: ignore[arg-type]
    return replace(province, devices={**province.devices, name: device})


def saved(folder: Path, province: Province) -> Path:
    path = folder / "province.xlsx"
    path.write_bytes(write_workbook(province, tuple(province.devices.values())))
    return path


def opened(raw: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(raw))


def test_the_whole_example_comes_back_without_a_change(example: Province, tmp_path: Path) -> None:
    comparison = compare_workbook(saved(tmp_path, example), example)
    assert comparison.rows == len(example.offices) + len(example.devices)
    assert (comparison.changes, comparison.findings) == ((), ())


@pytest.mark.usefixtures("vietnamese")
def test_vietnamese_headings_are_understood_in_english_and_back(good: Province, tmp_path: Path) -> None:
    if current() != "vi":
        pytest.fail("the Vietnamese catalogue is not there; build it first")
    path = saved(tmp_path, good)
    page = openpyxl.load_workbook(path)["Thiết bị"]
    assert [cell.value for cell in page[1]][:4] == ["Mã thiết bị", "Mã địa điểm", "Tên địa điểm", "Tên"]
    use("en")
    comparison = compare_workbook(path, good)
    assert (comparison.rows, comparison.changes, comparison.findings) == (
        len(good.offices) + len(good.devices),
        (),
        (),
    )


def test_the_same_province_gives_the_same_bytes(good: Province) -> None:
    devices = tuple(good.devices.values())
    assert write_workbook(good, devices) == write_workbook(good, devices)


@pytest.mark.parametrize("text", RISKY)
def test_what_looks_like_a_formula_or_number_stays_text(good: Province, tmp_path: Path, text: str) -> None:
    province = with_device(good, "box.dong-yen", serial=text, owner=text)
    path = saved(tmp_path, province)
    page = openpyxl.load_workbook(path)["Devices"]
    cells = [cell for row in page.iter_rows() for cell in row if cell.value == text]
    assert len(cells) == 2
    assert {(cell.data_type, cell.number_format) for cell in cells} == {("s", "@")}
    comparison = compare_workbook(path, province)
    assert (comparison.changes, comparison.findings) == ((), ())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(min_codepoint=32, max_codepoint=0xFFFD, exclude_categories=["Cs", "Cn"]), min_size=1))
def test_any_serial_comes_back(good: Province, tmp_path: Path, text: str) -> None:
    province = with_device(good, "box.dong-yen", serial=text)
    comparison = compare_workbook(saved(tmp_path, province), province)
    assert (comparison.changes, comparison.findings) == ((), ())


def test_days_are_dates_and_days_before_excel_are_text(good: Province, tmp_path: Path) -> None:
    province = with_device(good, "box.dong-yen", bought=date(1899, 1, 2), warranty=date(2022, 6, 15))
    path = saved(tmp_path, province)
    page = openpyxl.load_workbook(path)["Devices"]
    row = next(row for row in page.iter_rows() if row[0].value == "box.dong-yen")
    assert [row[11].value, row[12].value] == ["1899-01-02", datetime(2022, 6, 15)]
    assert compare_workbook(path, province).changes == ()


def test_headings_stay_in_sight_and_filter_and_cells_offer_lists(good: Province) -> None:
    book = opened(write_workbook(good, tuple(good.devices.values())))
    assert book.sheetnames == ["Offices", "Devices", "Device types", "Notes", "Lists"]
    page = book["Devices"]
    assert page.freeze_panes == "B2"
    assert page.auto_filter.ref == f"A1:S{len(good.devices) + 1}"
    offered = {str(rule.sqref).rstrip("0123456789"): rule.formula1 for rule in page.data_validations.dataValidation}
    assert offered["E2:E"] == f"'Lists'!$B$2:$B${len(good.roles) + 1}"
    assert book["Lists"].sheet_state == "hidden"
    assert [cell.value for cell in book["Lists"]["B"] if cell.value] == ["roles", *good.roles]


def test_a_selection_brings_its_own_offices_only(good: Province, tmp_path: Path) -> None:
    raw = write_workbook(good, select_devices(good, "office=dong-yen"))
    assert [cell.value for cell in opened(raw)["Offices"]["A"]] == ["Office id", "dong-yen"]
    path = tmp_path / "some.xlsx"
    path.write_bytes(raw)
    assert compare_workbook(path, good).changes == ()


@pytest.mark.parametrize(
    ("bits", "text"),
    [
        (None, ""),
        (256_000, "256 kbit/s"),
        (20_000_000, "20 Mbit/s"),
        (2_500_000_000, "2.5 Gbit/s"),
        (1, "0.001 kbit/s"),
    ],
)
def test_bandwidths_are_written_as_people_write_them(bits: int | None, text: str) -> None:
    assert bandwidth_text(bits) == text
