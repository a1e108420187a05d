"""Devices that are processes of their own: `python -m tests.playbooks.fleet FOLDER '{"box.001": {}, ...}'`.

Each listens on a unix socket FOLDER/<device>.sock and does one thing a connection: "check" answers whether it is at
its target; "apply ID" brings it there, whoever asked may be dead by then. What it does is appended to FOLDER/applies
with fsync, one line each: `begin|end|twice|overlap DEVICE ID TIME`. The lock of the device comes with the order, as a
descriptor that the device keeps until it is done: it plays the child that a controller started, too.

A device may be `away` for so many connections, need so many `seconds`, and `fail` when told to apply. They all end
with the process's stdin.
"""

import json
import os
import random
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any


class Device:
    """One device, at its target or not."""

    def __init__(self, folder: Path, name: str, shape: dict[str, Any]) -> None:
        self._name, self._away, self._fails = name, int(shape.get("away", 0)), bool(shape.get("fail"))
        self._log = os.open(folder / "applies", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        self._seconds = float(shape.get("seconds", random.Random(name).uniform(0.01, 0.1)))
        self._at_target, self._working = False, 0
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / f"{name}.sock"))
        self._listener.listen(20)

    def serve(self) -> None:
        while True:
            connection, _address = self._listener.accept()
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            words, descriptors, _flags, _address = socket.recv_fds(connection, 1000, 1)
            try:
                answer = self._done(*words.decode().split())
            finally:
                for descriptor in descriptors:
                    os.close(descriptor)
            try:
                connection.sendall(answer.encode())
            except OSError:
                return  # who asked is dead

    def _done(self, what: str = "", identity: str = "") -> str:
        if self._away > 0 or not what:
            self._away -= 1
            return ""
        if what == "check":
            return "at-target" if self._at_target else "change"
        if self._working:
            self._write("overlap", identity)
        if self._at_target:
            self._write("twice", identity)
        return self._applied(identity)

    def _applied(self, identity: str) -> str:
        self._working += 1
        self._write("begin", identity)
        time.sleep(self._seconds)
        self._at_target = not self._fails
        self._write("end", identity)
        self._working -= 1
        return "failed" if self._fails else "done"

    def _write(self, what: str, identity: str) -> None:
        os.write(self._log, f"{what} {self._name} {identity} {time.time():.6f}\n".encode())
        os.fsync(self._log)


def main() -> None:
    folder, shapes = Path(sys.argv[1]), json.loads(sys.argv[2])
    children = []
    for name, shape in shapes.items():
        device = Device(folder, name, shape)
        child = os.fork()
        if child == 0:
            device.serve()
        children.append(child)
    print("ready", flush=True)
    sys.stdin.read()
    for child in children:
        os.kill(child, signal.SIGKILL)


if __name__ == "__main__":
    main()
