"""The cookies: SESSION tells who is logged in, FORM is what the login form of somebody who is not must send along.

Under TLS their names begin with __Host-, so that no other host of the domain can set them. A page that is served in
the clear is on loopback only.
"""

from starlette.requests import HTTPConnection
from starlette.responses import Response

SESSION, FORM = "tuyen-session", "tuyen-form"


def read(connection: HTTPConnection, name: str) -> str:
    """Return a cookie; "" when there is none."""
    return connection.cookies.get(_full(connection, name), "")


def write(connection: HTTPConnection, response: Response, name: str, value: str) -> None:
    """Set a cookie until the browser ends; the ledger says when the session does."""
    secure = _secure(connection)
    response.set_cookie(_full(connection, name), value, path="/", secure=secure, httponly=True, samesite="strict")


def clear(connection: HTTPConnection, response: Response, name: str) -> None:
    """Take a cookie away."""
    secure = _secure(connection)
    response.delete_cookie(_full(connection, name), path="/", secure=secure, httponly=True, samesite="strict")


def _secure(connection: HTTPConnection) -> bool:
    return connection.url.scheme in ("https", "wss")


def _full(connection: HTTPConnection, name: str) -> str:
    return f"__Host-{name}" if _secure(connection) else name
