"""The typeface of the official form is one that can write Vietnamese, or none."""

import struct
from pathlib import Path

import pytest
import typst

from exporters.reports.documents.errors import NoTypefaceError
from exporters.reports.documents.typefaces import FAMILIES, choose, mapped, typeface

LETTERS = "ơưạế"


def covers(font: bytes) -> bool:
    return all(any(first <= ord(letter) <= last for first, last in mapped(font)) for letter in LETTERS)


def font(*ranges: tuple[int, int], platform: int = 3, form: int = 4) -> bytes:
    """Return what is read of a TrueType font that maps some ranges of code points."""
    count = len(ranges)
    lasts = b"".join(struct.pack(">H", last) for _first, last in ranges)
    firsts = b"".join(struct.pack(">H", first) for first, _last in ranges)
    mapped = struct.pack(">HHHHHHH", form, 0, 0, 2 * count, 0, 0, 0) + lasts + struct.pack(">H", 0) + firsts
    cmap = struct.pack(">HHHHI", 0, 1, platform, 1, 12) + mapped
    head = struct.pack(">4sHHHH", b"\0\1\0\0", 1, 0, 0, 0)
    return head + struct.pack(">4sIII", b"cmap", 0, 28, len(cmap)) + cmap


def test_a_font_covers_what_its_table_maps() -> None:
    assert covers(font((0x20, 0x7E), (0x1A0, 0x1B0), (0x1EA0, 0x1EF9)))


@pytest.mark.parametrize(
    "broken",
    [
        font((0x20, 0x7E), (0x1A0, 0x1B0)),  # as Liberation 1: Latin, but no ế
        font((0x1A0, 0x1B0), (0x1EA0, 0x1EF9), platform=1),
        font((0x1A0, 0x1B0), (0x1EA0, 0x1EF9), form=6),
        font((0x1A0, 0x1B0), (0x1EA0, 0x1EF9)).replace(b"cmap", b"loca"),
        font((0x1A0, 0x1B0), (0x1EA0, 0x1EF9))[:50],
        b"no font",
        b"",
    ],
)
def test_what_does_not_cover_it(broken: bytes) -> None:
    assert not covers(broken)


def test_the_one_chosen_writes_vietnamese() -> None:
    chosen = typeface()
    assert chosen.family in FAMILIES
    own = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[chosen.folder]).fonts()
    regular = [one for one in own if one.family == chosen.family and one.weight == 400 and one.style == "normal"]
    assert [covers(Path(str(one.path)).read_bytes()) for one in regular] == [True]


def test_what_the_typeface_lacks_is_marked() -> None:
    face = typeface()
    assert face.drawable("Xa\u0303 Đông Yên") == "Xã Đông Yên"
    assert face.drawable("a\u0007b\nc\u202ed") == "a b cd"
    assert face.drawable("省😀\uffff") == "???"


def test_without_any_the_remedy_is_told() -> None:
    others = tuple(one for one in typst.Fonts().fonts() if one.family not in FAMILIES)
    with pytest.raises(NoTypefaceError) as raised:
        choose(others)
    assert str(raised.value) == (
        "a PDF in the official form needs Times New Roman, Liberation Serif, Tinos with Vietnamese letters, "
        "and no such typeface is installed: apt install fonts-liberation2"
    )
