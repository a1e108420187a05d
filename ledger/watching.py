"""When the watch was on, and what each day was like for each node, kept for thirteen months."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, Table, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ledger.connection import Ledger
from ledger.leases import check_token
from ledger.outages import WATCH
from ledger.records import stamp
from ledger.schema import DAILY, WATCH_SPAN

_INSERTS: Mapping[str, Callable[[Table], sqlite.Insert | postgresql.Insert]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}
_KEY = ("day", "kind", "node")
_SUMS = ("up", "degraded", "down", "unreachable", "maintenance", "asked", "unanswered", "trips", "trip_seconds")


@dataclass(frozen=True, slots=True)
class Span:
    """The watch was on in [began, until]; between two spans nothing is known of anything."""

    began: str
    until: str


@dataclass(frozen=True, slots=True)
class Day:
    """A node's local day: seconds in each state, questions and those unanswered, round trips of pings in seconds.

    `trips` counts the pings that were answered, `trip_seconds` is their sum. What a day lacks to 24 hours is unknown.
    """

    day: str
    kind: str
    node: str
    up: float = 0.0
    degraded: float = 0.0
    down: float = 0.0
    unreachable: float = 0.0
    maintenance: float = 0.0
    asked: int = 0
    unanswered: int = 0
    trips: int = 0
    trip_seconds: float = 0.0
    longest_trip: float = 0.0


def begin_span(ledger: Ledger, at: datetime, *, token: int) -> str:
    """Write down that the watch is on from now, and return the span's beginning, its name."""
    began = stamp(at)
    with ledger.write() as connection:
        check_token(connection, WATCH, token)
        connection.execute(insert(WATCH_SPAN).values(began=began, until=began))
    return began


def extend_span(ledger: Ledger, began: str, until: datetime, days: Sequence[Day] = (), *, token: int) -> None:
    """Write down that the watch is still on, and add what it counted to the days. Raises LeaseLostError."""
    with ledger.write() as connection:
        check_token(connection, WATCH, token)
        connection.execute(update(WATCH_SPAN).where(WATCH_SPAN.c.began == began).values(until=stamp(until)))
        if days:
            _add(connection, days)


def _add(connection: Connection, days: Sequence[Day]) -> None:
    dialect = connection.dialect.name
    made = _INSERTS[dialect](DAILY)
    longest = func.max if dialect == "sqlite" else func.greatest
    sums = {name: DAILY.c[name] + made.excluded[name] for name in _SUMS}
    sums["longest_trip"] = longest(DAILY.c.longest_trip, made.excluded.longest_trip)
    connection.execute(made.on_conflict_do_update(index_elements=_KEY, set_=sums), [asdict(day) for day in days])


def forget_before(ledger: Ledger, day: str, *, token: int) -> int:
    """Delete the days before that one, and return how many rows they were."""
    with ledger.write() as connection:
        check_token(connection, WATCH, token)
        return connection.execute(delete(DAILY).where(DAILY.c.day < day)).rowcount


def spans(ledger: Ledger, since: datetime, until: datetime) -> tuple[Span, ...]:
    """Return when the watch was on, of which any part lies in [since, until), oldest first."""
    wanted = select(WATCH_SPAN).where(WATCH_SPAN.c.began < stamp(until), WATCH_SPAN.c.until > stamp(since))
    with ledger.read() as connection:
        return tuple(Span(*row) for row in connection.execute(wanted.order_by(WATCH_SPAN.c.began)))


def days(ledger: Ledger, first: str, last: str, kind: str = "", node: str = "") -> tuple[Day, ...]:
    """Return the days from `first` to `last`, of one kind or one node if told, in order."""
    wanted = select(DAILY).where(DAILY.c.day >= first, DAILY.c.day <= last)
    if kind:
        wanted = wanted.where(DAILY.c.kind == kind)
    if node:
        wanted = wanted.where(DAILY.c.node == node)
    with ledger.read() as connection:
        rows = connection.execute(wanted.order_by(DAILY.c.day, DAILY.c.kind, DAILY.c.node))
        return tuple(Day(**row._mapping) for row in rows)
