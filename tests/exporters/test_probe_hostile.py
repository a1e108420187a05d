"""Peers that send garbage, too much, too slowly or nothing: every reading is bounded, clean and explained."""

import asyncio
import contextlib
import itertools
import random
import resource
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

import pytest

from exporters.reading import Target
from tests.exporters.asking import asked, reading
from tests.exporters.daemons import HERE, Talk, datagram_peer, free_port, peer

ESCAPES = b"\x1b[2J\x1b]0;owned\x07\x9b31m\xff\xfe\xc3\x28 \xe2\x80\xae{evil} {0}\r\x08\x00"
PIN = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIF5aVBgU7bbwqRT8+4ZJQ1MxSSxTBDOCLnHcZd3m76S1"
TARGET = Target(HERE, "motcua.example", host_key=PIN, secrets={"c": "community"})
TCP: dict[str, dict[str, Any]] = {
    "tcp": {"expect": "never said"},
    "http": {},
    "http-tls": {"tls": True},
    "certificate": {},
    "ssh": {},
}
UDP: dict[str, dict[str, Any]] = {"dns": {"name": "motcua.example"}, "snmp": {"community": {"secret": "c"}}, "ntp": {}}


def endlessly(data: bytes, pause: float = 0.0) -> Talk:
    def talk(connection: socket.socket) -> None:
        while True:
            connection.sendall(data)
            time.sleep(pause)

    return talk


def once(data: bytes) -> Talk:
    def talk(connection: socket.socket) -> None:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass

    return talk


