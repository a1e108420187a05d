"""What a TCP connection has really sent, as the kernel counts it."""

import socket
import struct
from typing import NamedTuple

# struct tcp_info of linux/tcp.h: tcpi_segs_out, and tcpi_bytes_sent with tcpi_bytes_retrans (Linux 4.19 and newer).
_SEGMENTS, _BYTES, _ENOUGH = 136, 200, 216
_HEADERS = 52  # bytes a segment: IPv4, TCP, and its time stamps


class Traffic(NamedTuple):
    """Bytes sent, those sent again because they were lost included; and how many those are."""

    sent: int = 0
    again: int = 0
    segments: int = 0

    def __add__(self, other: object) -> "Traffic":
        assert isinstance(other, Traffic)
        return Traffic(self.sent + other.sent, self.again + other.again, self.segments + other.segments)

    @property
    def wire(self) -> int:
        """Bytes that went out with the headers of IP and TCP; acknowledgements that we sent included."""
        return self.sent + self.segments * _HEADERS


def traffic_of(line: socket.socket) -> Traffic:
    """Return the counters of an open connection. Raises OSError when it is closed."""
    told = line.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    if len(told) < _ENOUGH:  # an older kernel
        return Traffic()
    (segments,) = struct.unpack_from("=I", told, _SEGMENTS)
    sent, again = struct.unpack_from("=QQ", told, _BYTES)
    return Traffic(sent, again, segments)
