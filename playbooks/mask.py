"""Hiding secrets in whatever is shown or kept."""

import re
from collections.abc import Iterable

HIDDEN = "********"
_SHORTEST = 4  # characters; hiding shorter ones would garble everything and hide nothing


class Mask:
    """Replaces each of some secrets, wherever it stands in a text."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Take the secrets' values; also as they stand in JSON and YAML texts, with quotes escaped."""
        forms = {form for secret in secrets for form in (secret, secret.replace("\\", "\\\\").replace('"', '\\"'))}
        longest_first = sorted((form for form in forms if len(form) >= _SHORTEST), key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def __call__(self, text: str) -> str:
        """Return `text` without secrets."""
        return self._pattern.sub(HIDDEN, text) if self._pattern else text
