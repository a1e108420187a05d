"""A mail server: appends each message, with whom it is for, its subject and its text, to a file as one line."""

import json
import socketserver
import sys
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path


class _Mail(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self._say("220 mail.example ESMTP")
        readers: list[str] = []
        while line := self.rfile.readline():
            words = line.decode("utf-8", "replace").strip()
            command = words[:4].upper()
            if command == "RCPT":
                readers.append(words.partition("<")[2].partition(">")[0])
            if command == "DATA":
                self._say("354 go on")
                text = b"".join(iter(self.rfile.readline, b".\r\n"))
                _keep(readers, text)
                readers = []
            if command == "EHLO":
                self._say("250-mail.example\r\n250 8BITMIME")
            else:
                self._say("221 bye" if command == "QUIT" else "250 fine")
            if command == "QUIT":
                return

    def _say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")


def _keep(readers: list[str], text: bytes) -> None:
    mail = message_from_bytes(text.replace(b"\r\n..", b"\r\n."), policy=policy.default)
    assert isinstance(mail, EmailMessage)
    body = mail.get_body(("plain",))
    said = {
        "to": readers,
        "from": str(mail["From"]),
        "subject": str(mail["Subject"]),
        "text": body.get_content() if body else "",
    }
    with Path(sys.argv[2]).open("a") as file:
        file.write(json.dumps(said, ensure_ascii=False) + "\n")


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


if __name__ == "__main__":
    with _Server(("127.0.0.1", int(sys.argv[1])), _Mail) as server:
        Path(sys.argv[2]).touch()
        server.serve_forever()
