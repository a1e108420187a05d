"""NTP (RFC 5905): a server of stratum 2 with this machine's own time."""

import struct
import time

_EPOCH = 2_208_988_800  # seconds from 1900, NTP's first day, to 1970
_CLIENT, _SERVER, _STRATUM = 3, 4, 2
_REFERENCE = bytes((10, 91, 0, 1))


def answer(request: bytes) -> bytes | None:
    """Return the answer to a client's packet; None for anything else."""
    if len(request) < 48 or request[0] & 7 != _CLIENT:
        return None
    version, poll, origin = request[0] >> 3 & 7, request[2], request[40:48]
    now = _stamp(time.time())
    head = struct.pack("!BBBbII", version << 3 | _SERVER, _STRATUM, poll, -20, 0x0200, 0x0400)
    return head + _REFERENCE + _stamp(time.time() - 30) + origin + now + _stamp(time.time())


def _stamp(seconds: float) -> bytes:
    """Return seconds since 1970 as NTP writes them: seconds since 1900 and a binary fraction."""
    whole = int(seconds)
    return struct.pack("!II", (whole + _EPOCH) & 0xFFFFFFFF, int((seconds - whole) * 2**32))
