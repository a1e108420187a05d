"""The kit on disk: which of its files differ, and writing those, each whole or not at all."""

from collections.abc import Mapping
from pathlib import Path


def differing(folder: Path, kit: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of the kit's files that are not there, or not so. Raises OSError."""
    return tuple(name for name, text in kit.items() if _there(folder / name) != text.encode())


def write(folder: Path, kit: Mapping[str, str], names: tuple[str, ...]) -> None:
    """Write the files `names` of the kit; whatever else lies in the folder is left alone. Raises OSError."""
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_name(f".{file.name}.part")
        part.write_text(kit[name], encoding="utf-8")
        part.replace(file)


def _there(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None
