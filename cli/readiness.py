"""Telling systemd that the watch is at work, and that it still lives: the few words of sd_notify(3)."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable

_MICROSECONDS = 1_000_000
_PAUSE = 0.1  # seconds between looks whether it is at work


async def tell_manager(at_work: Callable[[], bool]) -> None:
    """Say READY=1 once `at_work`, and WATCHDOG=1 for as long as the event loop turns; nothing without a manager."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    while not at_work():  # noqa: ASYNC110  (the server has no event for it)
        await asyncio.sleep(_PAUSE)
    _say(address, b"READY=1")
    every = int(os.environ.get("WATCHDOG_USEC") or 0) / _MICROSECONDS / 3
    while every:
        await asyncio.sleep(every)
        _say(address, b"WATCHDOG=1")


def _say(address: str, words: bytes) -> None:
    place = f"\0{address[1:]}" if address.startswith("@") else address
    to = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    with to, contextlib.suppress(OSError):  # nobody listens any more: the watch goes on all the same
        to.sendto(words, place)
