"""When each question is due: every interval, spread evenly over time, and at once where there is doubt. Pure."""

import heapq
import zlib
from collections.abc import Hashable, Iterator, Mapping
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
FIRST_ROUND = 15.0  # seconds over which new questions are first asked, however long their interval


class Schedule(Generic[Key]):
    """Due times by key, in seconds of whatever clock the caller reads."""

    def __init__(self) -> None:
        self._intervals: dict[Key, float] = {}
        self._next: dict[Key, float] = {}
        self._heap: list[tuple[float, int, Key]] = []
        self._count = 0

    def replace(self, intervals: Mapping[Key, float], now: float) -> None:
        """Keep exactly these keys. A key that was there with the same interval keeps its place in time."""
        for key in self._intervals.keys() - intervals.keys():
            del self._next[key]
        for key, interval in intervals.items():
            if self._intervals.get(key) != interval:
                self._put(key, now + _share(key) * min(interval, FIRST_ROUND))
        self._intervals = dict(intervals)

    def due(self, now: float) -> Iterator[Key]:
        """Yield what is due at `now`, each once, and set its next time an interval later."""
        while self._heap and self._heap[0][0] <= now:
            moment, _count, key = heapq.heappop(self._heap)
            if self._next.get(key) != moment:
                continue  # it was moved or dropped since
            interval = self._intervals[key]
            missed = max(0, int((now - moment) / interval))  # after a sleep: once, not once for each time missed
            self._put(key, moment + (missed + 1) * interval)
            yield key

    def hasten(self, key: Key, moment: float) -> None:
        """Let `key` be due at `moment`, if that is sooner than planned; its rhythm goes on from there."""
        if key in self._next and moment < self._next[key]:
            self._put(key, moment)

    def soonest(self) -> float | None:
        """Return the next due time; None when nothing is planned."""
        while self._heap and self._next.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def _put(self, key: Key, moment: float) -> None:
        self._next[key] = moment
        self._count += 1
        heapq.heappush(self._heap, (moment, self._count, key))


def _share(key: Hashable) -> float:
    """Return a place between 0 and 1 that is the same at every start, so that questions are spread alike."""
    return zlib.crc32(repr(key).encode()) / 2**32
