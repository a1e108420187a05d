"""A file of systemd's: sections of settings, each with the reason that stands above it."""

from collections.abc import Iterable
from typing import NamedTuple

MARK = "# Written by 'tuyen schedule install': changes here do not last; 'systemctl edit' makes some that do."


class Setting(NamedTuple):
    """One line, and why it is there."""

    key: str
    value: str
    why: str = ""


Sections = Iterable[tuple[str, Iterable[Setting]]]


def text_of(sections: Sections) -> str:
    """Return the file; the same sections give the same bytes."""
    lines = [MARK]
    for name, settings in sections:
        lines += ["", f"[{name}]"]
        for setting in settings:
            lines += [f"# {setting.why}"] if setting.why else []
            lines.append(f"{setting.key}={setting.value}")
    return "\n".join(lines) + "\n"


def command_line(words: Iterable[str]) -> str:
    """Return words as ExecStart= takes them; a % or $ in them means nothing there."""
    return " ".join(quoted(word).replace("$", "$$") for word in words)


def quoted(word: str) -> str:
    """Return one word, such as a path, as systemd reads it back. It must not hold control characters."""
    plain = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{plain}"' if set(plain) & set(" '\";\\") or not plain else plain
