"""The figures of rollouts for the metrics of the watch, read from the ledger now and then."""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path

from cli.rollout_state import Seen, see_record
from exporters.metrics import WatchMetrics
from exporters.rollouts import RolloutCollector, RolloutFigures
from exporters.watch import Watch
from inventory.language import _
from inventory.model import Province
from ledger.connection import FILE, Ledger, open_ledger
from ledger.errors import LedgerError
from ledger.records import Rollout, now, stamp
from ledger.rollout_history import rollouts
from playbooks.rollout.state import DeviceState, Status

log = logging.getLogger("tuyen.watch")
EVERY = 15.0  # seconds between two looks into the ledger
_SHOWN = timedelta(days=7)  # how long a rollout that has ended is shown


async def follow_rollouts(watching: Watch, metrics: WatchMetrics) -> None:
    """Add the rollouts to the metrics, and keep them up to date until cancelled; the ledger may be away."""
    collector = RolloutCollector([str(status) for status in Status])
    metrics.add(collector)
    while True:
        try:
            collector.figures = await asyncio.to_thread(read_figures, watching.province)
        except LedgerError as error:
            if collector.figures is not None:
                log.warning(_("the rollouts cannot be read: %s"), error)
            collector.figures = None
        await asyncio.sleep(EVERY)


def read_figures(province: Province) -> tuple[RolloutFigures, ...]:
    """Return how the rollouts stand, the newest of each name; nothing where no ledger was made yet. LedgerError."""
    file = Path(province.folder) / FILE
    if not province.database and not file.is_file():
        return ()
    with open_ledger(province.database or file) as ledger:
        return tuple(figures_of(see_record(ledger, province, record)) for record in _shown(ledger))


def _shown(ledger: Ledger) -> Iterable[Rollout]:
    since = stamp(now() - _SHOWN)
    newest: Mapping[str, Rollout] = {record.name: record for record in reversed(rollouts(ledger))}
    return [record for record in newest.values() if record.ended_at is None or record.ended_at >= since]


def figures_of(seen: Seen) -> RolloutFigures:
    """Return one rollout in figures; states that no device is in are 0."""
    counted = Counter(str(status.state) for status in seen.state.devices.values())
    return RolloutFigures(
        rollout=seen.plan.name,
        id=seen.record.id,
        job=seen.plan.job,
        author=seen.plan.author,
        status=str(seen.state.status),
        wave=seen.state.wave + 1,
        waves=len(seen.plan.waves),
        devices={str(state): counted[str(state)] for state in DeviceState},
    )
