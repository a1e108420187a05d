"""Real daemons on free ports of 127.0.0.1, and peers that misbehave; all of them end with the test."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

HERE = "127.0.0.1"
SECONDS = 10.0


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind((HERE, 0))
        return int(taken.getsockname()[1])


@contextlib.contextmanager
def daemon(command: list[str], ready: Callable[[], bool], log: Path, **environment: str) -> Iterator[None]:
    """Run `command` in the foreground until the block ends; `ready` tells when it serves."""
    with log.open("wb") as written:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=written,
            start_new_session=True,
            env={**os.environ, **environment},
        )
    try:
        wait_until(ready, process, log)
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(SECONDS)


def wait_until(ready: Callable[[], bool], process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + SECONDS
    while not ready():
        assert process.poll() is None, log.read_text(errors="replace")
        assert time.monotonic() < end, log.read_text(errors="replace")
        time.sleep(0.05)


def accepts(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HERE, port), 1):
        return True
    return False


def bound(port: int) -> bool:
    """Whether something holds the UDP `port`: a connected socket hears of a closed one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.connect((HERE, port))
        with contextlib.suppress(OSError):
            asking.send(b"\0")
            asking.settimeout(0.05)
            with contextlib.suppress(TimeoutError):
                asking.recv(1)
            return True
    return False


Talk = Callable[[socket.socket], None]


@contextlib.contextmanager
def peer(talk: Talk) -> Iterator[int]:
    """Serve TCP connections with `talk`, a thread each; the port."""
    with socket.create_server((HERE, 0)) as listening:
        threading.Thread(target=_serve, args=(listening, talk), daemon=True).start()
        yield int(listening.getsockname()[1])
        listening.shutdown(socket.SHUT_RDWR)


def _serve(listening: socket.socket, talk: Talk) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection, _address = listening.accept()
            threading.Thread(target=_talk, args=(connection, talk), daemon=True).start()


def _talk(connection: socket.socket, talk: Talk) -> None:
    with connection, contextlib.suppress(OSError):
        connection.settimeout(SECONDS)
        talk(connection)


@contextlib.contextmanager
def datagram_peer(answer: Callable[[bytes], list[bytes]]) -> Iterator[int]:
    """Answer every datagram with those that `answer` makes of it; the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind((HERE, 0))
        listening.settimeout(0.1)
        over = threading.Event()
        thread = threading.Thread(target=_answer, args=(listening, answer, over), daemon=True)
        thread.start()
        try:
            yield int(listening.getsockname()[1])
        finally:
            over.set()
            thread.join(SECONDS)


def _answer(listening: socket.socket, answer: Callable[[bytes], list[bytes]], over: threading.Event) -> None:
    while not over.is_set():
        with contextlib.suppress(OSError):  # a time-out, or a peer that has gone
            question, address = listening.recvfrom(65535)
            for datagram in answer(question):
                listening.sendto(datagram, address)


UPS_AGENT = Path(__file__).with_name("ups_agent.py")


def pass_persist(values: Path) -> str:
    return f"pass_persist .1.3.6.1.2.1.33.1 {sys.executable} -u {UPS_AGENT} {values}"
