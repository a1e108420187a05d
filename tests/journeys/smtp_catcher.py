"""A mail server for one machine: takes every message on 127.0.0.1:PORT and appends it to a file."""

import socketserver
import sys
from pathlib import Path


class Session(socketserver.StreamRequestHandler):
    """One connection: the few commands that a client sends."""

    def handle(self) -> None:
        self.wfile.write(b"220 catcher\r\n")
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                self._take()
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")

    def _take(self) -> None:
        with Path(sys.argv[2]).open("ab") as file:
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                file.write(line)


if __name__ == "__main__":
    with socketserver.ThreadingTCPServer(("127.0.0.1", int(sys.argv[1])), Session) as server:
        server.serve_forever()
