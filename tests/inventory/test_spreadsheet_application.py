"""Changes of a workbook reach the province's files whole, or not at all, and loading says what the workbook said."""

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl  # type: ignore[import-untyped]
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inventory.finding import InvalidProvinceError, Place
from inventory.load import load
from inventory.model import Province
from inventory.spreadsheet.application import apply, plan_rewrites, write
from inventory.spreadsheet.change import Change
from inventory.spreadsheet.changes import Comparison, compare_workbook
from inventory.spreadsheet.workbook import write_workbook

ROOT = Path(__file__).parents[2]
GOOD = ROOT / "tests" / "provinces" / "good"
EXAMPLE = ROOT / "inventory" / "kien-giang"
PLACE = Place("a.xlsx!Devices", 2)
OFFICES = "offices/an-bien.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOOD, tmp_path / "good"))


def device(name: str, attribute: str, new: str) -> Change:
    return Change("device", name, attribute, "?", new, PLACE)


def edited(province: Province, path: Path, cells: dict[tuple[str, str, str], Any]) -> Comparison:
    """Export the province, set cells by (sheet, id, heading), and compare."""
    path.write_bytes(write_workbook(province, tuple(province.devices.values())))
    book = openpyxl.load_workbook(path)
    for (sheet, name, heading), value in cells.items():
        column = next(cell.column for cell in book[sheet][1] if cell.value == heading)
        row = next(row[0].row for row in book[sheet].iter_rows() if row[0].value == name)
        book[sheet].cell(row, column).value = value
    book.save(path)
    return compare_workbook(path, province)


def test_the_province_is_what_the_edited_workbook_says(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(EXAMPLE, tmp_path / "kien-giang"))
    province = load(folder)
    cells: dict[tuple[str, str, str], Any] = {
        ("Devices", "router.an-bien", "Serial number"): "000777",
        ("Devices", "documents.an-bien", "Owner"): "=HYPERLINK(1)",
        ("Devices", "box.tay-yen", "MAC address"): "00:1d:aa:4b:2c:99",
        ("Devices", "box.tay-yen", "Bought on"): date(2021, 2, 3),
        ("Devices", "pc-2.thu-ba", "Serial number"): "SN 5: á",
        ("Offices", "nam-thai-a", "Backup bandwidth"): "12 Mbit/s",
        ("Offices", "dong-yen", "Name"): "Trụ sở xã Đông Yên",
    }
    cells[("Devices", "documents.an-bien", "Owner")] = "-- =HYPERLINK(1)"  # openpyxl would make it a formula
    comparison = edited(province, tmp_path / "a.xlsx", cells)
    kept = [change for change in comparison.changes if change.attribute == "warranty"]
    assert [(c.id, c.old, c.new) for c in kept] == [("box.tay-yen", "2023-02-03", "2021-05-13")]
    assert (len(comparison.changes), comparison.findings) == (len(cells) + 1, ())
    difference = apply(province, comparison.changes, folder)
    after = load(folder)
    assert compare_workbook(tmp_path / "a.xlsx", after).changes == ()
    assert after.devices["router.an-bien"].serial == "000777"
    assert after.devices["box.tay-yen"].bought == date(2021, 2, 3)
    assert after.offices["dong-yen"].name == "Trụ sở xã Đông Yên"
    assert after.offices["nam-thai-a"].backup is not None
    assert after.offices["nam-thai-a"].backup.bandwidth == 12_000_000
    touched = {change.id for change in comparison.changes}
    for name, before in province.devices.items():
        if name not in touched:
            assert replace(after.devices[name], place=before.place) == before
    assert '+      router: {serial: "000777"}' in difference.splitlines()
    assert difference.startswith("--- a/offices/an-bien.yaml\n+++ b/offices/an-bien.yaml\n")


def test_a_new_device_is_made(folder: Path) -> None:
    changes = [
        device("scanner.nam-yen", "role", "workstation"),
        device("scanner.nam-yen", "type", "draytek-vigor2927"),
        device("scanner.nam-yen", "serial", "S1"),
    ]
    apply(load(folder), changes, folder)
    made = load(folder).devices["scanner.nam-yen"]
    assert (made.role, made.type, made.serial) == ("workstation", "draytek-vigor2927", "S1")


