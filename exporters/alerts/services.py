"""Troubles of services: those that were down too much by their own fault, over the windows of the kit's rules."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from exporters.alerts.outages import seconds
from exporters.alerts.trouble import Trouble, trouble
from exporters.kit.course_alerts import BURNS, Burn
from exporters.outages.node import GRADES, Grade
from inventory.model import Province
from inventory.topology import State
from ledger.outages import Outage

NAMES = frozenset(BURNS)
_UNITS = {"m": 60.0, "h": 3600.0, "d": 86400.0}


def length(window: str) -> float:
    """Return the seconds of a window, such as "5m"."""
    return float(window[:-1]) * _UNITS[window[-1]]


LONGEST = max(length(burn.long) for burn in BURNS.values())
Span = tuple[float, float]  # Unix seconds


class Services:
    """Counts the outages of services as the ledger has them. What follows from another outage is told with that one."""

    def __init__(self, province: Callable[[], Province]) -> None:
        self._province = province
        self._found: Mapping[tuple[str, str], Trouble] = {}
        self._counted = False

    def take(self, rows: Sequence[Outage], at: float) -> None:
        """Count anew."""
        spans: dict[str, list[Span]] = {}
        for one in rows:
            if one.root is None and GRADES.get(State(one.state)) is Grade.AWAY:
                span = seconds(one.began), seconds(one.ended) if one.ended else at
                spans.setdefault(one.node, []).append(span)
        found = {}
        for service in spans.keys() & self._province().services.keys():
            for name, burn in BURNS.items():
                ratio = burns(burn, spans[service], at)
                if ratio is not None:
                    before = self._found.get((name, service))
                    since = before.since if before else at
                    found[name, service] = replace(trouble(name, service, since, service=service), value=ratio)
        self._found, self._counted = found, True

    def troubles(self, _at: float) -> Iterator[Trouble]:
        """Yield what is wrong."""
        yield from self._found.values()

    def ended(self, _trouble: Trouble, at: float) -> float | None:
        """Return now, once it was counted."""
        return at if self._counted else None


def burns(burn: Burn, spans: Sequence[Span], at: float) -> float | None:
    """Return for which share of the long window a service was down, if that is too much over both windows."""
    long, short = (_ratio(spans, length(window), at) for window in (burn.long, burn.short))
    return long if long > burn.limit and short > burn.limit else None


def _ratio(spans: Sequence[Span], window: float, at: float) -> float:
    return sum(max(0.0, min(ended, at) - max(began, at - window)) for began, ended in spans) / window
