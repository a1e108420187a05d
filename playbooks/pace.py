"""Keeping to a rate, in time."""

import time
from threading import Event

BURST = 1.0  # seconds' worth that may be caught up after waiting for something else


class Pace:
    """Lets bytes pass at a rate; one thread at a time."""

    def __init__(self, rate: float) -> None:
        """Take the bytes a second; 0 for no limit."""
        self._rate = rate
        self._free = time.monotonic()  # when the next may pass

    def wait(self, count: int, stop: Event) -> None:
        """Wait until `count` more bytes may pass, or `stop` is set."""
        if not self._rate:
            return
        now = time.monotonic()
        begin = max(self._free, now - BURST)
        self._free = begin + count / self._rate
        if begin > now:
            stop.wait(begin - now)
