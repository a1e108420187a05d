"""One cell, as the text that a person sees in it; or why it cannot be taken."""

import re
import unicodedata
from datetime import date, datetime, time, timedelta
from typing import Any, Protocol

from inventory.spreadsheet.columns import Form

_EXACT = 10**15  # a spreadsheet keeps fifteen digits of a number; of longer ones the end is lost
_ZEROS = re.compile(r"0+")
_DAY_FIRST = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")
_YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_INVISIBLE = {ord(mark): None for mark in "\u200b\u200c\u200d\u2060\ufeff\u00ad"}


class CellError(Exception):
    """A cell that cannot be taken: `rule` is the rule's id, `values` fill its messages."""

    def __init__(self, rule: str, **values: object) -> None:
        super().__init__(rule)
        self.rule = rule
        self.values = values


class Cell(Protocol):
    """A cell as openpyxl reads it."""

    @property
    def value(self) -> Any:
        """What stands in it; None for nothing."""

    @property
    def data_type(self) -> str:
        """Openpyxl's letter: f for a formula, e for an error, n, s, b, d."""

    @property
    def number_format(self) -> str:
        """How a number is shown, for example "00000"."""


def cleaned(text: str) -> str:
    """Return text as it was meant: composed letters, plain spaces, nothing invisible, nothing around it."""
    composed = unicodedata.normalize("NFC", text).translate(_INVISIBLE)
    spaced = "".join(" " if unicodedata.category(letter) == "Zs" else letter for letter in composed)
    return spaced.replace("\r\n", "\n").replace("\r", "\n").strip()


def read_cell(shown: Cell, written: Cell, form: Form) -> str:
    """Return the text of a cell, "" for an empty one; a day as ISO.

    `shown` holds the value last calculated, `written` the formula if there is one. Raises CellError.
    """
    value = shown.value
    if value is None:
        if written.data_type == "f":
            raise CellError("sheet-formula", formula=written.value)
        return ""
    if shown.data_type == "e":
        raise CellError("sheet-error", value=value)
    if isinstance(value, str):
        return _day(cleaned(value)) if form is Form.DAY else cleaned(value)
    if form is Form.DAY:
        return _day_of(value)
    return _text_of(value, shown.number_format)


def _day(text: str) -> str:
    if not text:
        return ""
    if match := _DAY_FIRST.fullmatch(text):
        day, month, year = map(int, match.groups())
    elif match := _YEAR_FIRST.fullmatch(text):
        year, month, day = map(int, match.groups())
    else:
        raise CellError("sheet-bad-date", value=text)
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        raise CellError("sheet-bad-date", value=text) from None


def _day_of(value: object) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    raise CellError("sheet-bad-date", value=value)


def _text_of(value: object, number_format: str) -> str:
    """Return what a number looks like. One shown with zeros before it, by its format, has them."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime | date | time | timedelta):
        raise CellError("sheet-date-for-text", value=value)
    if isinstance(value, float) and not value.is_integer():
        return repr(value)
    if isinstance(value, int | float):
        if abs(value) >= _EXACT:
            raise CellError("sheet-long-number", value=f"{value:.0f}")
        digits = str(int(value))
        return digits.zfill(len(number_format)) if _ZEROS.fullmatch(number_format) else digits
    return cleaned(str(value))
