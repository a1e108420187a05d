"""/api/v1/..., its OpenAPI document, and /api, which describes it to people."""

import asyncio
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from exporters.access.desk import Desk
from exporters.access.visitor import Visitor
from exporters.api.asked import Asked
from exporters.api.endpoints import BEFORE, ENDPOINTS, Endpoint
from exporters.api.openapi import document, parameters
from exporters.api.problems import KINDS, ProblemError, answer
from exporters.api.queries import Query
from exporters.outages.keeping import Keeping
from exporters.page.environment import page
from exporters.page.snapshot import Looking, Snapshot
from exporters.rollouts import RolloutFigures
from inventory.language import _
from inventory.nearest import nearest
from ledger.errors import LedgerError

log = logging.getLogger("tuyen.api")
LOOK_EVERY = 0.5  # seconds for which a snapshot is good
_BY_NAME = {endpoint.name: endpoint for endpoint in ENDPOINTS}


@dataclass
class Api:
    """The interface of one watch, as ASGI's own form of a handler: it answers every method and every path itself."""

    desk: Desk
    keeping: Keeping
    read_rollouts: Callable[[], tuple[RolloutFigures, ...]]
    _looking: Looking = field(init=False)
    _looked: float = float("-inf")

    def __post_init__(self) -> None:
        self._looking = Looking(self.keeping)

    def routes(self) -> list[BaseRoute]:
        """Return what the page's application adds."""
        return [Route("/api", describe), Route(BEFORE + "{name:path}", self)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one question."""
        request = Request(scope, receive)
        try:
            response = await self._respond(request)
        except ProblemError as error:
            response = answer(error)
        except LedgerError as error:
            log.warning("the ledger does not answer: %s", error)
            response = answer(ProblemError("ledger", _("the ledger does not answer now")))
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            raise ProblemError("method", _("{method} changes things").format(method=request.method))
        name = request.path_params["name"]
        if name == "openapi.json":
            return JSONResponse(document())
        visitor = await self._visitor(request)
        endpoint = _BY_NAME.get(name)
        if endpoint is None:
            told = _("no list is called '{name}'; write {near}").format(name=name, near=nearest(name, _BY_NAME))
            raise ProblemError("unknown", told)
        asked = Asked(_query(endpoint, request), visitor, self._now(), self.desk.opened, self.read_rollouts)
        return Response(
            await asyncio.to_thread(_body, endpoint, asked), 200, {"cache-control": "no-store"}, "application/json"
        )

    async def _visitor(self, request: Request) -> Visitor:
        """Return who asks: a token that is shown decides, otherwise whoever is logged in. Raises ProblemError."""
        if (shown := request.headers.get("authorization")) is not None:
            scheme, _space, token = shown.partition(" ")
            visitor = await self.desk.of_token(token.strip()) if scheme.lower() == "bearer" else None
            if visitor is None:
                raise ProblemError("token", _("the token that was sent lets nobody in"))
            return visitor
        person: Visitor | None = request.state.person
        if person is None:
            raise ProblemError("login", _("neither a token nor a session came along"))
        return person

    def _now(self) -> Snapshot:
        if time.monotonic() - self._looked > LOOK_EVERY:
            self._looking.look()
            self._looked = time.monotonic()
        return self._looking.latest


def _query(endpoint: Endpoint, request: Request) -> Query:
    pairs = request.query_params.multi_items()
    values = dict(pairs)
    try:
        query = endpoint.query.model_validate(values)
    except ValidationError as error:
        wrong = {str(one["loc"][0]): one["msg"] for one in error.errors(include_url=False)}
        raise ProblemError("parameter", _told(wrong, endpoint), wrong) from error
    if len(pairs) != len(values):
        twice = {name: _("it is there twice") for name in values if [key for key, _value in pairs].count(name) > 1}
        raise ProblemError("parameter", _told(twice, endpoint), twice)
    return query


def _told(wrong: dict[str, str], endpoint: Endpoint) -> str:
    known = ", ".join(endpoint.query.model_fields)
    return _("not understood: {names}; this list knows {known}").format(names=", ".join(wrong), known=known)


def _body(endpoint: Endpoint, asked: Asked[Any]) -> bytes:
    """Return the page of items after `after`, as JSON."""
    query: Query = asked.query
    later = (item for item in endpoint.answer(asked) if not query.after or endpoint.key(item) > query.after)
    items = list(islice(later, query.limit + 1))
    more, items = len(items) > query.limit, items[: query.limit]
    told = [item.model_dump(mode="json") for item in items]
    text = {"schema": 1, "items": told, "next": endpoint.key(items[-1]) if more else None}
    return json.dumps(text, ensure_ascii=False).encode()


async def describe(request: Request) -> Response:
    """Show the page that describes the interface."""
    lists = [(endpoint, _parameters(endpoint), _fields(endpoint)) for endpoint in ENDPOINTS]
    return page(request, "api.html", lists=lists, problems=KINDS, origin=f"{request.url.scheme}://{request.url.netloc}")


def _parameters(endpoint: Endpoint) -> list[tuple[str, str]]:
    return [(one["name"], one["description"]) for one in parameters(endpoint)]


def _fields(endpoint: Endpoint) -> list[tuple[str, str]]:
    return [(name, told.description or "") for name, told in endpoint.item.model_fields.items()]
