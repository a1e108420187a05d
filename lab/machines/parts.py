"""Packages of this process's Python that machines get a copy of: pure Python, taken as they are installed here."""

from importlib.util import find_spec
from pathlib import Path

from inventory.language import _
from lab.errors import MachineError

_FROM = {"fake_switches": "fake-switches==1.5.0", "tftpy": "tftpy==0.8.7"}


def folder_of(part: str) -> Path:
    """Return the folder of the package `part`. Raises MachineError with what would install it."""
    found = find_spec(part)
    if found is None or found.origin is None:
        raise MachineError(
            _("the lab needs {part} for such a machine; in tuyen's environment: {command}").format(
                part=part, command=f"uv pip install --no-deps {_FROM[part]}"
            )
        )
    return Path(found.origin).parent
