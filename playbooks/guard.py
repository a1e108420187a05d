"""The guard of a risky job: arms a revert on each device, confirms it on a new connection, or sees it through.

If we cannot come back, or what we find is wrong, the device returns to what it was by itself.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event as Flag

from inventory.language import _
from playbooks import revert
from playbooks.connection import connect
from playbooks.errors import ReachError, RevertError
from playbooks.job import Job
from playbooks.remote import Connection
from playbooks.target import Target

_LOOK_EVERY = 2.0  # seconds between attempts to come back
_LINUX_SIDE = frozenset({"linux", "frr"})  # platforms on which systemd keeps the revert
GRACE = 30.0  # seconds that a device may need to put back and restart what it must


@dataclass(frozen=True)
class Guard:
    """Arms and settles the reverts of one run; `run` names them on the devices."""

    job: Job
    run: str
    stop: Flag
    unguarded: bool  # go on where there is nothing to arm

    def arm(self, target: Target) -> datetime | None:
        """Arm a revert and return until when it waits for us; None without one. Raises ReachError, RevertError."""
        if target.device.platform not in _LINUX_SIDE:
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

    def confirm(self, target: Target) -> None:
        """Come back on a new connection and disarm. Raises ReachError, RevertError."""
        with reach(target) as connection:
            revert.disarm(connection, self.run)

    def undo(self, target: Target, until: datetime) -> str:
        """See the device back to what it was and return "", or why that is not known.

        When it still answers it is told to return now; otherwise it does so by itself at `until`, and we wait for it.
        """
        found = see_back(target, self.run, until.timestamp() + GRACE, self.stop)
        return "" if found.state is revert.State.REVERTED else found.told


def see_back(target: Target, run: str, deadline: float, stop: Flag) -> revert.Standing:
    """Make an armed device return, and wait for it until `deadline` (Unix time).

    Returns how its revert stands in the end: `told` says why it is not known, or not as it should be.
    """
    found = revert.Standing(revert.State.ARMED)
    while True:
        try:
            with reach(target) as connection:
                found = revert.look(connection, run)
                if found.state is revert.State.ARMED:
                    revert.fire(connection, run)
        except (ReachError, RevertError) as error:
            found = found._replace(told=str(error))
        if found.state not in (revert.State.ARMED, revert.State.REVERTING):
            return found
        if time.time() > deadline or stop.wait(_LOOK_EVERY):
            return found._replace(told=found.told or _("it has not said that it returned"))


def reach(target: Target) -> Connection:
    """Log in to a target, on a connection of its own. Raises ReachError."""
    return connect(target.login, target.jumps, target.known_hosts)
