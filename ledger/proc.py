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
    fields = _fields(process)
    return "" if not fields or fields[0] in "ZX" else fields[_START]


def _fields(process: int) -> list[str]:
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def is_gone(process: int, since: str) -> bool:
    """Say whether the process of that number that `began` then is certainly gone."""
    if _fields(process):
        return began(process) != since
    try:
        os.kill(process, 0)
    except OSError as error:  # one that may not be signalled is there: /proc can be mounted so that it hides others'
        return isinstance(error, ProcessLookupError)
    return False


def pid_space() -> str:
    """Return the name of our PID namespace on this start of this machine; a process's number means nothing outside."""
    start = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{start} {Path('/proc/self/ns/pid').readlink()}"


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
