"""NTP against chronyd that does not touch the clock, and against clocks that are wrong."""

import socket
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.exporters.asking import reading, values
from tests.exporters.daemons import HERE, bound, daemon, datagram_peer, free_port

ERA = 2_208_988_800


def chronyd(folder: Path, *lines: str) -> tuple[list[str], int]:
    port, written = free_port(socket.SOCK_DGRAM), folder / "chrony.conf"
    told = [f"port {port}", f"bindaddress {HERE}", "allow 127.0.0.0/8", "cmdport 0", f"pidfile {folder}/pid", *lines]
    written.write_text("\n".join(told) + "\n")
    return ["chronyd", "-x", "-d", "-u", "root", "-f", str(written)], port


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("chrony")
    command, port = chronyd(folder, "local stratum 8")
    with daemon(command, lambda: bound(port), folder / "log"):
        yield port


def test_synchronised_server_agrees_with_our_clock(clock: int) -> None:
    found, told = (answer := reading("ntp", port=clock)), values(answer)
    assert (found.success, found.degraded) == (True, False), found.reason
    assert found.reason.startswith("synchronised at stratum 8, ")
    assert abs(told["tuyen_probe_ntp_offset_seconds"]) < 0.05
    assert 0 <= told["tuyen_probe_ntp_round_trip_seconds"] < 0.5
    assert told["tuyen_probe_ntp_stratum"] == 8


def test_server_without_a_source_is_not_synchronised(tmp_path: Path) -> None:
    command, port = chronyd(tmp_path)
    with daemon(command, lambda: bound(port), tmp_path / "log"):
        found = reading("ntp", port=port)
    assert (found.success, found.reason) == (False, "the time server is itself not synchronised (stratum 16)")


def server(offset: float, *, stratum: int = 2, reference: bytes = b"GPS\0") -> Callable[[bytes], list[bytes]]:
    """A clock that is `offset` seconds off, or says what else it is told to."""

    def answer(question: bytes) -> list[bytes]:
        stamp = struct.pack("!Q", int((time.time() + ERA + offset) * 2**32) % 2**64)
        return [
            struct.pack("!BBbbII4s", 4 << 3 | 4, stratum, 0, 0, 0, 0, reference) + stamp + question[40:48] + stamp * 2
        ]

    return answer


@pytest.mark.parametrize(("offset", "told"), [(2.31, "+2.31"), (-3600.0, "-3600.00")])
def test_clock_that_is_off_is_degraded(offset: float, told: str) -> None:
    with datagram_peer(server(offset)) as port:
        found = reading("ntp", port=port, max_offset=0.5)
    assert (found.success, found.degraded) == (True, True)
    assert found.reason == f"its clock is {told} s off ours, above the limit of 0.5 s (stratum 2)"
    assert values(found)["tuyen_probe_ntp_offset_seconds"] == pytest.approx(offset, abs=0.2)


def test_limit_is_the_declared_one() -> None:
    with datagram_peer(server(2.31)) as port:
        assert not reading("ntp", port=port, max_offset=3).degraded


def test_kiss_of_death_is_told() -> None:
    with datagram_peer(server(0, stratum=0, reference=b"RATE")) as port:
        found = reading("ntp", port=port)
    assert (found.success, found.reason) == (False, "the time server turns us away (code RATE): ask less often")


def test_answer_to_somebody_else_is_passed_over() -> None:
    honest, forged = server(0), server(1000)

    def answer(question: bytes) -> list[bytes]:
        return [forged(bytes(48))[0], b"", b"\xff" * 48, honest(question)[0]]

    with datagram_peer(answer) as port:
        assert not reading("ntp", port=port).degraded


def test_closed_port_is_told() -> None:
    port = free_port(socket.SOCK_DGRAM)
    assert reading("ntp", port=port).reason == f"port {port} refuses connections: the service is not running"
