"""What each local day was like for each node: seconds in each state, questions, round trips. Counted as it happens."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from exporters.outages.node import Kind, Node
from exporters.reading import Reading
from inventory.topology import State
from ledger.watching import Day

_PING = "probe_icmp_duration_seconds"


@dataclass
class _Sums:
    """What one node has gathered since the last time it was taken away."""

    seconds: dict[State, float] = field(default_factory=dict)
    asked: int = 0
    unanswered: int = 0
    trips: int = 0
    trip_seconds: float = 0.0
    longest_trip: float = 0.0


class Days:
    """Counts until somebody takes the sums away. Moments are Unix seconds; one before the last counts nothing."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._now: dict[Node, tuple[State, float]] = {}
        self._sums: dict[tuple[str, Node], _Sums] = {}
        self._day = ""
        self._midnight = 0.0  # at which the day ends

    def look(self, states: Iterable[tuple[Node, State]], at: float) -> None:
        """Take the states of everything as of `at`; what is not among them is unknown from now on."""
        self._turn_day(at)
        seen: dict[Node, tuple[State, float]] = {}
        for node, state in states:
            before = self._now.get(node)
            if before is not None and before[0] is state:
                seen[node] = before
            else:
                seen[node] = (state, at)
                self._count(node, at)
        for node in self._now.keys() - seen.keys():
            self._count(node, at)
        self._now = seen

    def take(self, reading: Reading, at: float) -> None:
        """Count one answer, or that there was none."""
        if not reading.asked:
            return
        self._turn_day(at)
        sums = self._of(Node(Kind.DEVICE, reading.device))
        sums.asked += 1
        sums.unanswered += not reading.heard
        for metric in reading.metrics:
            if metric.name == _PING:
                sums.trips += 1
                sums.trip_seconds += metric.value
                sums.longest_trip = max(sums.longest_trip, metric.value)

    def take_away(self, at: float) -> tuple[Day, ...]:
        """Return what was counted since the last time, up to `at`."""
        self._turn_day(at)
        self._count_all(at)
        taken, self._sums = self._sums, {}
        return tuple(_day(day, node, sums) for (day, node), sums in taken.items())

    def _turn_day(self, at: float) -> None:
        while at >= self._midnight:
            if self._day:
                self._count_all(self._midnight)
            moment = datetime.fromtimestamp(max(at if not self._day else self._midnight, 0), self._zone)
            self._day = moment.date().isoformat()
            self._midnight = _end_of(moment.date(), self._zone)

    def _count_all(self, at: float) -> None:
        for node, (state, _since) in list(self._now.items()):
            self._count(node, at)
            self._now[node] = (state, at)

    def _count(self, node: Node, at: float) -> None:
        state, since = self._now.get(node, (State.UNKNOWN, at))
        if state is not State.UNKNOWN and at > since:
            seconds = self._of(node).seconds
            seconds[state] = seconds.get(state, 0.0) + at - since

    def _of(self, node: Node) -> _Sums:
        return self._sums.setdefault((self._day, node), _Sums())


def _end_of(day: date, zone: ZoneInfo) -> float:
    return datetime.combine(day + timedelta(days=1), time.min, zone).timestamp()


def _day(day: str, node: Node, sums: _Sums) -> Day:
    return Day(
        day=day,
        kind=str(node.kind),
        node=node.id,
        asked=sums.asked,
        unanswered=sums.unanswered,
        trips=sums.trips,
        trip_seconds=sums.trip_seconds,
        longest_trip=sums.longest_trip,
        **{str(state): round(seconds, 3) for state, seconds in sums.seconds.items()},
    )
