"""Forms that were sent: read with bounds, and believed only when a page of ours sent them."""

import asyncio
import secrets
from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.types import Message, Receive

from inventory.language import N_

_FORM = "application/x-www-form-urlencoded"
LARGEST = 16 * 1024  # bytes
PATIENCE = 10.0  # seconds
_FIELDS = 50


class RefusedError(Exception):
    """A form is not taken; `why` is for the user (N_)."""

    def __init__(self, status: int, why: str) -> None:
        self.status, self.why = status, why
        super().__init__(why)


async def read(request: Request) -> tuple[bytes, Mapping[str, str]]:
    """Return the body of a form, and its fields. Raises RefusedError."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise RefusedError(415, N_("only forms are taken here"))
    try:
        async with asyncio.timeout(PATIENCE):
            body = await _body(request)
    except TimeoutError:
        raise RefusedError(408, N_("the form did not come in time")) from None
    try:
        fields = parse_qsl(body.decode("ascii", "replace"), keep_blank_values=True, max_num_fields=_FIELDS)
    except ValueError:
        raise RefusedError(413, N_("the form is too large")) from None
    return body, dict(fields)


async def _body(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST:
            raise RefusedError(413, N_("the form is too large"))
    return body


def check(request: Request, fields: Mapping[str, str], expected: str) -> None:
    """Raise RefusedError unless a page of ours sent the form: `expected` is what it had to send along.

    A browser also says from where a form comes; what is no browser may leave that out, and needs the token as well.
    """
    origin = request.headers.get("origin")
    ours = f"{request.url.scheme}://{request.headers.get('host', '')}"
    if origin is not None and origin.lower() != ours.lower():
        raise RefusedError(403, N_("the form was sent by another site, or a proxy hides the address of this one"))
    sent = fields.get("csrf") or request.headers.get("x-csrf-token", "")
    if not expected or not secrets.compare_digest(sent.encode(), expected.encode()):
        raise RefusedError(403, N_("the form is too old, or was not sent by a page of this site; load the page again"))


def again(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives a body which was read already, and then what comes after it."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def give() -> Message:
        return waiting.pop() if waiting else await receive()

    return give


def local_path(wanted: str) -> str:
    """Return where to go after a login: a path of this site, whatever was asked for."""
    plain = wanted.isascii() and wanted.isprintable() and "\\" not in wanted
    return wanted if plain and wanted.startswith("/") and not wanted.startswith("//") else "/"
