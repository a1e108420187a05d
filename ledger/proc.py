"""What the kernel tells about processes: who they are, since when, and who has a file open."""

import os
from collections.abc import Iterator
from pathlib import Path

_MOST = 80  # letters of a command
_START = 19  # in /proc/PID/stat, counted after the name in brackets, which may hold blanks


def command_of(process: int) -> str:
    """Return a process as messages name it, such as "812 (tuyen run patch)"; the number alone when it is gone."""
    try:
        words = Path(f"/proc/{process}/cmdline").read_bytes().rstrip(b"\0").replace(b"\0", b" ")
    except OSError:
        return str(process)
    command = words.decode(errors="replace")
    return f"{process} ({command if len(command) <= _MOST else f'{command[:_MOST]}…'})"


def began(process: int) -> str:
    """Return when a process began, in clock ticks since the machine's start; empty when there is none, or a zombie."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[_START]


def pid_space() -> str:
    """Return the name of our PID namespace; numbers of processes mean nothing outside theirs."""
    return str(Path("/proc/self/ns/pid").readlink())


def having_open(file: Path) -> Iterator[int]:
    """Yield the processes that have `file` open, those that we may look at."""
    target = file.stat()
    for process in filter(str.isdigit, os.listdir("/proc")):  # noqa: PTH208  (names are wanted, not paths)
        if _has_open(process, target):
            yield int(process)


def _has_open(process: str, target: os.stat_result) -> bool:
    try:
        return any(os.path.samestat(entry.stat(), target) for entry in Path("/proc", process, "fd").iterdir())
    except OSError:  # it has just ended, or is not ours to look at
        return False
