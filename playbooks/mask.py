"""Hiding secrets in whatever is shown or kept, and making it fit to be written."""

import base64
import re
from collections.abc import Callable, Iterable
from urllib.parse import quote

from ledger.records import plain

HIDDEN = "********"
_SHORTEST = 4  # characters; hiding shorter ones would garble everything and hide nothing
# How a secret stands in texts that quote it.
_FORMS: tuple[Callable[[str], str], ...] = (
    str,
    lambda secret: secret.replace("\\", "\\\\").replace('"', '\\"'),  # JSON, YAML, C
    lambda secret: secret.replace("'", "'\"'\"'"),  # a shell's single quotes
    lambda secret: secret.replace("'", "''"),  # YAML's and SQL's single quotes
    lambda secret: secret.replace("\\", "\\\\").replace("'", "\\'"),  # Python's single quotes
    lambda secret: quote(secret, safe=""),  # URLs
    lambda secret: base64.b64encode(secret.encode()).decode(),
)


class Mask:
    """Replaces each of some secrets, wherever and however quoted it stands in a text."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Take the secrets' values; of one with several lines each is hidden, as a diff shows them one by one."""
        parts = {part.strip() for secret in secrets for part in (secret, *secret.splitlines())}
        forms = {form(part) for part in parts if len(part) >= _SHORTEST for form in _FORMS}
        longest_first = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def __call__(self, text: str) -> str:
        """Return `text` without secrets, and without what is no text: a device's files may be in any encoding."""
        return plain(self._pattern.sub(HIDDEN, text) if self._pattern else text)
