"""A web hook and a mail server on loopback: tells their ports, then writes what comes into a file, one JSON a line."""

import json
import socketserver
import sys
import threading
from email import message_from_bytes
from email.header import decode_header, make_header
from http.server import HTTPServer
from pathlib import Path
from typing import Any

from tests.exporters.test_notify import Hook, Mail


class Kept:
    """Takes what the servers have heard, and keeps it."""

    def __init__(self, file: Path) -> None:
        self._file, self._turn = file, threading.Lock()

    def append(self, heard: "dict[str, Any] | bytes") -> None:
        told = {"by": "hook", **heard} if isinstance(heard, dict) else _mail(heard)
        with self._turn, self._file.open("a") as file:
            file.write(json.dumps({key: told[key] for key in ("by", "title", "message")}) + "\n")


def _mail(heard: bytes) -> dict[str, Any]:
    mail = message_from_bytes(heard)
    parts = [part.get_payload(decode=True) for part in mail.walk() if part.get_content_type() == "text/plain"]
    text = "".join(part.decode() for part in parts if isinstance(part, bytes))
    return {"by": mail["To"], "title": str(make_header(decode_header(mail["Subject"]))), "message": text.strip()}


def main() -> None:
    """Serve until standard input ends."""
    kept = Kept(Path(sys.argv[1]))
    servers: list[socketserver.TCPServer] = [
        HTTPServer(("127.0.0.1", 0), Hook),
        socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail),
    ]
    for server in servers:
        server.heard, server.envelope = kept, []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print(*(server.server_address[1] for server in servers), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
