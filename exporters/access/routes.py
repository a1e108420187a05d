"""/login and /logout."""

import secrets
from collections.abc import Mapping
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from exporters.access import cookies
from exporters.access.desk import Desk, TooManyError
from exporters.access.forms import local_path
from exporters.page.environment import page
from inventory.language import _
from ledger.accounts import ATTEMPTS, LOCKED
from ledger.errors import LedgerError


def routes(desk: Desk) -> list[Route]:
    """Return what the page's application adds."""
    doors = _Doors(desk)
    return [
        Route("/login", doors.form, methods=["GET"]),
        Route("/login", doors.log_in, methods=["POST"]),
        Route("/logout", doors.log_out, methods=["POST"]),
    ]


def login_address(request: Request) -> str:
    """Return where to send somebody who must log in first, to come back here afterwards."""
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"/login?next={quote(here)}"


class _Doors:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def form(self, request: Request) -> Response:
        wanted = local_path(request.query_params.get("next", "/"))
        if request.state.person is not None:
            return RedirectResponse(wanted, 303)
        return _form(request, {"next": wanted})

    async def log_in(self, request: Request) -> Response:
        fields, origin = request.state.form, _origin(request)
        try:
            secret = await self._desk.log_in(fields.get("account", ""), fields.get("password", ""), origin)
            if secret is None:
                return _form(request, fields, 403, _wrong())
            if old := cookies.read(request, cookies.SESSION):
                await self._desk.log_out(old, origin)
        except TooManyError as error:
            told = _("There were too many logins from here; try again in {seconds} seconds.")
            return _form(request, fields, 429, told.format(seconds=error.seconds), {"retry-after": str(error.seconds)})
        except LedgerError:
            return _form(request, fields, 503, _("Nobody can log in now, as the ledger does not answer; try again."))
        answer = RedirectResponse(local_path(fields.get("next", "/")), 303, {"cache-control": "no-store"})
        cookies.write(request, answer, cookies.SESSION, secret)
        cookies.clear(request, answer, cookies.FORM)
        return answer

    async def log_out(self, request: Request) -> Response:
        answer = RedirectResponse("/", 303, {"cache-control": "no-store"})
        try:
            await self._desk.log_out(cookies.read(request, cookies.SESSION), _origin(request))
        except LedgerError:
            told = _("You are still logged in, as the ledger does not answer; try again.")
            return page(request, "refused.html", 503, why=told)
        cookies.clear(request, answer, cookies.SESSION)
        return answer


def _origin(request: Request) -> str:
    return request.client.host if request.client else "local"


def _wrong() -> str:
    told = _(
        "This account and this password do not belong together, or the account is locked:"
        " after {count} wrong passwords it is for {minutes} minutes."
    )
    return told.format(count=ATTEMPTS, minutes=int(LOCKED.total_seconds() / 60))


def _form(
    request: Request, fields: Mapping[str, str], status: int = 200, why: str = "", headers: Mapping[str, str] = {}
) -> Response:
    """Answer with the form; what it must send along is in a cookie, too, of somebody who is not logged in."""
    wanted = local_path(fields.get("next", "/"))
    fresh = "" if request.state.csrf else secrets.token_urlsafe(32)
    request.state.csrf = request.state.csrf or fresh
    answer = page(request, "login.html", status, why=why, account=fields.get("account", ""), next=wanted)
    answer.headers.update(headers)
    if fresh:
        cookies.write(request, answer, cookies.FORM, fresh)
    return answer
