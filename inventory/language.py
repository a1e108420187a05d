"""Message translation: English source, Vietnamese catalogue; one language a process, but for texts kept in both."""

import gettext
import os
from functools import cache
from pathlib import Path

_LOCALE = Path(__file__).parent / "locale"
_catalogue: gettext.NullTranslations = gettext.NullTranslations()


def use(language: str | None = None) -> None:
    """Choose the catalogue: `language` ("vi", "en"), or what the locale's environment variables say."""
    global _catalogue
    chosen = [language] if language else None
    _catalogue = gettext.translation("tuyen", _LOCALE, languages=chosen, fallback=True)


def current() -> str:
    """Return the language in use, "vi" or "en"."""
    return str(_catalogue.info().get("language", "en")) if hasattr(_catalogue, "info") else "en"


def _(message: str) -> str:
    """Translate `message` into the chosen language."""
    return _catalogue.gettext(message) if message else ""


def N_(message: str) -> str:  # noqa: N802  (gettext's own name for "mark, do not translate yet")
    """Mark `message` for the catalogue; it is translated when it is shown."""
    return message


@cache
def _catalogue_of(language: str) -> gettext.NullTranslations:
    return gettext.translation("tuyen", _LOCALE, languages=[language], fallback=True)


def in_language(message: str, language: str) -> str:
    """Translate `message` into `language`, whatever the process speaks."""
    return _catalogue_of(language).gettext(message) if message else ""


def environment_language() -> str | None:
    """Return the first language that LANGUAGE, LC_ALL, LC_MESSAGES or LANG name, or None."""
    for variable in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(variable):
            return value.split(":")[0].split("_")[0].split(".")[0]
    return None
