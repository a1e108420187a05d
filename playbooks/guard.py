"""The guard of a risky job: arms a revert on each device, confirms it on a new connection, or sees it through.

If we cannot come back, or what we find is wrong, the device returns to what it was by itself.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event as Flag

from inventory.language import _
from inventory.model import Device
from playbooks import revert
from playbooks.connection import connect
from playbooks.errors import ReachError, RevertError
from playbooks.job import Job
from playbooks.refusal import RefusedError
from playbooks.remote import Connection
from playbooks.target import Target

_LOOK_EVERY = 2.0  # seconds between attempts to come back
_KNOCK_FOR = 30.0  # seconds in which we try to come back to confirm: a weak link loses a connection now and then
_LINUX_SIDE = frozenset({"linux", "frr"})  # platforms on which systemd keeps the revert
_ARMING = 60.0  # seconds that arming may take at most
GRACE = 30.0  # seconds that a device may need to put back and restart what it must


@dataclass(frozen=True)
class Guard:
    """Arms and settles the reverts of one run; `run` names them on the devices."""

    job: Job
    run: str
    stop: Flag
    unguarded: bool  # go on where there is nothing to arm

    def at_latest(self) -> datetime:
        """Return until when a revert that is armed from now on, but not later than a minute from now, would wait."""
        return datetime.now(UTC) + timedelta(seconds=self.job.shape.revert.after + _ARMING)

    def arm(self, target: Target) -> datetime | None:
        """Arm a revert and return until when it waits for us; None without one. Raises ReachError, RevertError."""
        if not can_return(target.device):
            if self.unguarded:
                return None
            raise RevertError(
                _("{platform} cannot return by itself; --without-revert goes on all the same").format(
                    platform=target.device.platform
                )
            )
        shape = self.job.shape.revert
        with reach(target) as connection:
            revert.arm(connection, self.run, shape.paths, shape.commands, shape.after)
        return datetime.now(UTC) + timedelta(seconds=shape.after)

    def confirm(self, target: Target, until: datetime) -> None:
        """Come back on a new connection and disarm, before the device returns. Raises ReachError, RevertError."""
        end = min(until.timestamp(), time.time() + _KNOCK_FOR)
        while True:
            try:
                with reach(target) as connection:
                    revert.disarm(connection, self.run)
            except RefusedError:
                raise
            except ReachError:
                if time.time() + _LOOK_EVERY > end or self.stop.wait(_LOOK_EVERY):
                    raise
            else:
                return

    def undo(self, target: Target, until: datetime) -> str:
        """See the device back to what it was and return "", or why that is not known.

        When it still answers it is told to return now; otherwise it does so by itself at `until`, and we wait for it.
        """
        found = see_back(target, self.run, until.timestamp(), self.stop)
        return "" if found.state is revert.State.REVERTED else found.told or str(found.state)


def can_return(device: Device) -> bool:
    """Whether there is something on a device that would put it back by itself."""
    return device.platform in _LINUX_SIDE


def see_back(target: Target, run: str, until: float, stop: Flag) -> revert.Standing:
    """Make an armed device return, and wait for it; by itself it does so at `until` (Unix time).

    A revert that had failed is tried once more. Returns how it stands in the end: `told` says why that is not known, or
    not as it should be.
    """
    begun, fired = time.time(), None
    found, deadline = revert.Standing(revert.State.ARMED), until + GRACE
    while True:
        try:
            with reach(target) as connection:
                found = revert.look(connection, run)
                deadline = max(begun, until) + GRACE  # one that does not even answer was not to be waited for so long
                if found.state is revert.State.ARMED or (found.state is revert.State.FAILED and not fired):
                    fired = found
                    revert.fire(connection, run)
        except (ReachError, RevertError) as error:
            found = found._replace(told=str(error))
        if found.state not in (revert.State.ARMED, revert.State.REVERTING) and found != fired:
            return found
        if time.time() > deadline or stop.wait(_LOOK_EVERY):
            return found._replace(told=found.told or _("it has not said that it returned"))


def reach(target: Target) -> Connection:
    """Log in to a target, on a connection of its own. Raises ReachError."""
    return connect(target.login, target.jumps, target.known_hosts)
