"""Network namespaces of this process's own: nameless, held by open files only, gone when they close."""

import ctypes
import os
import subprocess
from collections.abc import Callable, Iterable

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


class NetworkNamespace:
    """A network namespace, held by an open file of this process."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    @classmethod
    def current(cls) -> "NetworkNamespace":
        """Return the one that this thread is in."""
        return cls(os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC))

    @classmethod
    def fresh(cls) -> "NetworkNamespace":
        """Make a new one, empty but for a loopback that is down, and enter it. Raises OSError."""
        check(_libc.unshare(_CLONE_NEWNET))
        return cls.current()

    @classmethod
    def apart(cls) -> "NetworkNamespace":
        """Make a new one and stay where this thread is. Raises OSError."""
        before = cls.current()
        try:
            return cls.fresh()
        finally:
            before.enter()
            before.close()

    def enter(self) -> None:
        """Move this thread into it. Raises OSError."""
        check(_libc.setns(self.descriptor, _CLONE_NEWNET))

    def close(self) -> None:
        """Let go of it: it is gone when no process is in it any more."""
        os.close(self.descriptor)

    def ip(self, lines: Iterable[str], files: Iterable[int] = ()) -> None:
        """Run `lines`, commands of `ip`, inside it, stopping at the first that fails.

        `files` are the open files that the lines name as /proc/self/fd/N. Raises CommandError with what
        `ip` said.
        """
        self._run("ip", lines, files)

    def tc(self, lines: Iterable[str]) -> None:
        """Run `lines`, commands of `tc`, inside it. Raises CommandError with what `tc` said."""
        self._run("tc", lines, ())

    def _run(self, program: str, lines: Iterable[str], files: Iterable[int]) -> None:
        batch = "\n".join(lines)
        if not batch:
            return
        done = subprocess.run(
            [program, "-batch", "-"],
            input=batch,
            text=True,
            capture_output=True,
            preexec_fn=self.enter,
            pass_fds=tuple(files),
            timeout=60,
            check=False,
        )
        if done.returncode:
            raise CommandError(done.stderr.strip())

    def inside(self, action: Callable[[], None]) -> None:
        """Do `action` inside it and come back. Sockets that it opens belong to it for good."""
        before = NetworkNamespace.current()
        try:
            self.enter()
            action()
        finally:
            before.enter()
            before.close()


class CommandError(Exception):
    """A system command failed; the message is what it said."""


def check(result: int) -> None:
    """Raise OSError when a call of the C library has failed."""
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
