"""Workbooks as they come from offices: titles, merges, two languages, numbers for text; and files that are none."""

import io
import zipfile
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl  # type: ignore[import-untyped]
import pytest

from inventory.load import load
from inventory.model import Province
from inventory.spreadsheet.changes import Comparison, compare_workbook
from inventory.spreadsheet.tables import MAX_BYTES, InvalidWorkbookError
from inventory.spreadsheet.workbook import write_workbook

GOOD = Path(__file__).parents[1] / "provinces" / "good"
TYPE = "draytek-vigor2927"


@pytest.fixture(scope="module")
def good() -> Province:
    return load(GOOD)


def saved(folder: Path, rows: Sequence[Sequence[object]], change: Callable[[Any], None] | None = None) -> Path:
    book = openpyxl.Workbook()
    book.active.title = "Kiểm kê"
    for row in rows:
        book.active.append(row)
    if change:
        change(book.active)
    path = folder / "kiem-ke.xlsx"
    book.save(path)
    return path


def changed(comparison: Comparison) -> list[tuple[int, str, str, str, str]]:
    return [(c.row, c.id, c.attribute, c.old, c.new) for c in comparison.changes]


def found(comparison: Comparison) -> list[str]:
    return [f"{f.place.line}:{f.place.column} {f.rule} {f.why}" for f in comparison.findings]


def one_row(folder: Path, province: Province, **cells: object) -> Comparison:
    return compare_workbook(saved(folder, [[*cells], [*cells.values()]]), province)


def test_a_sheet_from_real_life(good: Province, tmp_path: Path) -> None:
    office = good.offices["dong-yen"].name
    rows: list[list[object]] = [
        ["BẢNG KIỂM KÊ THIẾT BỊ NĂM 2026"],
        [],
        ["STT", "  ĐƠN VỊ ", "Tên thiết bị", "Chuc nang", "Chủng loại", "SỐ SÊ-RI", "Ngày mua", "IP", "Ghi chú"],
        [1, office, "box", None, None, 123, "31/02/2020", None, "tốt"],
        [2, f"\u00a0{office.upper()} ", "pc-1", "WORKSTATION", None, "  SN\u00a01 ", "15/06/2020", None, None],
        [None] * 9,
        [3, "dong-yenn", "box", "server", TYPE, "A1", None, None, None],
        [4, "nam-yen", None, "Server", "Vigor2927", "A2", datetime(2021, 3, 4), "10.91.16.229", None],
        [5, "nam-yen", None, "sever", TYPE, "A3", None, None, None],
        [6, "nam-yen", "pc-1", None, "draytek-vigor2926", 12345678901234570, None, None, None],
        [7, "nam-yen", "pc-2", None, None, "SN 1", "2019", "10.91.99.1", None],
        [8, "nam-yen", "pc-3", None, None, "=1+1", None, "10.91.16", None],
        [9, "nam-yen", "box", None, None, "M1", None, None, None],
        [10, None, "box", None, None, "M2", None, None, None],
        [11, office, "box", None, None, "0012345", None, None, None],
        [12, "nam-yen", "tủ", "server", TYPE, "A4", None, None, None],
        [13, "nam-yen", "new", None, TYPE, None, None, None, None],
    ]

    def merge(page: Any) -> None:
        page.merge_cells("A1:I1")
        page.merge_cells("B13:B14")

    comparison = compare_workbook(saved(tmp_path, rows, merge), good)
    prefix = good.offices["nam-yen"].prefix
    assert found(comparison) == [
        "3:9 sheet-unknown-column the column 'Ghi chú' is not known and not taken",
        "4:7 sheet-bad-date '31/02/2020' is no date",
        "7:2 unknown-office no office 'dong-yenn' is declared",
        "9:4 unknown-role no role 'sever' is declared in kinds.yaml",
        "10:5 unknown-device-type no device type 'draytek-vigor2926' is in device-types/",
        "10:6 sheet-long-number Excel keeps 15 digits of a number, so 12345678901234570 may not be what was typed",
        "11:6 duplicate-serial the serial SN 1 belongs to 'pc-1.dong-yen' too",
        "11:7 sheet-bad-date '2019' is no date",
        f"11:8 address-outside-prefix 10.91.99.1 lies outside the office's prefix {prefix}",
        "12:6 sheet-formula the formula =1+1 has no stored value",
        "12:8 bad-address IP address: '10.91.16' is no IPv4 address",
        "13:2 sheet-merged the cells B13:B14 are merged, so their rows are not taken",
        "15:1 sheet-duplicate-row 'box.dong-yen' was in row 4 of 'Kiểm kê' already",
        "16:3 bad-id 'tủ' is no id",
        "17:1 sheet-incomplete-device a new device needs Role",
    ]
    assert changed(comparison) == [
        (4, "box.dong-yen", "serial", "0012345", "123"),
        (5, "pc-1.dong-yen", "serial", "", "SN 1"),
        (5, "pc-1.dong-yen", "bought", "2019-06-15", "2020-06-15"),
        (8, "server-1.nam-yen", "role", "", "server"),
        (8, "server-1.nam-yen", "type", "", TYPE),
        (8, "server-1.nam-yen", "address", "", "10.91.16.229"),
        (8, "server-1.nam-yen", "serial", "", "A2"),
        (8, "server-1.nam-yen", "bought", "", "2021-03-04"),
    ]
    assert comparison.findings[2].fix == "write 'dong-yen' (the nearest that exists)"
    assert comparison.findings[0].place.file == "kiem-ke.xlsx!Kiểm kê"


