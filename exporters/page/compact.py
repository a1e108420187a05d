"""Pages travel compressed, as links to communes are slow: a province of 200 offices in 9 kB instead of 60.

What holds a form's secret beside something that a stranger may choose, which is the login page, does not: the length of
the two together would tell of the secret. Streams of events are not, either, as each event has to leave at once.
"""

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

_PLAIN = ("/login", "/logout", "/events", "/healthz")
LEVEL = 5
FROM = 1000  # bytes


class Compact:
    """Compresses answers for those who understand it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._compressing = GZipMiddleware(app, minimum_size=FROM, compresslevel=LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer."""
        plain = scope["type"] != "http" or scope["path"] in _PLAIN
        await (self._app if plain else self._compressing)(scope, receive, send)
