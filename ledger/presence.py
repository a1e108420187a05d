"""Which runs are alive, where several controllers have one ledger: each run holds a lease, and renews it.

A ledger in SQLite is of one machine, on which locks say it all: there are no such leases.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from sqlalchemy import Connection, select

from ledger.connection import Ledger
from ledger.errors import N_, DeviceBusyError, LedgerError
from ledger.leases import Lease, acquire, held, is_free, release, renew
from ledger.records import Actor, here
from ledger.schema import LEASE, TASK
from ledger.states import OPEN

log = logging.getLogger("tuyen.ledger")
SECONDS = 60.0  # after which a run whose machine is gone counts as dead
RENEWED_EVERY = 15.0  # seconds
_PREFIX = "run:"


@contextmanager
def present(ledger: Ledger, run: str, actor: Actor) -> Iterator[None]:
    """Let other controllers see that the run is alive. Raises LedgerError."""
    if not ledger.is_shared:
        yield
        return
    lease, over = acquire(ledger, f"{_PREFIX}{run}", actor=actor, seconds=SECONDS), Event()
    renewing = Thread(target=_renew, args=(ledger, lease, over), name=lease.name, daemon=True)
    renewing.start()
    try:
        yield
    finally:
        over.set()
        renewing.join()
        release(ledger, lease, actor=actor)


def is_present(ledger: Ledger, run: str) -> bool:
    """Say whether a controller, this one or another, shows that the run is alive. Raises LedgerError."""
    return ledger.is_shared and held(ledger, f"{_PREFIX}{run}") is not None


def worked_on(ledger: Ledger, devices: Iterable[str]) -> dict[str, DeviceBusyError]:
    """Return who acts on devices from elsewhere, by device. Raises LedgerError."""
    with ledger.read() as connection:
        return {error.device: error for error in busy(connection, ledger, devices)}


def busy(connection: Connection, ledger: Ledger, devices: Iterable[str]) -> Iterator[DeviceBusyError]:
    """Yield those of the devices that a run which is alive has under way."""
    if not ledger.is_shared:
        return
    begun = select(TASK.c.device, LEASE).join(LEASE, LEASE.c.name == _PREFIX + TASK.c.run)
    wanted = begun.where(TASK.c.device.in_(sorted(devices)), TASK.c.state.in_(sorted(OPEN)))
    now = ledger.clock()
    for row in connection.execute(wanted.order_by(TASK.c.device)):
        if not is_free(row, now):
            told = {
                "person": row.holder,
                "host": row.host,
                "run": row.name.removeprefix(_PREFIX),
                "since": here(row.since),
            }
            message = N_("{device} is worked on by {person} from {host} since {since} (run {run})")
            yield DeviceBusyError(row.device, row.holder, message, **told)


def _renew(ledger: Ledger, lease: Lease, over: Event) -> None:
    while not over.wait(RENEWED_EVERY):
        try:
            renew(ledger, lease, seconds=SECONDS)
        except LedgerError as error:
            log.warning("%s", error)
