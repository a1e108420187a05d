#!/usr/bin/python3
"""The one-stop agent of the practice province: says on port 8099 whether it is configured, and its version.

Any path answers with one JSON object: {"status": "ok" | "unconfigured", "version": "2.0", "office": "dong-yen"};
the HTTP status is 200, or 503 while /etc/one-stop-agent/agent.conf names no office and no system.
"""

import configparser
import http.server
import json
import os
import socket

CONFIGURATION, PORT, VERSION = "/etc/one-stop-agent/agent.conf", 8099, "@VERSION@"


def read_settings() -> dict[str, str]:
    """Return what the configuration says: office and url, "" for what it does not say."""
    parser = configparser.ConfigParser()
    parser.read(CONFIGURATION, encoding="utf-8")
    return {name: parser.get("agent", name, fallback="") for name in ("office", "url")}


SETTINGS = read_settings()


class Health(http.server.BaseHTTPRequestHandler):
    """Answers every GET with the agent's health."""

    def do_GET(self) -> None:
        """Say how the agent is."""
        configured = all(SETTINGS.values())
        status = "ok" if configured else "unconfigured"
        body = json.dumps({"status": status, "version": VERSION, "office": SETTINGS["office"]}).encode()
        self.send_response(200 if configured else 503)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Write no line a request: the journal of a small box is short."""


def tell_systemd(state: str) -> None:
    """Tell the service manager `state`, for example READY=1."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.connect(address.replace("@", "\0", 1) if address.startswith("@") else address)
            manager.send(state.encode())


if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("", PORT), Health)
    tell_systemd("READY=1")
    server.serve_forever()
