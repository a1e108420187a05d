"""An open SSH session on a device: commands and files, a time limit on every wait."""

import contextlib
import shlex
import socket
import time
from collections.abc import Callable, Iterator
from threading import Event, Thread
from types import TracebackType
from typing import NamedTuple, Self

import paramiko

from playbooks import refusal
from playbooks.target import Login
from playbooks.traffic import Traffic, traffic_of

SFTP_PATIENCE = 10.0  # seconds
PULSE = 10.0  # seconds between two questions whether the device is still there, and for an answer
_CHUNK = 32768


class Answer(NamedTuple):
    """How a command ended: its exit code (-1 when a signal ended it), and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def ok(self) -> bool:
        """Whether the command succeeded."""
        return self.code == 0


class Connection:
    """An open session on a device; close it, or use it as a context. One thread at a time."""

    def __init__(
        self, login: Login, client: paramiko.SSHClient, way: contextlib.ExitStack, nearest: socket.socket
    ) -> None:
        """Take an authenticated `client`, and `way`, which closes it and what leads to it.

        `nearest` is the TCP connection that carries it, to the first jump host if there is one.
        """
        self.login, self.client, self._way, self._nearest = login, client, way, nearest
        over = Event()
        way.callback(over.set)
        Thread(target=_feel_pulse, args=(self.transport, over), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the session and those of the jump hosts."""
        self._way.close()

    def traffic(self) -> Traffic:
        """Return what TCP has sent, to the first jump host if there is one; nothing when it is closed."""
        try:
            return traffic_of(self._nearest)
        except OSError:
            return Traffic()

    @property
    def alive(self) -> bool:
        """Whether the session is open, as far as we have heard."""
        transport = self.client.get_transport()
        return transport is not None and transport.is_active()

    @property
    def transport(self) -> paramiko.Transport:
        """The transport of the session. Raises ReachError when it has ended."""
        transport = self.client.get_transport()
        if transport is None or not transport.is_active():
            raise refusal.went_away(self.login)
        return transport

    def run(self, command: str, *, stdin: bytes = b"", patience: float = 60.0) -> Answer:
        """Run `command` in the account's shell, for at most `patience` seconds. Raises ReachError."""
        end = time.monotonic() + patience
        with self._told(patience), contextlib.closing(self.transport.open_session(timeout=patience)) as channel:
            channel.settimeout(patience)
            channel.exec_command(command)
            if stdin:
                channel.sendall(stdin)
            channel.shutdown_write()
            out = _read(channel, channel.recv, end)
            err = _read(channel, channel.recv_stderr, end)
            return Answer(self._code(channel, end), out, err)

    def run_as_root(self, command: str, *, stdin: bytes = b"", patience: float = 60.0) -> Answer:
        """Run `command` in a shell as root, by sudo for other accounts. Raises ReachError."""
        if self.login.user == "root":
            return self.run(command, stdin=stdin, patience=patience)
        answer = self.run(f"sudo -n -- sh -c {shlex.quote(command)}", stdin=stdin, patience=patience)
        if answer.code == 1 and answer.err.startswith("sudo: "):
            raise refusal.no_root(self.login, answer.err.removeprefix("sudo: "))
        return answer

    @contextlib.contextmanager
    def sftp(self, patience: float = SFTP_PATIENCE) -> Iterator[paramiko.SFTPClient]:
        """Open SFTP for a block; each of its waits lasts at most `patience` seconds. Raises ReachError.

        A refusal by the device's file system (OSError) is the block's own affair.
        """
        with self._told(patience):
            client = paramiko.SFTPClient.from_transport(self.transport)
        if client is None:
            raise refusal.went_away(self.login)
        channel = client.get_channel()
        if channel is not None:
            channel.settimeout(patience)
        with contextlib.closing(client):
            yield client

    def _code(self, channel: paramiko.Channel, end: float) -> int:
        if not channel.status_event.wait(max(end - time.monotonic(), 0.0)):
            raise TimeoutError
        if channel.exit_status == -1 and not self.alive:
            raise refusal.went_away(self.login)
        return channel.exit_status

    @contextlib.contextmanager
    def _told(self, patience: float) -> Iterator[None]:
        try:
            yield
        except TimeoutError as error:
            raise refusal.unanswered(self.login, patience) from error
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise refusal.went_away(self.login) from error


def _read(channel: paramiko.Channel, receive: Callable[[int], bytes], end: float) -> str:
    """Read one of a command's streams until it ends; what comes on the other meanwhile waits in its window."""
    heard = bytearray()
    channel.settimeout(max(end - time.monotonic(), 0.001))
    while more := receive(_CHUNK):
        heard += more
        channel.settimeout(max(end - time.monotonic(), 0.001))
    return heard.decode("utf-8", errors="replace")


def _feel_pulse(transport: paramiko.Transport, over: Event) -> None:
    """Ask the device's sshd for a sign of life now and then, and end the session without one: all that waits is told.

    The kernel sees that a connection is dead only as far as the first jump host, and the library waits for ever.
    """
    while not over.wait(PULSE):
        asking = Thread(target=_ask, args=(transport,), daemon=True)
        asking.start()
        asking.join(PULSE)
        if asking.is_alive():
            transport.close()
            return


def _ask(transport: paramiko.Transport) -> None:
    """Ask once; that the connection breaks meanwhile is told to those who use it."""
    with contextlib.suppress(EOFError, OSError, paramiko.SSHException):
        transport.global_request("keepalive@openssh.com", wait=True)
