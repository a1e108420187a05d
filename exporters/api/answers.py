"""From a question to the items that answer it, ordered by their keys. Blocks, as the ledger is read; so in a thread."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

from exporters.api.asked import Asked
from exporters.api.items import DayItem, DeviceItem, OfficeItem, OutageItem, RolloutItem, ServiceItem, StateItem
from exporters.api.problems import ProblemError
from exporters.api.queries import Days, InState, Outages, Rollouts, Services, States
from exporters.outages.node import Kind, Node
from exporters.page.troubles import office_of
from inventory.export.items import device_item, office_item
from inventory.language import _
from inventory.model import Service
from inventory.topology import State
from ledger.outages import Outage, outages_between
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


def uptime(asked: Asked[Days]) -> Iterator[DayItem]:
    """Yield days; what a selector does not choose, or is not declared any more, is left out."""
    query = asked.query
    last = query.last or asked.now.astimezone(asked.zone).date()
    first = query.first or _earlier(last)
    if first > last:
        raise _bad("first", _("'first' is later than 'last'"))
    begin = max(str(first), query.after[:_DAY])  # what lies before `after` need not be read
    for day in days(asked.ledger(), begin, str(last), query.kind):
        if asked.is_wanted(Node(Kind(day.kind), day.node)):
            yield DayItem(**asdict(day), available=available(day))


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
