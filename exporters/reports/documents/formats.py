"""The formats that reports are written in: one row each."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from exporters.reports.documents.document import Document
from exporters.reports.documents.html import html
from exporters.reports.documents.lifecycle import lifecycle_document
from exporters.reports.documents.pdf import pdf
from exporters.reports.documents.uptime import uptime_document
from exporters.reports.documents.xlsx import xlsx
from exporters.reports.equipment import LifecycleReport
from exporters.reports.figures import UptimeReport
from inventory.letterhead import Letterhead

Report = UptimeReport | LifecycleReport
Writer = Callable[[Report, Path, str, Letterhead | None], None]


def write_xlsx(report: Report, path: Path, language: str, letterhead: Letterhead | None = None) -> None:
    """Write the report as a workbook, in Vietnamese ("vi") or English ("en"). Raises OSError."""
    path.write_bytes(xlsx(document_of(report, language, letterhead)))


def write_pdf(report: Report, path: Path, language: str, letterhead: Letterhead | None = None) -> None:
    """Write the report as PDF in the official form. Raises DocumentError and OSError."""
    path.write_bytes(pdf(document_of(report, language, letterhead)))


def write_html(report: Report, path: Path, language: str, letterhead: Letterhead | None = None) -> None:
    """Write the report as one HTML file. Raises OSError."""
    path.write_text(html(document_of(report, language, letterhead)), encoding="utf-8", newline="\n")


FORMATS: Mapping[str, Writer] = MappingProxyType({"xlsx": write_xlsx, "pdf": write_pdf, "html": write_html})


def document_of(report: Report, language: str, letterhead: Letterhead | None = None) -> Document:
    """Return what a report says."""
    if isinstance(report, UptimeReport):
        return uptime_document(report, language, letterhead)
    return lifecycle_document(report, language, letterhead)
