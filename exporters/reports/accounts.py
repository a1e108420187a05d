"""Losses become figures: what one node went through in a period, what several did together, and what causes cost."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from exporters.outages.node import Grade
from exporters.reports.clock import Clock
from exporters.reports.figures import Amounts, CauseFigures, Figures, Period
from exporters.reports.losses import Loss
from exporters.reports.stretches import Measure, read
from ledger.outages import Outage


class Cost(NamedTuple):
    """For how long, in observed microseconds of the period, a node suffered from a root outage."""

    node: str
    loss: Loss
    time: int


@dataclass(frozen=True, slots=True)
class Account:
    """What one or several nodes went through. `roots`: the outages that took any of them away, by their ids."""

    all_hours: Amounts = field(default_factory=Amounts)
    working_hours: Amounts = field(default_factory=Amounts)
    roots: Mapping[str, Outage] = field(default_factory=dict)
    longest: int = 0
    costs: tuple[Cost, ...] = ()


def account(node: str, losses: Sequence[Loss], clock: Clock, since: int) -> Account:
    """Return what a node went through from `since` (microseconds) on, or from when the period began."""
    since = max(since, clock.period.begin)
    costs = tuple(_costs(node, losses, clock, since))
    return Account(
        _amounts(losses, clock.whole, clock.watched, since, clock.period.until),
        _amounts(losses, clock.hours, clock.worked, since, clock.period.until),
        {cost.loss.root.id: cost.loss.root for cost in costs if cost.loss.grade is Grade.AWAY},
        _longest(losses, clock, since),
        costs,
    )


def together(accounts: Iterable[Account]) -> Account:
    """Return what several nodes went through together."""
    found = tuple(accounts)
    return Account(
        sum((one.all_hours for one in found), Amounts()),
        sum((one.working_hours for one in found), Amounts()),
        {name: root for one in found for name, root in one.roots.items()},
        max((one.longest for one in found), default=0),
        tuple(cost for one in found for cost in one.costs),
    )


def figures(one: Account, period: Period) -> Figures:
    """Return the figures of an account."""
    repairs = [end - read(root.began) for root in one.roots.values() if (end := _repaired(root, period))]
    return Figures(one.all_hours, one.working_hours, len(one.roots), len(repairs), sum(repairs), one.longest)


def cause_figures(costs: Iterable[Cost]) -> dict[str, CauseFigures]:
    """Return what each cause cost, by its name."""
    by_cause: dict[str, list[Cost]] = {}
    for cost in costs:
        by_cause.setdefault(cost.loss.cause, []).append(cost)
    return {cause: _cause(own) for cause, own in by_cause.items()}


def _costs(node: str, losses: Sequence[Loss], clock: Clock, since: int) -> Iterator[Cost]:
    for loss in losses:
        if time := clock.watched.between(max(loss.begin, since), min(loss.end, clock.period.until)):
            yield Cost(node, loss, time)


def _amounts(losses: Sequence[Loss], whole: Measure, observed: Measure, since: int, until: int) -> Amounts:
    """Return how the time of `whole` went by in [since, until), of which only `observed` is known."""
    sums = dict.fromkeys(Grade, 0)
    behind = 0
    for loss in losses:
        time = observed.between(max(loss.begin, since), min(loss.end, until))
        sums[loss.grade] += time
        behind += time if loss.grade is Grade.AWAY and loss.behind else 0
    known = observed.between(since, until)
    unknown = whole.between(since, until) - known
    return Amounts(known, unknown, sums[Grade.AWAY], behind, sums[Grade.DEGRADED], sums[Grade.MAINTENANCE])


def _longest(losses: Iterable[Loss], clock: Clock, since: int) -> int:
    """Return the longest time away without coming back; what was not observed of it does not count, nor end it."""
    longest = current = end = 0
    for loss in losses:
        if loss.grade is Grade.AWAY:
            time = clock.watched.between(max(loss.begin, since), min(loss.end, clock.period.until))
            current = time + (current if loss.begin == end else 0)
            longest, end = max(longest, current), loss.end
    return longest


def _repaired(root: Outage, period: Period) -> int | None:
    """Return when a root outage ended, in microseconds, if it did within the period."""
    end = read(root.ended) if root.ended else None
    return end if end is not None and period.begin < end <= period.until else None


def _cause(costs: Sequence[Cost]) -> CauseFigures:
    away = [cost for cost in costs if cost.loss.grade is Grade.AWAY]
    behind = [cost for cost in away if cost.loss.behind]
    return CauseFigures(
        outages=len({cost.loss.root.id for cost in costs if cost.loss.grade is not Grade.DEGRADED}),
        own=sum(cost.time for cost in away if not cost.loss.behind),
        behind=sum(cost.time for cost in behind),
        nodes_behind=len({cost.node for cost in behind}),
        degraded=sum(cost.time for cost in costs if cost.loss.grade is Grade.DEGRADED),
        maintenance=sum(cost.time for cost in costs if cost.loss.grade is Grade.MAINTENANCE),
    )
