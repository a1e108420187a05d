"""Words in the language of a document, whatever the process speaks."""

from collections.abc import Callable
from functools import partial

from inventory.language import in_language

Say = Callable[..., str]  # a message marked by N_, and its fields by name


def _said(language: str, message: str, /, **fields: object) -> str:
    return in_language(message, language).format(**fields)


def speaker(language: str) -> Say:
    """Return what translates messages and fills their fields in."""
    return partial(_said, language)
