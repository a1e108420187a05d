"""Who is to be worked on: now, in order of urgency and within the limits, or not before some moment."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from playbooks.rollout.situation import Situation
from playbooks.rollout.state import APPLY, ROLLBACK, DeviceState

Work = tuple[str, str]  # device and step


@dataclass(frozen=True, slots=True)
class Due:
    """What could be begun now, the most urgent first, and when more can be."""

    now: tuple[Work, ...]
    later: tuple[datetime, ...]

    def __add__(self, other: "Due") -> "Due":
        """Return both, what is here first."""
        return Due(self.now + other.now, self.later + other.later)


def due_applies(here: Situation) -> Due:
    """Return who is to get the job: first those whose turn has come, then those who were away, longest due first."""
    fresh: list[str] = []
    owed: list[tuple[datetime, str]] = []
    later: list[datetime] = []
    for device, status in here.begun():
        if not status.to_be_applied:
            continue
        ready = here.ready(status)
        if ready > here.now:
            later.append(ready)
        elif not here.is_open(device):
            later.extend(moment for moment in [here.opens(device)] if moment)
        elif status.state is DeviceState.OWED:
            owed.append((ready, device))
        else:
            fresh.append(device)
    owed.sort(key=lambda one: one[0])
    return Due(tuple((device, APPLY) for device in (*fresh, *(device for _ready, device in owed))), tuple(later))


def due_rollbacks(here: Situation, named: Iterable[str]) -> Due:
    """Return who is to be put back: those that are named, and those that failed by themselves. At any hour."""
    wanted = frozenset(named)
    now: list[Work] = []
    later: list[datetime] = []
    for device, status in here.begun():
        if status.state is DeviceState.AT_WORK or not (device in wanted or here.by_itself(device, status)):
            continue
        tried = status.state is DeviceState.OWED and status.step == ROLLBACK
        if tried and (ready := here.ready(status)) > here.now:
            later.append(ready)
        else:
            now.append((device, ROLLBACK))
    return Due(tuple(now), tuple(later))


def within_limits(here: Situation, wanted: Sequence[Work]) -> tuple[Work, ...]:
    """Return those of `wanted` that may be begun beside what is at work already."""
    if not wanted:
        return ()
    uplinks, limit = here.plan.uplinks, here.plan.per_uplink
    at_work = [device for device, status in here.begun() if status.state is DeviceState.AT_WORK]
    busy = Counter(uplinks.get(device, "") for device in at_work)
    room = here.plan.parallel - len(at_work)
    chosen: list[Work] = []
    for device, step in wanted:
        if len(chosen) >= room:
            break
        uplink = uplinks.get(device, "")
        if limit and uplink and busy[uplink] >= limit:
            continue
        busy[uplink] += 1
        chosen.append((device, step))
    return tuple(chosen)
