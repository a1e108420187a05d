"""PDF in the official form, read back by poppler."""

import os
import re
import subprocess
import sys
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest

from exporters.reports.documents.formats import FORMATS, write_pdf
from exporters.reports.documents.typefaces import typeface
from exporters.reports.figures import UptimeReport
from inventory.letterhead import Letterhead
from inventory.model import Province
from tests.exporters.reports.documents import october
from tests.exporters.reports.documents.conftest import HOSTILE, ROOT

MILLIMETRE = 72 / 25.4  # points
WORD = re.compile(r'<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">')


def poppler(*words: str | Path) -> str:
    done = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, encoding="utf-8", timeout=60, check=True
    )
    return done.stdout


def text_of(path: Path, *options: str) -> str:
    return poppler("pdftotext", *options, path, "-")


@pytest.fixture(scope="module")
def signed(report: UptimeReport, letterhead: Letterhead, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pdf") / "uptime.pdf"
    write_pdf(report, path, "vi", letterhead)
    return path


def test_the_official_form(signed: Path) -> None:
    text = text_of(signed)
    assert text == unicodedata.normalize("NFC", text)
    first = text_of(signed, "-layout", "-l", "1")
    for words in (
        "UBND TỈNH KIÊN GIANG",
        "SỞ KHOA HỌC VÀ CÔNG NGHỆ",
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "Độc lập - Tự do - Hạnh phúc",
        "/BC-SKHCN",
        "BÁO CÁO",
        "Kính gửi: Ủy ban nhân dân tỉnh Kiên Giang",
    ):
        assert words in first
    assert re.search(r"Kiên Giang, ngày .+ năm 2026", first)
    assert re.search(r"Số: +/BC-SKHCN", first)
    for words in ("Nơi nhận:", "- Như trên;", "- Lãnh đạo Sở;", "- Lưu: VT, CNTT.", "KT. GIÁM ĐỐC", "PHÓ GIÁM ĐỐC"):
        assert words in text
    assert "Phụ lục I\n" in text
    assert "Phụ lục II\n" in text
    assert "(Kèm theo Báo cáo số" in text


def test_figures_are_those_of_the_report(signed: Path, report: UptimeReport) -> None:
    lines = [line.split() for line in text_of(signed, "-layout").splitlines()]
    for row in report.districts:
        availability = row.now.all_hours.availability
        assert availability is not None
        hundredths = int(availability * 10_000)
        minutes = row.now.all_hours.away // 60_000_000
        told = [f"{hundredths // 100},{hundredths % 100:02}", f"{minutes // 60}:{minutes % 60:02}"]
        if 0 < row.now.all_hours.away < 60_000_000:
            told[1] = "0:01"
        name = row.name.split()
        found = [line for line in lines if line[: len(name)] == name and "%" in "".join(line)]
        assert any(told[0] in line and told[1] == line[-1] for line in found), row.name


def test_only_the_decrees_typeface_and_all_of_it_embedded(signed: Path) -> None:
    table = poppler("pdffonts", signed).splitlines()[2:]
    family = typeface().family.replace(" ", "")
    assert len(table) == 4  # regular, bold, italic, both
    for line in table:
        assert line.split("+")[1].startswith(family)
        assert line.split()[-5:-2] == ["yes", "yes", "yes"]  # embedded, subset, Unicode


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a4_and_nothing_in_the_margins(report: UptimeReport, tmp_path: Path, language: str) -> None:
    path = tmp_path / "uptime.pdf"
    write_pdf(report, path, language)
    assert "(A4)" in poppler("pdfinfo", path)
    pages = text_of(path, "-bbox").split("<page ")[1:]
    assert len(pages) > 5
    for page in pages:
        size = re.match(r'width="([\d.]+)" height="([\d.]+)"', page)
        assert size
        width, height = float(size[1]), float(size[2])
        assert sorted((round(width), round(height))) == [595, 842]
        for left, top, right, bottom in (map(float, found) for found in WORD.findall(page)):
            assert left >= 29.9 * MILLIMETRE
            assert right <= width - 15 * MILLIMETRE
            assert top >= 8 * MILLIMETRE
            assert bottom <= height - 18.5 * MILLIMETRE  # what hangs below the last line


def test_pages_are_numbered_from_the_second_and_anew_in_each_appendix(signed: Path) -> None:
    heads = [page.lstrip().split("\n")[0] for page in text_of(signed).split("\f")[:-1]]
    assert not heads[0].isdigit()
    firsts = [position for position, head in enumerate(heads) if head.startswith("Phụ lục")]
    assert len(firsts) == 2
    ends = [*firsts, len(heads)]
    for first, end in zip([0, *firsts], ends, strict=True):
        assert heads[first + 1 : end] == [str(number) for number in range(2, end - first + 1)]


def test_the_same_bytes_again(report: UptimeReport, tmp_path: Path) -> None:
    """In another process, another place, another zone, another locale: the same bytes."""
    program = (
        "from pathlib import Path\n"
        "from exporters.reports.documents.formats import FORMATS\n"
        "from inventory.load import load\n"
        "from tests.exporters.reports.documents.october import october\n"
        f"report = october(load(Path({str(ROOT / 'inventory' / 'kien-giang')!r})))\n"
        "for form, write in FORMATS.items(): write(report, Path(f'uptime.{form}'), 'vi', None)\n"
    )
    subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TZ": "America/Lima", "LC_ALL": "POSIX", "PYTHONUTF8": "0"},
        timeout=120,
        check=True,
    )
    for form, write in FORMATS.items():
        here = tmp_path / f"here.{form}"
        write(report, here, "vi", None)
        assert here.read_bytes() == (tmp_path / f"uptime.{form}").read_bytes(), form


