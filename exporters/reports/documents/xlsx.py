"""A document as a workbook: typed cells with formats, nothing that a spreadsheet would run."""

import io
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import xlsxwriter  # type: ignore[import-untyped]

from exporters.reports.documents.document import Cell, Chart, Column, Document, Form, Sheet, Table, Value
from exporters.reports.documents.spelling import spelt
from exporters.reports.figures import MICROSECONDS

# What spreadsheets count in: time in days, changes of shares in percentage points.
_UNITS: Mapping[Form, Fraction] = MappingProxyType(
    {Form.DURATION: Fraction(1, 86_400 * MICROSECONDS), Form.CHANGE: Fraction(100)}
)
_A4 = 9
_FIRST_YEAR = 1901  # older days have no sound number in spreadsheets: they are written as text
_LONGEST_TITLE = 31  # letters of a sheet's title
_NO_TITLE = str.maketrans(dict.fromkeys("[]:*?/\\", " "))
_HEAD_HEIGHT = 32  # points: two lines
_LINE_WIDTH = 110  # characters of a line of text before it wraps
_PAGE_WIDTH = 170  # characters that are still legible side by side on a page
_INK = "#1F3A5F"
# One digit more than paper has, as spreadsheets round and paper cuts off; only what is whole is shown as 100 %.
_ALMOST = MappingProxyType({"vi": '"99,999%"', "en": '"99.999%"'})
_NUMBERS: Mapping[Form, str] = MappingProxyType(
    {
        Form.TEXT: "@",
        Form.COUNT: "#,##0",
        Form.SHARE: "[=1]0.000%;[>=0.999995]{almost};0.000%",
        Form.CHANGE: "+0.000;-0.000;0.000",
        Form.RELATIVE: "+0%;-0%;0%",
        Form.DURATION: "[h]:mm:ss",
        Form.NUMBER: "#,##0.0",
        Form.DAY: "dd/mm/yyyy",
        Form.MOMENT: "dd/mm/yyyy hh:mm:ss",
    }
)
_AXES: Mapping[Form, str] = MappingProxyType({Form.DURATION: "[h]:mm", Form.COUNT: "#,##0"})
_BARS: Mapping[str, Any] = MappingProxyType(
    {"type": "data_bar", "bar_solid": True, "bar_color": "#9DB7D5", "min_type": "num", "min_value": 0}
)


def xlsx(document: Document) -> bytes:
    """Return the document's sheets as an .xlsx for A4 across; the same document gives the same bytes."""
    until = datetime(document.until.year, document.until.month, document.until.day, tzinfo=UTC).replace(tzinfo=None)
    target = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(target, options) as book:
        book.set_properties({"title": document.subject, "created": until})
        writer = _Writer(book, document.language)
        for sheet, title in zip(document.sheets, titles(document.sheets), strict=True):
            writer.sheet(sheet, title)
    return target.getvalue()


def titles(sheets: Sequence[Sheet]) -> list[str]:
    """Return the titles as workbooks take them: short, without some marks, each different whatever its case."""
    found: list[str] = []
    for sheet in sheets:
        plain = sheet.title.translate(_NO_TITLE).strip(" '")[:_LONGEST_TITLE]
        taken = {title.casefold() for title in found}
        number = 2
        title = plain
        while title.casefold() in taken:
            title = f"{plain[: _LONGEST_TITLE - 3]} {number}"
            number += 1
        found.append(title)
    return found


