"""The typeface of the official form: found among what is installed, and made sure that it can write Vietnamese.

Version 1 of the Liberation fonts has no ư and no ế; a typesetter would quietly take them from another typeface.
"""

import struct
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import typst

from exporters.reports.documents.errors import NoTypefaceError

FAMILIES = ("Times New Roman", "Liberation Serif", "Tinos")  # the decree's own, and its equals in every width
_LETTERS = "ăđơưạếỗửỹẰỘỪ"
_WINDOWS = 3  # the platform whose tables map Unicode
_SEGMENTS = 4  # the format of tables that fonts of Latin letters have


@dataclass(frozen=True, slots=True)
class Typeface:
    """A family and the folder that its files lie in."""

    family: str
    folder: Path


@cache
def typeface() -> Typeface:
    """Return the best typeface installed. Raises NoTypefaceError."""
    return choose(tuple(typst.Fonts(include_embedded_fonts=False).fonts()))


def choose(installed: tuple[typst.FontInfo, ...]) -> Typeface:
    """Return the best of some fonts. Raises NoTypefaceError when none of them will do."""
    for family in FAMILIES:
        for font in installed:
            if font.family == family and font.path and covers(Path(font.path).read_bytes(), _LETTERS):
                return Typeface(family, Path(font.path).parent)
    raise NoTypefaceError(FAMILIES)


def covers(font: bytes, letters: str) -> bool:
    """Whether a TrueType font has a glyph for each of some letters, by its `cmap` table of Unicode."""
    try:
        ranges = _ranges(font)
    except struct.error:
        return False
    return all(any(first <= ord(letter) <= last for first, last in ranges) for letter in letters)


def _ranges(font: bytes) -> list[tuple[int, int]]:
    """Return the code points that the font maps, as first and last of each segment."""
    start = _table(font, b"cmap")
    (count,) = struct.unpack_from(">H", font, start + 2)
    for number in range(count if start else 0):
        platform, _encoding, offset = struct.unpack_from(">HHI", font, start + 4 + 8 * number)
        (form,) = struct.unpack_from(">H", font, start + offset)
        if platform == _WINDOWS and form == _SEGMENTS:
            return _segments(font, start + offset)
    return []


def _table(font: bytes, name: bytes) -> int:
    """Return where a table begins; 0 when the font has none."""
    (count,) = struct.unpack_from(">H", font, 4)
    for number in range(count):
        tag, _checksum, offset, _length = struct.unpack_from(">4sIII", font, 12 + 16 * number)
        if tag == name:
            return int(offset)
    return 0


def _segments(font: bytes, at: int) -> list[tuple[int, int]]:
    (doubled,) = struct.unpack_from(">H", font, at + 6)
    lasts = struct.unpack_from(f">{doubled // 2}H", font, at + 14)
    firsts = struct.unpack_from(f">{doubled // 2}H", font, at + 16 + doubled)
    return list(zip(firsts, lasts, strict=True))
