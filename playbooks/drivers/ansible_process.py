"""ansible-playbook as a child: started in a session of its own, heard line by line, ended with all it started."""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

# Ansible's workers and ssh's masters make sessions of their own: they are known by this in their environment.
MARK = "TUYEN_ANSIBLE_RUN"
_GRACE_SECONDS = 3.0  # between asking to end and killing
_PAUSE_SECONDS = 0.1


@contextmanager
def memory_file(name: str, content: bytes = b"") -> Iterator[int]:
    """Yield a descriptor of a file that is in memory only, positioned at its start; a child can open it again."""
    descriptor = os.memfd_create(name)
    try:
        os.write(descriptor, content)
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)


def run(
    command: Sequence[str],
    environment: Mapping[str, str],
    descriptors: Sequence[int],
    output: int,
    events: tuple[int, int],
    hear: Callable[[str], None],
    over: Callable[[], bool],
) -> int | None:
    """Run `command`, an ansible-playbook, and give each line of its events to `hear` until it ends or `over` says so.

    `output` is where its own words go: a file in memory, for a pipe would break should we die first. `events` are the
    two ends of a pipe; the child inherits the second and `descriptors`. Returns its exit code, None when `over` cut it
    short. Nothing that it started is left on return.
    """
    reading, writing = events
    try:
        child = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(*descriptors, writing),
            start_new_session=True,
        )
    finally:
        os.close(writing)
    try:
        _listen(reading, child, hear, over)
    finally:
        cut_short = child.poll() is None and not _ended_by_itself(child, over)
        _end_all(child, environment[MARK])
    return None if cut_short else child.returncode


def _listen(
    reading: int, child: "subprocess.Popen[bytes]", hear: Callable[[str], None], over: Callable[[], bool]
) -> None:
    """Hear lines until the child closes its end, has ended, or `over`."""
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(reading, selectors.EVENT_READ)
        while not over():
            if not selector.select(_PAUSE_SECONDS):
                if child.poll() is not None:
                    return
                continue
            if not (data := os.read(reading, 1 << 16)):
                return
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                hear(line.decode())


def _ended_by_itself(child: "subprocess.Popen[bytes]", over: Callable[[], bool]) -> bool:
    """Whether the child, its events all told, ends by itself; it may take a moment."""
    while not over():
        with suppress(subprocess.TimeoutExpired):
            child.wait(_PAUSE_SECONDS)
            return True
    return False


def _end_all(child: "subprocess.Popen[bytes]", mark: str) -> None:
    """End the child and whatever it started: first by asking, then by force."""
    deadline = time.monotonic() + _GRACE_SECONDS
    ask = signal.SIGTERM
    while (marked := _marked(mark)) or child.poll() is None:
        for process in {*marked, *([] if child.poll() is not None else [child.pid])}:
            with suppress(ProcessLookupError):
                os.kill(process, ask)
        time.sleep(_PAUSE_SECONDS)
        if time.monotonic() > deadline:
            ask = signal.SIGKILL


def cut_sessions(mark: str) -> None:
    """Kill the ssh clients of a run. Ansible takes each device's task for failed and does not try it again."""
    for process in _marked(mark):
        with suppress(OSError):
            if Path(f"/proc/{process}/cmdline").read_bytes().startswith(b"ssh\0"):
                os.kill(process, signal.SIGKILL)


def _marked(mark: str) -> list[int]:
    """Return the processes whose environment carries our mark."""
    wanted = f"{MARK}={mark}".encode()
    return [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/environ") if wanted in _environment(path)]


def _environment(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().split(b"\0")
    except OSError:  # it has ended, or is not ours
        return []
