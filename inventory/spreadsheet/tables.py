"""Find the tables in a workbook that anyone may have made: titles above, columns in any order, in two languages."""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import openpyxl  # type: ignore[import-untyped]
from openpyxl.utils import range_boundaries  # type: ignore[import-untyped]
from openpyxl.utils.exceptions import InvalidFileException  # type: ignore[import-untyped]

from inventory.finding import Finding, InventoryError, Place, finding
from inventory.language import _
from inventory.nearest import nearest
from inventory.spreadsheet.cells import Cell, CellError, cleaned, read_cell
from inventory.spreadsheet.columns import COUNTERS, HEADINGS, SHOWN, TAKEN, Column, Form, Sheet, folded

MAX_BYTES = 16 * 1024 * 1024
MAX_UNPACKED = 96 * 1024 * 1024
MAX_ROWS = 60_000
MAX_COLUMNS = 100
HEADING_ROWS = 30  # the headings stand among the first so many rows
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")  # what old and encrypted workbooks begin with
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]+[0-9]+:[A-Z]+[0-9]+)"')


class InvalidWorkbookError(InventoryError):
    """Nothing of the file can be used; `findings` say why."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(map(str, self.findings)))


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: the text of each of its columns; `broken` are the columns that could not be read."""

    sheet: Sheet
    file: str  # "<workbook>!<title>"
    number: int
    texts: Mapping[str, str]
    columns: Mapping[str, int]
    broken: frozenset[str] = frozenset()

    def place(self, key: str = "") -> Place:
        """Return where the row, or one of its cells, stands."""
        return Place(self.file, self.number, self.columns.get(key, 1))


@dataclass(eq=False)
class Tables:
    """The rows of all tables of a workbook, and what of it could not be taken."""

    rows: list[Row] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def read_tables(path: Path) -> Tables:
    """Read a workbook. Raises InvalidWorkbookError when it is none, is locked, too large, or holds no table."""
    raw = _read(path)
    tables = Tables()
    found = False
    try:
        for page, formulas in _open(raw):
            found |= _read_page(path.name, page, formulas, tables)
    except _DamagedError as error:
        raise _invalid(path, "workbook-unreadable", reason=error) from error
    if not found:
        raise _invalid(path, "workbook-without-table", headings=_example(TAKEN[0]))
    return tables


class _DamagedError(Exception):
    """What was read of the archive makes no workbook; the message is what the library said."""


# What openpyxl lets through of a damaged or foreign archive: missing parts, wrong numbers, cut streams.
_DAMAGE = (
    InvalidFileException,
    zipfile.BadZipFile,
    zlib.error,
    ParseError,
    KeyError,
    ValueError,
    TypeError,
    IndexError,
    AttributeError,
    EOFError,
    OSError,
    NotImplementedError,
)


def _open(raw: bytes) -> list[tuple[Any, Any]]:
    """Return each sheet twice: with values, and with formulas."""
    try:
        shown = openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
        written = openpyxl.load_workbook(io.BytesIO(raw), read_only=True)
        return list(zip(shown.worksheets, written.worksheets, strict=True))
    except _DAMAGE as error:
        raise _DamagedError(str(error) or type(error).__name__) from error


def _invalid(path: Path, rule: str, **values: object) -> InvalidWorkbookError:
    return InvalidWorkbookError([finding(Place(path.name), rule, **values)])


