"""What a document says: text, tables of typed values, bars. How numbers and days are spelt is left to each format."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction

from inventory.letterhead import Letterhead


class Form(StrEnum):
    """How a value is meant. Shares are fractions of one, durations are in microseconds."""

    TEXT = "text"
    COUNT = "count"
    SHARE = "share"
    CHANGE = "change"  # of a share: 12/10000 is +0.12 percentage points
    RELATIVE = "relative"  # by how much something changed, as a fraction of what it was
    DURATION = "duration"
    NUMBER = "number"  # with one decimal
    DAY = "day"
    MOMENT = "moment"  # local time, without a zone


Value = str | int | float | Fraction | date | datetime | None  # None: there is nothing to tell


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `width` is in characters of the narrow text of tables; `bars` marks what grows with the value."""

    heading: str
    form: Form = Form.TEXT
    width: float = 12
    bars: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """A value whose form is not that of its column."""

    form: Form
    value: Value


@dataclass(frozen=True, slots=True)
class Table:
    """Rows as long as `columns`. `strong` are positions of rows that sum others up."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Value | Cell, ...], ...]
    caption: str = ""
    note: str = ""
    strong: frozenset[int] = frozenset()
    size: float = 12  # points on paper


@dataclass(frozen=True, slots=True)
class Bars:
    """One bar a row from nothing upwards; all values have the form `form`."""

    caption: str
    rows: tuple[tuple[str, int | Fraction], ...]
    form: Form


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text."""

    text: str


@dataclass(frozen=True, slots=True)
class Points:
    """Short texts, one a line."""

    texts: tuple[str, ...]


Block = Paragraph | Points | Table | Bars


@dataclass(frozen=True, slots=True)
class Section:
    """A part with a title; an appendix when it stands among them, across the page when `landscape`."""

    title: str
    blocks: tuple[Block, ...]
    landscape: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars of a sheet's last table: one column by another, over `count` rows from `first`, all by position."""

    title: str
    names: int
    values: int
    first: int
    count: int
    form: Form = Form.DURATION


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of a workbook: lines of text, then tables with their captions; the charts draw the last one."""

    title: str
    lines: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    charts: tuple[Chart, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """One report, said in one language."""

    language: str
    letterhead: Letterhead
    name: str  # of the kind of document: BÁO CÁO
    subject: str
    until: date  # the first day after what it tells of; never today, so that a second run gives the same bytes
    opening: tuple[Block, ...]
    sections: tuple[Section, ...]
    appendices: tuple[Section, ...] = ()
    sheets: tuple[Sheet, ...] = field(default=())
