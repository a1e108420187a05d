"""Prefix arithmetic on plain integers, and the address plan: where an office's number puts its prefix."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple


class Span(NamedTuple):
    """The addresses `first` to `last`, both included, as integers."""

    first: int
    last: int

    def holds(self, other: "Span") -> bool:
        """Whether `other` lies wholly inside."""
        return self.first <= other.first and other.last <= self.last

    def overlaps(self, other: "Span") -> bool:
        """Whether the two share an address."""
        return self.first <= other.last and other.first <= self.last


def to_integer(address: str) -> int:
    """Return an IPv4 address that is known to be well-formed as an integer."""
    a, b, c, d = address.split(".")
    return int(a) << 24 | int(b) << 16 | int(c) << 8 | int(d)


def to_text(address: int) -> str:
    """Return an integer as a dotted IPv4 address."""
    return f"{address >> 24}.{address >> 16 & 255}.{address >> 8 & 255}.{address & 255}"


def span_of(prefix: str) -> Span:
    """Return the span of a prefix such as "10.91.16.64/26"."""
    address, length = prefix.split("/")
    first = to_integer(address)
    return Span(first, first + (1 << (32 - int(length))) - 1)


@dataclass(frozen=True, slots=True)
class Block:
    """The block of one file of offices, cut into slots of one prefix length."""

    prefix: str
    slot: int

    @property
    def slots(self) -> int:
        """How many slots it has."""
        span = span_of(self.prefix)
        return (span.last - span.first + 1) >> (32 - self.slot)

    def prefix_of(self, number: int, length: int) -> str:
        """Return the prefix of the given length that begins at slot `number`."""
        return f"{to_text(span_of(self.prefix).first + (number << (32 - self.slot)))}/{length}"

    def step(self, length: int) -> int:
        """How many slots a prefix of the length takes, and so what its number must be a multiple of."""
        return 1 << max(0, self.slot - length)

    def free(self, taken: Iterable[int], length: int) -> str:
        """Return the first numbers that are free for a prefix of the length, as text."""
        used, step = set(taken), self.step(length)
        found = (number for number in range(0, self.slots, step) if used.isdisjoint(range(number, number + step)))
        return ", ".join(map(str, islice(found, 3))) or "-"


def overlaps(spans: Mapping[str, Span]) -> Iterator[tuple[str, str]]:
    """Yield the pairs of names whose spans overlap, each with the one that reaches furthest before it."""
    ordered = sorted(spans.items(), key=lambda item: (item[1].first, -item[1].last))
    if not ordered:
        return
    widest = ordered[0]
    for item in ordered[1:]:
        if item[1].first <= widest[1].last:
            yield widest[0], item[0]
        if item[1].last > widest[1].last:
            widest = item
