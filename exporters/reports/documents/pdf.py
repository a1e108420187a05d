"""A document as PDF, laid out by typst in the form of Nghị định 30/2020/NĐ-CP."""

import json
from pathlib import Path
from typing import Any

import typst

from exporters.reports.documents.document import Document
from exporters.reports.documents.errors import UnprintableError
from exporters.reports.documents.shown import shown
from exporters.reports.documents.typefaces import Typeface, typeface

_FORM = Path(__file__).parent / "forms" / "official.typ"


def pdf(document: Document) -> bytes:
    """Return the document as PDF/A, the form that archives take.

    Raises NoTypefaceError where the machine has no typeface of the decree, UnprintableError where typst gives up.
    """
    face = typeface()
    data = _drawable(shown(document), face) | {"typeface": face.family}
    try:
        made: Any = typst.compile(
            _FORM,
            font_paths=[face.folder],
            ignore_system_fonts=True,  # what else is installed must not change a byte
            format="pdf",
            sys_inputs={"document": json.dumps(data, ensure_ascii=False)},
            pdf_standards=["a-2a"],
        )
    except typst.TypstError as error:
        raise UnprintableError(str(error)) from error
    return bytes(made)


def _drawable(value: Any, face: Typeface) -> Any:
    """Return data whose texts the typeface can draw."""
    if isinstance(value, str):
        return face.drawable(value)
    if isinstance(value, dict):
        return {key: _drawable(part, face) for key, part in value.items()}
    return [_drawable(part, face) for part in value] if isinstance(value, list | tuple) else value
