"""One rollout in the ledger: what happened is read as far as it is known, and folded; what is decided is added.

Whoever writes holds the rollout's lease: another controller that took it meanwhile makes every later write fail.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from ledger.connection import Ledger
from ledger.errors import LedgerError
from ledger.leases import Lease, acquire, release, renew
from ledger.records import Actor, Draft, RolloutEvent
from ledger.rollout_history import events, plan_of
from ledger.rollouts import append, lease_name
from playbooks.rollout.plan import load_rollout
from playbooks.rollout.state import Event, Kind, State, evolve, initial

LEASE = 60.0  # seconds that a controller may be silent before another may go on
Counts = Callable[[RolloutEvent], bool]


class Step(NamedTuple):
    """An event, and the state before and after it."""

    event: Event
    before: State
    after: State


class Journal:
    """A rollout's plan and `state`. An event that does not count, such as a forged approval, changes nothing."""

    def __init__(self, ledger: Ledger, rollout: str, actor: Actor, counts: Counts = lambda _event: True) -> None:
        """Read the plan. Raises UnknownRolloutError, LedgerError."""
        self.rollout = rollout
        self.plan = load_rollout(plan_of(ledger, rollout))
        self.state = initial(self.plan)
        self._ledger, self._actor, self._counts = ledger, actor, counts
        self._lease: Lease | None = None
        self._renewed = ledger.clock()

    @property
    def now(self) -> datetime:
        """The time by the ledger's clock, in which all events are written."""
        return self._ledger.clock()

    @contextmanager
    def driving(self) -> Iterator[None]:
        """Hold the lease for a block. Raises LeaseHeldError, which tells who holds it."""
        self._lease = acquire(self._ledger, lease_name(self.rollout), actor=self._actor, seconds=LEASE)
        self._renewed = self.now
        try:
            yield
        finally:
            with suppress(LedgerError):  # it ends by itself
                release(self._ledger, self._lease, actor=self._actor)

    def keep(self) -> None:
        """Renew the lease when it is time, or when the clock has jumped back. Raises LeaseLostError."""
        assert self._lease
        if not timedelta() <= self.now - self._renewed < timedelta(seconds=LEASE / 3):
            self._lease = renew(self._ledger, self._lease, seconds=LEASE)
            self._renewed = self.now

    def read(self) -> list[Step]:
        """Fold what happened since the last time, and return it."""
        steps = []
        for found in events(self._ledger, self.rollout, self.state.seq):
            event = Event(found.seq, found.at, Kind(found.kind), found.device, found.wave, found.details)
            before = self.state
            self.state = evolve(before, event) if self._counts(found) else replace(before, seq=event.seq)
            steps.append(Step(event, before, self.state))
        return steps

    def write(self, drafts: Sequence[Draft], *, decided: bool = True) -> None:
        """Add events. What was `decided` from the state is refused by OutdatedError when more has happened since."""
        assert self._lease
        append(
            self._ledger,
            self.rollout,
            drafts,
            actor=self._actor,
            token=self._lease.token,
            after=self.state.seq if decided else None,
            ends=any(draft.kind == Kind.ENDED for draft in drafts),
        )
