"""The alerts' side of the ledger: what was told, what is still to be sent, and the outages as they stand.

All of it blocks, so that it is called in a thread. Every call may raise LedgerError.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from exporters.alerts.course import Draft, Known, Line, Phase
from exporters.alerts.outages import seconds
from exporters.alerts.services import LONGEST
from exporters.alerts.trouble import read, written
from exporters.alerts.words import text_of, title_of
from exporters.outages.node import Kind
from inventory.model import Province
from ledger.connection import Ledger
from ledger.notices import Notice, forget_notices_before, intend, notices_since, settle
from ledger.outages import Outage, outages_between
from ledger.records import new_id, stamp

KEPT = timedelta(days=90)  # longer than anything is left untold between two messages
LATELY = timedelta(minutes=10)  # in which the end of an outage is told


@dataclass
class Outbox:
    """What is written down of messages; `open_ledger` opens the ledger."""

    open_ledger: Callable[[], Ledger]
    _ledger: Ledger | None = None

    def outages(self, at: float) -> tuple[Outage, ...]:
        """Return the outages that last, and those that ended of late: of offices all, of other things the roots."""
        since, until = _moment(at) - LATELY, _moment(at) + LATELY
        return outages_between(self._opened(), since, until, Kind.OFFICE, roots=True)

    def of_services(self, at: float) -> tuple[Outage, ...]:
        """Return the outages of services within the longest time that an alert looks back upon."""
        return outages_between(self._opened(), _moment(at - LONGEST), _moment(at), Kind.SERVICE)

    def remember(self, at: float, token: int) -> tuple[Notice, ...]:
        """Return all messages that still mean something, after a restart; older ones are deleted."""
        forget_notices_before(self._opened(), _moment(at) - KEPT, token=token)
        return notices_since(self._opened(), _moment(at) - KEPT)

    def intend(self, notices: Sequence[Notice], token: int) -> None:
        """Write down messages before they are sent. Raises LeaseLostError."""
        intend(self._opened(), notices, token=token)

    def settle(self, notice: Notice, at: float, *, taken: bool, last: bool) -> None:
        """Write down what became of a message that was sent."""
        settle(self._opened(), notice.id, _moment(at), taken=taken, last=last)

    def shut(self) -> None:
        """Close the ledger."""
        if self._ledger is not None:
            self._ledger.close()
        self._ledger = None

    def _opened(self) -> Ledger:
        if self._ledger is None:
            self._ledger = self.open_ledger()
        return self._ledger


def notice_of(draft: Draft, province: Province, at: float) -> Notice:
    """Return a message as it is written down."""
    reader, zone, moment = draft.reader, ZoneInfo(province.time_zone), _moment(at)
    alerts = [{"phase": line.phase, "at": line.at, **written(line.trouble)} for line in draft.lines]
    title = title_of(draft.lines, province.name, reader.language)
    text = text_of(draft.lines, zone, reader.language)
    return Notice(new_id(moment), stamp(moment), reader.person, reader.key, title, text, alerts)


def known_of(notices: Iterable[Notice]) -> dict[str, Known]:
    """Return what each reader knows, by the messages that were written to them, oldest first."""
    found: dict[str, Known] = {}
    for notice in notices:
        if notice.given_up is None:
            found.setdefault(notice.address, Known()).take(_lines(notice), seconds(notice.made))
    return found


def _lines(notice: Notice) -> Iterable[Line]:
    for said in notice.alerts:
        if trouble := read(said):
            yield Line(Phase(said["phase"]), trouble, float(said["at"]))


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
