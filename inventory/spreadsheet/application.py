"""Carry changes over into the province's own files: shown first, checked whole, written all or none."""

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from inventory.finding import Finding, InvalidProvinceError, Place, finding
from inventory.load import load
from inventory.model import Province
from inventory.spreadsheet.change import Change
from inventory.spreadsheet.edits import LayoutError, set_values
from inventory.spreadsheet.values import device_values, office_values

_ELSEWHERE = {  # where an office's file holds what a column of the sheet says
    "parent": ("uplink", "parent"),
    "provider": ("uplink", "provider"),
    "medium": ("uplink", "medium"),
    "bandwidth": ("uplink", "bandwidth"),
    "backup_parent": ("backup", "parent"),
    "backup_provider": ("backup", "provider"),
    "backup_medium": ("backup", "medium"),
    "backup_bandwidth": ("backup", "bandwidth"),
}
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Rewrite:
    """One file of the province, before and after. `file` is relative to the province's folder."""

    file: str
    before: bytes
    after: bytes


def apply(province: Province, changes: Sequence[Change], folder: Path, *, dry_run: bool = False) -> str:
    """Write `changes` into the files in `folder`, of which `province` was loaded; return the unified diff.

    With `dry_run`, or when there is nothing to do, nothing is written. Raises InvalidProvinceError, with nothing
    written, when a file cannot be edited or the province would not load, or not say what the changes say.
    """
    rewrites = plan_rewrites(province, changes, folder)
    check_rewrites(changes, rewrites, folder)
    if not dry_run:
        write(rewrites, folder)
    return "".join(difference(rewrite) for rewrite in rewrites)


def plan_rewrites(province: Province, changes: Iterable[Change], folder: Path) -> tuple[Rewrite, ...]:
    """Return what each file would become. Raises InvalidProvinceError for files that cannot be edited."""
    by_file: dict[str, dict[tuple[str, ...], str | None]] = {}
    for change in changes:
        office = change.id if change.subject == "office" else change.id.partition(".")[2]
        file = province.offices[office].place.file
        by_file.setdefault(file, {})[_path(change)] = change.new or None
    rewrites: list[Rewrite] = []
    findings: list[Finding] = []
    for file in sorted(by_file):
        try:
            rewrites.append(_rewrite(folder, file, by_file[file]))
        except OSError as error:
            findings.append(finding(Place(file), "file-unreadable", reason=error.strerror or error))
        except (LayoutError, UnicodeDecodeError):
            what = ", ".join(f"{'.'.join(path)}: {value}" for path, value in by_file[file].items())
            findings.append(finding(Place(file), "file-not-editable", changes=what))
    if findings:
        raise InvalidProvinceError(findings)
    return tuple(rewrites)


def _path(change: Change) -> tuple[str, ...]:
    if change.subject == "office":
        return ("offices", change.id, *_ELSEWHERE.get(change.attribute, (change.attribute,)))
    name, _dot, office = change.id.partition(".")
    return ("offices", office, "devices", name, change.attribute)


def _rewrite(folder: Path, file: str, values: dict[tuple[str, ...], str | None]) -> Rewrite:
    before = (folder / file).read_bytes()
    start = _BOM if before.startswith(_BOM) else b""
    after = start + set_values(before.removeprefix(_BOM).decode("utf-8"), values).encode("utf-8")
    return Rewrite(file, before, after)


def check_rewrites(changes: Iterable[Change], rewrites: Iterable[Rewrite], folder: Path) -> None:
    """Load a copy of the province with the rewrites in it. Raises InvalidProvinceError if it is not as asked."""
    with tempfile.TemporaryDirectory(prefix="tuyen-import-") as room:
        copy = Path(room) / "province"
        shutil.copytree(folder, copy, ignore=shutil.ignore_patterns(".*"))
        for rewrite in rewrites:
            (copy / rewrite.file).write_bytes(rewrite.after)
        findings = list(_without_effect(changes, load(copy)))
    if findings:
        raise InvalidProvinceError(findings)


def _without_effect(changes: Iterable[Change], candidate: Province) -> Iterator[Finding]:
    """Complain of changes that something else in the files overrules."""
    values: dict[tuple[str, str], dict[str, str]] = {}
    for change in changes:
        subject = (change.subject, change.id)
        if subject not in values:
            values[subject] = (
                device_values(candidate, candidate.devices[change.id])
                if change.subject == "device"
                else office_values(candidate, candidate.offices[change.id])
            )
        value = values[subject][change.attribute]
        if value != change.new:
            office = change.id.partition(".")[2] or change.id
            words = {"attribute": change.attribute, "name": change.id, "value": value}
            file = candidate.offices[office].place.file
            yield finding(change.place, "sheet-no-effect", **words, file=file)


def difference(rewrite: Rewrite) -> str:
    """Return the unified diff of one file."""
    before, after = (text.decode("utf-8").splitlines(keepends=True) for text in (rewrite.before, rewrite.after))
    lines = unified_diff(before, after, f"a/{rewrite.file}", f"b/{rewrite.file}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def write(rewrites: Sequence[Rewrite], folder: Path) -> None:
    """Write all files or none: each whole beside its place first, then all put in place one after the other.

    Raises InvalidProvinceError, with nothing written, when a file is no longer what it was, and OSError, with no
    file half written, when the disk is full or the folder may not be written.
    """
    findings = [
        finding(Place(rewrite.file), "file-changed")
        for rewrite in rewrites
        if (folder / rewrite.file).read_bytes() != rewrite.before
    ]
    if findings:
        raise InvalidProvinceError(findings)
    ready: list[tuple[Path, Path]] = []
    try:
        for rewrite in rewrites:
            target = (folder / rewrite.file).resolve()
            ready.append((_prepare(target, rewrite.after), target))
        for prepared, target in ready:
            prepared.replace(target)
    finally:
        for prepared, _target in ready:
            prepared.unlink(missing_ok=True)
    for parent in sorted({target.parent for _prepared, target in ready}):
        _flush(parent)


def _prepare(target: Path, content: bytes) -> Path:
    """Write `content` beside `target`, with its permissions, down to the disk."""
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".new", dir=target.parent)
    prepared = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        shutil.copymode(target, prepared)
    except OSError:
        prepared.unlink(missing_ok=True)
        raise
    return prepared


def _flush(folder: Path) -> None:
    """Make renames in `folder` last over a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
