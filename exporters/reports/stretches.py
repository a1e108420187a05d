"""Sets of moments as stretches: half-open [begin, end), in whole microseconds since 1970 in UTC, sorted, disjoint."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

Pair = tuple[int, int]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    """Return an aware moment in microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(at: int) -> datetime:
    """Return microseconds since 1970 as a moment, in UTC."""
    return _EPOCH + at * _MICROSECOND


def read(stamp: str) -> int:
    """Return a time of the ledger in microseconds since 1970."""
    return microseconds(datetime.fromisoformat(stamp))


def union(pairs: Iterable[Pair]) -> tuple[Pair, ...]:
    """Return what lies in any of some stretches, which may overlap, touch, or be empty."""
    joined: list[Pair] = []
    for begin, end in sorted(pair for pair in pairs if pair[0] < pair[1]):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return tuple(joined)


def within(pairs: Iterable[Pair], begin: int, end: int) -> tuple[Pair, ...]:
    """Return what lies in some sorted, disjoint stretches and in [begin, end)."""
    clipped = ((max(first, begin), min(last, end)) for first, last in pairs)
    return tuple(pair for pair in clipped if pair[0] < pair[1])


def common(ones: Sequence[Pair], others: Sequence[Pair]) -> tuple[Pair, ...]:
    """Return what lies in both of two sets."""
    found: list[Pair] = []
    one = other = 0
    while one < len(ones) and other < len(others):
        begin = max(ones[one][0], others[other][0])
        end = min(ones[one][1], others[other][1])
        if begin < end:
            found.append((begin, end))
        if ones[one][1] <= others[other][1]:
            one += 1
        else:
            other += 1
    return tuple(found)


class Measure:
    """How much of any time lies in one set; summed up once, as it is asked for every outage."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self._begins = [begin for begin, _end in pairs]
        self._lengths = [end - begin for begin, end in pairs]
        self._before = [0]
        for length in self._lengths:
            self._before.append(self._before[-1] + length)

    def between(self, begin: int, end: int) -> int:
        """Return how many microseconds of [begin, end) lie in the set."""
        return self._until(end) - self._until(begin) if begin < end else 0

    def _until(self, at: int) -> int:
        position = bisect_right(self._begins, at) - 1
        if position < 0:
            return 0
        return self._before[position] + min(at - self._begins[position], self._lengths[position])
