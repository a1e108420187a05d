"""SSH to a device, through its jump hosts: pinned host keys only, a time limit on every wait, one reason a failure.

    with connect(target.login, target.jumps, target.known_hosts) as connection:
        answer = connection.run("uname -r")

Every hop is authenticated by us and held to its own pinned key. All that can fail raises ReachError; its subclass
RefusedError is what asking again would not mend.
"""

import contextlib
import logging
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import paramiko

from playbooks import refusal
from playbooks.errors import ReachError
from playbooks.pins import Pin, pins_of
from playbooks.remote import Answer, Connection
from playbooks.target import Login

__all__ = ["Answer", "Connection", "Dialled", "connect", "dial", "scan"]

PATIENCE = 10.0  # seconds for each: connection, greeting and key exchange, login
_DEAD_AFTER = 20_000  # milliseconds without acknowledgement, then the kernel gives a connection up
_RSA = ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa")  # how a key of type ssh-rsa may sign, best first

Line = socket.socket | paramiko.Channel

# Without a handler the library's complaints, traces and all, would go to the terminal: we tell them ourselves.
logging.getLogger("paramiko").addHandler(logging.NullHandler())


class Dialled:
    """A connection to a device's port that stands in for a socket; closing it closes the jump hosts' sessions."""

    def __init__(self, line: Line, way: contextlib.ExitStack) -> None:
        self._line, self._way = line, way

    def __getattr__(self, name: str) -> Any:
        return getattr(self._line, name)

    def close(self) -> None:
        """Close the connection, and what led to it."""
        self._line.close()
        self._way.close()


def connect(login: Login, jumps: Sequence[Login], known_hosts: Path, patience: float = PATIENCE) -> Connection:
    """Log in to a device through `jumps`, the first being the nearest to us. Raises ReachError."""
    _require_pins((*jumps, login), known_hosts)
    with contextlib.ExitStack() as opened:
        line, nearest = _reach(login, jumps, known_hosts, patience, opened)
        client = _log_in(login, line, known_hosts, patience)
        opened.callback(client.close)
        return Connection(login, client, opened.pop_all(), nearest)


def dial(login: Login, jumps: Sequence[Login], known_hosts: Path, patience: float = PATIENCE) -> Dialled:
    """Return a connection to the device's port, through `jumps`; nothing is said on it yet. Raises ReachError."""
    with contextlib.ExitStack() as opened:
        line, _nearest = _reach(login, jumps, known_hosts, patience, opened)
        return Dialled(line, opened.pop_all())


def scan(login: Login, jumps: Sequence[Login], known_hosts: Path, patience: float = PATIENCE) -> Pin:
    """Ask a device for its host key, of the pinned type where there is one, without logging in. Raises ReachError."""
    with contextlib.ExitStack() as opened:
        line, _nearest = _reach(login, jumps, known_hosts, patience, opened)
        transport = _transport(pins_of(login, known_hosts), patience)(line)
        opened.callback(transport.close)
        begun = time.monotonic()
        try:
            transport.start_client(timeout=2 * patience)
            return _as_pin(transport.get_remote_server_key())
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise refusal.not_let_in(login, error, time.monotonic() - begun, patience) from error


def _require_pins(way: Sequence[Login], known_hosts: Path) -> None:
    """Refuse before anything is sent."""
    for login in way:
        if not pins_of(login, known_hosts):
            raise refusal.unpinned(login)


def _reach(
    login: Login, jumps: Sequence[Login], known_hosts: Path, patience: float, opened: contextlib.ExitStack
) -> tuple[Line, socket.socket]:
    """Open a connection to the device's port, hop by hop; `opened` closes the hops.

    Returns it with the socket that leads to the first of them, still there to be asked when the session has closed it.
    """
    way = (*jumps, login)
    _require_pins(jumps, known_hosts)
    with _blamed(way[0], login):
        first = _tcp(way[0], patience)
    nearest, line = opened.enter_context(first.dup()), cast("Line", first)
    opened.callback(line.close)
    for hop, beyond in pairwise(way):
        with _blamed(hop, login):
            client = _log_in(hop, line, known_hosts, patience)
            opened.callback(client.close)
        line = _forward(client, hop, beyond, patience)
    return line, nearest


