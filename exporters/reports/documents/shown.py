"""A document as plain data of texts, which the templates of PDF and HTML lay out."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from exporters.reports.documents.document import (
    Bars,
    Block,
    Cell,
    Document,
    Form,
    Paragraph,
    Points,
    Section,
    Table,
    Value,
)
from exporters.reports.documents.say import speaker
from exporters.reports.documents.spelling import spelt
from inventory.language import N_
from inventory.letterhead import Letterhead

# What the decree itself prescribes, word for word; English has the customary translation.
_MOTTO: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "vi": ("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc"),
        "en": ("SOCIALIST REPUBLIC OF VIET NAM", "Independence - Freedom - Happiness"),
    }
)
_LEFT = frozenset({Form.TEXT})
_CENTRED = frozenset({Form.DAY, Form.MOMENT})


def shown(document: Document) -> dict[str, Any]:
    """Return everything that a template needs, with nothing left to compute but the lay-out."""
    say = speaker(document.language)
    return {
        "language": document.language,
        "motto": _MOTTO[document.language],
        "letterhead": _letterhead(document),
        "name": document.name,
        "subject": document.subject,
        "title": f"{document.name}: {document.subject}",
        "day": [document.until.year, document.until.month, document.until.day],
        "greeting": _greeting(document.letterhead, document.language),
        "opening": _blocks(document.opening, document.language),
        "sections": [
            _section(section, document.language) | {"number": roman(place)}
            for place, section in enumerate(document.sections, 1)
        ],
        "appendices": [
            _section(section, document.language) | {"mark": _mark(place, document)}
            for place, section in enumerate(document.appendices, 1)
        ],
        "attached": say(N_("(Attached to Report No. ….../BC-{symbol} of …/…/{year})"), **_number(document)),
        "recipients": {"title": say(N_("Recipients:")), "names": _recipients(document.letterhead, document.language)},
        "signature": {"capacity": list(document.letterhead.capacity), "name": document.letterhead.signer},
    }


def roman(number: int) -> str:
    """Return a number below 40 as the decree numbers parts and appendices: I, II, III, IV."""
    text = "X" * (number // 10)
    return text + ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX")[number % 10]


def _mark(place: int, document: Document) -> str:
    """Return what an appendix is called: with its number where there are several."""
    word = speaker(document.language)(N_("Appendix"))
    return f"{word} {roman(place)}" if len(document.appendices) > 1 else word


def _number(document: Document) -> dict[str, object]:
    return {"symbol": document.letterhead.symbol or "……", "year": document.until.year}


def _letterhead(document: Document) -> dict[str, str]:
    say = speaker(document.language)
    head = document.letterhead
    return {
        "authority": head.authority.upper(),
        "body": head.body.upper(),
        "number": say(N_("No.:       /BC-{symbol}"), **_number(document)),
        "place": say(N_("{place}, ….../….../{year}"), place=head.place, year=document.until.year),
    }


def _greeting(head: Letterhead, language: str) -> str:
    return speaker(language)(N_("To: {addressee}"), addressee=head.addressee) if head.addressee else ""


def _recipients(head: Letterhead, language: str) -> list[str]:
    """Return who gets the document, each with its mark at the end; the archives come last."""
    say = speaker(language)
    names = ([say(N_("As above"))] if head.addressee else []) + list(head.recipients)
    kept = say(N_("Filed: VT, {division}."), division=head.drafted_by) if head.drafted_by else say(N_("Filed: VT."))
    return [*(f"{name};" for name in names), kept]


def _section(section: Section, language: str) -> dict[str, Any]:
    blocks = _blocks(section.blocks, language)
    return {"title": section.title, "landscape": section.landscape, "blocks": blocks}


def _blocks(blocks: Sequence[Block], language: str) -> list[dict[str, Any]]:
    return [_block(block, language) for block in blocks]


def _block(block: Block, language: str) -> dict[str, Any]:
    match block:
        case Paragraph():
            return {"kind": "paragraph", "text": block.text}
        case Points():
            return {"kind": "points", "points": list(block.texts)}
        case Bars():
            return _bars(block, language)
        case Table():
            return _table(block, language)


def _bars(bars: Bars, language: str) -> dict[str, Any]:
    longest = max((value for _name, value in bars.rows), default=0) or 1
    rows = [
        {"name": name, "part": float(value / longest), "text": spelt(value, bars.form, language)}
        for name, value in bars.rows
    ]
    return {"kind": "bars", "caption": bars.caption, "bars": rows}


def _table(table: Table, language: str) -> dict[str, Any]:
    return {
        "kind": "table",
        "caption": table.caption,
        "note": table.note,
        "size": table.size,
        "width": sum(column.width for column in table.columns),
        "columns": [
            {"heading": column.heading, "width": column.width, "side": _side(column.form)} for column in table.columns
        ],
        "rows": [
            {
                "strong": position in table.strong,
                "cells": [
                    _cell(value, column.form, language) for value, column in zip(row, table.columns, strict=True)
                ],
            }
            for position, row in enumerate(table.rows)
        ],
    }


def _cell(value: Value | Cell, form: Form, language: str) -> str:
    return spelt(value.value, value.form, language) if isinstance(value, Cell) else spelt(value, form, language)


def _side(form: Form) -> str:
    return "left" if form in _LEFT else "center" if form in _CENTRED else "right"
