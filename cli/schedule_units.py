"""Units on the disk: which differ from those that should be there, and writing them."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from exporters.units.unit import MARK
from inventory.finding import InventoryError
from inventory.language import _

_OURS = "tuyen-*"
_MODE = 0o644  # systemd reads them, and so may everybody: they hold no secret


class ForeignUnitError(InventoryError):
    """A file of the name of a unit is there, and tuyen did not write it."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A unit that is to become another; "" before it is made, or after it is removed."""

    name: str
    before: str
    after: str

    def diff(self) -> Iterator[str]:
        """Yield the lines of a unified diff."""
        old, new = self.before.splitlines(), self.after.splitlines()
        yield from difflib.unified_diff(old, new, self.name if old else "/dev/null", self.name, lineterm="")


def differences(folder: Path, units: Mapping[str, str]) -> list[Difference]:
    """Return what must change in `folder` so that of our units there are these. Raises ForeignUnitError, OSError."""
    present = _present(folder, units)
    names = sorted({*present, *units})
    changes = [Difference(name, present.get(name, ""), units.get(name, "")) for name in names]
    return [change for change in changes if change.before != change.after]


def _present(folder: Path, units: Mapping[str, str]) -> dict[str, str]:
    found, foreign = {}, []
    for path in sorted({*folder.glob(_OURS), *(folder / name for name in units)}):
        if path.is_dir() and not path.is_symlink():  # what 'systemctl edit' makes
            continue
        if path.is_symlink() or path.exists():
            text = (
                path.read_text(encoding="utf-8", errors="replace") if path.is_file() and not path.is_symlink() else ""
            )
            if text.startswith(MARK):
                found[path.name] = text
            elif path.name in units:
                foreign.append(str(path))
    if foreign:
        raise ForeignUnitError(
            _("these files were not written by tuyen, and are left alone: {files}; move them away").format(
                files=", ".join(foreign)
            )
        )
    return found


def write(folder: Path, changes: list[Difference]) -> None:
    """Write, replace and remove units; each is whole at every moment. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for change in changes:
        path = folder / change.name
        if not change.after:
            path.unlink()
            continue
        part = folder / f".{change.name}.part"
        part.write_text(change.after, encoding="utf-8")
        part.chmod(_MODE)
        part.replace(path)
