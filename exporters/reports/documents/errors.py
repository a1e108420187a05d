"""What keeps a document from being written.

DocumentError
├── NoTypefaceError   the machine has no typeface of the official form
└── UnprintableError  the typesetter gave up
"""

from collections.abc import Sequence

from inventory.language import _


class DocumentError(Exception):
    """Its text is for the user."""


class NoTypefaceError(DocumentError):
    """Neither Times New Roman nor an equal of it is installed that has the letters of Vietnamese."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(
            _(
                "a PDF in the official form needs {names} with Vietnamese letters, and no such typeface is installed: "
                "apt install fonts-liberation2"
            ).format(names=", ".join(names))
        )


class UnprintableError(DocumentError):
    """The typesetter gave up; its words tell why."""

    def __init__(self, problem: str) -> None:
        super().__init__(_("the document cannot be laid out: {problem}").format(problem=problem))
