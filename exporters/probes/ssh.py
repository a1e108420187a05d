"""SSH: the greeting, and a real key exchange when the host key is pinned. Never a login."""

from collections.abc import Iterable

from exporters.probes.failure import ProbeError
from exporters.probes.handshake import changed, host_key
from exporters.probes.stream import connected, read_some
from exporters.reading import Outcome, Target, metric, plain
from inventory.language import _
from inventory.modules import SshOptions

MOST = 8192  # bytes before the greeting must have come (RFC 4253 lets a server talk first)


async def probe(target: Target, options: SshOptions) -> Outcome:
    """Read the greeting; with a pin, exchange keys on a second connection and compare."""
    greeting = await _greeting(target.address, options.port)
    if not target.host_key:
        return Outcome(True, _("greets as {greeting}").format(greeting=greeting))
    pins = tuple(_pins(target.host_key))
    found = await host_key(target.address, options.port, tuple(kind for kind, _key in pins))
    if found in pins:
        reason = _("greets as {greeting}, the host key is the pinned one").format(greeting=greeting)
        return Outcome(True, reason, metrics=(metric("tuyen_probe_ssh_host_key_matches", 1),))
    raise changed(found[0])


async def _greeting(address: str, port: int) -> str:
    heard = b""
    async with connected(address, port) as stream:
        while len(heard) < MOST and (more := await read_some(stream, heard)):
            heard += more
            lines = heard.split(b"\n")[:-1]
            if greeting := next((line for line in lines if line.startswith(b"SSH-")), None):
                return _accepted(greeting, port)
    if not heard:
        raise ProbeError(_("port {port} closes the connection without a greeting").format(port=port))
    told = _("port {port} answers, but not in SSH: “{text}”")
    raise ProbeError(told.format(port=port, text=plain(heard, 60)))


def _accepted(greeting: bytes, port: int) -> str:
    if not greeting.startswith((b"SSH-2.0-", b"SSH-1.99-")):
        told = _("port {port} speaks an SSH that is too old: {greeting}")
        raise ProbeError(told.format(port=port, greeting=plain(greeting, 60)))
    return plain(greeting, 60)


def _pins(text: str) -> Iterable[tuple[str, str]]:
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 2:
            yield words[0], words[1]
