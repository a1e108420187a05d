"""What the watch serves: /metrics, /probe as blackbox_exporter answers it, /sd for http_sd, /healthz."""

import asyncio
import gzip
import html
from dataclasses import replace
from urllib.parse import urlsplit

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from exporters.exposition import Exposition
from exporters.metrics import WatchMetrics
from exporters.probes import ask
from exporters.questions import find_device, in_plan, target_of
from exporters.reading import Metric, Reading, Target
from exporters.watch import Watch
from inventory.export.prometheus import target_groups
from inventory.language import _
from inventory.model import Device, Module
from inventory.modules import options_of
from inventory.nearest import nearest
from inventory.selector import SelectorError, select_devices

_NAMING = {"http": "host", "certificate": "server_name"}  # the option by which a probe asks for a name
SPARE = 0.5  # seconds of a scraper's patience that are left for the way back
GZIP_FROM = 4096  # bytes; level 1, as a scraper on the same network prefers a quick answer to a small one


def application(watch: Watch, metrics: WatchMetrics) -> Starlette:
    """Return the web application of a watch."""
    pages = _Pages(watch, metrics)
    return Starlette(
        routes=[
            Route("/", pages.index),
            Route("/metrics", pages.metrics_text),
            Route("/probe", pages.probe),
            Route("/sd", pages.discovery),
            Route("/healthz", pages.health),
        ]
    )


class _Pages:
    def __init__(self, watch: Watch, metrics: WatchMetrics) -> None:
        self._watch = watch
        self._metrics = metrics

    async def index(self, _request: Request) -> Response:
        links = "".join(f'<li><a href="{path}">{path}</a>' for path in ("/metrics", "/sd", "/healthz"))
        name = html.escape(self._watch.province.name)
        return HTMLResponse(f"<!doctype html><title>tuyen: {name}</title><h1>{name}</h1><ul>{links}</ul>")

    async def metrics_text(self, request: Request) -> Response:
        body = self._metrics.text()
        headers = {"vary": "Accept-Encoding"}
        if len(body) >= GZIP_FROM and "gzip" in request.headers.get("accept-encoding", ""):
            body = await asyncio.to_thread(gzip.compress, body, 1)
            headers["content-encoding"] = "gzip"
        return Response(body, media_type=CONTENT_TYPE_PLAIN_0_0_4, headers=headers)

    async def health(self, _request: Request) -> Response:
        """Say that the watch lives, and how far its first round is."""
        answered, asked = self._watch.progress()
        return JSONResponse({"status": "ok", "questions": asked, "answered": answered})

    async def discovery(self, request: Request) -> Response:
        try:
            devices = select_devices(self._watch.province, request.query_params.get("selector", ""))
        except SelectorError as error:
            return PlainTextResponse(f"{error}\n", status_code=400)
        return JSONResponse(target_groups(self._watch.province, devices, request.url.netloc))

    async def probe(self, request: Request) -> Response:
        """Ask one question now. Only what is declared, or lies inside the address plan, is ever asked."""
        name, module_name = request.query_params.get("target", ""), request.query_params.get("module", "icmp")
        module = self._watch.province.modules.get(module_name)
        if module is None:
            near = nearest(module_name, self._watch.province.modules)
            text = _("no probe module is called '{name}'; write {near}").format(name=module_name, near=near)
            return PlainTextResponse(f"{text}\n", status_code=400)
        found = self._target(name, module)
        if found is None:
            text = _("'{target}' is no device of the province, nor an address of its plan").format(target=name)
            return PlainTextResponse(f"{text}\n", status_code=400)
        target, extra = found
        try:
            options = options_of(module, extra)
        except ValidationError as error:
            return PlainTextResponse(f"{error}\n", status_code=400)
        reading = await ask(name, target, _within(module, request), options)
        return PlainTextResponse(probe_text(reading), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    def _target(self, name: str, module: Module) -> tuple[Target, dict[str, object]] | None:
        """Read a target as blackbox_exporter's users write it: an address, a name, HOST:PORT or a URL."""
        try:
            parts = urlsplit(name if "//" in name else f"//{name}")
            host, port = parts.hostname or "", parts.port
        except ValueError:
            return None
        extra: dict[str, object] = {"port": port} if port and module.probe != "icmp" else {}
        if parts.scheme in ("http", "https") and module.probe == "http":
            path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
            extra |= {"tls": parts.scheme == "https", "path": path}
        province, knowledge = self._watch.province, self._watch.knowledge
        if device := find_device(province, host):
            return target_of(province, device, knowledge), extra
        if module.probe in _NAMING and (device := self._serving(host)):
            return target_of(province, device, knowledge), {**extra, _NAMING[module.probe]: host}
        if in_plan(province, host):
            return Target(host, host, "", knowledge.ca_file, knowledge.secrets), extra
        return None

    def _serving(self, host: str) -> Device | None:
        """Return the device that a service's own name leads to."""
        for question in self._watch.asked.values():
            if host and question.service and getattr(question.options, "host", "") == host:
                return self._watch.province.devices[question.device]
        return None


def _within(module: Module, request: Request) -> Module:
    """Let the module answer before the scraper gives up, so that a silence is a 0 and not a missing sample."""
    try:
        patience = float(request.headers.get("x-prometheus-scrape-timeout-seconds", "")) - SPARE
    except ValueError:
        return module
    return replace(module, timeout=max(SPARE, min(module.timeout, patience)))


def probe_text(reading: Reading) -> str:
    """Return one reading in blackbox_exporter's names."""
    exposition = Exposition()
    duration, success = (
        Metric("probe_duration_seconds", (), reading.seconds),
        Metric("probe_success", (), reading.success),
    )
    exposition.put(reading.module, (), (duration, success, *reading.metrics))
    return exposition.text()
