"""What processes of the lab cost: processor seconds and memory, read from this side."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from lab.practice import enter_command
from lab.running import Lab

TICKS = os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def running(lab: Lab, argv: list[str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run `argv` in the lab until the block ends; what it says goes to `log`."""
    with log.open("wb") as said:
        process = subprocess.Popen(enter_command(lab, argv), stdin=subprocess.DEVNULL, stdout=said, stderr=said)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def inner(process: "subprocess.Popen[bytes]") -> int:
    """Return the process itself, where `process` is what entered the lab for it."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return int(children[0])


def busy(pid: int) -> float:
    """Return the processor seconds that a process has used, in user space and in the kernel."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(pid: int) -> float:
    """Return the bytes that are a process's own, its part of what it shares among them (PSS)."""
    return _kilobytes(pid, "smaps_rollup", "Pss:") * 1024.0


def most_memory(pid: int) -> float:
    """Return the bytes that a process held resident when it held most."""
    return _kilobytes(pid, "status", "VmHWM:") * 1024.0


def _kilobytes(pid: int, file: str, name: str) -> int:
    lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))
