"""The watch: asks every question at its interval, confirms a silence quickly, and knows the state of everything.

A silence is believed when the device's every question stays unanswered: the first unanswered question makes us
ask all of them again at once, and only a device that is silent twice is called silent.
"""

import asyncio
import gc
import logging
import math
import time
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass, field

from exporters.health import Health
from exporters.judging import Judging
from exporters.probes import ask
from exporters.questions import Key, Knowledge, Question, questions, service_questions
from exporters.reading import Reading
from exporters.schedule import Schedule
from inventory.model import Province
from inventory.topology import ways_of

log = logging.getLogger("tuyen.watch")
CONFIRMATIONS = 2  # unanswered in a row before a device is called silent
CONFIRM_AFTER = 1.0  # seconds
LOOK_AGAIN = 2.0  # seconds until an office is looked around in again
AFTER_ANSWER = 0.5  # seconds between two looks whether a question that is to be asked again has been answered
LATER = 0.1  # seconds until a question is tried again that found no free place
OVERDUE = 3.0  # intervals after which a reading says nothing any more
SWEEP_EVERY = 1.0  # seconds between two looks for readings that have become overdue
Listener = Callable[[Question, Reading], None]


@dataclass
class Tally:
    """How often a question was asked and went wrong since the watch started, and unanswered in a row."""

    asked: int = 0
    failed: int = 0
    unanswered: int = 0


