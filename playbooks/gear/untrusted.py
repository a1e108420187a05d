"""What devices say is untrusted: it may hold escape sequences that make a terminal lie."""

import re

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def plain(text: str) -> str:
    """Return `text` without escape sequences and control characters, with line ends as "\\n"."""
    return _CONTROLS.sub("", _ESCAPES.sub("", text.replace("\r\n", "\n")))


def first_line(text: str, most: int = 160) -> str:
    """Return the first line with something on it, at most `most` characters, for a message."""
    lines = [line.strip() for line in plain(text).splitlines() if line.strip()]
    return lines[0][:most] if lines else ""
