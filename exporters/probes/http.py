"""A web page: its status, its words, where it leads, its certificate, and how long each phase took."""

import asyncio
import re
import socket
from dataclasses import replace
from urllib.parse import quote, urljoin, urlsplit

from exporters.probes.exchange import Request, Response, Stopwatch, exchange
from exporters.probes.failure import ProbeError, awaiting
from exporters.probes.trust import metrics_of, name_for
from exporters.reading import Metric, Outcome, Target, metric, plain
from inventory.language import N_, _
from inventory.modules import HttpOptions

MOST_REDIRECTS = 10
REDIRECTS = {301, 302, 303, 307, 308}
HINTS = {
    401: N_("it asks for a password"),
    403: N_("it forbids the page"),
    404: N_("the page is not there"),
    500: N_("the application behind it fails"),
    502: N_("the web server runs, but the application behind it does not"),
    503: N_("it is overloaded or closed for maintenance"),
    504: N_("the application behind it is too slow"),
}


async def probe(target: Target, options: HttpOptions) -> Outcome:
    """Ask for the page, follow redirects if wanted, judge the last response."""
    watch, redirects = Stopwatch(), 0
    request = _first(target, options)
    response = await exchange(target, request, watch)
    while options.follow_redirects and response.status in REDIRECTS and response.location:
        redirects += 1
        if redirects > MOST_REDIRECTS:
            raise ProbeError(_("redirects in a circle: more than {most}").format(most=MOST_REDIRECTS))
        request = await _next(target, request, response)
        watch.lap("resolve")
        response = await exchange(target, request, watch)
    metrics = _metrics(request, response, watch, redirects)
    return _judged(request, response, options, metrics)


def _first(target: Target, options: HttpOptions) -> Request:
    return Request(
        address=target.address,
        port=options.port or (443 if options.tls else 80),
        tls=options.tls,
        host=name_for(target, options.host),
        path=options.path,
        method=options.method,
        verified=options.valid_certificate,
    )


async def _next(target: Target, request: Request, response: Response) -> Request:
    """Return the request that a redirect asks for; another host's address is looked up."""
    try:
        url = urlsplit(urljoin(request.url, response.location))
        tls, host, port = url.scheme == "https", url.hostname, url.port
    except ValueError:
        host = None
    if not host or url.scheme not in {"http", "https"}:
        told = _("redirects to “{location}”, which is no web address")
        raise ProbeError(told.format(location=plain(response.location, 60)))
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    path = quote(path, safe="/?%:@!$&'()*+,;=-._~[]", encoding="latin-1")  # bytes that were sent as they are
    known = host in {request.host.casefold(), target.address}
    address = request.address if known else await _address(host, beside=request.address)
    # What was asked with OPTIONS or HEAD is asked again the same way; nothing here can change the far side.
    return replace(request, address=address, port=port or (443 if tls else 80), tls=tls, host=host, path=path)


async def _address(host: str, *, beside: str) -> str:
    """Return an address of a host, if it has one then of the family that the device itself was asked by."""
    told = _("redirects to {host}, whose address cannot be found").format(host=plain(host, 60))
    try:
        with awaiting(0, told):
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (ProbeError, ValueError) as error:
        raise ProbeError(told) from error
    addresses = [str(one[4][0]) for one in found]
    return next((one for one in addresses if (":" in one) == (":" in beside)), addresses[0])


def _judged(request: Request, response: Response, options: HttpOptions, metrics: tuple[Metric, ...]) -> Outcome:
    status, where = response.status, _told(request, options)
    said = f"HTTP {status} {response.phrase}".rstrip()
    accepted = status in options.status if options.status else 200 <= status <= 299
    if not accepted:
        hint = _(HINTS[status]) if status in HINTS else _("not a status that is accepted here")
        raise ProbeError(f"{said}{where}: {hint}", metrics=metrics)
    if complaint := _words(response.body, options):
        failed = metric("probe_failed_due_to_regex", 1)
        raise ProbeError(f"{said}{where}: {complaint}", metrics=(*metrics, failed))
    if options.body_must_match or options.body_must_not_match:
        metrics = (*metrics, metric("probe_failed_due_to_regex", 0))
    return Outcome(True, f"{said}{where}", metrics=metrics)


def _told(request: Request, options: HttpOptions) -> str:
    if request.path == options.path and request.tls == options.tls:
        return ""
    return _(" from {url}").format(url=plain(request.url, 80))


def _words(body: bytes, options: HttpOptions) -> str:
    text = body.decode("utf-8", "replace")
    if options.body_must_match and not re.search(options.body_must_match, text):
        return _("the page does not contain “{pattern}”").format(pattern=options.body_must_match)
    if options.body_must_not_match and re.search(options.body_must_not_match, text):
        return _("the page contains “{pattern}”").format(pattern=options.body_must_not_match)
    return ""


def _metrics(request: Request, response: Response, watch: Stopwatch, redirects: int) -> tuple[Metric, ...]:
    phases = (metric("probe_http_duration_seconds", took, phase=name) for name, took in watch.phases.items())
    return (
        metric("probe_http_status_code", response.status),
        *phases,
        metric("probe_http_content_length", response.length),
        metric("probe_http_uncompressed_body_length", len(response.body)),
        metric("probe_http_redirects", redirects),
        metric("probe_http_ssl", request.tls),
        metric("probe_http_version", float(response.version)),
        *(metrics_of(response.shown) if response.shown else ()),
    )
