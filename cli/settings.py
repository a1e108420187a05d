"""What holds for every command: which province, which language, which form of output."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inventory import language
from inventory.language import _

if TYPE_CHECKING:
    from inventory.model import Province
    from ledger.connection import Ledger

PROVINCE_VARIABLE = "TUYEN_PROVINCE"


class Format(StrEnum):
    """How a command answers."""

    TABLE = "table"
    JSON = "json"


@dataclass
class Settings:
    """The global options, as the root command put them into the context."""

    province: Path | None = None

    def folder(self) -> Path:
        """Return the province's folder: --province, TUYEN_PROVINCE, or found upward from here."""
        from inventory.load import find

        named = self.province or (Path(value) if (value := os.environ.get(PROVINCE_VARIABLE)) else None)
        return find(named) if named else find(Path.cwd())

    def load(self) -> "Province":
        """Load the province. Raises InventoryError."""
        from inventory.load import load

        return load(self.folder())

    def ledger(self, province: "Province") -> "Ledger":
        """Open the ledger of the province, which was loaded. Raises LedgerError."""
        from ledger.connection import FILE, open_ledger

        return open_ledger(province.database or self.folder() / FILE)


def settings(context: typer.Context) -> Settings:
    """Return the settings of the running command."""
    found = context.find_object(Settings)
    assert found is not None, "the root command puts them there"
    return found


def language_from(arguments: list[str]) -> str | None:
    """Return what --lang says, before the commands are built: their help is translated as they are imported."""
    for position, word in enumerate(arguments):
        if word == "--lang" and position + 1 < len(arguments):
            return arguments[position + 1]
        if word.startswith("--lang="):
            return word.partition("=")[2]
    return None


language.use(language_from(sys.argv[1:]))

FormatOption = Annotated[Format, typer.Option("--format", help=_("table for people, json for programs"))]
SelectorArgument = Annotated[
    str,
    typer.Argument(
        metavar="[SELECTOR]",
        help=_("which: an id, or conditions such as 'tier=commune,role=server' or 'under=an-bien'; default: all"),
    ),
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help=_("do not ask"))]
PersonOption = Annotated[str, typer.Option("--as", help=_("play a person of people.yaml; in the lab only"))]
Command = Callable[..., None]


def example(*lines: str) -> str:
    """Return the epilogue of a command's help: what one would type."""
    return "\n\n".join((_("For example:"), *(f"    {line}" for line in lines)))
