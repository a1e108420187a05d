"""A time server: one NTPv4 question (RFC 5905), its offset from this machine's clock."""

import secrets
import struct
import time
from typing import NamedTuple

from exporters.probes.datagram import asked
from exporters.probes.failure import ProbeError, awaiting
from exporters.reading import Metric, Outcome, Target, metric, plain
from inventory.language import _
from inventory.modules import NtpOptions

ERA = 2_208_988_800  # seconds from 1900, where NTP counts from, to 1970
PACKET = struct.Struct("!BBbbII4s8s8s8s8s")  # 48 bytes
CLIENT = 4 << 3 | 3  # version 4, mode 3
SERVER, UNSYNCHRONISED = 4, 3
STARTING = {"INIT", "STEP"}  # codes of a server that is not ready yet, not of one that turns us away


class Answer(NamedTuple):
    """What the server said: leap indicator, stratum, reference id, offset and round trip in seconds."""

    leap: int
    stratum: int
    reference: bytes
    offset: float
    round_trip: float


async def probe(target: Target, options: NtpOptions) -> Outcome:
    """Ask once, and judge the answer by its stratum and its offset."""
    # A random cookie instead of our clock: nobody off the path can answer, and our time is not told.
    cookie = secrets.token_bytes(8)
    question = PACKET.pack(CLIENT, 0, 0, 0, 0, 0, b"", b"", b"", b"", cookie)
    sent, started = time.time(), time.perf_counter()
    silence = _("no answer from time server port {port}: it is off, unreachable, or does not serve us")
    with awaiting(options.port, silence.format(port=options.port)):
        packet = await asked(target.address, options.port, question, lambda data: _answers(data, cookie))
    answer = _parsed(packet, sent, sent + time.perf_counter() - started)
    return _judged(answer, options.max_offset)


def _answers(data: bytes, cookie: bytes) -> bool:
    return len(data) >= PACKET.size and data[24:32] == cookie and data[0] & 7 == SERVER


def _parsed(packet: bytes, sent: float, received: float) -> Answer:
    head, stratum, _poll, _precision, _delay, _dispersion, reference, *stamps = PACKET.unpack_from(packet)
    arrived, left = _seconds(stamps[2], sent), _seconds(stamps[3], sent)
    offset = ((arrived - sent) + (left - received)) / 2
    return Answer(head >> 6, stratum, reference, offset, max(0.0, received - sent - (left - arrived)))


def _seconds(stamp: bytes, near: float) -> float:
    """Return the Unix time of an NTP timestamp, in the era that lies nearest to `near`."""
    seconds = int.from_bytes(stamp, "big") / 2**32 - ERA
    return seconds + round((near - seconds) / 2**32) * 2**32


def _judged(answer: Answer, limit: float) -> Outcome:
    code = plain(answer.reference.rstrip(b"\0"), 8) if answer.stratum == 0 else ""
    if code.isalpha() and code not in STARTING:
        raise ProbeError(_("the time server turns us away (code {code}): ask less often").format(code=code))
    if answer.stratum == 0 or answer.stratum >= 16 or answer.leap == UNSYNCHRONISED:
        unsynchronised = metric("tuyen_probe_ntp_stratum", 16)
        reason = _("the time server is itself not synchronised (stratum 16)")
        raise ProbeError(reason, metrics=(unsynchronised,))
    values = {"offset": answer.offset, "limit": limit, "stratum": answer.stratum}
    if abs(answer.offset) > limit:
        said = _("its clock is {offset:+.2f} s off ours, above the limit of {limit:g} s (stratum {stratum})")
        return Outcome(True, said.format(**values), degraded=True, metrics=_metrics(answer))
    said = _("synchronised at stratum {stratum}, {offset:+.4f} s off ours")
    return Outcome(True, said.format(**values), metrics=_metrics(answer))


def _metrics(answer: Answer) -> tuple[Metric, ...]:
    return (
        metric("tuyen_probe_ntp_offset_seconds", answer.offset),
        metric("tuyen_probe_ntp_round_trip_seconds", answer.round_trip),
        metric("tuyen_probe_ntp_stratum", answer.stratum),
    )