def test_a_serial_that_only_its_format_shows_with_zeros_keeps_them(good: Province, tmp_path: Path) -> None:
    def zeros(page: Any) -> None:
        page["B2"].number_format = "0000000"

    path = saved(tmp_path, [["Device id", "S/N"], ["pc-1.nam-yen", 4711]], zeros)
    assert changed(compare_workbook(path, good)) == [(2, "pc-1.nam-yen", "serial", "", "0004711")]


def test_a_serial_that_excel_made_a_date_is_refused(good: Province, tmp_path: Path) -> None:
    comparison = one_row(tmp_path, good, **{"Device id": "pc-1.nam-yen", "serial": datetime(2026, 3, 12)})
    assert [f.rule for f in comparison.findings] == ["sheet-date-for-text"]


def test_a_row_is_known_by_its_serial_alone(good: Province, tmp_path: Path) -> None:
    comparison = one_row(tmp_path, good, Serial="0012345", Owner="Phòng Văn hoá")
    assert changed(comparison) == [(2, "box.dong-yen", "owner", "", "Phòng Văn hoá")]


def test_emptied_cells_take_away_only_what_nothing_else_gives(good: Province, tmp_path: Path) -> None:
    comparison = one_row(tmp_path, good, id="box.dong-yen", serial=None, address=None)
    assert changed(comparison) == [(2, "box.dong-yen", "serial", "0012345", "")]
    assert [(f.rule, f.place.column) for f in comparison.findings] == [("sheet-emptied", 3)]


def test_empty_cells_of_a_list_without_ids_say_nothing(good: Province, tmp_path: Path) -> None:
    comparison = one_row(tmp_path, good, office="dong-yen", name="box", serial=None, address=None)
    assert (comparison.changes, comparison.findings) == ((), ())


def test_columns_that_follow_from_others_are_not_taken(good: Province, tmp_path: Path) -> None:
    comparison = one_row(tmp_path, good, id="box.dong-yen", model="Vigor3910")
    assert comparison.changes == ()
    assert found(comparison) == [
        "2:2 sheet-follows Model is 'Vigor3910' here but 'Vigor2927' in the inventory; it follows from 'Type'"
    ]


def test_a_device_cannot_move_nor_change_its_name(good: Province, tmp_path: Path) -> None:
    for other in ({"office": "nam-yen"}, {"name": "chest"}):
        comparison = one_row(tmp_path, good, id="box.dong-yen", **{"office": "dong-yen", "name": "box"} | other)
        assert ([f.rule for f in comparison.findings], comparison.changes) == (["sheet-moved"], ())


def test_two_devices_may_exchange_their_serials(good: Province, tmp_path: Path) -> None:
    rows: list[list[object]] = [["id", "serial"], ["box.dong-yen", "NEW"], ["box.nam-yen", "0012345"]]
    comparison = compare_workbook(saved(tmp_path, rows), good)
    assert ([c.new for c in comparison.changes], comparison.findings) == (["NEW", "0012345"], ())


def test_a_serial_that_another_keeps_is_refused(good: Province, tmp_path: Path) -> None:
    comparison = one_row(tmp_path, good, id="box.nam-yen", serial="0012345")
    assert ([f.rule for f in comparison.findings], comparison.changes) == (["duplicate-serial"], ())


def test_a_warranty_before_the_purchase_is_refused(good: Province, tmp_path: Path) -> None:
    comparison = one_row(tmp_path, good, id="box.dong-yen", **{"warranty until": "14.6.2019"})
    assert ([f.rule for f in comparison.findings], comparison.changes) == (["warranty-before-purchase"], ())


@pytest.mark.parametrize("text", ["00:1D:AA:4B:2C:11", "00-1d-aa-4b-2c-11", "001DAA4B2C11", "001d.aa4b.2c11"])
def test_mac_addresses_are_taken_in_their_usual_forms(good: Province, tmp_path: Path, text: str) -> None:
    comparison = one_row(tmp_path, good, id="box.nam-yen", mac=text)
    assert [c.new for c in comparison.changes] == ["00:1d:aa:4b:2c:11"]


