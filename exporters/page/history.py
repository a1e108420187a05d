"""What the ledger remembers, read in threads and kept for a while, so that many readers cost as much as one.

While the ledger cannot be read, what was read last is shown, and None before anything was.
"""

import asyncio
import logging
import math
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo

from exporters.outages.node import Kind
from exporters.page.bars import DAYS, Bars, Sum, bars, sum_of, total
from exporters.rollouts import RolloutFigures
from inventory.language import _
from ledger.connection import Ledger
from ledger.errors import LedgerError
from ledger.outages import Outage, outages_between
from ledger.watching import days

log = logging.getLogger("tuyen.watch")
T = TypeVar("T")
FRESH = 5.0  # seconds for which something that was read is good
PATIENCE = 3.0  # seconds that a page waits for the ledger: what is out is no secret of it
KEPT = 200  # things that are remembered at most, the oldest forgotten first


@dataclass
class _Kept(Generic[T]):
    """What was read, until when it is good, and the reading under way."""

    value: T | None = None
    until: float = -math.inf
    reading: asyncio.Task[None] | None = None


@dataclass
class History:
    """The reading side of the ledger for one event loop. `open_ledger` and `read_rollouts` block."""

    open_ledger: Callable[[], Ledger]
    read_rollouts: Callable[[], tuple[RolloutFigures, ...]]
    zone: ZoneInfo
    _ledger: Ledger | None = None
    _kept: dict[tuple[Any, ...], _Kept[Any]] = field(default_factory=dict)
    _past: dict[str, Sum] = field(default_factory=dict)  # of all offices, of days that are over
    _told: str = ""
    _opening: threading.Lock = field(default_factory=threading.Lock)

    async def outages(self, last: int = DAYS) -> tuple[Outage, ...] | None:
        """Return the outages of the last days, the oldest first."""
        fresh = FRESH if last < DAYS else 6 * FRESH  # of a season they are ten thousands
        return await self._read(("outages", last), lambda: self._outages(last), fresh)

    async def bars_of(self, kind: Kind, name: str) -> Bars | None:
        """Return the last days of one node."""
        return await self._read(("bars", kind, name), lambda: self._bars_of(kind, name), 60)

    async def bars_of_services(self) -> dict[str, Bars] | None:
        """Return the last days of each service."""
        return await self._read(("services",), self._bars_of_services, 60)

    async def bars_of_province(self) -> Bars | None:
        """Return the last days of all offices together."""
        return await self._read(("province",), self._bars_of_province, 60)

    async def rollouts(self) -> tuple[RolloutFigures, ...] | None:
        """Return how the rollouts of late stand."""
        return await self._read(("rollouts",), self.read_rollouts)

    def today(self) -> date:
        """Return the province's day."""
        return datetime.now(self.zone).date()

    def close(self) -> None:
        """Let go of the ledger."""
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None

    async def _read(self, key: tuple[Any, ...], read: Callable[[], T], fresh: float = FRESH) -> T | None:
        """Return what is kept, and read it again when it is no longer fresh, in one thread for whoever asks.

        Nobody waits for what is hardly stale: the next one is shown what is being read now.
        """
        kept = self._kept.setdefault(key, _Kept())
        now = time.monotonic()
        if now >= kept.until and kept.reading is None:
            kept.reading = asyncio.create_task(self._fetch(kept, read, fresh))
        if (reading := kept.reading) is not None and now >= kept.until + fresh:
            done, _waiting = await asyncio.wait({reading}, timeout=PATIENCE)
            for one in done:
                one.result()  # a mistake of ours is told
        return kept.value

    async def _fetch(self, kept: _Kept[T], read: Callable[[], T], fresh: float) -> None:
        try:
            kept.value = await asyncio.to_thread(read)
            self._told = ""
        except LedgerError as error:
            if str(error) != self._told:
                log.warning(_("the status page cannot read the ledger: %s"), error)
            self._told = str(error)
        finally:
            kept.until, kept.reading = time.monotonic() + fresh, None
        while len(self._kept) > KEPT:
            del self._kept[next(iter(self._kept))]

    def _open(self) -> Ledger:
        with self._opening:
            if self._ledger is None:
                self._ledger = self.open_ledger()
            return self._ledger

    def _outages(self, last: int) -> tuple[Outage, ...]:
        now = datetime.now(UTC)
        return outages_between(self._open(), now - timedelta(days=last), now)

    def _span(self) -> tuple[date, date]:
        today = self.today()
        return today - timedelta(days=DAYS - 1), today

    def _bars_of(self, kind: Kind, name: str) -> Bars:
        first, last = self._span()
        found = days(self._open(), str(first), str(last), str(kind), name)
        return bars({day.day: sum_of(day) for day in found}, last)

    def _bars_of_services(self) -> dict[str, Bars]:
        first, last = self._span()
        sums: dict[str, dict[str, Sum]] = {}
        for day in days(self._open(), str(first), str(last), str(Kind.SERVICE)):
            sums.setdefault(day.node, {})[day.day] = sum_of(day)
        return {name: bars(found, last) for name, found in sums.items()}

    def _bars_of_province(self) -> Bars:
        """Read each day that is over once only, as a thousand offices have 90,000 of them.

        Of yesterday, what was counted last may still be written.
        """
        first, last = self._span()
        wanted = [str(first + timedelta(days=after)) for after in range(DAYS)]
        self._past = {day: one for day, one in self._past.items() if day in wanted}
        for day in wanted[:-2]:
            if day not in self._past:
                self._past[day] = self._sum_of_offices(day)
        return bars({**self._past, **{day: self._sum_of_offices(day) for day in wanted[-2:]}}, last)

    def _sum_of_offices(self, day: str) -> Sum:
        found: Iterable[Sum] = (sum_of(one) for one in days(self._open(), day, day, str(Kind.OFFICE)))
        return total(found)
