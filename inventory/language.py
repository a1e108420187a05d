"""Message translation: English source, Vietnamese catalogue.

A process has one language, chosen by `use`; what is done for one reader, such as a web request, may have another one,
within `speaking`. Texts that are kept in both languages are translated by `in_language`.
"""

import gettext
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

_LOCALE = Path(__file__).parent / "locale"
_catalogue: gettext.NullTranslations = gettext.NullTranslations()
_reader: ContextVar[str] = ContextVar("language of the one who reads", default="")


def use(language: str | None = None) -> None:
    """Choose the catalogue: `language` ("vi", "en"), or what the locale's environment variables say."""
    global _catalogue
    chosen = [language] if language else None
    _catalogue = gettext.translation("tuyen", _LOCALE, languages=chosen, fallback=True)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak `language` ("vi", "en") here and in what is started from here: tasks, and threads of asyncio.to_thread."""
    token = _reader.set(language)
    try:
        yield
    finally:
        _reader.reset(token)


def current() -> str:
    """Return the language in use, "vi" or "en"."""
    own = str(_catalogue.info().get("language", "en")) if hasattr(_catalogue, "info") else "en"
    return _reader.get() or own


def _(message: str) -> str:
    """Translate `message` into the reader's language, or the chosen one."""
    if not message:
        return ""
    language = _reader.get()
    return (_catalogue_of(language) if language else _catalogue).gettext(message)


def N_(message: str) -> str:  # noqa: N802  (gettext's own name for "mark, do not translate yet")
    """Mark `message` for the catalogue; it is translated when it is shown."""
    return message


@cache
def _catalogue_of(language: str) -> gettext.NullTranslations:
    return gettext.translation("tuyen", _LOCALE, languages=[language], fallback=True)


def in_language(message: str, language: str) -> str:
    """Translate `message` into `language`, whatever the process speaks."""
    return _catalogue_of(language).gettext(message) if message else ""
