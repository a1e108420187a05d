"""A TCP port: it accepts, and its first words are the expected ones."""

import re

from exporters.probes.failure import ProbeError
from exporters.probes.stream import connected, read_some
from exporters.reading import Outcome, Target, metric, plain
from inventory.language import _
from inventory.modules import TcpOptions

MOST = 4096  # bytes of a greeting that are looked at


async def probe(target: Target, options: TcpOptions) -> Outcome:
    """Connect, and read until `options.expect` is found, the peer ends, or `MOST` bytes came."""
    async with connected(target.address, options.port) as stream:
        if not options.expect:
            return Outcome(True, _("port {port} accepts connections").format(port=options.port))
        heard = b""
        while len(heard) < MOST and (more := await read_some(stream, heard)):
            heard += more
            if re.search(options.expect, heard[:MOST].decode("utf-8", "replace")):
                return _matched(options.port, heard)
    raise _unmatched(options, heard)


def _matched(port: int, heard: bytes) -> Outcome:
    reason = _("port {port} greets as expected: {text}").format(port=port, text=plain(heard, 60))
    return Outcome(True, reason, metrics=(metric("probe_failed_due_to_regex", 0),))


def _unmatched(options: TcpOptions, heard: bytes) -> ProbeError:
    told = _("port {port} says “{text}”, which does not match “{pattern}”")
    reason = told.format(port=options.port, text=plain(heard, 60), pattern=options.expect)
    return ProbeError(reason, metrics=(metric("probe_failed_due_to_regex", 1),))
