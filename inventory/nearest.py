"""The right spelling that a wrong one most resembles."""

from collections.abc import Iterable
from difflib import get_close_matches

from inventory.forms import slug_of
from inventory.language import _


def nearest(word: str, known: Iterable[str], also: Iterable[str] = ()) -> str:
    """Return the nearest of `known`, quoted, as a phrase; or up to eight of them when none is near.

    Other names in `also` may be the nearest, but are not listed. Who writes a name means the id that it suggests.
    """
    names = sorted(set(known))
    candidates = sorted({*names, *also})
    if close := get_close_matches(word, candidates, 1, 0.6) or get_close_matches(slug_of(word), candidates, 1, 0.6):
        return _("'{word}' (the nearest that exists)").format(word=close[0])
    if not names:
        return _("none: nothing is declared yet")
    listed = ", ".join(names[:8])
    return _("one of: {words}").format(words=listed if len(names) <= 8 else f"{listed}, …")
