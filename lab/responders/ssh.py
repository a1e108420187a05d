"""SSH: the banner, and no more. Nobody logs in at this level of the lab."""

import asyncio

BANNER = b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send the banner and listen until the other side has introduced itself or gone."""
    writer.write(BANNER)
    await writer.drain()
    await reader.readline()
