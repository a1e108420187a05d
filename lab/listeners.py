"""The open ports of all hosts in one process: sockets bound to each host's own address, answered by kind.

What is not declared is not open, and the kernel refuses it as a real machine does.
"""

import asyncio
import contextlib
import resource
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from functools import partial

from lab.certificates import Authority
from lab.responders import http, ntp, ssh
from lab.responders.dns import Zone
from lab.responders.mib import Moment, Supply, objects_of
from lab.responders.snmp import Agent
from lab.scene import DATAGRAM, Host, Port, Scene

_PATIENCE = 15.0  # seconds that a connection may take
_SPARE = 256  # open files beside the listening ones
_BURST = 64  # datagrams or connections taken from one socket before the others have their turn
_LINE = 16_384  # bytes of a request's head at most
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Answer = Callable[[bytes], bytes | None]


class TooManyFilesError(OSError):
    """The hosts have more open ports than this process may have open files; the message has both numbers."""


class Listeners:
    """Everything that answers. Make it inside the province's namespace: sockets belong where they are made."""

    def __init__(self, scene: Scene, authority: Authority) -> None:
        self._authority = authority
        self._began = time.monotonic()
        self._supplies: dict[str, Supply] = {}
        self._talks: set[asyncio.Task[None]] = set()
        self._zone = Zone({host.name: host.address for host in scene.hosts}, scene.names)
        real = {machine.id for machine in scene.machines}
        self._hosts = [host for host in scene.hosts if host.id not in real]

    def open(self) -> int:
        """Open every port and return how many they are. Raises TooManyFilesError, OSError."""
        allow_files(sum(len(host.ports) for host in self._hosts) + _SPARE)
        loop = asyncio.get_running_loop()
        count = 0
        for host in self._hosts:
            for port in host.ports:
                kind = socket.SOCK_DGRAM if port.kind in DATAGRAM else socket.SOCK_STREAM
                opened = socket.socket(socket.AF_INET, kind | socket.SOCK_NONBLOCK)
                opened.bind((host.address, port.number))
                loop.add_reader(opened, self._reader(opened, host, port))
                count += 1
        return count

    def run_on(self, device: str, battery: bool) -> None:
        """Let the ups `device` run on its battery from now on, or on the mains."""
        self._supplies[device] = Supply(self._seconds() if battery else None)

    def _seconds(self) -> float:
        return time.monotonic() - self._began

    def _reader(self, opened: socket.socket, host: Host, port: Port) -> Callable[[], None]:
        if port.kind in DATAGRAM:
            return partial(_answer_datagrams, opened, self._answer(host, port))
        opened.listen(128)
        choose = partial(self._choose_context, host, port) if port.kind == "https" else None
        return partial(self._accept, opened, _talk(host, port), choose)

    def _answer(self, host: Host, port: Port) -> Answer:
        if port.kind == "dns":
            return self._zone.answer
        if port.kind == "ntp":
            return ntp.answer
        return partial(self._answer_snmp, host, [], port.community)

    def _answer_snmp(self, host: Host, made: list[Agent], community: str, request: bytes) -> bytes | None:
        if not made:  # most hosts are never asked while a lab lives: their objects are made when they are
            made.append(Agent(objects_of(host), community))
        return made[0].answer(request, Moment(self._seconds(), self._supplies.get(host.id, Supply())))

    def _choose_context(self, host: Host, port: Port) -> ssl.SSLContext:
        """Return a context that shows the certificate of the name asked for, or else the device's own."""

        def by_name(connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _first: ssl.SSLContext) -> None:
            if name and name.lower() in port.names:
                connection.context = self._authority.context(name.lower(), host.address)

        own = self._authority.context(host.name, host.address)
        own.sni_callback = by_name
        return own

    def _accept(self, listening: socket.socket, talk: Talk, choose: Callable[[], ssl.SSLContext] | None) -> None:
        for _ in range(_BURST):
            try:
                accepted, _address = listening.accept()
            except OSError:  # nobody waits any more, or he left, or there is no file left for him now
                return
            accepted.setblocking(False)
            task = asyncio.ensure_future(_hold(accepted, talk, choose() if choose else None))
            self._talks.add(task)
            task.add_done_callback(self._talks.discard)


def _talk(host: Host, port: Port) -> Talk:
    if port.kind == "ssh":
        return ssh.greet
    if port.kind in ("http", "https"):
        return partial(http.serve, name=host.name, pages=port.pages)
    return _listen_only


async def _listen_only(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read(_LINE)


async def _hold(accepted: socket.socket, talk: Talk, context: ssl.SSLContext | None) -> None:
    """Carry one connection to its end. What the other side does wrong ends it, and nothing else."""
    with contextlib.suppress(OSError, TimeoutError, ValueError, asyncio.IncompleteReadError, EOFError):
        async with asyncio.timeout(_PATIENCE):
            reader = asyncio.StreamReader(limit=_LINE)
            protocol = asyncio.StreamReaderProtocol(reader)
            loop = asyncio.get_running_loop()
            transport, _ = await loop.connect_accepted_socket(lambda: protocol, accepted, ssl=context)
            writer = asyncio.StreamWriter(transport, protocol, reader, loop)
            try:
                await talk(reader, writer)
            finally:
                writer.close()


def _answer_datagrams(opened: socket.socket, answer: Answer) -> None:
    for _ in range(_BURST):
        try:
            request, asker = opened.recvfrom(4096)
        except OSError:  # nothing more waits
            return
        response = answer(request)
        if response:
            with contextlib.suppress(OSError):  # the asker's way is gone: as good as lost
                opened.sendto(response, asker)


def allow_files(count: int) -> None:
    """Let this process have `count` open files. Raises TooManyFilesError where that is not allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count), max(hard, count)))
    except (ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        if hard < count:
            raise TooManyFilesError(f"{count} open files needed, {hard} allowed (ulimit -Hn)") from None
