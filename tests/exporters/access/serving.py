"""A real server on loopback in a thread of its own, and a browser of few lines that keeps cookies."""

import contextlib
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPSConnection
from http.cookies import SimpleCookie
from urllib.parse import urlencode

import uvicorn
from starlette.types import ASGIApp

SECONDS = 60


@contextlib.contextmanager
def serving(app: ASGIApp, certificate: str | None = None) -> Iterator[int]:
    """Serve `app` until the block ends, and give the port."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", ssl_certfile=certificate)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        until = time.monotonic() + SECONDS
        while not server.started and time.monotonic() < until:
            time.sleep(0.01)
        assert server.started
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(SECONDS)
        listener.close()


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str
    cookies: tuple[str, ...]  # as they were set


@dataclass
class Browser:
    """Keeps cookies and says where it comes from, as browsers do; follows no redirect by itself."""

    port: int
    trusted: ssl.SSLContext | None = None
    host: str = "localhost"
    jar: dict[str, str] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        return f"{'https' if self.trusted else 'http'}://{self.host}:{self.port}"

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> Answer:
        own = {"Host": f"{self.host}:{self.port}", "Accept-Language": "en"}
        if self.jar:
            own["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        named = {name.replace("_", "-").title(): value for name, value in headers.items()}
        connection = self._connection()
        with contextlib.closing(connection):
            connection.request(method, path, body, own | named)
            response = connection.getresponse()
            text = response.read().decode()
            set_cookies = tuple(response.headers.get_all("set-cookie") or ())
        for line in set_cookies:
            for name, morsel in SimpleCookie(line).items():
                self.jar[name] = morsel.value
                if morsel["max-age"] == "0":
                    del self.jar[name]
        return Answer(response.status, {k.lower(): v for k, v in response.headers.items()}, text, set_cookies)

    def _connection(self) -> HTTPConnection:
        if self.trusted:
            return HTTPSConnection("127.0.0.1", self.port, timeout=SECONDS, context=self.trusted)
        return HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, **headers)

    def post(self, path: str, fields: Mapping[str, str], **headers: str) -> Answer:
        form = {"content_type": "application/x-www-form-urlencoded", "origin": self.origin}
        return self.ask("POST", path, urlencode(fields), **{**form, **headers})

    def csrf(self, path: str = "/login") -> str:
        """Return what the form on a page sends along."""
        found = re.search(r'name="csrf" value="([^"]*)"', self.get(path).text)
        assert found
        return found[1]

    def log_in(self, account: str, password: str, **more: str) -> Answer:
        return self.post("/login", {"csrf": self.csrf(), "account": account, "password": password, **more})
