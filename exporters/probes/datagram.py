"""One question by UDP, and the first datagram that answers it."""

import asyncio
from collections.abc import Callable

HEARD = 100  # datagrams that do not answer before the peer is called a babbler


class _Question(asyncio.DatagramProtocol):
    def __init__(self, answers: Callable[[bytes], bool]) -> None:
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.answers = answers
        self.heard = 0

    def datagram_received(self, data: bytes, _addr: object) -> None:
        self.heard += 1
        if self.answer.done():
            return
        if self.answers(data):
            self.answer.set_result(data)
        elif self.heard >= HEARD:
            self.answer.set_exception(ConnectionAbortedError("answers with nothing but garbage"))

    def error_received(self, exc: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(exc)


async def asked(address: str, port: int, question: bytes, answers: Callable[[bytes], bool]) -> bytes:
    """Send `question` and return the first datagram for which `answers` holds; others are passed over.

    Waits without end: the caller sets the time. Raises OSError, ECONNREFUSED when the port is closed.
    """
    loop = asyncio.get_running_loop()
    # A connected socket: the kernel hands us this peer's datagrams only, and its ICMP errors.
    transport, protocol = await loop.create_datagram_endpoint(lambda: _Question(answers), remote_addr=(address, port))
    try:
        transport.sendto(question)
        return await protocol.answer
    finally:
        transport.abort()