def silent(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


HEAD = b"HTTP/1.1 200 OK\r\n"
PEERS: dict[str, Talk] = {
    "silent": silent,
    "closing": once(b""),
    "resetting": reset,
    "escapes": once(ESCAPES * 40),
    "endless garbage": endlessly(random.Random(1).randbytes(65536)),
    "endless zeros": endlessly(bytes(65536)),
    "endless lines": endlessly(b"hello\r\n" * 9000),
    "slow drip": endlessly(b"S", 0.05),
    "ssh then garbage": once(b"SSH-2.0-x\r\n" + random.Random(2).randbytes(9000)),
    "ssh then huge packet": once(b"SSH-2.0-x\r\n\x7f\xff\xff\xff" + bytes(9000)),
    "tls alert": once(b"\x15\x03\x01\x00\x02\x02\x28"),
    "tls huge hello": endlessly(b"\x16\x03\x03\x40\x00" + bytes(0x4000)),
    "http bad length": once(HEAD + b"Content-Length: -5\r\n\r\nx"),
    "http two lengths": once(HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nx"),
    "http cut short": once(HEAD + b"Content-Length: 500\r\n\r\nx"),
    "http endless head": endlessly(HEAD + b"X: y\r\n" * 9000),
    "http endless interim": endlessly(b"HTTP/1.1 103 Early\r\n\r\n" * 3000),
    "http bad chunk": once(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "http upgrade": once(b"HTTP/1.1 101 Up\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
    "http bad redirect": once(b"HTTP/1.1 302 X\r\nLocation: http://[::1/\x7f\x80\r\n\r\n"),
    "http odd redirect": once(b"HTTP/1.1 302 X\r\nLocation: http://127.0.0.1:99999/\r\n\r\n"),
    "http split redirect": once(b"HTTP/1.1 302 X\r\nLocation: /a b\t\xe9\xff\r\nContent-Length: 0\r\n\r\n"),
}


@pytest.mark.parametrize("probe", TCP)
@pytest.mark.parametrize("name", PEERS)
def test_stream_is_bounded_and_explained(name: str, probe: str) -> None:
    with peer(PEERS[name]) as port:
        found = reading(probe.partition("-")[0], TARGET, timeout=0.4, port=port, **TCP[probe])
    assert not found.success
    assert found.asked
    assert found.heard, found.reason


def test_greeting_of_ssh_is_cleaned() -> None:
    with peer(once(b"SSH-2.0-" + ESCAPES.replace(b"\r", b"") * 99 + b"\r\n")) as port:
        found = reading("ssh", Target(HERE), port=port)
    assert found.success
    assert len(found.reason) < 100


def test_endless_page_is_read_to_its_bound_only() -> None:
    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(HEAD + b"\r\n")
        endlessly(b"trang web " * 10000)(connection)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with peer(talk) as port:
        found = reading("http", TARGET, port=port, body_must_match="trang web")
    assert found.success
    assert {name: value for name, _labels, value in found.metrics}["probe_http_uncompressed_body_length"] == 1 << 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000  # kilobytes


def mutated(question: bytes, chance: random.Random) -> list[bytes]:
    """The question as an answer, damaged: what a decoder likes least is something that is nearly right."""
    answer = bytearray(question)
    if len(answer) > 40:
        answer[2:3] = bytes([answer[2] | 0x80])
    for _change in range(chance.randint(0, 6)):
        answer[chance.randrange(len(answer))] = chance.randrange(256)
    return [bytes(answer[: chance.randint(0, len(answer))] + chance.randbytes(chance.choice((0, 0, 40))))]


DATAGRAMS: dict[str, Callable[[bytes], list[bytes]]] = {
    "garbage": lambda _question: [random.Random(3).randbytes(500)],
    "empty": lambda _question: [b""] * 200,
    "echo": lambda question: [question],
    "giant": lambda question: [question[:4] + bytes(60000)],
    "flood": lambda _question: [b"x"] * 500,
    "escapes": lambda question: [question[:2] + b"\x81\x80" + ESCAPES * 5],
}


@pytest.mark.parametrize("probe", UDP)
@pytest.mark.parametrize("name", DATAGRAMS)
def test_datagram_is_bounded_and_explained(name: str, probe: str) -> None:
    with datagram_peer(DATAGRAMS[name]) as port:
        found = reading(probe, TARGET, timeout=0.3, port=port, **UDP[probe])
    assert not found.success
    assert found.asked


@pytest.mark.parametrize("probe", UDP)
def test_damaged_answers_never_raise(probe: str) -> None:
    chance = random.Random(4)

    async def many(port: int) -> None:
        await asyncio.gather(*[asked(probe, TARGET, 0.5, {"port": port, **UDP[probe]}) for _turn in range(150)])

    with datagram_peer(lambda question: mutated(question, chance)) as port:
        asyncio.run(many(port))


def bulk(first: int) -> Callable[[bytes], list[bytes]]:
    """An agent whose table never ends: each answer repeats or goes on from `first`, under the asker's own id."""
    numbers = itertools.count(first)

    def tlv(tag: int, *parts: bytes) -> bytes:
        inside = b"".join(parts)
        return bytes([tag, 0x82, len(inside) >> 8, len(inside) & 255]) + inside

    def answer(question: bytes) -> list[bytes]:
        request = question[question.index(b"\x02", question.index(b"community")) :][: 2 + 4]
        request = request[: 2 + request[1]]
        uptime = b"\x2b\x06\x01\x02\x01\x01\x03\x00"
        if uptime in question:
            rows = [tlv(0x30, tlv(0x06, uptime), b"\x43\x01\x64")]
        else:
            stem = b"\x2b\x06\x01\x02\x01\x1f\x01\x01\x01\x01"
            rows = [
                tlv(0x30, tlv(0x06, stem, bytes([0x80 | number >> 7, number & 127])), tlv(0x04, b"eth"))
                for number in (next(numbers) % 16000 for _row in range(20))
            ]
        pdu = tlv(0xA2, request, b"\x02\x01\x00\x02\x01\x00", tlv(0x30, *rows))
        return [tlv(0x30, b"\x02\x01\x01", tlv(0x04, b"community"), pdu)]

    return answer


def test_endless_table_is_cut() -> None:
    with datagram_peer(bulk(200)) as port:
        found = reading("snmp", TARGET, timeout=5, port=port, mib="interfaces", community={"secret": "c"})
    assert found.reason == "0 of 512 interfaces are up"


@pytest.mark.parametrize("probe", [*TCP, *UDP])
def test_cancellation_passes_through(probe: str) -> None:
    async def cancel(port: int, options: dict[str, Any]) -> None:
        task = asyncio.ensure_future(asked(probe.partition("-")[0], TARGET, 5.0, {"port": port, **options}))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    serving = peer(silent) if probe in TCP else datagram_peer(lambda _question: [])
    with serving as port:
        asyncio.run(cancel(port, {**TCP, **UDP}[probe]))


@pytest.mark.parametrize("probe", [*TCP])
def test_closed_port_says_that_the_service_is_not_running(probe: str) -> None:
    port = free_port()
    found = reading(probe.partition("-")[0], TARGET, port=port, **TCP[probe])
    assert found.reason == f"port {port} refuses connections: the service is not running"
    assert found.heard


def test_name_that_cannot_be_asked_for_is_told() -> None:
    with peer(silent) as port:
        found = reading("certificate", TARGET, port=port, server_name=".example")
    assert (found.asked, found.reason) == (False, "“.example” is not a name that can be asked for")


def test_expected_words_are_found_across_pieces() -> None:
    def talk(connection: socket.socket) -> None:
        for piece in (b"220 smtp.", b"example ESM", b"TP\r\n"):
            connection.sendall(piece)
            time.sleep(0.05)
        with contextlib.suppress(OSError):
            connection.recv(1)

    with peer(talk) as port:
        found = reading("tcp", TARGET, port=port, expect=r"^220 .* ESMTP")
    assert (found.success, found.reason) == (True, f"port {port} greets as expected: 220 smtp.example ESMTP")


def test_port_that_accepts_is_up_when_nothing_is_expected() -> None:
    with peer(silent) as port:
        assert reading("tcp", TARGET, port=port).reason == f"port {port} accepts connections"
    assert reading("tcp", Target(""), port=1).asked is False
