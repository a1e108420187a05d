"""Keeping the outages of a watch: every second, what is out and why; in the ledger, what changed.

The watch asks and answers whatever becomes of the ledger: while it cannot be written, what is seen is remembered, and
written down later with the time at which it was seen.
"""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from exporters.outages.blame import Blame
from exporters.outages.book import Book, remembered
from exporters.outages.course import Memory, Step, step
from exporters.outages.days import Days
from exporters.outages.node import Cause, Fault, Grade, Kind, Node
from exporters.outages.rules import RULES, Rules
from exporters.outages.signs import Signs, lossy_gateways
from exporters.outages.standing import Standing, links_of
from exporters.outages.work import Coming, Works
from exporters.questions import Question
from exporters.reading import Reading
from exporters.watch import Watch
from inventory.language import _
from inventory.topology import State
from ledger.errors import LeaseLostError, LedgerError
from ledger.outages import Outage
from ledger.records import new_id
from ledger.watching import Day

log = logging.getLogger("tuyen.watch")
EVERY = 1.0  # seconds between two looks
LIVE_EVERY = 10.0  # between two signs of life
READ_EVERY = 10.0  # between two looks at what people wrote
COUNT_EVERY = 300.0  # between two additions to the days: so much is unknown after a kill
ROWS_AT_ONCE = 2000  # of the days, at a sign of life: ten thousand at once would hold up what else is to be written
SAMPLE_EVERY = 10.0  # between two samples of all states for the days
AGAIN = 5.0  # until a ledger that could not be written is tried again


