"""Notices by real deliveries on loopback: a web hook, a mail server; services that hang or are not there."""

import json
import logging
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.header import decode_header, make_header
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from exporters.notify import Message, Notifier, addresses_of, service_url
from inventory.finding import Place
from inventory.model import Person

TITLE = "Tỉnh Kiên Giang: đợt triển khai agent-2 đã dừng"
TEXT = "<b>paused</b>: {gate} & 100 %"


class Hook(BaseHTTPRequestHandler):
    """Keeps what is posted."""

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.server.heard.append(json.loads(self.rfile.read(length)))  # type: ignore[attr-defined]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_words: object) -> None:
        return


class Mail(socketserver.StreamRequestHandler):
    """A mail server, as much of SMTP as a delivery takes."""

    def handle(self) -> None:
        self.say(b"220 here")
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"DATA":
                self.say(b"354 go on")
                self.server.heard.append(b"".join(iter(self.rfile.readline, b".\r\n")))  # type: ignore[attr-defined]
            elif word in (b"MAIL", b"RCPT"):
                self.server.envelope.append(line.decode().strip())  # type: ignore[attr-defined]
            self.say(b"221 bye" if word == b"QUIT" else b"250 fine")

    def say(self, line: bytes) -> None:
        self.wfile.write(line + b"\r\n")


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[int]:
    server.heard, server.envelope = [], []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]  # type: ignore[index,misc]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def tell(*addresses: str, relay: str = "127.0.0.1:9") -> None:
    notifier = Notifier(sender="tuyen@kiengiang.example", relay=relay)
    notifier.tell(Message(addresses, TITLE, TEXT))
    notifier.close()


def test_a_web_hook_is_told() -> None:
    with HTTPServer(("127.0.0.1", 0), Hook) as server, serving(server) as port:
        tell(f"json://127.0.0.1:{port}/hook")
        assert [(told["title"], told["message"]) for told in server.heard] == [(TITLE, TEXT)]  # type: ignore[attr-defined]


def test_plain_mail_goes_through_the_relay() -> None:
    with socketserver.TCPServer(("127.0.0.1", 0), Mail) as server, serving(server) as port:
        tell("mailto:nam@kiengiang.example", relay=f"127.0.0.1:{port}")
        assert any("nam@kiengiang.example" in line for line in server.envelope if line.upper().startswith("RCPT"))  # type: ignore[attr-defined]
        [mail] = [message_from_bytes(heard) for heard in server.heard]  # type: ignore[attr-defined]
    assert str(make_header(decode_header(mail["Subject"]))) == TITLE
    assert "tuyen@kiengiang.example" in mail["From"]
    parts = [part.get_payload(decode=True) for part in mail.walk() if not part.is_multipart()]
    assert any(isinstance(part, bytes) and TEXT in part.decode() for part in parts)


def test_a_service_that_fails_hinders_neither_the_others_nor_us(caplog: pytest.LogCaptureFixture) -> None:
    with HTTPServer(("127.0.0.1", 0), Hook) as server, serving(server) as port:
        with caplog.at_level(logging.ERROR, "tuyen.notify"):
            gone = f"json://user:geheim@127.0.0.1:{free_port()}"
            tell(gone, "nonsense", "nonsense://x", f"json://127.0.0.1:{port}")
        assert len(server.heard) == 1  # type: ignore[attr-defined]
    told = [record.getMessage() for record in caplog.records if record.name == "tuyen.notify"]
    assert len(told) == 3
    assert "geheim" not in caplog.text


def test_a_service_that_hangs_holds_nobody_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        notifier = Notifier(sender="tuyen@kiengiang.example")
        started = time.monotonic()
        for _turn in range(1200):  # more than may wait
            notifier.tell(Message((f"json://127.0.0.1:{silent.getsockname()[1]}",), TITLE, TEXT))
        notifier.close(0.5)
        assert time.monotonic() - started < 2


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_services_urls_are_left_alone() -> None:
    assert service_url("json://host/x", "localhost:25", "a@b") == "json://host/x"
    assert service_url("mailto://user:word@host", "localhost:25", "a@b") == "mailto://user:word@host"


def test_each_address_is_told_once() -> None:
    def person(*notify: str) -> Person:
        return Person("a", "a", (), "centre", (), notify, Place("people.yaml"))

    assert addresses_of([person("mailto:a@b", "json://x"), person("json://x")]) == ("mailto:a@b", "json://x")
