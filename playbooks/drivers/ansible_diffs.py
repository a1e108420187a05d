"""What Ansible's modules say of their changes, as text: a unified diff or the commands."""

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any

# apt-get's own summary: the same words whether it simulates or acts, unlike the progress that follows.
_PACKAGES = re.compile(
    r"^The following (NEW packages|packages) will be (installed|upgraded|REMOVED|DOWNGRADED):\n((?:  .*\n)+)",
    re.MULTILINE,
)
_SIGNS = {"installed": "+", "upgraded": "^", "REMOVED": "-", "DOWNGRADED": "v"}


def change_text(action: str, file: str, result: Mapping[str, Any]) -> str:
    """Return what changed, "" where the module does not say; ends without a newline. `file` is what it is about."""
    if action.endswith((".apt", "apt")):
        return "\n".join(_packages(str(result.get("stdout", ""))))
    if command := result.get("cmd"):
        return "$ " + (" ".join(command) if isinstance(command, list) else str(command))
    found = result.get("diff") or []
    return "\n".join(line for part in (found if isinstance(found, list) else [found]) for line in _unified(file, part))


def _packages(summary: str) -> Iterator[str]:
    for match in _PACKAGES.finditer(summary):
        yield from (f"{_SIGNS[match[2]]}{name}" for name in sorted(match[3].split()))


def _unified(file: str, part: Mapping[str, Any]) -> Iterator[str]:
    """Yield the unified diff of one before and after; its header names the file, never a temporary one."""
    if "prepared" in part:
        yield from str(part["prepared"]).splitlines()
    name = str(part.get("before_header") or file)
    before, after = part.get("before"), part.get("after")
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        sides = _attributes(before, after)
    else:
        sides = str(before or "").splitlines(), str(after or "").splitlines()
    yield from difflib.unified_diff(*sides, name, name, n=2, lineterm="")


def _attributes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return both sides of what is no text, such as a mode, one attribute a line."""
    states = {before.get("state"), after.get("state")}
    # Of what does not exist, check mode knows no owner and no mode.
    keys = ["state"] if "absent" in states else sorted({*before, *after} - {"path"})
    first, second = ([f"{key}: {side[key]}" for key in keys if key in side] for side in (before, after))
    return first, second