def test_an_emptied_serial_is_gone(folder: Path) -> None:
    apply(load(folder), [device("box.dong-yen", "serial", "")], folder)
    assert load(folder).devices["box.dong-yen"].serial == ""


def test_a_dry_run_shows_the_difference_and_writes_nothing(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*.yaml")}
    difference = apply(load(folder), [device("box.dong-yen", "serial", "N1")], folder, dry_run=True)
    assert [line for line in difference.splitlines() if line[0] in "+-"][2:] == [
        "-      box: {serial: 0012345, mac: 00:1D:AA:4B:2C:10}",
        "+      box: {serial: N1, mac: 00:1D:AA:4B:2C:10}",
    ]
    assert {path: path.read_bytes() for path in folder.rglob("*.yaml")} == before
    assert apply(load(folder), [], folder) == ""


def test_what_would_not_load_is_not_written(folder: Path) -> None:
    before = (folder / OFFICES).read_bytes()
    changes = [
        device("lone.nam-yen", "role", "server"),  # has probes, but no address
        device("lone.nam-yen", "type", "draytek-vigor2927"),
    ]
    with pytest.raises(InvalidProvinceError) as caught:
        apply(load(folder), changes, folder)
    assert [found.rule for found in caught.value.findings] == ["probe-without-address"]
    assert (folder / OFFICES).read_bytes() == before


def test_a_change_that_something_else_overrules_is_told(folder: Path) -> None:
    change = device("box.dong-yen", "bought", "")
    with pytest.raises(InvalidProvinceError) as caught:
        apply(load(folder), [change], folder)
    assert str(caught.value).startswith("a.xlsx!Devices:2:1: sheet-no-effect: bought of 'box.dong-yen' would still be")


def test_a_file_that_changed_meanwhile_is_not_overwritten(folder: Path) -> None:
    rewrites = plan_rewrites(load(folder), [device("box.dong-yen", "serial", "N1")], folder)
    with (folder / OFFICES).open("a") as stream:
        stream.write("# a word from a colleague\n")
    with pytest.raises(InvalidProvinceError) as caught:
        write(rewrites, folder)
    assert [str(found.place) for found in caught.value.findings] == [f"{OFFICES}:1:1"]
    assert "colleague" in (folder / OFFICES).read_text()
    assert "N1" not in (folder / OFFICES).read_text()


def test_mode_and_byte_order_mark_stay_and_nothing_is_left_beside(folder: Path) -> None:
    path = folder / OFFICES
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    path.chmod(0o640)
    apply(load(folder), [device("box.dong-yen", "serial", "N1")], folder)
    assert path.read_bytes().startswith(b"\xef\xbb\xbfblock")
    assert path.stat().st_mode & 0o777 == 0o640
    assert {file.name for file in path.parent.iterdir()} == {file.name for file in (GOOD / "offices").iterdir()}


def test_when_one_file_cannot_be_prepared_none_is_written(folder: Path) -> None:
    changes = [device("box.dong-yen", "serial", "N1"), device("web.centre", "serial", "N2")]
    rewrites = plan_rewrites(load(folder), changes, folder)
    assert [rewrite.file for rewrite in rewrites] == [OFFICES, "offices/province.yaml"]
    broken = replace(rewrites[1], file="offices/missing/province.yaml")
    with pytest.raises(OSError, match="missing"):
        write([rewrites[0], broken], folder)
    assert (folder / OFFICES).read_bytes() == rewrites[0].before
    assert not list((folder / "offices").glob(".*"))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(serial=st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"]), min_size=1, max_size=40))
def test_any_serial_reaches_the_province(folder: Path, serial: str) -> None:
    apply(load(folder), [device("box.dong-yen", "serial", serial)], folder)
    assert load(folder).devices["box.dong-yen"].serial == serial
