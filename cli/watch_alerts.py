"""The watch tells people what is out, where the province says that tuyen does."""

from collections.abc import Coroutine
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from exporters.outages.keeping import Keeping


def tell_people(keeping: "Keeping") -> Coroutine[Any, Any, None]:
    """Return what tells people of the outages that `keeping` keeps, until it is cancelled."""
    from exporters.alerts.alerting import Alerting
    from exporters.alerts.outbox import Outbox
    from ledger.connection import FILE, open_ledger

    province = keeping.watch.province
    place = province.database or Path(province.folder) / FILE
    return Alerting(keeping, Outbox(partial(open_ledger, place))).run()
