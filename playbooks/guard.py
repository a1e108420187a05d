"""The guard of a risky job: arms a revert on each device, confirms it on a new connection, or sees it through.

If we cannot come back, or what we find is wrong, the device returns to what it was by itself.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event as Flag

from inventory.language import _
from playbooks import revert
from playbooks.connection import Connection, connect
from playbooks.errors import ReachError, RevertError
from playbooks.job import Job
from playbooks.target import Target

_LOOK_EVERY = 3.0  # seconds between attempts to come back
_LINUX_SIDE = frozenset({"linux", "frr"})  # platforms on which systemd keeps the revert
_GRACE = 30.0  # seconds that a device may need to put back and restart what it must


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
        with _reach(target) as connection:
            revert.arm(connection, self.run, shape.paths, shape.commands, shape.after)
        return datetime.now(UTC) + timedelta(seconds=shape.after)

    def confirm(self, target: Target) -> None:
        """Come back on a new connection and disarm. Raises ReachError, RevertError."""
        with _reach(target) as connection:
            revert.disarm(connection, self.run)

    def undo(self, target: Target, until: datetime) -> str:
        """See the device back to what it was and return "", or why that is not known.

        When it still answers it is told to return now; otherwise it does so by itself at `until`, and we wait for it.
        """
        deadline = until.timestamp() + _GRACE
        reason = ""
        while True:
            try:
                if self._is_back(target):
                    return ""
            except (ReachError, RevertError) as error:
                reason = str(error)
            if time.time() > deadline or self.stop.wait(_LOOK_EVERY):
                return reason or _("it has not said that it returned")

    def _is_back(self, target: Target) -> bool:
        with _reach(target) as connection:
            found = revert.state(connection, self.run)
            if found is revert.State.ARMED:
                revert.fire(connection, self.run)
            return found is revert.State.REVERTED


def _reach(target: Target) -> Connection:
    return connect(target.login, target.jumps, target.known_hosts)
