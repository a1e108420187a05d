"""The watch's side of the ledger: one lease, what is written down of outages, and what others wrote meanwhile.

All of it blocks, so that it is called in a thread. Every call may raise LedgerError; after LeaseLostError the book is
shut, and `begin` opens it again once nobody else keeps it.
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from exporters.outages.course import Begin, Blame, Memory, Open, Step
from exporters.outages.node import Cause, Fault, Kind, Node
from inventory.topology import State
from ledger.connection import Ledger
from ledger.errors import LedgerError
from ledger.leases import Lease, acquire, release, renew
from ledger.outages import WATCH, Altered, Change, Closed, Opened, Outage, open_outages, record
from ledger.planned import Planned, planned
from ledger.records import Actor
from ledger.watching import Day, begin_span, extend_span, forget_before

LEASE_SECONDS = 60.0
KEPT = timedelta(days=400)  # thirteen months of days


@dataclass
class Book:
    """What this watch writes; `open_ledger` opens the ledger, in the name of `actor`."""

    open_ledger: Callable[[], Ledger]
    actor: Actor
    _ledger: Ledger | None = None
    _lease: Lease | None = None
    _span: str = ""

    @property
    def is_open(self) -> bool:
        """Whether this watch is the one who writes."""
        return self._lease is not None

    @property
    def token(self) -> int | None:
        """What lets this watch write, as the ledger knows it; None while it is not the one who writes."""
        return self._lease.token if self._lease else None

    def begin(self, at: float) -> tuple[Outage, ...]:
        """Become the one who writes, and return the outages that last. Raises LeaseHeldError."""
        if self._ledger is None:
            self._ledger = self.open_ledger()
        lease = acquire(self._ledger, WATCH, actor=self.actor, seconds=LEASE_SECONDS)
        self._span = begin_span(self._ledger, _moment(at), token=lease.token)
        self._lease = lease
        return open_outages(self._ledger)

    def write(self, steps: Sequence[Step]) -> None:
        """Write down what changed."""
        ledger, lease = self._parts()
        record(ledger, [_change(step) for step in steps], token=lease.token)

    def live(self, at: float, days: Sequence[Day]) -> None:
        """Write down that the watch is on, and what was counted since."""
        ledger, lease = self._parts()
        self._lease = renew(ledger, lease, seconds=LEASE_SECONDS)
        extend_span(ledger, self._span, _moment(at), days, token=lease.token)
        if days:
            forget_before(ledger, str((_moment(at) - KEPT).date()), token=lease.token)

    def read(self, at: float) -> tuple[tuple[Outage, ...], tuple[Planned, ...]]:
        """Return the outages that last, and the work that is planned."""
        ledger, _lease = self._parts()
        return open_outages(ledger), planned(ledger, _moment(at))

    def shut(self) -> None:
        """Let go of everything, whatever state it is in."""
        if self._ledger is not None:
            with contextlib.suppress(LedgerError):
                if self._lease is not None:
                    release(self._ledger, self._lease, actor=self.actor)
            self._ledger.close()
        self._ledger = self._lease = None

    def _parts(self) -> tuple[Ledger, Lease]:
        assert self._ledger is not None, "begin opens it"
        assert self._lease is not None, "begin takes it"
        return self._ledger, self._lease


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _change(step: Step) -> Change:
    outage = step.outage
    fault = outage.fault
    if isinstance(step, Begin):
        began = _moment(outage.began)
        evidence = dict(fault.evidence)
        return Opened(
            outage.id, outage.node.kind, outage.node.id, began, fault.state, fault.cause, outage.root, evidence
        )
    if isinstance(step, Blame):
        return Altered(outage.id, fault.state, fault.cause, outage.root, dict(fault.evidence))
    return Closed(outage.id, _moment(step.ended))


def remembered(outages: Sequence[Outage], known: Memory) -> Memory:
    """Return what is known with the outages that last as the ledger tells them: what people said, and a restart's."""
    nodes = {outage.id: Node(Kind(outage.kind), outage.node) for outage in outages}
    opened = (_open(outage, nodes) for outage in outages)
    return Memory({one.node: one for one in opened}, known.turns, known.begins, known.at)


def _open(outage: Outage, nodes: dict[str, Node]) -> Open:
    root = nodes.get(outage.root) if outage.root else None
    fault = Fault(State(outage.state), Cause(outage.cause), root, outage.evidence)
    began = datetime.fromisoformat(outage.began).timestamp()
    return Open(outage.id, nodes[outage.id], began, fault, outage.root, bool(outage.cause_by))
