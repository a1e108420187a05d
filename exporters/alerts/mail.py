"""Sending what was written down: one message after the other to each reader, again and again until it is taken."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from exporters.alerts.outages import seconds
from exporters.alerts.outbox import Outbox
from exporters.alerts.readers import Reader
from exporters.notify import deliver, service_url, shown
from inventory.language import _
from inventory.model import AlertSettings
from ledger.errors import LedgerError
from ledger.notices import Notice

log = logging.getLogger("tuyen.watch")
FIRST, SLOWEST = 30.0, 600.0  # seconds until a message is tried again: twice as long each time
PATIENCE = 86400.0  # seconds after which it is given up
AT_ONCE = 8  # messages
LAST_WAIT = 20.0  # seconds for what is on its way when the watch ends


@dataclass
class Mail:
    """What waits to be sent, by reader, oldest first. `lost` is called when something is given up."""

    outbox: Outbox
    lost: Callable[[], None]
    waiting: dict[str, list[Notice]] = field(default_factory=dict)
    _again: dict[str, float] = field(default_factory=dict)  # by reader: not before that moment
    _sending: dict[str, "asyncio.Task[None]"] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)  # what was taken, and is not written down yet

    def take(self, notices: Iterable[Notice]) -> None:
        """Take what was written down and not yet sent."""
        for notice in notices:
            if notice.sent is None and notice.given_up is None:
                self.waiting.setdefault(notice.address, []).append(notice)

    def send(self, readers: Mapping[str, Reader], settings: AlertSettings, at: float) -> None:
        """Begin to send what is due."""
        for key, notices in self.waiting.items():
            if notices and key not in self._sending and len(self._sending) < AT_ONCE and at >= self._again.get(key, 0):
                send = self._send(notices[0], readers.get(key), settings, at)
                self._sending[key] = asyncio.create_task(send)

    async def end(self) -> None:
        """Wait for what is on its way, so that it is written down that it was taken."""
        if self._sending:
            await asyncio.wait(self._sending.values(), timeout=LAST_WAIT)

    async def _send(self, notice: Notice, reader: Reader | None, settings: AlertSettings, at: float) -> None:
        try:
            if reader and notice.id not in self._taken and await asyncio.to_thread(_deliver, notice, reader, settings):
                self._taken.add(notice.id)
            taken = notice.id in self._taken
            last = reader is None or at - seconds(notice.made) > PATIENCE
            await asyncio.to_thread(self.outbox.settle, notice, at, taken=taken, last=last)
            self._taken.discard(notice.id)
            self._settle(notice, at, taken=taken, last=last)
        except LedgerError as error:  # what was taken is not sent again, as long as this process lives
            log.warning(_("alerts are not written down for now: %s"), error)
            self._again[notice.address] = at + FIRST
        finally:
            del self._sending[notice.address]

    def _settle(self, notice: Notice, at: float, *, taken: bool, last: bool) -> None:
        others = [one for one in self.waiting.get(notice.address, ()) if one.id != notice.id]
        if taken or last:
            self.waiting[notice.address] = others
            self._again.pop(notice.address, None)
        else:
            tries = notice.tries + 1
            self.waiting[notice.address] = [replace(notice, tries=tries), *others]
            self._again[notice.address] = at + min(SLOWEST, FIRST * 2 ** min(tries - 1, 9))
        if last and not taken:
            self.lost()


def _deliver(notice: Notice, reader: Reader, settings: AlertSettings) -> bool:
    taken = deliver(service_url(reader.address, settings.relay, settings.sender), notice.title, notice.text)
    if not taken and not notice.tries:
        log.error(_("'%s' could not be told to %s; it is tried again"), notice.title, shown(reader.address))
    return taken
