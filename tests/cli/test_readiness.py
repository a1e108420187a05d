"""What systemd hears of the watch: that it is at work, and that its event loop turns."""

import asyncio
import socket
import time
from pathlib import Path

import pytest

from cli.readiness import tell_manager


def manager(address: str) -> socket.socket:
    """Return the socket that systemd would listen on."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.bind(address)
    made.setblocking(False)
    return made


def heard(by: socket.socket) -> list[bytes]:
    """Return what has been said since."""
    found = []
    while True:
        try:
            found.append(by.recv(100))
        except BlockingIOError:
            return found


@pytest.mark.parametrize("address", ["notify", "\0tuyen-test-notify"])
def test_it_is_ready_once_at_work_and_alive_while_it_turns(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = address if address[0] == "\0" else str(tmp_path / address)
    monkeypatch.setenv("NOTIFY_SOCKET", place.replace("\0", "@"))
    monkeypatch.setenv("WATCHDOG_USEC", "300000")
    at_work = False

    async def follow(by: socket.socket) -> None:
        nonlocal at_work
        telling = asyncio.create_task(tell_manager(lambda: at_work))
        await asyncio.sleep(0.3)
        assert heard(by) == []
        at_work = True
        await asyncio.sleep(0.6)
        first, *others = heard(by)
        assert first == b"READY=1"
        assert set(others) == {b"WATCHDOG=1"}
        time.sleep(0.5)  # noqa: ASYNC251  (the event loop is stuck)
        assert heard(by) == []
        await asyncio.sleep(0.2)
        assert heard(by) != []
        telling.cancel()

    with manager(place) as by:
        asyncio.run(follow(by))


def test_without_a_manager_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    asyncio.run(asyncio.wait_for(tell_manager(lambda: False), 5))


def test_a_manager_that_is_gone_hinders_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    asyncio.run(asyncio.wait_for(tell_manager(lambda: True), 5))