def test_links_of_offices_are_taken_and_new_offices_are_not(good: Province, tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["Office id", "Nhà mạng", "Medium", "Bandwidth", "Prefix"],
        ["dong-yen", "Viettel", "Radio", "8Mbps", good.offices["dong-yen"].prefix],
        ["nam-yen", "vnpt", "wire", "20 Mbit/s", None],
        ["tay-yen", "vnpt", "fibre", "20 Mbit/s", None],
    ]
    comparison = compare_workbook(saved(tmp_path, rows), good)
    assert [(c.subject, c.id, c.attribute, c.new) for c in comparison.changes] == [
        ("office", "dong-yen", "provider", "Viettel"),
        ("office", "dong-yen", "medium", "radio"),
        ("office", "dong-yen", "bandwidth", "8 Mbit/s"),
    ]
    assert [(f.place.line, f.rule) for f in comparison.findings] == [
        (3, "unknown-value"),
        (3, "sheet-follows"),
        (4, "sheet-new-office"),
    ]


def test_sheets_without_headings_are_told_beside_a_good_one(good: Province, tmp_path: Path) -> None:
    path = saved(tmp_path, [["id", "serial"], ["box.nam-yen", "X"]])
    book = openpyxl.load_workbook(path)
    book.create_sheet("Khác").append(["việc", "ngày"])
    book.create_sheet("Trống")
    book.save(path)
    comparison = compare_workbook(path, good)
    assert [(f.place.file, f.rule) for f in comparison.findings] == [("kiem-ke.xlsx!Khác", "sheet-skipped")]
    assert len(comparison.changes) == 1


def test_a_table_that_names_no_device_says_which_columns_would(good: Province, tmp_path: Path) -> None:
    comparison = one_row(tmp_path, good, Model="x", **{"IP address": "10.91.16.1"})
    assert [f.rule for f in comparison.findings] == ["sheet-missing-column"]


def refused(path: Path, province: Province) -> str:
    with pytest.raises(InvalidWorkbookError) as caught:
        compare_workbook(path, province)
    assert {found.place.file for found in caught.value.findings} == {path.name}
    return caught.value.findings[0].rule


def test_workbooks_without_a_table_are_refused(good: Province, tmp_path: Path) -> None:
    assert refused(saved(tmp_path, [["a", "b"], [1, 2]]), good) == "workbook-without-table"


def test_files_that_are_no_workbooks_are_refused(good: Province, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    assert refused(path, good) == "file-unreadable"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("letter.txt", "hello")
    ole = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(512)
    locked = ole + "EncryptedPackage".encode("utf-16-le")
    for raw, rule in (
        (b"", "workbook-unreadable"),
        (b"id,serial\n", "workbook-unreadable"),
        (archive.getvalue(), "workbook-unreadable"),
        (ole, "workbook-old-format"),
        (locked, "workbook-encrypted"),
        (bytes(MAX_BYTES + 1), "workbook-too-large"),
    ):
        path.write_bytes(raw)
        assert refused(path, good) == rule


def test_a_workbook_cut_anywhere_is_refused(good: Province, tmp_path: Path) -> None:
    raw = write_workbook(good, tuple(good.devices.values()))
    path = tmp_path / "cut.xlsx"
    for length in range(1, len(raw) - 1, len(raw) // 40):
        path.write_bytes(raw[:length])
        assert refused(path, good) == "workbook-unreadable"


def test_a_workbook_with_a_broken_sheet_is_refused(good: Province, tmp_path: Path) -> None:
    whole = io.BytesIO(write_workbook(good, tuple(good.devices.values())))
    path = tmp_path / "broken.xlsx"
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w") as target:
        for part in source.namelist():
            raw = source.read(part)
            target.writestr(part, raw[: len(raw) // 2] if part.endswith("sheet2.xml") else raw)
    assert refused(path, good) == "workbook-unreadable"


def test_an_archive_that_unpacks_to_too_much_is_not_unpacked(good: Province, tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("xl/worksheets/sheet1.xml", bytes(100 * 1024 * 1024))
    assert path.stat().st_size < 1024 * 1024
    assert refused(path, good) == "workbook-too-large"


def test_the_first_device_of_a_declared_role_may_come_from_a_workbook(good: Province, tmp_path: Path) -> None:
    assert "ups" not in {device.role for device in good.devices.values()}
    comparison = one_row(tmp_path, good, office="dong-yen", name="ups", role="UPS", type=TYPE, address="10.91.16.140")
    assert comparison.findings == ()
    assert ("ups.dong-yen", "role", "ups") in [(c.id, c.attribute, c.new) for c in comparison.changes]


def test_of_what_is_not_known_the_ids_are_listed_once(good: Province, tmp_path: Path) -> None:
    comparison = one_row(tmp_path, good, id="box.dong-yen", type="zzz")
    assert [f.fix for f in comparison.findings] == [f"write one of: {TYPE}"]
    near = one_row(tmp_path, good, id="box.dong-yen", type="DrayTek Vigor2937")
    assert [f.fix for f in near.findings] == ["write 'DrayTek Vigor2927' (the nearest that exists)"]
