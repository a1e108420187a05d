"""In which language a reader is answered: what they chose, or what their browser prefers."""

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exporters.page.environment import LANGUAGES
from inventory.language import speaking

COOKIE = "lang"
_YEAR = 365 * 86400
DEFAULT = "vi"


def preferred(header: str) -> str:
    """Return the language of ours that an Accept-Language header likes best."""
    best, found = 0.0, DEFAULT
    for part in header[:500].split(","):
        name, _semicolon, weight = part.partition(";")
        language = name.strip().lower().partition("-")[0]
        try:
            liked = float(weight.partition("=")[2] or 1)
        except ValueError:
            continue
        if language in LANGUAGES and liked > best:
            best, found = liked, language
    return found


def language_of(connection: HTTPConnection) -> str:
    """Return the language of a request."""
    for chosen in (connection.query_params.get("lang"), connection.cookies.get(COOKIE)):
        if chosen in LANGUAGES:
            return str(chosen)
    return preferred(connection.headers.get("accept-language", ""))


class Speaking:
    """Answers each request in its language, and remembers one that was chosen by ?lang=."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application speak."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        language, chosen = language_of(connection), connection.query_params.get("lang")

        async def remember(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message["headers"], (b"vary", b"Accept-Language, Cookie")]
                message = {**message, "headers": [*headers, *([_cookie(language)] if chosen == language else [])]}
            await send(message)

        with speaking(language):
            await self._app(scope, receive, remember)


def _cookie(language: str) -> tuple[bytes, bytes]:
    return b"set-cookie", f"{COOKIE}={language}; Max-Age={_YEAR}; Path=/; SameSite=Lax; HttpOnly".encode()