def test_hostile_names_are_text(hostile: UptimeReport, tmp_path: Path) -> None:
    path = tmp_path / "uptime.pdf"
    write_pdf(hostile, path, "vi")
    text = "".join(text_of(path).split())
    for name in HOSTILE.values():
        visible = "".join(part for part in name.split() if part).replace("\u0007", "").replace("\u202e", "")
        assert visible[:12] in text, name


def test_every_letter_of_the_typeface_can_be_drawn(province: Province, tmp_path: Path) -> None:
    """Reading the font's table promises nothing that the typesetter then refuses."""
    letters = "".join(chr(code) for first, last in typeface().ranges for code in range(first, last + 1))
    known = october.named(province, {"an-bien": letters[: len(letters) // 2], "dong-yen": letters[len(letters) // 2 :]})
    write_pdf(october.october(known, under="an-bien", hurt=300), tmp_path / "uptime.pdf", "vi")


def test_a_name_longer_than_a_line_stays_on_the_page(province: Province, tmp_path: Path) -> None:
    long = october.named(province, {"hung-yen": "Xã " + "Rất-dài " * 60, "dong-yen": "x" * 300})
    path = tmp_path / "uptime.pdf"
    write_pdf(october.october(long, under="an-bien", hurt=300), path, "vi")
    assert text_of(path).count("Rất-dài") >= 60


def test_what_is_not_known_is_left_to_the_clerk(report: UptimeReport, tmp_path: Path) -> None:
    path = tmp_path / "uptime.pdf"
    write_pdf(report, path, "vi")
    first = text_of(path, "-layout", "-l", "1")
    assert "TỈNH KIÊN GIANG" in first
    assert "/BC-……" in first
    assert "Kính gửi" not in first


def test_nothing_but_a_time_without_a_watch(report: UptimeReport, tmp_path: Path) -> None:
    """A report of a period of which nothing is known says so, and has no false figures."""
    unknown = replace(report.total, now=replace(report.total.before, all_hours=type(report.total.now.all_hours)()))
    path = tmp_path / "uptime.pdf"
    write_pdf(
        replace(report, total=unknown, offices=(), worst=(), incidents=(), causes=(), services=(), districts=()),
        path,
        "en",
    )
    assert "There are no figures for October 2026: no watch was on." in " ".join(text_of(path).split())
