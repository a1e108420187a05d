"""The pages that everybody may see: the province, its offices, services and outages; and the stream of changes."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from exporters.outages.node import Kind, Node
from exporters.page.environment import page
from exporters.page.history import History
from exporters.page.parts import Parts, names_of_office, names_of_province
from exporters.page.past import at_office, entries
from exporters.page.stream import EventStream, Stream, read_token, token_of
from exporters.page.troubles import office_of
from exporters.page.view import View, view_of
from inventory.model import Province
from ledger.outages import Outage

SPANS = (7, 30, 90)  # days of outages that are shown, as one chooses
SHOWN = 300  # outages on a page at most
_OF_OUTAGES = ("troubles", "planned")  # parts


@dataclass(frozen=True)
class Pages:
    """The handlers; `public` False shows nothing to those who are not logged in."""

    parts: Parts
    stream: Stream
    history: History
    public: bool

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/", self.province),
            Route("/offices/{office}", self.office),
            Route("/services", self.services),
            Route("/outages", self.outages),
            Route("/events", self.events),
            Route("/healthz", self.health),
        ]

    @property
    def _province(self) -> Province:
        return self.parts.looking.look().province

    def _view(self, request: Request) -> View:
        view = view_of(request)
        if not (self.public or view.is_staff):
            raise HTTPException(401)
        return view

    def _live(self, request: Request, names: Iterable[str]) -> dict[str, Any]:
        """Return the parts of a page by name, and what its reader has seen with them."""
        view = self._view(request)
        self.parts.looking.look()
        made = {name: Markup(self.parts.get(name, view).text) for name in names}  # noqa: S704  (our own templates made it)
        return {"parts": made, "token": str(token_of(self.parts, view))}

    async def province(self, request: Request) -> Response:
        """Show the province at a glance."""
        live = self._live(request, names_of_province(self.parts.looking.look()))
        return page(request, "province.html", **live, bars=await self.history.bars_of_province())

    async def office(self, request: Request) -> Response:
        """Show one office."""
        view, name = self._view(request), request.path_params["office"]
        if name not in self._province.offices:
            raise HTTPException(404)
        bars = await self.history.bars_of(Kind.OFFICE, name)
        known = await self.history.outages()
        wanted = partial(_at, self._province, name)
        near = await asyncio.to_thread(at_office, known or (), name)
        past = entries(self._province, near, view, wanted, limit=SHOWN)
        values = self._live(request, names_of_office(name))
        office = self._province.offices[name]
        return page(request, "office.html", **values, office=office, bars=bars, past=past, readable=known is not None)

    async def services(self, request: Request) -> Response:
        """Show the services and how they were."""
        live = self._live(request, ["services"])
        bars = await self.history.bars_of_services()
        return page(request, "services.html", **live, services=self._province.services, bars=bars or {})

    async def outages(self, request: Request) -> Response:
        """Show what is out, and what was."""
        view = self._view(request)
        text = request.query_params.get("days", "")
        last = int(text) if text in map(str, SPANS) else SPANS[0]
        known = await self.history.outages(last)
        find = partial(entries, self._province, known or (), view, limit=SHOWN)
        past = await asyncio.to_thread(find, wanted=_is_over, roots=True)
        cared = await asyncio.to_thread(find, wanted=partial(_is_cared_for, self._province, view))
        live = self._live(request, _OF_OUTAGES)
        chosen = {"last": last, "spans": SPANS, "readable": known is not None}
        values: dict[str, Any] = {**live, **chosen, "past": past, "cared": cared}
        return page(request, "outages.html", **values)

    async def events(self, request: Request) -> ASGIApp:
        """Tell a page what has changed, as long as it is looked at."""
        view, name = self._view(request), request.query_params.get("of", "")
        address = request.client.host if request.client else ""
        if not self.stream.has_place(view, address):
            raise HTTPException(503, headers={"retry-after": "30"})
        seen = read_token(request.headers.get("last-event-id") or request.query_params.get("since", ""))
        return EventStream(self.stream, partial(self._names_of, name), view, seen, address)

    def _names_of(self, of: str) -> tuple[str, ...]:
        """Return the parts of a page by its path."""
        kind, _slash, rest = of.strip("/").partition("/")
        if kind == "offices":
            return names_of_office(rest)
        if kind in ("services", "outages"):
            return ("services",) if kind == "services" else _OF_OUTAGES
        return names_of_province(self.parts.looking.latest)

    async def health(self, _request: Request) -> Response:
        """Say that the page lives."""
        return JSONResponse({"status": "ok"}, headers={"cache-control": "no-store"})


def _at(province: Province, office: str, _outage: Outage, node: Node) -> bool:
    """Whether a node is an office, or one of its devices."""
    return office_of(province, node) == office and node.kind in (Kind.OFFICE, Kind.DEVICE)


def _is_over(outage: Outage, _node: Node) -> bool:
    return outage.ended is not None


def _is_cared_for(province: Province, view: View, outage: Outage, node: Node) -> bool:
    """Whether it lasts, and people said something of it that the reader may know."""
    said = outage.ended is None and bool(outage.note or outage.acked_by)
    return said and office_of(province, node) in view.inside(province)
