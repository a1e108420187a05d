"""`tuyen inventory export` and `import`: to other tools, and to Excel and back."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cli.output import agreed, complain, say
from cli.report_files import write_whole
from cli.settings import Settings
from inventory.language import _

if TYPE_CHECKING:
    from inventory.model import Device, Province

WORKBOOK = "xlsx"


def export_to(options: Settings, target: str, selector: str, out: Path | None) -> None:
    """Write the chosen devices in the form `target`; whole or not at all."""
    from inventory.export.formats import EXPORTS
    from inventory.nearest import nearest
    from inventory.selector import select_devices

    known = [*EXPORTS, WORKBOOK]
    if target not in known:
        near = nearest(target, known)
        raise typer.BadParameter(_("no format is called '{name}'; write {near}").format(name=target, near=near))
    if target == WORKBOOK and out is None:
        raise typer.BadParameter(_("a workbook needs a file: add --out FILE.xlsx"))
    province = options.load()
    content = _content(target, province, select_devices(province, selector))
    if out is None:
        sys.stdout.write(content.decode())
        return
    write_whole(out, lambda part: part.write_bytes(content))


def _content(target: str, province: "Province", devices: "Sequence[Device]") -> bytes:
    from inventory.export.formats import EXPORTS
    from inventory.spreadsheet.workbook import write_workbook

    if target == WORKBOOK:
        return write_workbook(province, devices)
    return EXPORTS[target].write(province, devices).encode()


def import_from(options: Settings, workbook: Path, *, dry_run: bool, yes: bool) -> None:
    """Show what an edited workbook would change in which file, ask, and change it. Exit code 1 with findings."""
    from inventory.spreadsheet.application import apply
    from inventory.spreadsheet.changes import compare_workbook

    province = options.load()
    comparison = compare_workbook(workbook, province)
    for found in comparison.findings:
        complain(str(found))
    refused = 1 if comparison.findings else 0
    said = _("{rows} rows read, {changes} changes, {findings} findings")
    if not comparison.changes:
        say(said.format(rows=comparison.rows, changes=0, findings=len(comparison.findings)))
        raise typer.Exit(refused)
    folder = options.folder()
    for line in apply(province, comparison.changes, folder, dry_run=True).rstrip("\n").split("\n"):
        say(line)
    changes = len(comparison.changes)
    say(said.format(rows=comparison.rows, changes=changes, findings=len(comparison.findings)))
    if dry_run:
        raise typer.Exit(refused)
    if not yes and not agreed(_("write these changes into the files?")):
        raise typer.Exit(1)
    try:
        apply(province, comparison.changes, folder)
    except OSError as error:
        complain(_("nothing was changed: {reason}").format(reason=error))
        raise typer.Exit(1) from error
    say(_("written"))
    raise typer.Exit(refused)
