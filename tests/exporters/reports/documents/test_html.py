"""The page, in a real browser."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from exporters.reports.documents.formats import write_html
from exporters.reports.figures import UptimeReport
from inventory.letterhead import Letterhead
from tests.exporters.reports.documents.conftest import HOSTILE
from tests.exporters.reports.documents.test_pdf import poppler, text_of


@pytest.fixture(scope="module")
def written(report: UptimeReport, letterhead: Letterhead, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("html") / "uptime.html"
    write_html(report, path, "vi", letterhead)
    return path


def test_it_stands_alone(chromium: Browser, written: Path, report: UptimeReport) -> None:
    page = chromium.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.goto(written.as_uri())
    assert asked == [written.as_uri()]
    assert problems == []
    assert page.locator("html").get_attribute("lang") == "vi"
    assert "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM" in page.locator(".nation").inner_text()
    offices = page.locator(".appendix").last.locator("tbody tr")
    assert offices.count() == len(report.offices)
    assert offices.nth(0).locator("th").inner_text() == report.offices[0].name
    page.close()


def test_bars_grow_with_what_they_stand_for(chromium: Browser, written: Path) -> None:
    page = chromium.new_page()
    page.goto(written.as_uri())
    rows = page.locator("table.bars").first.locator("tr")
    bars: list[tuple[int, float]] = []
    for number in range(rows.count()):
        hours, minutes = rows.nth(number).locator("td").last.inner_text().replace("< ", "").split(":")
        box = rows.nth(number).locator("rect").bounding_box()
        bars.append((int(hours) * 60 + int(minutes), box["width"] if box else 0))
    longest, full = max(bars)
    assert full > 50
    for value, width in bars:
        assert width == pytest.approx(full * value / longest, abs=full / longest + 1)  # times are cut off at minutes
    page.close()


def test_it_fits_a_phone(chromium: Browser, written: Path) -> None:
    page = chromium.new_page(viewport={"width": 390, "height": 800})
    page.goto(written.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()


def test_printed_on_a4(chromium: Browser, written: Path, tmp_path: Path) -> None:
    page = chromium.new_page()
    page.goto(written.as_uri())
    page.pdf(path=tmp_path / "printed.pdf", prefer_css_page_size=True)
    page.close()
    assert "(A4)" in poppler("pdfinfo", tmp_path / "printed.pdf")
    assert "Độc lập - Tự do - Hạnh phúc" in text_of(tmp_path / "printed.pdf")


def test_hostile_names_are_text(chromium: Browser, hostile: UptimeReport, tmp_path: Path) -> None:
    path = tmp_path / "uptime.html"
    write_html(hostile, path, "en")
    page = chromium.new_page()
    page.goto(path.as_uri())
    assert page.locator("script, img").count() == 0
    assert page.title() != "in"
    names = set(page.locator(".appendix").last.locator("tbody th").all_text_contents())
    for name in HOSTILE.values():
        assert name in names
    page.close()
