"""Rollouts of devices that are not there: plans, and a world of its own time in which a controller can be driven.

Time only passes when the controller waits, and jumps to what happens next: a week takes seconds.
"""

import heapq
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from inventory.windows import Hours
from ledger.connection import Ledger, open_ledger
from ledger.records import Actor, Draft
from ledger.rollout_history import events
from ledger.rollouts import append, create
from playbooks.rollout.journal import Journal
from playbooks.rollout.loop import Around, Controller
from playbooks.rollout.plan import Gate, OnFailure, RolloutPlan, Wave, dump_rollout
from playbooks.rollout.seams import Dispatch, Judgement, Notice, Report, Verdict
from playbooks.rollout.situation import World
from playbooks.rollout.state import DeviceState, Event, Kind, Result, State, fold

LAN = Actor("lan", "lan.nguyen", "10.91.0.20")
MINH = Actor("minh", "minh.tran", "10.91.0.21")
MONDAY = datetime(2026, 11, 30, 0, 0, tzinfo=UTC)
WELL = Verdict(Judgement.WELL)


def boxes(number: int) -> list[str]:
    return [f"box.{position:03}" for position in range(number)]


def plan_of_waves(*sizes: int, gate: Gate | None = None, days: float = 7, **changes: Any) -> RolloutPlan:
    """Return a plan whose waves have so many devices."""
    devices = iter(boxes(sum(sizes)))
    waves = tuple(
        Wave(f"wave {number}", tuple(next(devices) for _n in range(size))) for number, size in enumerate(sizes)
    )
    shape: dict[str, Any] = {
        "name": "agent-2",
        "job": "agent",
        "job_digest": "",
        "sets": {},
        "author": LAN.person,
        "made_at": MONDAY.isoformat(),
        "waves": waves,
        "gate": gate or Gate(),
        "parallel": 20,
        "per_uplink": 0,
        "until": (MONDAY + timedelta(days=days)).isoformat(),
        "on_failure": OnFailure.STOP,
        "uplinks": {},
    }
    return RolloutPlan(**{**shape, **changes})


def begin(ledger: Ledger, plan: RolloutPlan) -> str:
    """Write a rollout down, started."""
    rollout = create(ledger, name=plan.name, job=plan.job, plan=dump_rollout(plan), actor=LAN)
    append(ledger, rollout, [Draft(Kind.STARTED)], actor=LAN)
    return rollout


def told(ledger: Ledger, rollout: str) -> list[Event]:
    """Return what happened to a rollout."""
    found = events(ledger, rollout)
    return [Event(one.seq, one.at, Kind(one.kind), one.device, one.wave, one.details) for one in found]


class Inline(Executor):
    """Does at once what others do aside."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except OSError as error:
            done.set_exception(error)
        return done


@dataclass
class Clock:
    """A time that stands still until it is moved."""

    now: datetime = MONDAY

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Place:
    """A site whose devices need `seconds` for anything. `answer` tells how a dispatch ends; None means never."""

    clock: Clock
    answer: Callable[[Dispatch], Result | None] = lambda _work: Result.DONE
    seconds: float = 30.0
    given: list[tuple[datetime, Dispatch]] = field(default_factory=list)
    _coming: list[tuple[datetime, int, Report, Callable[[Report], None]]] = field(default_factory=list)

    def dispatch(self, work: Sequence[Dispatch], report: Callable[[Report], None]) -> None:
        for one in work:
            self.given.append((self.clock.now, one))
            if (result := self.answer(one)) is not None:
                when = self.clock.now + timedelta(seconds=self.seconds)
                heapq.heappush(
                    self._coming, (when, len(self.given), Report(one.id, one.device, result, str(result)), report)
                )

    def stop(self) -> None:
        self._coming.clear()

    def next_at(self) -> datetime:
        return self._coming[0][0] if self._coming else datetime.max.replace(tzinfo=UTC)

    def tell(self) -> None:
        """Report what is over by now."""
        while self._coming and self._coming[0][0] <= self.clock.now:
            _when, _number, report, hear = heapq.heappop(self._coming)
            hear(report)

    def devices(self, step: str = "apply") -> list[str]:
        return [one.device for _at, one in self.given if one.step == step]


@dataclass
class Simulation:
    """A controller in its own time. `on_time` are things that people do, each at its moment."""

    ledger: Ledger
    rollout: str
    clock: Clock
    site: Place
    hours: Mapping[str, Hours] = field(default_factory=dict)
    look: Callable[[Sequence[str]], Verdict] = lambda _devices: WELL
    fitness: Callable[[Sequence[str]], Mapping[str, str]] = lambda _devices: {}
    newer: frozenset[str] = frozenset()
    notices: list[Notice] = field(default_factory=list)
    on_time: list[tuple[datetime, Callable[[], None]]] = field(default_factory=list)
    interval: float = 60.0
    turns: int = 0

    def __post_init__(self) -> None:
        around = Around(
            site=self.site,
            look=lambda devices: self.look(devices),
            fitness=lambda devices: self.fitness(devices),
            notify=self.notices.append,
            world=lambda: World(self.hours, newer=self.newer, probe_interval=self.interval),
            wait=self._wait,
            aside=Inline(),
        )
        self.controller = Controller(Journal(self.ledger, self.rollout, LAN), around)

    def at(self, seconds: float, act: Callable[[], None]) -> None:
        self.on_time.append((self.clock.now + timedelta(seconds=seconds), act))
        self.on_time.sort(key=lambda one: one[0])

    def people(self, seconds: float, kind: Kind, **changes: Any) -> None:
        """Let Minh do something at that moment, as another process does."""
        self.at(seconds, lambda: self.append(kind, **changes))

    def append(self, kind: Kind, **changes: Any) -> None:
        append(self.ledger, self.rollout, [Draft(kind, **changes)], actor=MINH)

    def run(self) -> State:
        return self.controller.run()

    def _wait(self, wake: threading.Event, seconds: float) -> None:
        self.turns += 1
        assert self.turns < 50_000, "it goes round in circles"
        if not wake.is_set():
            moments = [self.site.next_at(), *(when for when, _act in self.on_time[:1])]
            end = min(moments)
            if seconds != float("inf"):
                end = min(end, self.clock.now + timedelta(seconds=seconds))
            assert end.year < 9999, "it waits for ever"
            self.clock.now = max(end, self.clock.now)
        while self.on_time and self.on_time[0][0] <= self.clock.now:
            self.on_time.pop(0)[1]()
        self.site.tell()

    def kinds(self) -> list[str]:
        """Return what happened to the rollout as a whole, in order."""
        return [event.kind for event in told(self.ledger, self.rollout) if not event.device]

    def state(self) -> State:
        return fold(Journal(self.ledger, self.rollout, LAN).plan, told(self.ledger, self.rollout))

    def in_state(self, wanted: DeviceState) -> list[str]:
        return [device for device, status in self.state().devices.items() if status.state is wanted]


@contextmanager
def simulation(folder: Path, plan: RolloutPlan, **shape: Any) -> Iterator[Simulation]:
    """Begin a rollout in a ledger of its own."""
    clock = Clock()
    with open_ledger(folder / "ledger.sqlite", clock=clock, patience=shape.pop("patience", 5.0)) as ledger:
        answer = shape.pop("answer", lambda _work: Result.DONE)
        yield Simulation(ledger, begin(ledger, plan), clock, Place(clock, answer), **shape)
