"""The status page as a web application: what it is made from, and which pages there are."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp

from exporters.access.routes import login_address
from exporters.outages.keeping import Keeping
from exporters.page.assets import Assets
from exporters.page.compact import Compact
from exporters.page.environment import page
from exporters.page.history import History
from exporters.page.hygiene import Hygiene
from exporters.page.language import Speaking
from exporters.page.pages import Pages
from exporters.page.parts import Parts
from exporters.page.snapshot import Looking
from exporters.page.staff import StaffPages
from exporters.page.stream import Stream
from exporters.rollouts import RolloutFigures
from inventory.language import N_, _
from ledger.connection import Ledger


@dataclass(frozen=True, slots=True)
class Beside:
    """What others add: routes, and the middleware that says who asks."""

    routes: Sequence[BaseRoute] = ()
    middleware: Sequence[Middleware] = ()
    has_login: bool = False


@dataclass(frozen=True)
class StatusPage:
    """The application, and what has to run beside it."""

    app: ASGIApp
    stream: Stream
    history: History

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow the watch meanwhile."""
        following = asyncio.create_task(self.stream.run())
        try:
            yield
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            await asyncio.to_thread(self.history.close)


def status_page(
    keeping: Keeping,
    open_ledger: Callable[[], Ledger],
    read_rollouts: Callable[[], tuple[RolloutFigures, ...]],
    *,
    public: bool = True,
    beside: Beside = Beside(),
) -> StatusPage:
    """Return the status page of a watch and its outages."""
    watch = keeping.watch
    parts = Parts(Looking(keeping), watch)
    stream, history = Stream(parts), History(open_ledger, read_rollouts, ZoneInfo(watch.province.time_zone))
    pages, staff = Pages(parts, stream, history, public=public), StaffPages(parts, history)
    app = Starlette(
        routes=[*pages.routes(), *staff.routes(), *beside.routes, Mount("/static", Assets())],
        middleware=[*beside.middleware],
        exception_handlers={HTTPException: _failed, Exception: _broken},
    )
    app.state.watch, app.state.has_login = watch, beside.has_login
    return StatusPage(Hygiene(Speaking(Compact(app))), stream, history)


_SAID: Mapping[int, str] = {
    401: N_("Please log in"),
    403: N_("This is not shown to you"),
    404: N_("There is no such page"),
    405: N_("This cannot be done here"),
    429: N_("Too many attempts; try again later"),
    503: N_("Too many people look at this at once; try again later"),
}


def _failed(request: Request, error: Exception) -> Response:
    """Answer what cannot be answered, in the look of the other pages; who has to log in is shown where."""
    assert isinstance(error, HTTPException), "it is registered for these"
    if error.status_code == 401 and request.app.state.has_login and request.method in ("GET", "HEAD"):
        return RedirectResponse(login_address(request), 303, {"cache-control": "no-store"})
    said = _(_SAID.get(error.status_code, N_("This went wrong")))
    answer = page(request, "error.html", error.status_code, code=error.status_code, said=said)
    answer.headers.update(error.headers or {})
    return answer


def _broken(request: Request, _error: Exception) -> Response:
    """Answer where we have made a mistake; the server tells it in its log."""
    return page(request, "error.html", 500, code=500, said=_("We made a mistake; it has been noted"))
