"""Where a report goes: to the terminal, or into a file, whole or not at all."""

import json
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from cli.output import JSON_SCHEMA, complain, say
from inventory.language import _, current

if TYPE_CHECKING:
    from exporters.reports.equipment import LifecycleReport
    from exporters.reports.figures import UptimeReport
    from inventory.letterhead import Letterhead


class ReportFormat(StrEnum):
    """How a report is written."""

    TABLE = "table"
    TEXT = "text"
    JSON = "json"
    XLSX = "xlsx"
    PDF = "pdf"
    HTML = "html"


_FILES_ONLY = (ReportFormat.XLSX, ReportFormat.PDF, ReportFormat.HTML)


def suffix_of(form: ReportFormat) -> str:
    """Return what the names of such files end with."""
    return "txt" if form is ReportFormat.TEXT else str(form)


def target_of(form: ReportFormat, out: Path | None, out_dir: Path | None, name: str) -> Path | None:
    """Return the file that a report goes into, None for the terminal; `name` is its stable name, without a suffix.

    Raises typer.BadParameter where the options do not fit together.
    """
    if out and out_dir:
        raise typer.BadParameter(_("write either --out FILE or --out-dir DIR"))
    target = out or (out_dir / f"{name}.{suffix_of(form)}" if out_dir else None)
    if target is None and form in _FILES_ONLY:
        raise typer.BadParameter(
            _("{form} needs a file: add --out FILE.{form} or --out-dir DIR").format(form=str(form))
        )
    if target and form is ReportFormat.TABLE:
        raise typer.BadParameter(_("a table goes to the terminal; add --format text, json, xlsx, pdf or html"))
    return target


def write_text(text: str, target: Path | None) -> None:
    """Write text into a file, or to standard output without what could drive a terminal."""
    if target is None:
        for line in text.splitlines():
            say(line)
    else:
        write_whole(target, lambda part: _write(part, text))


def write_json(items: Sequence[Mapping[str, Any]], report: Mapping[str, Any], target: Path | None) -> None:
    """Write `{"schema": 1, "report": {...}, "items": [...]}`, the stable form for programs."""
    text = json.dumps({"schema": JSON_SCHEMA, "report": report, "items": items}, ensure_ascii=False, indent=1) + "\n"
    if target is None:
        typer.echo(text, nl=False)
    else:
        write_whole(target, lambda part: _write(part, text))


def write_document(
    report: "UptimeReport | LifecycleReport", form: ReportFormat, target: Path, letterhead: "Letterhead | None"
) -> None:
    """Write a report as a workbook, PDF or page, in the language of the command. Exit code 1 where that fails."""
    from exporters.reports.documents.errors import DocumentError
    from exporters.reports.documents.formats import FORMATS

    try:
        write_whole(target, lambda part: FORMATS[form](report, part, current(), letterhead))
    except DocumentError as error:
        complain(str(error))
        raise typer.Exit(1) from error


def write_whole(target: Path, write: Callable[[Path], object]) -> None:
    """Let `write` make a file beside `target`, and put it in its place once it is whole. Exit code 1 on failure."""
    part = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write(part)
        part.replace(target)
    except OSError as error:
        complain(_("{file} cannot be written: {reason}").format(file=target, reason=error.strerror or error))
        raise typer.Exit(1) from error
    finally:
        part.unlink(missing_ok=True)
    say(_("{file}: written").format(file=target))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
