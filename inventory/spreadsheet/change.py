"""One change that a workbook asks for, as a value."""

from dataclasses import dataclass
from typing import Literal

from inventory.finding import Place

Subject = Literal["device", "office"]


@dataclass(frozen=True, slots=True)
class Change:
    """One attribute that a workbook says otherwise. Days are ISO; "" is nothing.

    `id` may be that of a device that does not exist yet: its `role` and `type` are then among the changes.
    `attribute` is the key of a column; `place` is "<workbook>!<sheet>" with row and column.
    """

    subject: Subject
    id: str
    attribute: str
    old: str
    new: str
    place: Place

    @property
    def sheet(self) -> str:
        """The title of the sheet that says so."""
        return self.place.file.rpartition("!")[2]

    @property
    def row(self) -> int:
        """The number of the row that says so, as the spreadsheet counts."""
        return self.place.line
