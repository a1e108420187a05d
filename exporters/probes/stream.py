"""A TCP connection that is bounded in what it reads and gone when the probe is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from exporters.probes.failure import awaiting
from exporters.reading import plain
from inventory.language import _

CHUNK = 16 * 1024


@dataclass(frozen=True, slots=True)
class Stream:
    """Both directions of one connection, and the port it leads to."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    port: int


@asynccontextmanager
async def connected(address: str, port: int) -> AsyncIterator[Stream]:
    """Connect to `address`; the connection is dropped at once at the end. Raises ProbeError."""
    silence = _("no answer from port {port}: the device is off or unreachable, or a firewall drops us")
    with awaiting(port, silence.format(port=port)):
        reader, writer = await asyncio.open_connection(address, port, limit=CHUNK)
    try:
        yield Stream(reader, writer, port)
    finally:
        # A polite TLS farewell would wait for a peer that may never answer.
        writer.transport.abort()


async def read_some(stream: Stream, heard: bytes = b"") -> bytes:
    """Return what arrives next, at most `CHUNK` bytes, b"" at the end. `heard` came before. Raises ProbeError."""
    with awaiting(stream.port, _silence(stream.port, heard), heard=True):
        return await stream.reader.read(CHUNK)


def _silence(port: int, heard: bytes) -> str:
    if heard:
        return _("port {port} stops after “{text}”").format(port=port, text=plain(heard, 60))
    return _("port {port} accepts the connection, then stays silent").format(port=port)