@dataclass
class Watch:
    """Everything that is asked, and what came of it. Not thread-safe: all of it lives in one event loop."""

    province: Province
    knowledge: Knowledge = field(default_factory=Knowledge)
    at_once: int = 2000  # questions under way at a time; a silent target holds one place until its timeout
    schedule: Schedule[Key] = field(default_factory=lambda: Schedule[Key]())
    asked: dict[Key, Question] = field(default_factory=dict)
    latest: dict[Key, Reading] = field(default_factory=dict)
    received: dict[Key, float] = field(default_factory=dict)  # by a clock that no one sets
    tallies: dict[Key, Tally] = field(default_factory=dict)
    listeners: list[Listener] = field(default_factory=list)
    postponed: int = 0  # questions that found no free place, since the start
    load_good: bool = True  # whether the files, as last read, were good
    loaded_at: float = field(default_factory=time.time)
    _of_device: dict[str, list[Key]] = field(default_factory=dict)
    _running: dict[Key, asyncio.Task[None]] = field(default_factory=dict)
    _silent: set[str] = field(default_factory=set)
    _unheard: set[str] = field(default_factory=set)  # devices that never answered, and are not yet called silent
    _behind: dict[str, list[str]] = field(default_factory=dict)  # offices, by the one that their way leads to
    _looked_around: dict[tuple[str, bool], float] = field(default_factory=dict)
    _judging: Judging = field(init=False)
    _overdue: set[Key] = field(default_factory=set)
    _swept: float = 0.0
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.replace(self.province, self.knowledge)

    def replace(self, province: Province, knowledge: Knowledge) -> tuple[Key, ...]:
        """Watch another version of the province; what did not change keeps its readings. Returns what is gone."""
        wanted = [*questions(province, province.devices.values(), knowledge), *service_questions(province, knowledge)]
        now = {question.key: question for question in wanted}
        gone = tuple(key for key, question in self.asked.items() if now.get(key) != question)
        for key in gone:
            self.latest.pop(key, None)
            self.received.pop(key, None)
            self._overdue.discard(key)
            self.tallies.pop(key, None)
            if task := self._running.pop(key, None):
                task.cancel()
        self.province, self.knowledge, self.asked = province, knowledge, now
        self._of_device = {}
        for key in now:
            self._of_device.setdefault(key[0], []).append(key)
        self._silent &= self._of_device.keys()
        self._unheard = {device for device in self._of_device if not self._is_known(device)}
        self._behind = {}
        for office in province.offices.values():
            for way in ways_of(office):
                self._behind.setdefault(way, []).append(office.id)
        self.schedule.replace({key: question.module.interval for key, question in now.items()}, time.monotonic())
        self._judging = Judging(province)
        for device in self._of_device:
            self._judging.touch(device)
        self.loaded_at, self.load_good = time.time(), True
        self._moved.set()
        return gone

    async def run(self) -> None:
        """Ask until cancelled."""
        gc.freeze()  # the province and all that is asked stay: looking for garbage among them costs more than asking
        try:
            while True:
                self._moved.clear()
                now = time.monotonic()
                for key in self.schedule.due(now):
                    if len(self._running) >= self.at_once:
                        self.postponed += 1
                        self.schedule.hasten(key, now + LATER)
                    elif key in self._running:  # it was hastened: what it is waiting for in vain may be there now
                        self.schedule.hasten(key, now + AFTER_ANSWER)
                    else:
                        self._running[key] = asyncio.create_task(self._ask(self.asked[key]))
                soonest = self.schedule.soonest()
                pause = 60.0 if soonest is None else max(0.01, soonest - time.monotonic())
                await _first(self._moved, pause)
        finally:
            for task in self._running.values():
                task.cancel()
            await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _ask(self, question: Question) -> None:
        key = question.key
        try:
            reading = await ask(question.device, question.target, question.module, question.options)
            self._take(question, reading)
        finally:
            if self._running.get(key) is asyncio.current_task():
                del self._running[key]

    def _take(self, question: Question, reading: Reading) -> None:
        key = question.key
        tally = self.tallies.setdefault(key, Tally())
        tally.asked += 1
        tally.failed += not reading.success
        answered = reading.heard or not reading.asked
        tally.unanswered = 0 if answered else tally.unanswered + 1
        self.latest[key], self.received[key] = reading, time.monotonic()
        self._overdue.discard(key)
        self._judging.touch(question.device)
        self._judge_silence(question.device, answered)
        for listener in self.listeners:
            listener(question, reading)

    def _judge_silence(self, device: str, answered: bool) -> None:
        """Believe a silence once it is confirmed; ask everything in doubt again soon, whichever way it turned."""
        keys, was_silent = self._of_device[device], device in self._silent
        unanswered = [self.tallies[key].unanswered if key in self.tallies else 0 for key in keys]
        if any(key in self.tallies and not count for key, count in zip(keys, unanswered, strict=True)):
            self._silent.discard(device)
            self._unheard.discard(device)
        elif all(unanswered) and max(unanswered) >= CONFIRMATIONS:
            self._silent.add(device)
            self._unheard.discard(device)
        if was_silent is not (device in self._silent):
            self._look_around(self.province.devices[device].office, silent=was_silent)
            if was_silent:
                self._forgive(keys)
        moment = time.monotonic() + (0 if answered else CONFIRM_AFTER)
        for key, count in zip(keys, unanswered, strict=True):
            if answered:  # what stays unanswered while the device lives falls back to its own rhythm
                doubtful = count > 0 and (was_silent or count <= CONFIRMATIONS)
            else:
                doubtful = count < CONFIRMATIONS and not was_silent
            if doubtful:
                self.schedule.hasten(key, moment)
                self._moved.set()

    def _forgive(self, keys: list[Key]) -> None:
        """Count what a silence left unanswered as lost once: what is lost at the return, too, is soon asked again."""
        for key in keys:
            if (tally := self.tallies.get(key)) and tally.unanswered:
                tally.unanswered = 1

    def _is_known(self, device: str) -> bool:
        """Whether a device has answered or is silent for sure, by what is left of its readings."""
        known = (self.tallies.get(key) for key in self._of_device[device])
        return device in self._silent or any(tally is not None and not tally.unanswered for tally in known)

    def _look_around(self, office: str, *, silent: bool) -> None:
        """Ask soon what stands beside a device that fell silent or came back: what is `silent`, or what is not.

        So an office, and with it the way of all behind it, is known to be out or back within seconds, not intervals.
        """
        now = time.monotonic()
        if now - self._looked_around.get((office, silent), -math.inf) < LOOK_AGAIN:
            return
        self._looked_around[office, silent] = now
        near = (*ways_of(self.province.offices[office]), *(self._behind.get(office, ()) if silent else ()))
        gateways = (device for other in near for device in self.province.devices_of[other] if device.gateway)
        for device in (*self.province.devices_of[office], *gateways):
            keys = self._of_device.get(device.id)
            if keys and (device.id in self._silent) is silent:
                self.schedule.hasten(min(keys, key=lambda key: self.asked[key].module.interval), now)
        self._moved.set()

    def health(self) -> Health:
        """Return the states as of now, which change as readings come; only what these concern is judged again."""
        self._sweep(time.monotonic())
        return self._judging.health(self._fresh_of, self._silent, self._unheard)

    def _fresh_of(self, device: str) -> Iterator[tuple[Key, Reading]]:
        """Yield the readings of a device that are not overdue."""
        for key in self._of_device.get(device, ()):
            if key in self.latest and key not in self._overdue:
                yield key, self.latest[key]

    def _sweep(self, now: float) -> None:
        """Find the readings that have become overdue, every now and then."""
        if now - self._swept < SWEEP_EVERY:
            return
        self._swept = now
        for key, received in self.received.items():
            module = self.asked[key].module
            if now - received > OVERDUE * module.interval + module.timeout and key not in self._overdue:
                self._overdue.add(key)
                self._judging.touch(key[0])

    def fresh(self) -> Iterator[tuple[Key, Reading]]:
        """Yield the latest readings that are not overdue."""
        self._sweep(time.monotonic())
        return ((key, reading) for key, reading in self.latest.items() if key not in self._overdue)

    @property
    def devices_asked(self) -> Set[str]:
        """The devices that are asked anything."""
        return self._of_device.keys()

    def keys_of(self, device: str) -> tuple[Key, ...]:
        """Return the keys of the questions that a device is asked."""
        return tuple(self._of_device.get(device, ()))

    @property
    def running(self) -> int:
        """How many questions are under way."""
        return len(self._running)

    def progress(self) -> tuple[int, int]:
        """Return how many questions have a reading, and how many there are."""
        return len(self.latest), len(self.asked)


async def _first(event: asyncio.Event, seconds: float) -> None:
    """Return when the event is set or the time is over."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
