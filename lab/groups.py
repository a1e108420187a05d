"""Control groups of version 2, which every kernel of today has: beside version 1 as well, and then without limits.

A lab has one group for all its processes, and in it one for each machine.
"""

import contextlib
import os
import signal
from pathlib import Path


def groups_folder() -> Path | None:
    """Return where this machine shows its control groups of version 2; None when it does not."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _dash, source = line.partition(" - ")
        if source.startswith("cgroup2 "):
            return Path(fields.split()[4])
    return None


def make_group(group: Path) -> None:
    """Make the group. Raises OSError."""
    group.mkdir(exist_ok=True)


def end_all(group: Path) -> bool:
    """Kill all processes in `group` and below, at once; return whether any was left. Raises OSError."""
    if not group.exists() or "populated 0" in (group / "cgroup.events").read_text():
        return False
    try:
        (group / "cgroup.kill").write_text("1")
    except FileNotFoundError:  # Linux before 5.14
        _kill_each(group)
    return True


def _kill_each(group: Path) -> None:
    for listed in group.rglob("cgroup.procs"):
        for pid in listed.read_text().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)


def remove_group(group: Path) -> None:
    """Remove `group`, without processes by now, and those below it. Raises OSError."""
    if group.is_dir():
        for folder, _folders, _files in os.walk(group, topdown=False):
            Path(folder).rmdir()
