"""What is told when the ledger cannot be used for long: without it nothing else can be told once and only once."""

import asyncio
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from exporters.alerts.course import Line, Phase
from exporters.alerts.readers import Reader
from exporters.alerts.trouble import trouble
from exporters.alerts.words import text_of, title_of
from exporters.kit.alert import wait_of
from exporters.kit.rules import ALERTS
from exporters.kit.settings import KitSettings
from exporters.notify import deliver, service_url
from inventory.model import Province

NAME = "RolloutsUnread"  # the kit's alert for a ledger that is away
_WAIT = wait_of(ALERTS[NAME], KitSettings())


class Unread:
    """Tells those of the whole province, once, that the ledger cannot be used, and once that it can be again.

    What it told is known to this process only: after a restart it may be told again.
    """

    def __init__(self) -> None:
        self._since: float | None = None
        self._told = False

    async def fail(self, province: Province, readers: Iterable[Reader], at: float) -> None:
        """Note that the ledger could not be used, and tell it when that lasts."""
        self._since = at if self._since is None else self._since
        if not self._told and at - self._since >= max(_WAIT, province.alerts.after):
            self._told = True
            await self._tell(Line(Phase.FIRING, trouble(NAME, "", self._since), self._since), province, readers)

    async def work(self, province: Province, readers: Iterable[Reader], at: float) -> None:
        """Note that the ledger could be used."""
        told, since, self._told, self._since = self._told, self._since, False, None
        if told and since is not None:
            await self._tell(Line(Phase.RESOLVED, trouble(NAME, "", since), at), province, readers)

    async def _tell(self, line: Line, province: Province, readers: Iterable[Reader]) -> None:
        settings, zone = province.alerts, ZoneInfo(province.time_zone)
        for reader in readers:
            if reader.whole:
                url = service_url(reader.address, settings.relay, settings.sender)
                title = title_of([line], province.name, reader.language)
                await asyncio.to_thread(deliver, url, title, text_of([line], zone, reader.language))
