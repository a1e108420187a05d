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
        _check(_libc.unshare(_CLONE_NEWNET))
        return cls.current()

    def enter(self) -> None:
        """Move this thread into it. Raises OSError."""
        _check(_libc.setns(self.descriptor, _CLONE_NEWNET))

    def ip(self, lines: Iterable[str], files: Iterable[int] = ()) -> None:
        """Run `lines`, commands of `ip`, inside it, stopping at the first that fails.

        `files` are the open files that the lines name as /proc/self/fd/N. Raises CommandError with what
        `ip` said.
        """
        batch = "\n".join(lines)
        if not batch:
            return
        done = subprocess.run(
            ["ip", "-batch", "-"],
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
            os.close(before.descriptor)


class CommandError(Exception):
    """A system command failed; the message is what it said."""


def _check(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
