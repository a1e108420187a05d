"""How long a rollout will take and what its links will carry: guesses for people, made before and while it runs.

The course is played through as the engine would go if everything went well: waves in order, windows, limits, bakes.
Waiting for approval takes no time here.
"""

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from inventory.model import Link, Province
from inventory.windows import Hours
from ledger.connection import Ledger
from ledger.history import history, tasks
from ledger.states import State
from playbooks.job import Job
from playbooks.rollout.plan import RolloutPlan, Wave

_RUNS = 200  # of the newest ones, in which tasks of the same job are looked for
_ENOUGH = 500  # tasks for a median


@dataclass(frozen=True, slots=True)
class WaveEstimate:
    """When a wave begins, and when its gate is passed; None when no window opens for a device within a week."""

    name: str
    begins: datetime
    ends: datetime | None


@dataclass(frozen=True, slots=True)
class LinkEstimate:
    """What one link carries: so many devices, bytes, and seconds of its whole contracted bandwidth."""

    link: Link
    devices: int
    bytes: int

    @property
    def seconds(self) -> float:
        """How long the link is full."""
        return 8 * self.bytes / self.link.bandwidth if self.link.bandwidth else 0.0


def typical_seconds(ledger: Ledger, job: str) -> float | None:
    """Return how long a device took, in the median of the newest tasks of a job that changed it; None when none did."""
    found: list[float] = []
    for run in history(ledger, limit=_RUNS):
        if run.job == job and len(found) < _ENOUGH:
            for task in tasks(ledger, run.id):
                if task.state is State.CHANGED and task.began_at and task.ended_at:
                    took = datetime.fromisoformat(task.ended_at) - datetime.fromisoformat(task.began_at)
                    found.append(took.total_seconds())
    return median(found) if found else None


def seconds_of(province: Province, job: Job, devices: Iterable[str], typical: float | None) -> dict[str, float]:
    """Return how long each declared device will take: as others did, or as the job guesses and its slowest link allows.

    Seconds, by id.
    """
    declared = [device for device in devices if device in province.devices]
    if typical is not None:
        return dict.fromkeys(declared, typical)
    found = {}
    for device in declared:
        slowest = min((link.bandwidth for link in links_of(province, device) if link.bandwidth), default=0)
        found[device] = job.shape.takes + (8 * job.shape.bytes / slowest if slowest else 0.0)
    return found


def links_of(province: Province, device: str) -> tuple[Link, ...]:
    """Return the uplinks that lead from a device's office to the root, its own first."""
    office = province.offices[province.devices[device].office]
    found: list[Link] = []
    while office.uplink:
        found.append(office.uplink)
        office = province.offices[office.parent]
    return tuple(found)


def estimate_links(province: Province, job: Job, devices: Iterable[str]) -> tuple[LinkEstimate, ...]:
    """Return what each link carries when all of `devices` get the job, the one that is full the longest first."""
    counted = Counter(link.office for device in devices for link in links_of(province, device))
    made = [_link(province, job, office, count) for office, count in counted.items()]
    return tuple(sorted(made, key=lambda one: (-one.seconds, one.link.id)))


def _link(province: Province, job: Job, office: str, count: int) -> LinkEstimate:
    link = province.offices[office].uplink
    assert link, "only offices with an uplink are counted"
    return LinkEstimate(link, count, count * job.shape.bytes)


def estimate_waves(
    plan: RolloutPlan,
    waves: Sequence[Wave],
    hours: Mapping[str, Hours],
    seconds: Mapping[str, float],
    start: datetime,
) -> tuple[WaveEstimate, ...]:
    """Return when each of `waves` begins and ends when the first begins at `start` (aware)."""
    found: list[WaveEstimate] = []
    for wave in waves:
        ends = _Course(plan, hours, seconds).play(wave.devices, start)
        if ends is not None:
            ends += timedelta(seconds=plan.gate.bake)
        found.append(WaveEstimate(wave.name, start, ends))
        if ends is None:
            break
        start = ends
    return tuple(found)


class _Course:
    """One wave played through."""

    def __init__(self, plan: RolloutPlan, hours: Mapping[str, Hours], seconds: Mapping[str, float]) -> None:
        self._plan, self._hours, self._seconds = plan, hours, seconds
        self._working: list[tuple[datetime, str]] = []  # a heap: when a device is done, and its uplink
        self._busy: Counter[str] = Counter()

    def play(self, devices: Sequence[str], now: datetime) -> datetime | None:
        """Return when the last device is done; None when one can never be begun."""
        waiting = list(devices)
        while waiting:
            waiting = self._begin(waiting, now)
            if self._working:
                now = self._finish()
            elif waiting:
                openings = [self._hours[device].next_open(now) for device in waiting if device in self._hours]
                opens = min((moment for moment in openings if moment), default=None)
                if opens is None or opens <= now:
                    return None
                now = opens
        return max((done for done, _uplink in self._working), default=now)

    def _begin(self, waiting: Sequence[str], now: datetime) -> list[str]:
        """Begin what may be begun now, and return what is left."""
        left: list[str] = []
        is_open: dict[Hours, bool] = {}
        for device in waiting:
            hours, uplink = self._hours.get(device), self._plan.uplinks.get(device, "")
            if hours is not None and hours not in is_open:
                is_open[hours] = hours.is_open(now)
            full = len(self._working) >= self._plan.parallel
            if full or (hours is not None and not is_open[hours]) or self._is_full(uplink):
                left.append(device)
            else:
                done = now + timedelta(seconds=self._seconds[device])
                heapq.heappush(self._working, (done, uplink))
                self._busy[uplink] += 1
        return left

    def _is_full(self, uplink: str) -> bool:
        return bool(self._plan.per_uplink and uplink) and self._busy[uplink] >= self._plan.per_uplink

    def _finish(self) -> datetime:
        """Let the next device be done, and those that are done at the same moment, and return when."""
        done, uplink = heapq.heappop(self._working)
        self._busy[uplink] -= 1
        while self._working and self._working[0][0] <= done:
            self._busy[heapq.heappop(self._working)[1]] -= 1
        return done
