"""Who issues the reports of a province."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Who issues a document, as Nghị định 30/2020/NĐ-CP has it; what is left "" is for the clerk to fill in."""

    body: str  # who issues it
    authority: str = ""  # to whom that body is subject
    symbol: str = ""  # the body's abbreviation in the number, for example STTTT
    place: str = ""  # where it sits
    addressee: str = ""  # to whom it reports
    recipients: tuple[str, ...] = ()
    drafted_by: str = ""  # abbreviation of the drafting division
    capacity: tuple[str, ...] = ()  # of who signs: ("GIÁM ĐỐC",)
    signer: str = ""
