"""One HTTP request and its response, bounded in size, with the seconds of each phase."""

import ssl
import time
from dataclasses import dataclass, replace

import h11

from exporters.probes.failure import ProbeError
from exporters.probes.stream import Stream, connected, read_some
from exporters.probes.trust import Shown, complaints, context_of, inspected, metrics_of, secure, today
from exporters.reading import Target, plain
from inventory.language import _

MOST = 1 << 20  # bytes of a body that are read
AGENT = "tuyen"


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask whom: `address` is connected to, `host` is named in SNI and Host."""

    address: str
    port: int
    tls: bool
    host: str
    path: str
    method: str = "GET"
    verified: bool = True

    @property
    def url(self) -> str:
        """The request as a person would type it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = self.port == (443 if self.tls else 80)
        return f"http{'s' * self.tls}://{host}{'' if usual else f':{self.port}'}{self.path}"


@dataclass(frozen=True, slots=True)
class Response:
    """What came back; `body` holds at most `MOST` bytes, `shown` the certificate when there was one."""

    status: int
    phrase: str
    version: str
    location: str
    length: int  # as declared, -1 when not
    body: bytes
    shown: Shown | None


class Stopwatch:
    """The seconds of each phase, summed over redirects."""

    def __init__(self) -> None:
        self.phases = dict.fromkeys(("resolve", "connect", "tls", "processing", "transfer"), 0.0)
        self.start()

    def start(self) -> None:
        """Begin to count."""
        self.since = time.perf_counter()

    def lap(self, phase: str) -> None:
        """Add what has passed since the last lap to `phase`."""
        now = time.perf_counter()
        self.phases[phase] += now - self.since
        self.since = now


async def exchange(target: Target, request: Request, watch: Stopwatch) -> Response:
    """Ask `request`, with the time of each phase on `watch`. Raises ProbeError."""
    try:
        async with connected(request.address, request.port) as stream:
            watch.lap("connect")
            shown = await _secured(target, request, stream) if request.tls else None
            watch.lap("tls")
            stream.writer.write(_wire(request))
            return await _Reception(stream, request, watch).response(shown)
    except ssl.SSLCertVerificationError as error:
        seen = replace(target, address=request.address)
        shown = await inspected(seen, request.port, request.host, error)
        reason = "; ".join(complaints(shown, request.host, today()))
        raise ProbeError(reason, metrics=metrics_of(shown)) from error


async def _secured(target: Target, request: Request, stream: Stream) -> Shown:
    context = context_of(target.ca_file if request.verified else "", verified=request.verified)
    return await secure(stream, context, request.host)


def _asking(request: Request) -> h11.Request:
    host = request.url.split("/")[2]
    headers = [("Host", host), ("User-Agent", AGENT), ("Accept", "*/*"), ("Connection", "close")]
    return h11.Request(method=request.method, target=request.path, headers=headers)


def _wire(request: Request) -> bytes:
    try:
        return h11.Connection(h11.CLIENT).send(_asking(request)) or b""
    except (h11.LocalProtocolError, UnicodeError) as error:
        raise ProbeError(_("{url} cannot be asked for").format(url=plain(request.url))) from error


class _Reception:
    """Reads one response from a stream, event by event."""

    def __init__(self, stream: Stream, request: Request, watch: Stopwatch) -> None:
        self.stream, self.watch = stream, watch
        self.protocol = h11.Connection(h11.CLIENT)
        self.protocol.send(_asking(request))
        self.protocol.send(h11.EndOfMessage())
        self.received, self.first = 0, b""

    async def response(self, shown: Shown | None) -> Response:
        head = await self._head()
        self.watch.lap("processing")
        body = await self._body()
        self.watch.lap("transfer")
        headers = dict(reversed(list(head.headers)))
        return Response(
            status=head.status_code,
            phrase=plain(head.reason, 60),
            version=head.http_version.decode("ascii"),
            location=headers.get(b"location", b"").decode("latin-1"),
            length=int(headers.get(b"content-length", b"-1")),
            body=body,
            shown=shown,
        )

    async def _head(self) -> h11.Response:
        while not isinstance(event := await self._event(), h11.Response):
            if not isinstance(event, h11.InformationalResponse) or event.status_code == 101:
                raise self._garbage()
        return event

    async def _body(self) -> bytes:
        parts: list[bytes] = []
        while self.received < MOST and isinstance(event := await self._event(), h11.Data):
            parts.append(bytes(event.data))
        return b"".join(parts)[:MOST]

    async def _event(self) -> object:
        try:
            while (event := self.protocol.next_event()) is h11.NEED_DATA:
                if self.received >= MOST:
                    raise self._garbage()
                data = await read_some(self.stream, self.first)
                self.first = self.first or data[:200]
                self.received += len(data)
                self.protocol.receive_data(data)
        except h11.RemoteProtocolError as error:
            raise self._garbage() from error
        return event

    def _garbage(self) -> ProbeError:
        port = self.stream.port
        if not self.first:
            return ProbeError(_("port {port} closes the connection without an answer").format(port=port))
        told = _("port {port} answers, but not in HTTP as it should: “{text}”")
        return ProbeError(told.format(port=port, text=plain(self.first, 60)))
