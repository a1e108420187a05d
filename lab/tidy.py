"""What a lab of real machines had of the host, taken back when the lab is no longer alive."""

import time
from pathlib import Path

from lab.groups import end_all, remove_group
from lab.limits import restore_limits

_DEADLINE = 10.0  # seconds


def tidy(note: Path) -> None:
    """Remove the control group that `note` names, and restore the kernel's setting. Raises OSError."""
    if not note.exists():
        return
    group = Path(note.read_text().strip())
    end = time.monotonic() + _DEADLINE
    while end_all(group) and time.monotonic() < end:
        time.sleep(0.02)
    remove_group(group)
    restore_limits()
    note.unlink()
