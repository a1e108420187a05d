"""What a check returns: where, which rule, why, and how to mend it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from inventory.language import _
from inventory.rules import RULES


class Place(NamedTuple):
    """A line of a file of the province: path relative to its folder, line and column counted from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One complaint. `rule` is a stable id, a key of `inventory.rules.RULES`; `values` fill its messages."""

    place: Place
    rule: str
    values: tuple[tuple[str, str], ...] = ()

    @property
    def why(self) -> str:
        """The reason, in the chosen language."""
        return _(RULES[self.rule].why).format_map(dict(self.values))

    @property
    def fix(self) -> str:
        """What to do about it, in the chosen language."""
        return _(RULES[self.rule].fix).format_map(dict(self.values))

    def __str__(self) -> str:
        return f"{self.place}: {self.rule}: {self.why}; {self.fix}"


def finding(place: Place, rule: str, **values: object) -> Finding:
    """Make a finding; every value is kept as text that is safe and short enough to be shown on a terminal."""
    return Finding(
        place._replace(file=_shown(place.file)), rule, tuple((key, _shown(value)) for key, value in values.items())
    )


_MOST = 400


def _shown(value: object) -> str:
    """Return the value as text, control characters written as escapes, the middle of a very long one left out."""
    text = str(value)
    if not text.isprintable():
        text = "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)
    return text if len(text) <= _MOST else f"{text[: _MOST // 2]} … {text[-_MOST // 2 :]}"


class InventoryError(Exception):
    """The root of what this room raises: InvalidProvinceError, ProvinceNotFoundError, SelectorError, SecretError."""


class InvalidProvinceError(InventoryError):
    """The province cannot be used; `findings` holds every reason, in the order of the files."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(map(str, self.findings)))