class Keeping:
    """The outages of one watch. `faults` is what is out now, `memory.open` what is written down as out."""

    def __init__(self, watch: Watch, book: Book, rules: Rules = RULES) -> None:
        self.watch, self.book, self.rules = watch, book, rules
        self.memory = Memory()
        self.faults: Mapping[Node, Fault] = {}
        self.standing: Standing | None = None
        self.seconds: dict[tuple[Kind, Cause], float] = {}
        self._signs = Signs()
        self._works = Works()
        self._counted: tuple[Day, ...] = ()
        self._days = Days(ZoneInfo(watch.province.time_zone))
        self._due = dict.fromkeys(("begin", "live", "read", "count", "sample"), 0.0)
        self._told = ""
        self._looked = time.time()
        watch.listeners.append(self._take)

    def _take(self, question: Question, reading: Reading) -> None:
        self._signs.take(self.watch.province.devices[question.device].office, reading)
        self._days.take(reading, time.time())

    async def run(self) -> None:
        """Look and write until cancelled; then write what was counted, and let go of the ledger."""
        try:
            while True:
                await self._once(time.time())
                await asyncio.sleep(EVERY)
        finally:
            await asyncio.to_thread(self._end, time.time())

    async def _once(self, at: float) -> None:
        began = time.monotonic()
        readable = await self._try(self._read, at)
        waited = time.monotonic() - began
        at += waited if waited > EVERY else 0.0  # the ledger kept us waiting: what is seen now is seen now
        after, steps = self._look(at)

        async def write(at: float) -> None:
            await self._write(after, steps, at)

        if readable and await self._try(write, at):
            self._tell("")
        else:
            self.memory = _unwritten(self.memory, after)

    async def _try(self, what: Callable[[float], Awaitable[None]], at: float) -> bool:
        """Use the ledger, and return whether that went well; after a failure it is read before it is written."""
        try:
            await self._seeing(what(at), at)
        except LedgerError as error:
            self._tell(str(error))
            self._due |= {"begin": at + AGAIN, "read": 0.0}
            if isinstance(error, LeaseLostError):
                await asyncio.to_thread(self.book.shut)
            return False
        return True

    async def _seeing(self, work: Awaitable[None], at: float) -> None:
        """Wait for the ledger; where that takes long, what is out is seen, and shown, all the same."""
        began, task = time.monotonic(), asyncio.ensure_future(work)
        try:
            while not (await asyncio.wait({task}, timeout=EVERY))[0]:
                self._see(at + time.monotonic() - began)
            task.result()
        finally:
            task.cancel()

    async def _read(self, at: float) -> None:
        if self.book.is_open and at >= self._due["read"]:
            outages, self._works.planned = await asyncio.to_thread(self.book.read, at)
            self.memory, self._due["read"] = remembered(outages, self.memory), at + READ_EVERY

    async def _write(self, after: Memory, steps: Sequence[Step], at: float) -> None:
        if not self.book.is_open:
            self.memory = _unwritten(self.memory, after)
            if at >= self._due["begin"]:
                self._remember(await asyncio.to_thread(self.book.begin, at), at)
            return
        if steps:
            await asyncio.to_thread(self.book.write, steps)
        self.memory = after
        await self._live(at)

    def _look(self, at: float) -> tuple[Memory, tuple[Step, ...]]:
        """See what is out, and return what follows from it: nothing, while another one keeps the ledger, or none."""
        self._see(at)
        never = replace(self.rules, confirm=math.inf, recover=math.inf, flap_recover=math.inf)
        rules = self.rules if self.book.is_open else never
        return step(self.memory, self.faults, self._is_up, at, rules, _new_id)

    def _see(self, at: float) -> None:
        watch = self.watch
        self.standing = Standing(watch.province, watch.health(), watch.devices_asked, lossy_gateways(watch))
        batteries, planned = self._signs.batteries, self.planned(at)
        self.faults = Blame(self.standing, batteries, planned, self._fell(at), self.rules).faults()
        if at >= self._due["sample"]:
            self._days.look(self.states(), at)
            self._due["sample"] = at + SAMPLE_EVERY
        self._count_seconds(at)

    def _fell(self, at: float) -> Callable[[Node], float]:
        def fell(node: Node) -> float:
            turn, outage = self.memory.turns.get(node), self.memory.open.get(node)
            since = turn.since if turn and turn.fault else at
            return min(since, outage.began) if outage and outage.fault.grade is Grade.AWAY else since

        return fell

    def _is_up(self, node: Node) -> bool:
        """Whether nothing is out at a node: it is up, or there is no such thing any more."""
        assert self.standing is not None, "a look comes first"
        return self.standing.state(node) is State.UP or not self.standing.is_known(node)

    def states(self) -> Iterator[tuple[Node, State]]:
        """Yield the state of everything, with what is planned and what services suffer from their users' offices."""
        if self.standing is None:
            return
        health, province = self.standing.health, self.standing.province
        for kind, known in ((Kind.DEVICE, health.devices), (Kind.OFFICE, health.offices)):
            for name, state in known.items():
                fault = None if state is State.UP else self.faults.get(Node(kind, name))
                yield Node(kind, name), fault.state if fault else state
        links = (Node(Kind.LINK, link.id) for office in province.offices.values() for link in links_of(office))
        for node in (*links, *(Node(Kind.SERVICE, service) for service in health.services)):
            fault = self.faults.get(node)
            yield node, fault.state if fault else _unless_silent(node, self.standing.state(node))

    @property
    def is_written(self) -> bool:
        """Whether the ledger took what was to be written down last."""
        return not self._told

    def planned(self, at: float) -> Mapping[Node, str]:
        """Return what is being worked on, and why."""
        return self._works.nodes(self.watch.province, at)

    def coming(self, at: float) -> tuple[Coming, ...]:
        """Return the work that is under way or to come, in the province as it was looked at last."""
        return self._works.coming(self.standing.province, at) if self.standing else ()

    def _count_seconds(self, at: float) -> None:
        passed, self._looked = max(0.0, at - self._looked), at
        for outage in self.memory.open.values():
            key = (outage.node.kind, outage.fault.cause)
            self.seconds[key] = self.seconds.get(key, 0.0) + passed

    def _remember(self, outages: Sequence[Outage], at: float) -> None:
        """Go on with the outages that last, from before a restart or from another watch."""
        self.memory = remembered(outages, self.memory)
        for outage in self.memory.open.values():
            self._signs.remember(self.watch.province, outage, at)

    async def _live(self, at: float) -> None:
        if at < self._due["live"]:
            return
        if at >= self._due["count"] and not self._counted:
            self._counted, self._due["count"] = self._days.take_away(at), at + COUNT_EVERY
        await asyncio.to_thread(self.book.live, at, self._counted[:ROWS_AT_ONCE])
        self._counted, self._due["live"] = self._counted[ROWS_AT_ONCE:], at + LIVE_EVERY

    def _tell(self, trouble: str) -> None:
        if trouble and trouble != self._told:
            log.warning(_("outages are not written down for now: %s"), trouble)
        self._told = trouble

    def _end(self, at: float) -> None:
        try:
            if self.book.is_open:
                self.book.live(at, (*self._counted, *self._days.take_away(at)))
        except LedgerError as error:
            self._tell(str(error))
        self.book.shut()


def _unwritten(before: Memory, after: Memory) -> Memory:
    """Return what is remembered when the steps that led on could not be written down."""
    kept = {node: turn for node, turn in before.turns.items() if node in before.open}
    return Memory(before.open, {**kept, **after.turns}, before.begins, after.at)


def _unless_silent(node: Node, state: State) -> State:
    """Return the state of a link or service; of a line whose end is silent without a fault of its own: unknown."""
    return State.UNKNOWN if node.kind is Kind.LINK and state is not State.UP else state


def _new_id(at: float) -> str:
    return new_id(datetime.fromtimestamp(at, UTC))
