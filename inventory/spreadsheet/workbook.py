"""Write a workbook: offices, devices, device types and how to use them, as text that no spreadsheet can run."""

import io
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, get_args

import xlsxwriter  # type: ignore[import-untyped]

from inventory.declared_values import Medium
from inventory.language import _, current
from inventory.model import Device, Province
from inventory.spreadsheet.columns import DEVICE_TYPES, DEVICES, LISTS, NOTES, OFFICES, Column, Form, Sheet
from inventory.spreadsheet.values import device_type_values, device_values, office_values

SPARE_ROWS = 500  # below the last device, where new ones still get their lists
_FIRST_EXCEL_YEAR = 1901  # older days have no sound number in Excel: they are written as text
_CREATED = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)  # the same province gives the same bytes
Rows = Sequence[Mapping[str, str]]


def write_workbook(province: Province, devices: Sequence[Device]) -> bytes:
    """Return an .xlsx of `devices` and their offices (of all offices, when these are all devices).

    Every text is a text cell, whatever it begins with; days are real dates; headings are in the language in use.
    """
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True, "strings_to_formulas": False}) as book:
        book.set_properties({"title": province.name, "created": _CREATED})
        writer = _Writer(book, _lists(province))
        for sheet, rows in _tables(province, devices):
            writer.table(sheet, rows)
        writer.notes(province)
        writer.lists()
    return target.getvalue()


def _tables(province: Province, devices: Sequence[Device]) -> list[tuple[Sheet, Rows]]:
    held = {device.office for device in devices}
    everything = len(devices) == len(province.devices)
    offices = [office for office in province.offices.values() if everything or office.id in held]
    counts: dict[str, int] = {}
    for device in devices:
        counts[device.type] = counts.get(device.type, 0) + 1
    types = [device_type_values(known, counts.get(known.id, 0)) for known in province.device_types.values()]
    return [
        (OFFICES, [office_values(province, office) for office in offices]),
        (DEVICES, [device_values(province, device) for device in devices]),
        (DEVICE_TYPES, types),
    ]


def _lists(province: Province) -> dict[str, list[str]]:
    """Return what cells offer, by the name of the list."""
    return {
        "offices": list(province.offices),
        "roles": list(province.roles),
        "types": sorted(province.device_types),
        "kinds": list(province.kinds),
        "media": list(get_args(Medium)),
    }


class _Writer:
    """One workbook in the making, with its formats."""

    def __init__(self, book: Any, lists: Mapping[str, Sequence[str]]) -> None:
        self.book = book
        self.choices = lists
        day = "dd/mm/yyyy" if current() == "vi" else "yyyy-mm-dd"
        grey = {"font_color": "#707070"}
        self.head = book.add_format({"bold": True, "bg_color": "#DCE6F1", "border": 1, "num_format": "@"})
        self.forms = {
            (Form.TEXT, False): book.add_format({"num_format": "@"}),
            (Form.TEXT, True): book.add_format({"num_format": "@"} | grey),
            (Form.DAY, False): book.add_format({"num_format": day}),
            (Form.DAY, True): book.add_format({"num_format": day} | grey),
            (Form.NUMBER, False): book.add_format({"num_format": "0"}),
            (Form.NUMBER, True): book.add_format({"num_format": "0"} | grey),
        }

    def table(self, sheet: Sheet, rows: Rows) -> None:
        page = self.book.add_worksheet(sheet.title)
        for position, column in enumerate(sheet.columns):
            form = self.forms[column.form, bool(column.follows)]
            page.set_column(position, position, column.width, form)
            page.write_string(0, position, column.heading, self.head)
            if column.choices:
                self._offer(page, position, column.choices, len(rows) + SPARE_ROWS)
            for number, row in enumerate(rows, 1):
                _write(page, number, position, column, row[column.key], form)
        page.freeze_panes(1, 1)
        page.autofilter(0, 0, max(1, len(rows)), len(sheet.columns) - 1)

    def _offer(self, page: Any, position: int, name: str, last: int) -> None:
        """Offer a list in a column. It is a range, as a list written out may have 255 characters only."""
        column = chr(ord("A") + list(self.choices).index(name))
        values = f"='{LISTS.title}'!${column}$2:${column}${len(self.choices[name]) + 1}"
        page.data_validation(
            1, position, last, position, {"validate": "list", "source": values, "error_type": "warning"}
        )

    def notes(self, province: Province) -> None:
        page = self.book.add_worksheet(NOTES.title)
        page.set_column(0, 0, 110, self.book.add_format({"text_wrap": True, "num_format": "@"}))
        for number, line in enumerate(_notes(province)):
            page.write_string(number, 0, line)

    def lists(self) -> None:
        page = self.book.add_worksheet(LISTS.title)
        for position, (name, values) in enumerate(self.choices.items()):
            for number, value in enumerate((name, *values)):
                page.write_string(number, position, value, self.forms[Form.TEXT, False])
        page.hide()


def _write(page: Any, number: int, position: int, column: Column, text: str, form: Any) -> None:
    """Write one cell. An empty one keeps its format, so that what is typed into it stays text."""
    if not text:
        page.write_blank(number, position, None, form)
    elif column.form is Form.NUMBER:
        page.write_number(number, position, int(text), form)
    elif column.form is Form.DAY and (day := date.fromisoformat(text)).year >= _FIRST_EXCEL_YEAR:
        page.write_datetime(number, position, day, form)
    else:
        page.write_string(number, position, text, form)


def _notes(province: Province) -> list[str]:
    return [
        _("{province}, as of {day}").format(province=province.name, day=province.as_of.isoformat()),
        _("Edit cells of the sheets for offices and devices, save, and run 'tuyen inventory import FILE'."),
        _("Nothing is changed before the import has shown every difference and asked."),
        _("Grey columns follow from others (the manufacturer from the type, say) and are not taken back."),
        _("A new row in the sheet for devices needs office, role and type; its name is found if it has none."),
        _("A row that is deleted here stays in the inventory: write 'absent: true' in the office's file instead."),
        _("An emptied cell empties serial number, MAC address and owner; other values stay as they are."),
        _("Dates are typed as 31/12/2026 or 2026-12-31. The order of rows and columns does not matter."),
    ]
