"""The typeface of the official form: found among what is installed, and made sure that it can write Vietnamese.

Version 1 of the Liberation fonts has no ư and no ế; a typesetter would quietly take them from another typeface.
"""

import struct
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import typst

from exporters.reports.documents.errors import NoTypefaceError

FAMILIES = ("Times New Roman", "Liberation Serif", "Tinos")  # the decree's own, and its equals in every width
_LETTERS = "ăđơưạếỗửỹẰỘỪ"
_WINDOWS = 3  # the platform whose tables map Unicode
_END = 0xFFFF
_LACKING = "?"
_SEGMENTS = 4  # the format of tables that fonts of Latin letters have


Ranges = Sequence[tuple[int, int]]  # code points, first and last of each stretch


@dataclass(frozen=True, slots=True)
class Typeface:
    """A family, the folder that its files lie in, and the code points that it has."""

    family: str
    folder: Path
    ranges: Ranges

    def drawable(self, text: str) -> str:
        """Return a text in composed letters, with a mark for each that the typeface lacks: PDF/A suffers none such."""
        return "".join(map(self._drawable, unicodedata.normalize("NFC", text)))

    def _drawable(self, letter: str) -> str:
        match unicodedata.category(letter):
            case "Cc" | "Zl" | "Zp":
                return " "
            case "Cf":  # invisible: joiners, directions
                return ""
            case "Co":  # private: no two typefaces mean the same
                return _LACKING
        return letter if _maps(self.ranges, letter) else _LACKING


@cache
def typeface() -> Typeface:
    """Return the best typeface installed. Raises NoTypefaceError."""
    return choose(tuple(typst.Fonts(include_embedded_fonts=False).fonts()))


def choose(installed: tuple[typst.FontInfo, ...]) -> Typeface:
    """Return the best of some fonts. Raises NoTypefaceError when none of them will do."""
    for family in FAMILIES:
        for font in installed:
            path = Path(font.path) if font.family == family and font.path else None
            if path and (ranges := mapped(path.read_bytes())) and all(_maps(ranges, letter) for letter in _LETTERS):
                return Typeface(family, path.parent, ranges)
    raise NoTypefaceError(FAMILIES)


def mapped(font: bytes) -> Ranges:
    """Return the code points that a TrueType font maps, by its `cmap` table of Unicode; none of what is no font."""
    try:
        return _ranges(font)
    except struct.error:
        return ()


def _maps(ranges: Ranges, letter: str) -> bool:
    return any(first <= ord(letter) <= last for first, last in ranges)


def _ranges(font: bytes) -> Ranges:
    start = _table(font, b"cmap")
    (count,) = struct.unpack_from(">H", font, start + 2)
    for number in range(count if start else 0):
        platform, _encoding, offset = struct.unpack_from(">HHI", font, start + 4 + 8 * number)
        (form,) = struct.unpack_from(">H", font, start + offset)
        if platform == _WINDOWS and form == _SEGMENTS:
            return _segments(font, start + offset)
    return ()


def _table(font: bytes, name: bytes) -> int:
    """Return where a table begins; 0 when the font has none."""
    (count,) = struct.unpack_from(">H", font, 4)
    for number in range(count):
        tag, _checksum, offset, _length = struct.unpack_from(">4sIII", font, 12 + 16 * number)
        if tag == name:
            return int(offset)
    return 0


def _segments(font: bytes, at: int) -> Ranges:
    (doubled,) = struct.unpack_from(">H", font, at + 6)
    lasts = struct.unpack_from(f">{doubled // 2}H", font, at + 14)
    firsts = struct.unpack_from(f">{doubled // 2}H", font, at + 16 + doubled)
    return tuple(pair for pair in zip(firsts, lasts, strict=True) if pair[0] < _END)  # the last one only ends them
