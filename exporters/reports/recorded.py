"""What the ledger has recorded of a period, for the reports."""

from collections.abc import Iterator, Sequence
from datetime import date
from functools import cache

from exporters.outages.node import Kind
from exporters.reports.evidence import Evidence
from exporters.reports.figures import Period
from exporters.reports.losses import NodeKey
from exporters.reports.stretches import moment_of
from ledger.connection import Ledger
from ledger.errors import UnknownOutageError
from ledger.outages import Outage, find_outage, outages_between
from ledger.watching import days, spans


def recorded(ledger: Ledger, period: Period) -> Evidence:
    """Return what is known of a period. Raises LedgerError."""
    begin, until = moment_of(period.begin), moment_of(period.until)
    outages = outages_between(ledger, begin, until)
    roots = tuple(_earlier_roots(ledger, outages))
    return Evidence((*outages, *roots), spans(ledger, begin, until), _known_days(ledger, period))


def _earlier_roots(ledger: Ledger, outages: Sequence[Outage]) -> Iterator[Outage]:
    """Yield the roots that were over before the period began, although what was behind them was not."""
    known = {outage.id for outage in outages}
    waiting = [outage.root for outage in outages if outage.root]
    while waiting:
        name = waiting.pop()
        if name in known:
            continue
        known.add(name)
        try:
            root = find_outage(ledger, name)
        except UnknownOutageError:
            continue
        yield root
        waiting += [root.root] if root.root else []


def _known_days(ledger: Ledger, period: Period) -> dict[NodeKey, frozenset[date]]:
    """Return the days on which offices and services were counted."""
    first, last = period.first.isoformat(), period.last.isoformat()
    found: dict[NodeKey, list[str]] = {}
    for kind in (Kind.OFFICE, Kind.SERVICE):
        for day in days(ledger, first, last, kind):
            found.setdefault((day.kind, day.node), []).append(day.day)
    whole = cache(lambda texts: frozenset(map(date.fromisoformat, texts)))  # nearly all have the same
    return {node: whole(tuple(texts)) for node, texts in found.items()}