@contextlib.contextmanager
def _blamed(hop: Login, login: Login) -> Iterator[None]:
    """Name the jump host when it is not the device itself that fails."""
    try:
        yield
    except ReachError as error:
        if hop is login:
            raise
        raise refusal.at_jump_host(hop, error) from error


def _tcp(login: Login, patience: float) -> socket.socket:
    try:
        line = socket.create_connection((login.address, login.port), patience)
    except OSError as error:
        raise refusal.unconnected(login, error, patience) from error
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _DEAD_AFTER)
    return line


def _forward(client: paramiko.SSHClient, hop: Login, beyond: Login, patience: float) -> Line:
    transport = client.get_transport()
    if transport is None:
        raise refusal.at_jump_host(hop, refusal.went_away(hop))
    try:
        return transport.open_channel("direct-tcpip", (beyond.address, beyond.port), ("127.0.0.1", 0), timeout=patience)
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise refusal.unforwarded(hop, beyond, error, patience) from error


class _Transport(paramiko.Transport):
    """A transport that never asks the terminal for a second factor, as the library does of itself."""

    def auth_interactive_dumb(self, username: str, handler: object = None, submethods: str = "") -> list[str]:  # noqa: ARG002
        raise paramiko.BadAuthenticationType("more is asked for than we have", ["keyboard-interactive"])


class _OnlyPinned(paramiko.MissingHostKeyPolicy):
    """Rejects every host key but the pinned ones."""

    def __init__(self, login: Login, pinned: Sequence[Pin]) -> None:
        self._login, self._pinned = login, pinned

    # The client is given no keys to know, so that every key comes here: several of one type may be pinned.
    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:  # noqa: ARG002
        found = _as_pin(key)
        if found not in self._pinned:
            raise refusal.changed_key(self._login, self._pinned, found)


def _log_in(login: Login, line: Line, known_hosts: Path, patience: float) -> paramiko.SSHClient:
    pinned = pins_of(login, known_hosts)
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(_OnlyPinned(login, pinned))
    begun = time.monotonic()
    with contextlib.ExitStack() as failing:
        failing.callback(client.close)
        try:
            _authenticate(client, login, line, _transport(pinned, patience), patience)
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise refusal.not_let_in(login, error, time.monotonic() - begun, patience) from error
        failing.pop_all()
    return client


def _authenticate(
    client: paramiko.SSHClient,
    login: Login,
    line: Line,
    factory: Callable[..., paramiko.Transport],
    patience: float,
) -> None:
    ours = not (login.key or login.password)  # only then may we offer what lies around
    client.connect(
        login.address,
        login.port,
        login.user,
        login.password or None,
        pkey=_key(login),
        sock=line,
        timeout=2 * patience,
        auth_timeout=patience,
        allow_agent=ours,
        look_for_keys=ours,
        transport_factory=factory,
    )


def _key(login: Login) -> paramiko.PKey | None:
    if not login.key:
        return None
    try:
        return paramiko.PKey.from_path(login.key)
    except (OSError, ValueError, TypeError, paramiko.SSHException, paramiko.pkey.UnknownKeyType) as error:
        raise refusal.unusable_key(login, error) from error


def _transport(pinned: Sequence[Pin], patience: float) -> Callable[..., paramiko.Transport]:
    """Return what makes transports that ask for keys of the pinned types first, and wait no longer than told."""

    def make(line: Line, **options: Any) -> paramiko.Transport:
        transport = _Transport(line, **options)
        transport.banner_timeout = transport.handshake_timeout = patience
        choices = transport.get_security_options()
        wanted = [name for pin in pinned for name in (_RSA if pin.kind == "ssh-rsa" else (pin.kind,))]
        first = [name for name in wanted if name in choices.key_types]
        choices.key_types = tuple(dict.fromkeys((*first, *choices.key_types)))
        return transport

    return make


def _as_pin(key: paramiko.PKey) -> Pin:
    return Pin(key.get_name(), key.get_base64())
