"""The relay: a process of its own that carries frames from w0 to w1, late or never, as the lines say.

One way only (controller to province), so that a delay is paid once. It reads tables of effects from its
standard input, one JSON object a line: {"10.91.17.64/26": [loss, delay, jitter], ...}, and answers each with
a line. It ends when its input does.
"""

import ipaddress
import json
import os
import random
import select
import socket
import sys
import time
from bisect import bisect_right
from collections.abc import Mapping
from heapq import heappop, heappush

from lab.ways import PERFECT, Impairment

_ETH_P_IP = 0x0800
_DESTINATION = slice(30, 34)  # of an IPv4 packet behind an Ethernet header
_BURST = 256  # frames taken before the due ones are looked at again
_FULL = 20_000  # frames held at most: beyond it a line drops, as a router's queue does


class Table:
    """Which effect holds for which destination: ranges of addresses that do not overlap, in order."""

    def __init__(self, effects: Mapping[str, list[float]]) -> None:
        networks = sorted((ipaddress.IPv4Network(prefix), Impairment(*effect)) for prefix, effect in effects.items())
        self._starts = [int(network.network_address) for network, _ in networks]
        self._ends = [int(network.broadcast_address) for network, _ in networks]
        self._effects = [effect for _, effect in networks]

    def effect(self, address: int) -> Impairment:
        """Return what happens to a packet to `address`."""
        position = bisect_right(self._starts, address) - 1
        if position < 0 or address > self._ends[position]:
            return PERFECT
        return self._effects[position]


class Relay:
    """The frames under way, by the time at which they are due."""

    def __init__(self, inner: socket.socket, outer: socket.socket) -> None:
        self._inner, self._outer = inner, outer
        self._table = Table({})
        self._waiting: list[tuple[float, int, bytes]] = []
        self._count = 0

    def use(self, table: Table) -> None:
        """Let `table` hold for the frames that come from now on."""
        self._table = table

    def take(self) -> None:
        """Take the frames that have come: lose them, or hold them until they are due."""
        now = time.monotonic()
        for _ in range(_BURST):
            try:
                frame, address = self._inner.recvfrom(65536)
            except BlockingIOError:
                return
            if address[2] != socket.PACKET_OUTGOING:
                self._hold(frame, now)

    def _hold(self, frame: bytes, now: float) -> None:
        effect = self._table.effect(int.from_bytes(frame[_DESTINATION]))
        if random.random() < effect.loss or len(self._waiting) >= _FULL:  # noqa: S311  (not for secrets)
            return
        due = now + effect.delay + random.random() * effect.jitter  # noqa: S311
        self._count += 1
        heappush(self._waiting, (due, self._count, frame))

    def release(self) -> float:
        """Send the frames that are due; return for how many seconds nothing more is, -1 for ever."""
        while self._waiting:
            left = self._waiting[0][0] - time.monotonic()
            if left > 0:
                return left
            frame = heappop(self._waiting)[2]
            try:
                self._outer.send(frame)
            except OSError:  # the queue of the interface is full, or a frame is malformed: lost
                continue
        return -1


def _packet_socket(interface: str, protocol: int) -> socket.socket:
    """Return a socket that sends on `interface` and receives frames of `protocol` there, none for 0."""
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    opened.bind((interface, protocol))
    opened.setblocking(False)
    return opened


def main() -> None:
    """Carry frames until the standard input ends."""
    inner = _packet_socket("w0", _ETH_P_IP)
    relay = Relay(inner, _packet_socket("w1", 0))
    poll = select.epoll()
    poll.register(inner, select.EPOLLIN)
    poll.register(sys.stdin, select.EPOLLIN)
    rest = b""
    while True:
        wait = relay.release()
        ready = {descriptor for descriptor, _ in poll.poll(wait)}
        if inner.fileno() in ready:
            relay.take()
        if sys.stdin.fileno() in ready:
            text = os.read(sys.stdin.fileno(), 1 << 20)
            if not text:
                return
            *lines, rest = (rest + text).split(b"\n")
            for line in lines:
                relay.use(Table(json.loads(line)))
                os.write(sys.stdout.fileno(), b"ready\n")


if __name__ == "__main__":
    main()
