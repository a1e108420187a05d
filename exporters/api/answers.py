"""From a question to the items that answer it, ordered by their keys. Blocks, as the ledger is read; so in a thread."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

from exporters.api.asked import Asked
from exporters.api.items import (
    DayItem,
    DeviceItem,
    OfficeItem,
    OutageItem,
    PlannedItem,
    RolloutItem,
    ServiceItem,
    StateItem,
)
from exporters.api.problems import ProblemError
from exporters.api.queries import Chosen, Days, InState, Outages, Rollouts, Services, States
from exporters.outages.book import KEPT
from exporters.outages.node import Kind, Node
from exporters.outages.work import Coming
from exporters.page.troubles import office_of
from inventory.export.items import device_item, office_item
from inventory.language import _
from inventory.model import Service
from inventory.topology import State
from ledger.outages import Outage, outages_between
from ledger.records import stamp
from ledger.watching import Day, days

USUAL = timedelta(days=7)  # of the past
_DAY = len("2026-10-31")  # with which the key of a day begins


def _later(asked: Asked[Any], names: Iterable[str]) -> list[str]:
    """Return the ids that come after those of the page before, in order, so that nothing else is made of the others."""
    return sorted(name for name in names if name > asked.query.after)


def offices(asked: Asked[InState]) -> Iterator[OfficeItem]:
    """Yield offices."""
    for name in _later(asked, asked.offices):
        state, reason = _state(asked, Node(Kind.OFFICE, name))
        if asked.query.state in (None, state):
            item = office_item(asked.province, asked.province.offices[name])
            yield OfficeItem(**item, state=state, reason=reason)


def devices(asked: Asked[InState]) -> Iterator[DeviceItem]:
    """Yield devices."""
    for name in _later(asked, asked.devices):
        state, reason = _state(asked, Node(Kind.DEVICE, name))
        if asked.query.state in (None, state):
            item = device_item(asked.province, asked.province.devices[name])
            yield DeviceItem(**item, state=state, reason=reason)


def services(asked: Asked[Services]) -> Iterator[ServiceItem]:
    """Yield services."""
    for name in _later(asked, asked.province.services):
        state, reason = _state(asked, Node(Kind.SERVICE, name))
        if asked.query.state in (None, state):
            yield _service(asked, asked.province.services[name], state, reason)


def _service(asked: Asked[Services], service: Service, state: State, reason: str) -> ServiceItem:
    depending = [office for office in service.offices if office in asked.inside]
    return ServiceItem(
        id=service.id, name=service.name, needs=list(service.needs), offices=depending, state=state, reason=reason
    )


def states(asked: Asked[States]) -> Iterator[StateItem]:
    """Yield the states of everything that is asked anything."""
    found = [Node(kind, name) for kind, known in asked.snapshot.states.items() for name in known]
    for node in sorted(found):
        if asked.query.kind in (None, node.kind) and asked.is_wanted(node):
            state, reason = _state(asked, node)
            if asked.query.state in (None, state):
                office = "" if node.kind is Kind.SERVICE else office_of(asked.province, node)
                yield StateItem(kind=node.kind, id=node.id, office=office, state=state, reason=reason)


def _state(asked: Asked[InState] | Asked[Services] | Asked[States], node: Node) -> tuple[State, str]:
    reason = asked.snapshot.reasons.get(node.id, "") if asked.is_told(node) else ""
    return asked.snapshot.state(node), reason


def outages(asked: Asked[Outages]) -> Iterator[OutageItem]:
    """Yield outages of which any part lies in the time that is asked for."""
    query = asked.query
    until = query.until or asked.now
    since = query.since or until - USUAL
    if since > until:
        raise _bad("since", _("'since' is later than 'until'"))
    found = {outage.id: outage for outage in outages_between(asked.ledger(), since, until)}
    for name in _later(asked, found):
        outage = found[name]
        node = Node(Kind(outage.kind), outage.node)
        if _is_meant(query, outage) and asked.is_wanted(node):
            yield _outage(outage, asked.now, told=asked.is_told(node))


def _is_meant(query: Outages, outage: Outage) -> bool:
    return (
        query.kind in (None, outage.kind)
        and query.cause in (None, outage.cause)
        and query.open in (None, outage.ended is None)
        and not (query.roots and outage.root)
    )


def _outage(outage: Outage, now: datetime, *, told: bool) -> OutageItem:
    ended = datetime.fromisoformat(outage.ended) if outage.ended else now
    seconds = max(0.0, (ended - datetime.fromisoformat(outage.began)).total_seconds())
    untold = {} if told else {"evidence": {}, "note": "", "noted_by": "", "acked_by": "", "cause_by": ""}
    return OutageItem(**{**asdict(outage), "seconds": seconds, **untold})


def planned(asked: Asked[Chosen]) -> Iterator[PlannedItem]:
    """Yield the work that is under way or to come on what is chosen, the first to begin first."""
    for work in asked.snapshot.coming:
        if any(asked.is_wanted(node) for node in work.nodes):
            yield _planned(asked, work)


def _planned(asked: Asked[Chosen], work: Coming) -> PlannedItem:
    seen = [node for node in work.nodes if node.kind is Kind.SERVICE or office_of(asked.province, node) in asked.inside]
    told = all(asked.is_told(node) for node in work.nodes)  # its words may name other districts' devices
    return PlannedItem(
        id=work.id,
        began=_stamp(work.began),
        until=_stamp(work.until),
        recurring=work.recurring,
        under_way=work.under_way,
        selector=work.selector if told else "",
        offices=[node.id for node in seen if node.kind is Kind.OFFICE],
        services=[node.id for node in seen if node.kind is Kind.SERVICE],
        devices=[node.id for node in seen if node.kind is Kind.DEVICE],
        why=work.why if told else "",
        person=work.person if told else "",
    )


def _stamp(at: float) -> str:
    return stamp(datetime.fromtimestamp(at, UTC))


def uptime(asked: Asked[Days]) -> Iterator[DayItem]:
    """Yield days; what a selector does not choose, or is not declared any more, is left out."""
    query = asked.query
    last = query.last or asked.now.astimezone(asked.zone).date()
    first = query.first or _earlier(last)
    if first > last:
        raise _bad("first", _("'first' is later than 'last'"))
    for day in _kept(max(str(first), query.after[:_DAY]), last, asked.now.date()):
        for one in sorted(days(asked.ledger(), day, day, query.kind), key=lambda one: one.node):
            if asked.is_wanted(Node(Kind(one.kind), one.node)):
                yield DayItem(**asdict(one), available=available(one))


def _kept(first: str, last: date, today: date) -> Iterator[str]:
    """Yield the days from `first` to `last` of which the ledger may know anything, so that they are read one by one."""
    end = min(last, today + timedelta(days=1))  # the province may be ahead
    for number in range((today - KEPT).toordinal() - 1, end.toordinal() + 1):
        if (day := str(date.fromordinal(number))) >= first:
            yield day


def _earlier(last: date) -> date:
    return max(date.min + USUAL, last) - USUAL


def available(day: Day) -> float | None:
    """Return the share of the time that counts; planned work does not, nor does what is not known."""
    up, out = day.up + day.degraded, day.down + day.unreachable
    return up / (up + out) if up + out > 0 else None


def rollouts(asked: Asked[Rollouts]) -> Iterator[RolloutItem]:
    """Yield rollouts: numbers only, which everybody who is logged in may see."""
    for figures in sorted(asked.rollouts(), key=lambda one: one.rollout):
        if asked.query.status in ("", figures.status):
            yield RolloutItem(**{**asdict(figures), "devices": dict(figures.devices)})


def _bad(parameter: str, why: str) -> ProblemError:
    return ProblemError("parameter", why, {parameter: why})