class _Writer:
    """One workbook in the making, with its formats."""

    def __init__(self, book: Any, language: str) -> None:
        self.book = book
        self.language = language
        basic = {"font_name": "Times New Roman", "font_size": 11}
        boxed = basic | {"border": 1, "border_color": "#B8C2CC", "valign": "top"}
        almost = _ALMOST[language]
        self.forms = {
            (form, strong): book.add_format(
                boxed | {"num_format": text.format(almost=almost), "bold": strong, "text_wrap": form is Form.TEXT}
            )
            for form, text in _NUMBERS.items()
            for strong in (False, True)
        }
        self.head = book.add_format(
            boxed | {"bold": True, "text_wrap": True, "align": "center", "valign": "vcenter", "bg_color": "#E9EEF4"}
        )
        self.title = book.add_format(basic | {"bold": True, "font_size": 14, "font_color": _INK})
        self.words = book.add_format(basic | {"text_wrap": True, "valign": "top"})
        self.note = book.add_format(basic | {"italic": True})

    def sheet(self, sheet: Sheet, title: str) -> None:
        page = self.book.add_worksheet(title)
        page.hide_gridlines(2)
        page.set_landscape()
        page.set_paper(_A4)
        widths = [sum(column.width for column in table.columns) for table in sheet.tables]
        page.fit_to_pages(-(-int(max(widths, default=1)) // _PAGE_WIDTH), 0)
        page.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.6)
        page.set_footer("&C&P / &N")
        row = self._lines(page, sheet)
        for table in sheet.tables:
            row = self._table(page, table, row, alone=not sheet.lines and len(sheet.tables) == 1)
        if sheet.tables:
            first = row - len(sheet.tables[-1].rows) - 1
            for position, chart in enumerate(sheet.charts):
                self._chart(page, title, chart, first, row + position * 20)

    def _lines(self, page: Any, sheet: Sheet) -> int:
        """Write the text at the top, and return the row below it."""
        width = sum(column.width for column in sheet.tables[-1].columns) if sheet.tables else _LINE_WIDTH
        last = len(sheet.tables[-1].columns) - 1 if sheet.tables else 0
        if not sheet.tables:
            page.set_column(0, 0, _LINE_WIDTH)
        for number, text in enumerate(sheet.lines):
            form = self.title if number == 0 else self.words
            lines = max(1, -(-len(text) * (1.35 if number == 0 else 1) // width))
            page.set_row(number, 15 * lines + (6 if number == 0 else 0))
            if last:
                page.merge_range(number, 0, number, last, "", form)
            page.write_string(number, 0, text, form)
        return len(sheet.lines) + 1 if sheet.lines else 0

    def _table(self, page: Any, table: Table, row: int, *, alone: bool) -> int:
        """Write a table from `row`, and return the row two below it."""
        for position, column in enumerate(table.columns):
            page.set_column(position, position, column.width + 1.5)
            page.write_string(row, position, column.heading, self.head)
        page.set_row(row, _HEAD_HEIGHT)
        for number, cells in enumerate(table.rows, 1):
            strong = number - 1 in table.strong
            for position, (value, column) in enumerate(zip(cells, table.columns, strict=True)):
                self._cell(page, row + number, position, value, column, strong=strong)
        last = row + len(table.rows)
        for position, column in enumerate(table.columns):
            if column.bars and table.rows:
                page.conditional_format(row + 1, position, last, position, dict(_BARS))
        if alone:
            page.freeze_panes(row + 1, 1)
            page.repeat_rows(row)
            page.repeat_columns(0)
            page.autofilter(row, 0, max(last, row + 1), len(table.columns) - 1)
        if table.note:
            page.write_string(last + 1, 0, table.note, self.note)
        return last + 2

    def _cell(self, page: Any, row: int, at: int, value: Value | Cell, column: Column, *, strong: bool) -> None:
        form = column.form
        if isinstance(value, Cell):
            form, value = value.form, value.value
        look = self.forms[form, strong]
        match value:
            case None:
                page.write_blank(row, at, None, look)
            case str():
                page.write_string(row, at, value, self.forms[Form.TEXT, strong])
            case date() if value.year < _FIRST_YEAR:
                page.write_string(row, at, spelt(value, form, self.language), self.forms[Form.TEXT, strong])
            case date():
                page.write_datetime(row, at, value, look)
            case _:
                page.write_number(row, at, float(value * _UNITS.get(form, 1)), look)

    def _chart(self, page: Any, title: str, chart: Chart, head: int, at: int) -> None:
        begin, end = head + chart.first, head + chart.first + chart.count - 1
        drawn = self.book.add_chart({"type": "bar"})
        drawn.add_series(
            {
                "categories": [title, begin, chart.names, end, chart.names],
                "values": [title, begin, chart.values, end, chart.values],
                "fill": {"color": _INK},
                "gap": 60,
            }
        )
        drawn.set_title({"name": chart.title, "overlay": False, "name_font": {"size": 12}})
        drawn.set_legend({"none": True})
        drawn.set_y_axis({"reverse": True})
        drawn.set_x_axis({"num_format": _AXES[chart.form], "label_position": "high", "min": 0})
        drawn.set_size({"width": 760, "height": 120 + 22 * chart.count})
        page.insert_chart(at + 1, 1, drawn)
