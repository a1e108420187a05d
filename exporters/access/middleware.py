"""Stands before every page: says who looks, and lets no form through that another site sent.

It sets `request.state`: `person` (a Visitor, or None for the public), `csrf` (what forms must send along) and, when a
form was sent, `form` (its fields).
"""

import logging

from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from exporters.access import cookies, forms
from exporters.access.desk import Desk
from exporters.page.environment import page
from inventory.language import _
from ledger.errors import LedgerError

log = logging.getLogger("tuyen.access")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Doorkeeper:
    """The middleware, in ASGI's own form, as streams of events pass through it.

    What lies below the path `only_read` takes no forms at all, and says so itself.
    """

    def __init__(self, app: ASGIApp, desk: Desk, only_read: str = "") -> None:
        self._app = app
        self._desk = desk
        self._only_read = only_read

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or hand on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        await self._look(request)
        reads = request.method in _SAFE or (self._only_read and request.url.path.startswith(self._only_read))
        if not reads:
            try:
                body, request.state.form = await forms.read(request)
                forms.check(request, request.state.form, request.state.csrf)
            except forms.RefusedError as refused:
                answer = page(request, "refused.html", refused.status, why=_(refused.why))
                await answer(scope, receive, send)
                return
            except ClientDisconnect:  # in the middle of a form
                return
            receive = forms.again(body, receive)
        await self._app(scope, receive, send)

    async def _look(self, request: Request) -> None:
        """Say who looks. A ledger that does not answer makes everybody the public: the page goes on."""
        state, entered = request.state, None
        if secret := cookies.read(request, cookies.SESSION):
            try:
                entered = await self._desk.of_session(secret, used=_by_hand(request))
            except LedgerError as error:
                log.warning("sessions cannot be looked up: %s", error)
        state.person = entered.visitor if entered else None
        state.csrf = entered.csrf if entered else cookies.read(request, cookies.FORM)


def _by_hand(connection: HTTPConnection) -> bool:
    """Whether a person asked, and not a page that keeps itself up to date."""
    return connection.headers.get("sec-fetch-dest", "document") != "empty"
