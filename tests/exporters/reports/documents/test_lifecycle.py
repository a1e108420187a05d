"""The document on the age of equipment."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import openpyxl  # type: ignore[import-untyped]
import pytest

from exporters.reports.documents.formats import document_of, write_html, write_pdf, write_xlsx
from exporters.reports.documents.lifecycle import summary
from exporters.reports.equipment import LifecycleReport
from inventory.model import Province
from tests.exporters.reports.documents import october
from tests.exporters.reports.documents.test_pdf import text_of

pytestmark = pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning")  # openpyxl reads no bars


@pytest.fixture(scope="module")
def report_of_ages(province: Province) -> LifecycleReport:
    return october.ages(province)


def test_the_summary_tells_what_was_counted(report_of_ages: LifecycleReport) -> None:
    total = report_of_ages.total
    told = " ".join(summary(report_of_ages, "en"))
    assert f"has {total.devices:,} devices; the purchase of {total.dated:,} is known" in told
    assert f"The warranty of {total.warranty_ended:,} has ended" in told
    assert f"Of {len(report_of_ages.missing):,} devices" in told


def test_the_workbook_lists_every_device(province: Province, tmp_path: Path) -> None:
    district = october.ages(province, under="phu-quoc")
    write_xlsx(district, tmp_path / "lifecycle.xlsx", "en")
    book = openpyxl.load_workbook(tmp_path / "lifecycle.xlsx")
    page = book["Devices"]
    assert page.max_row == len(district.devices) + 1
    heads = {str(cell.value): cell.column for cell in page[1]}
    for number, device in enumerate(district.devices, 2):
        assert page.cell(number, 1).value == device.id
        bought = page.cell(number, heads["Bought"])
        assert (bought.value.date() if bought.value else None) == device.bought
        assert not device.bought or bought.number_format == "dd/mm/yyyy"


def test_a_day_that_spreadsheets_cannot_count_is_text(province: Province, tmp_path: Path) -> None:
    district = october.ages(province, under="phu-quoc")
    old = replace(district.devices[0], bought=date(1890, 5, 1))
    write_xlsx(replace(district, devices=(old, *district.devices[1:])), tmp_path / "lifecycle.xlsx", "en")
    page = openpyxl.load_workbook(tmp_path / "lifecycle.xlsx")["Devices"]
    assert [cell.value for cell in page[2]].count("01/05/1890") == 1


def test_paper_lists_at_most_what_people_read(report_of_ages: LifecycleReport, tmp_path: Path) -> None:
    document = document_of(report_of_ages, "en")
    for appendix in document.appendices:
        (table,) = appendix.blocks
        assert len(table.rows) <= 200  # type: ignore[union-attr]
    write_pdf(report_of_ages, tmp_path / "lifecycle.pdf", "en")
    text = " ".join(text_of(tmp_path / "lifecycle.pdf").split())
    assert f"And {len(report_of_ages.warranty_due) - 200} more; the workbook lists all of them." in text


def test_a_page_and_a_paper_say_the_same(report_of_ages: LifecycleReport, tmp_path: Path) -> None:
    write_html(report_of_ages, tmp_path / "lifecycle.html", "vi")
    write_pdf(report_of_ages, tmp_path / "lifecycle.pdf", "vi")
    paper = " ".join(text_of(tmp_path / "lifecycle.pdf").split())
    for sentence in summary(report_of_ages, "vi"):
        assert sentence in (tmp_path / "lifecycle.html").read_text(encoding="utf-8")
        assert sentence in paper.replace("\N{NO-BREAK SPACE}", " ") or "%" in sentence
