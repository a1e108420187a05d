"""Questions put from inside a lab, as `python -m tests.lab.probing '{"do": ..., ...}'`; answers are JSON.

It has its own clients of every protocol, or well-known ones, and nothing of tuyen: the lab is the one tested.
"""

import asyncio
import json
import socket
import ssl
import struct
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any

import dns.message
import dns.query
from gufo.ping import Ping
from gufo.snmp import NoSuchInstance, SnmpVersion
from gufo.snmp.aio.client import SnmpSession
from gufo.snmp.typing import ValueType


async def ping(addresses: list[str], count: int = 1, patience: float = 0.5) -> dict[str, list[float | None]]:
    """Return the seconds of every answer, None for silence, by address; 100 at a time."""
    at_once = asyncio.Semaphore(100)
    asker = Ping(timeout=patience)

    async def once(address: str) -> float | None:
        async with at_once:  # more would overrun the asker's own receive buffer
            return await asker.ping(address)

    async def one(address: str) -> list[float | None]:
        return list(await asyncio.gather(*(once(address) for _ in range(count))))

    return dict(zip(addresses, await asyncio.gather(*map(one, addresses)), strict=True))


async def tcp(address: str, port: int, send: str = "", patience: float = 2.0) -> dict[str, str]:
    """Return the first words of a port, or the name of the error, with the seconds it took."""
    try:
        async with asyncio.timeout(patience):
            reader, writer = await asyncio.open_connection(address, port)
            writer.write(send.encode("latin-1"))
            said = await reader.read(65536) if send else await reader.readline()
            writer.close()
    except (OSError, TimeoutError) as error:
        return {"error": type(error).__name__}
    return {"said": said.decode(errors="replace")}


async def tls(address: str, name: str, authority: str = "") -> dict[str, str]:
    """Return the names in the certificate shown for `name`, verified against `authority`."""
    context = ssl.create_default_context(cafile=authority or None)
    try:
        _reader, writer = await asyncio.open_connection(address, 443, ssl=context, server_hostname=name)
    except ssl.SSLCertVerificationError as error:
        return {"error": error.verify_message}
    certificate = writer.get_extra_info("peercert")
    writer.close()
    return {"names": ",".join(value for _, value in certificate["subjectAltName"])}


async def snmp(address: str, community: str, objects: list[str], walk: str = "", bulk: bool = False) -> Any:
    """Return the values of `objects`, or of all below `walk`."""
    async with SnmpSession(address, community=community, timeout=1.0, version=SnmpVersion.v2c) as session:
        if not walk:
            return {numbers: _plain(value) for numbers, value in (await session.get_many(objects)).items()}
        found = session.getbulk(walk) if bulk else session.getnext(walk)
        return {numbers: _plain(value) async for numbers, value in found}


def _plain(value: ValueType) -> object:
    return value.decode() if isinstance(value, bytes) else value


async def snmp_or_silence(**asked: Any) -> Any:
    """Return what `snmp` does, or the name of the error."""
    try:
        return await snmp(**asked)
    except (TimeoutError, NoSuchInstance) as error:
        return type(error).__name__


async def name(server: str, question: str, kind: str = "A") -> list[str]:
    """Return the code of the answer and its records."""
    query = dns.message.make_query(question, kind)
    answer = await asyncio.to_thread(dns.query.udp, query, server, 2.0)
    code = dns.rcode.to_text(answer.rcode())
    return [code, *(record.to_text() for answers in answer.answer for record in answers)]


async def ntp(address: str) -> dict[str, float]:
    """Return the stratum, and how far the server's clock is from ours, in seconds."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(2.0)
        asker.sendto(struct.pack("!B39xQ", 0x23, 42), (address, 123))
        answer = asker.recv(100)
    origin, seconds, fraction = struct.unpack("!Q8xII", answer[24:48])
    offset = seconds - 2_208_988_800 + fraction / 2**32 - time.time()
    return {"stratum": answer[1], "mode": answer[0] & 7, "origin": origin, "offset": offset}


async def datagrams(address: str, port: int, sent: list[str]) -> int:
    """Send `sent` (hexadecimal) and return how many answers come within half a second of the last."""
    answers = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(0.5)
        for text in sent:
            asker.sendto(bytes.fromhex(text), (address, port))
        try:
            while asker.recv(4096):
                answers += 1
        except TimeoutError:
            return answers
    return answers


async def hear(port: int, seconds: float) -> dict[str, int]:
    """Return how many datagrams come to the port within that time, by the address of their sender."""
    heard: dict[str, int] = {}
    end = time.monotonic() + seconds
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("0.0.0.0", port))
        while (left := end - time.monotonic()) > 0:
            listener.settimeout(left)
            try:
                _said, (sender, _port) = listener.recvfrom(4096)
            except TimeoutError:
                break
            heard[sender] = heard.get(sender, 0) + 1
    return heard


async def resolve(host: str) -> str:
    """Return the address that the system's resolver finds."""
    return await asyncio.to_thread(socket.gethostbyname, host)


QUESTIONS: dict[str, Callable[..., Coroutine[Any, Any, Any]]] = {
    question.__name__: question
    for question in (ping, tcp, tls, snmp, snmp_or_silence, name, ntp, datagrams, hear, resolve)
}


def main() -> None:
    asked = json.loads(sys.argv[1])
    print(json.dumps(asyncio.run(QUESTIONS[asked.pop("do")](**asked))))


if __name__ == "__main__":
    main()
