"""An SSH key exchange, to see which host key a server really holds."""

import asyncio
import logging
import socket
import threading
from collections.abc import MutableMapping
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from exporters.probes.failure import ProbeError, awaiting
from exporters.reading import metric, plain
from inventory.language import N_, _

if TYPE_CHECKING:
    from paramiko import Transport

AT_ONCE = 32  # handshakes, one thread each
PATIENCE = 30.0  # seconds after which a thread ends by itself, were it ever forgotten
LOG = "tuyen.ssh"
CHANGED = N_(
    "the host key is not the pinned one ({kind}): the machine was reinstalled, or another one answers at its "
    "address; find out which before you pin the new key"
)
# paramiko tells its log what its exceptions tell us.
logging.getLogger(LOG).addHandler(logging.NullHandler())
logging.getLogger(LOG).propagate = False
_slots: MutableMapping[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


class _Done(threading.Event):
    """An event that a thread sets and a coroutine awaits."""

    def __init__(self) -> None:
        super().__init__()
        self.loop, self.heard = asyncio.get_running_loop(), asyncio.Event()

    def set(self) -> None:
        super().set()
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.heard.set)


async def host_key(address: str, port: int, kinds: tuple[str, ...]) -> tuple[str, str]:
    """Return the host key, ("ssh-ed25519", base64), asking for one of `kinds`. Raises ProbeError."""
    slots = _slots.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE))
    silence = _("port {port} greets, then stays silent during the key exchange").format(port=port)
    with awaiting(port, silence, heard=True):
        async with slots:
            return await _exchanged(await _connection(address, port), port, kinds)


async def _connection(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    connection = socket.socket(family, socket.SOCK_STREAM)
    connection.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(connection, (address, port))
    except BaseException:
        connection.close()
        raise
    return connection


async def _exchanged(connection: socket.socket, port: int, kinds: tuple[str, ...]) -> tuple[str, str]:
    # Heavy, and needed for pinned hosts only.
    from paramiko import SSHException, Transport

    done = _Done()
    transport = Transport(connection)
    try:
        _prepare(transport, kinds)
        transport.start_client(event=done)
        await done.heard.wait()
        if error := transport.get_exception():
            raise error
        key = transport.get_remote_server_key()
        return key.get_name(), key.get_base64()
    except SSHException as error:
        raise _explained(error, port, kinds) from error
    finally:
        transport.packetizer.complete_handshake()  # else its timer, a thread, would run for PATIENCE
        transport.close()
        connection.close()


def _prepare(transport: "Transport", kinds: tuple[str, ...]) -> None:
    transport.set_log_channel(LOG)
    transport.daemon = True
    transport.banner_timeout = transport.handshake_timeout = PATIENCE
    options = transport.get_security_options()
    wanted = {*kinds, "rsa-sha2-512", "rsa-sha2-256"} if "ssh-rsa" in kinds else {*kinds}
    options.key_types = [kind for kind in options.key_types if kind in wanted] or list(options.key_types)


def _explained(error: Exception, port: int, kinds: tuple[str, ...]) -> ProbeError:
    if "no acceptable host key" in str(error):
        return changed(_("no {kinds} any more").format(kinds=" ".join(kinds)))
    told = _("the key exchange with port {port} fails: {error}")
    return ProbeError(told.format(port=port, error=plain(str(error)) or type(error).__name__))


def changed(kind: str) -> ProbeError:
    """Return the failure that stands for a host key other than the pinned one."""
    mismatch = metric("tuyen_probe_ssh_host_key_matches", 0)
    return ProbeError(_(CHANGED).format(kind=plain(kind, 60)), metrics=(mismatch,))
