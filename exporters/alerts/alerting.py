"""Telling people: every few seconds, what is wrong, who is to know of it, and what is to be sent.

Only the watch that writes the outages down tells anybody, and only what is in the ledger is sent.
"""

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from math import ceil
from zoneinfo import ZoneInfo

from exporters.alerts.course import Course, Draft, Known, Now
from exporters.alerts.inhibition import inhibited
from exporters.alerts.lines import NAMES as OF_LINES
from exporters.alerts.lines import Lines
from exporters.alerts.mail import Mail
from exporters.alerts.outages import NAMES as OF_OUTAGES
from exporters.alerts.outages import Outages
from exporters.alerts.outbox import Outbox, known_of, notice_of
from exporters.alerts.own import NAMES as OF_WATCH
from exporters.alerts.own import Own
from exporters.alerts.readers import Reader, readers_of
from exporters.alerts.services import NAMES as OF_SERVICES
from exporters.alerts.services import Services
from exporters.alerts.signs import NAMES as OF_SIGNS
from exporters.alerts.signs import Signs
from exporters.alerts.source import Source
from exporters.alerts.trouble import Trouble
from exporters.alerts.unread import Unread
from exporters.kit.alert import Scope
from exporters.kit.alertmanager import inhibitions
from exporters.kit.settings import KitSettings
from exporters.outages.keeping import Keeping
from exporters.outages.node import Grade, Kind, Node
from inventory.language import _
from inventory.model import Province
from ledger.errors import LeaseLostError, LedgerError

log = logging.getLogger("tuyen.watch")
EVERY = 5.0  # seconds between two looks
COUNT_EVERY = 30.0  # between two counts of how long services were down


class Alerting:
    """The alerts of one watch, whose `keeping` says what is planned, and whether this watch is the one who writes."""

    def __init__(self, keeping: Keeping, outbox: Outbox) -> None:
        self._keeping, self._watch, self._outbox = keeping, keeping.watch, outbox
        self._outages = Outages(lambda: self._watch.province)
        self._services = Services(lambda: self._watch.province)
        self._sources: Mapping[str, Source] = {
            **dict.fromkeys((name for names in OF_OUTAGES.values() for name in names), self._outages),
            **dict.fromkeys(OF_SIGNS, Signs(self._watch)),
            **dict.fromkeys(OF_LINES, Lines(self._watch)),
            **dict.fromkeys(OF_SERVICES, self._services),
            **dict.fromkeys(OF_WATCH, Own(self._watch)),
        }
        self._known: dict[str, Known] | None = None  # by reader; None: as the ledger has it
        self._mail, self._unread = Mail(outbox, self._forget), Unread()
        self._of: tuple[Province | None, Mapping[str, Reader], Sequence[Mapping[str, object]]] = (None, {}, ())
        self._told, self._count_at = "", 0.0

    async def run(self) -> None:
        """Look and tell until cancelled; then wait for what is on its way."""
        try:
            while True:
                await self._once(time.time())
                await asyncio.sleep(EVERY)
        finally:
            await self._mail.end()
            self._outbox.shut()

    async def _once(self, at: float) -> None:
        token = self._keeping.book.token
        if self._watch.province.alerts.by != "tuyen" or token is None:
            self._forget()
            return
        try:
            await self._look(at, token)
        except LedgerError as error:
            if isinstance(error, LeaseLostError):
                self._forget()
            self._say(str(error))
            await self._note(at, good=False)
        else:
            self._say("")
            await self._note(at, good=self._keeping.is_written)

    async def _note(self, at: float, *, good: bool) -> None:
        """Note whether the ledger could be used, by what keeps the outages, too."""
        note = self._unread.work if good else self._unread.fail
        await note(self._watch.province, self._readers().values(), at)

    async def _look(self, at: float, token: int) -> None:
        if self._known is None:
            notices = await asyncio.to_thread(self._outbox.remember, at, token)
            self._mail.waiting.clear()
            self._mail.take(notices)
            self._known = known_of(notices)
        self._outages.take(await asyncio.to_thread(self._outbox.outages, at))
        if at >= self._count_at:
            self._services.take(await asyncio.to_thread(self._outbox.of_services, at), at)
            self._count_at = at + COUNT_EVERY
        province, readers = self._watch.province, self._readers()
        drafts = self._drafts(province, readers, self._now(at))
        if drafts:
            notices = tuple(notice_of(draft, province, at) for draft in drafts)
            await asyncio.to_thread(self._outbox.intend, notices, token)
            self._mail.take(notices)
            for draft in drafts:
                self._known[draft.reader.key].take(draft.lines, at)
        self._mail.send(readers, province.alerts, at)

    def _drafts(self, province: Province, readers: Mapping[str, Reader], now: Now) -> tuple[Draft, ...]:
        """Return what is to be told; nothing more to a reader for whom something waits."""
        assert self._known is not None, "what is known was read before"
        course = Course(province.alerts, KitSettings(ping=ceil(province.modules["icmp"].interval)))
        free = [reader for key, reader in readers.items() if not self._mail.waiting.get(key)]
        found = (course.drafts(reader, self._known.setdefault(reader.key, Known()), now) for reader in free)
        return tuple(draft for drafts in found for draft in drafts)

    def _now(self, at: float) -> Now:
        sources = dict.fromkeys(self._sources.values())
        found = [trouble for source in sources for trouble in source.troubles(at)]
        quiet = self._outages.acknowledged(at) | self._keeping.planned(at).keys()
        found = [replace(one, muted=one.muted or self._is_quiet(one, quiet)) for one in found]
        troubles = {one.id: one for one in inhibited(found, self._of[2])}

        def ended(trouble: Trouble) -> float | None:
            if self._is_away(trouble):
                return None
            return self._sources[trouble.name].ended(trouble, at) if trouble.name in self._sources else at

        return Now(troubles, ended, at, ZoneInfo(self._watch.province.time_zone))

    def _is_quiet(self, trouble: Trouble, quiet: Set[Node]) -> bool:
        """Whether nobody is to be told for now, also as what was away answers, and only its outage is not over yet."""
        node = self._outages.node(trouble)
        return not quiet.isdisjoint(_nodes(trouble)) or (node is not None and node not in self._keeping.faults)

    def _is_away(self, trouble: Trouble) -> bool:
        """Whether what was out is still away, be it for another reason, or worked on: that is not the end."""
        node, keeping = self._outages.node(trouble), self._keeping
        if node is None:
            return False
        faults = (keeping.faults.get(node), one.fault if (one := keeping.memory.open.get(node)) else None)
        return any(fault is not None and fault.grade is not Grade.DEGRADED for fault in faults)

    def _readers(self) -> Mapping[str, Reader]:
        province = self._watch.province
        if self._of[0] is not province:
            self._of = (province, readers_of(province), inhibitions(province))
        return self._of[1]

    def _forget(self) -> None:
        self._known = None

    def _say(self, trouble: str) -> None:
        if trouble and trouble != self._told:
            log.warning(_("alerts are not written down for now: %s"), trouble)
        self._told = trouble


def _nodes(trouble: Trouble) -> Iterable[Node]:
    """Yield what a trouble is about, and what that stands in: who takes care of any of it takes care of the trouble."""
    labels = trouble.labels
    if office := trouble.office:
        yield Node(Kind.OFFICE, office)
        if labels["scope"] == Scope.LINK:
            yield Node(Kind.LINK, f"{office}.uplink")
    if device := labels.get("device"):
        yield Node(Kind.DEVICE, device)
    if service := labels.get("service"):
        yield Node(Kind.SERVICE, service)