def _read(path: Path) -> bytes:
    """Return the bytes of a file that may be opened: a whole archive that unpacks to a bounded size."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise _invalid(path, "file-unreadable", reason=error.strerror or error) from error
    if len(raw) > MAX_BYTES:
        raise _invalid(path, "workbook-too-large", what=path.name, limit=f"{MAX_BYTES >> 20} MiB")
    if raw.startswith(_OLE):
        locked = "EncryptedPackage".encode("utf-16-le") in raw
        raise _invalid(path, "workbook-encrypted" if locked else "workbook-old-format")
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            unpacked = sum(part.file_size for part in archive.infolist())  # no part reads out longer than it says
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise _invalid(path, "workbook-unreadable", reason=error) from error
    if unpacked > MAX_UNPACKED:
        raise _invalid(path, "workbook-too-large", what=_("its content"), limit=f"{MAX_UNPACKED >> 20} MiB")
    return raw


def _read_page(workbook: str, page: Any, formulas: Any, tables: Tables) -> bool:
    """Add what one sheet holds to `tables`; return whether it holds a table."""
    known = {folded(title): sheet for sheet in (*TAKEN, *SHOWN) for title in (sheet.english, sheet.vietnamese)}
    titled = known.get(folded(page.title))
    if titled in SHOWN or not hasattr(page, "iter_rows"):
        return False  # a chart, or what the export adds to be read
    lines = _lines(page, formulas)
    head = list(islice(lines, HEADING_ROWS))
    file = f"{workbook}!{page.title}"
    best = _headings(head, [titled] if titled else TAKEN)
    if best is None:
        if any(cell.value is not None for _number, shown, _written in head for cell in shown):
            tables.findings.append(finding(Place(file), "sheet-skipped", headings=_example(TAKEN[0])))
        return False
    sheet, index, columns = best
    tables.findings += _check_headings(file, head[index], sheet, columns)
    if not any(set(keys) <= set(columns) for keys in sheet.identity):
        ways = " / ".join(" + ".join(sheet.column(key).heading for key in keys) for keys in sheet.identity)
        place = Place(file, head[index][0])
        tables.findings.append(finding(place, "sheet-missing-column", what=sheet.title, headings=ways))
        return True
    merged = _merged(page, head[index][0], tables, file)
    for line in (*head[index + 1 :], *lines):
        if line[0] > MAX_ROWS:
            place = Place(file, line[0])
            tables.findings.append(finding(place, "workbook-too-large", what=file, limit=f"{MAX_ROWS} rows"))
            break
        if line[0] not in merged and any(cell.value is not None for cell in line[2]):
            row = _row(sheet, file, line, columns, tables.findings)
            if any(row.texts.values()) or row.broken:
                tables.rows.append(row)
    return True


Line = tuple[int, Sequence[Cell], Sequence[Cell]]  # number, cells as shown, cells as written


def _lines(page: Any, formulas: Any) -> Iterator[Line]:
    """Yield the rows of a sheet, bounded, whatever size it claims to have."""
    try:
        for sheet in (page, formulas):
            sheet.reset_dimensions()
        both = zip(page.iter_rows(max_col=MAX_COLUMNS), formulas.iter_rows(max_col=MAX_COLUMNS), strict=True)
        for number, (shown, written) in enumerate(islice(both, MAX_ROWS + 1), 1):
            yield number, shown, written
    except _DAMAGE as error:
        raise _DamagedError(str(error) or type(error).__name__) from error


def _headings(head: Sequence[Line], sheets: Sequence[Sheet]) -> tuple[Sheet, int, dict[str, int]] | None:
    """Return the sheet, the index of the line and the columns of the best row of headings, if there is one."""
    best: tuple[int, tuple[Sheet, int, dict[str, int]]] | None = None
    for sheet in sheets:
        for index, (_number, shown, _written) in enumerate(head):
            columns: dict[str, int] = {}
            for position, cell in enumerate(shown, 1):
                column = HEADINGS[sheet.key].get(folded(cell.value)) if isinstance(cell.value, str) else None
                if column:
                    columns.setdefault(column.key, position)
            if len(columns) > max(1, best[0] if best else 0):
                best = (len(columns), (sheet, index, columns))
    return best[1] if best else None


def _check_headings(file: str, line: Line, sheet: Sheet, columns: Mapping[str, int]) -> Iterator[Finding]:
    number, shown, _written = line
    for position, cell in enumerate(shown, 1):
        heading = cleaned(str(cell.value)) if cell.value is not None else ""
        if not heading or position in columns.values() or folded(heading) in COUNTERS:
            continue
        place = Place(file, number, position)
        if column := HEADINGS[sheet.key].get(folded(heading)):
            yield finding(place, "sheet-duplicate-column", heading=heading, first=columns[column.key])
        else:
            near = nearest(heading, [column.heading for column in sheet.columns])
            yield finding(place, "sheet-unknown-column", heading=heading, near=near)


def _merged(page: Any, headings: int, tables: Tables, file: str) -> set[int]:
    """Return the rows below the headings that merged cells reach over, and complain of each merge once.

    openpyxl does not tell of merges when it reads row by row, so they are looked for in the sheet's own XML.
    """
    rows: set[int] = set()
    with page._get_source() as source:  # openpyxl has no public name for it
        ranges = _MERGED.findall(source.read())
    for cells in ranges[:MAX_ROWS]:
        left, top, _right, bottom = range_boundaries(cells.decode())
        if bottom > headings:
            tables.findings.append(finding(Place(file, top, left), "sheet-merged", cells=cells.decode()))
            rows.update(range(max(top, headings + 1), min(bottom, MAX_ROWS) + 1))
    return rows


def _row(sheet: Sheet, file: str, line: Line, columns: Mapping[str, int], findings: list[Finding]) -> Row:
    number, shown, written = line
    texts: dict[str, str] = {}
    broken: set[str] = set()
    for key, position in columns.items():
        try:
            texts[key] = read_cell(shown[position - 1], written[position - 1], _form(sheet.column(key)))
        except CellError as error:
            broken.add(key)
            findings.append(finding(Place(file, number, position), error.rule, **error.values))
    return Row(sheet, file, number, texts, columns, frozenset(broken))


def _form(column: Column) -> Form:
    return Form.TEXT if column.form is Form.NUMBER else column.form


def _example(sheet: Sheet) -> str:
    return ", ".join(column.heading for column in sheet.columns[:6])
