"""The driver of network gear: one connection and one thread a device, a bounded number at a time.

What is said to whom is in `playbooks.gear`; sessions are opened by `playbooks.connection` (pinned keys, jump hosts).
"""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock

from netmiko import NetmikoBaseException

from inventory.language import _
from playbooks.batch import Batch
from playbooks.connection import Connection, connect
from playbooks.drivers.netmiko_session import open_cli
from playbooks.drivers.netmiko_steps import Session
from playbooks.errors import ReachError
from playbooks.event import Doing, Done, Outcome
from playbooks.gear.errors import GearError
from playbooks.gear.platforms import PLATFORMS
from playbooks.gear.rendering import applicable
from playbooks.gear.untrusted import first_line
from playbooks.refusal import RefusedError
from playbooks.target import Target

_ATTEMPTS, _BETWEEN = 2, 2.0  # times to knock, seconds in between
_LOOK_EVERY = 0.2  # seconds


class _EndedError(Exception):
    """The run is to end; the message is the reason to tell."""


class _InapplicableError(Exception):
    """The job is not for this device; the message says why."""


def perform(batch: Batch) -> None:
    """Do the step on every device, telling one Done each."""
    work = _Work(batch)
    with ThreadPoolExecutor(max_workers=batch.parallel, thread_name_prefix="gear") as pool:
        waiting: set[Future[None]] = {pool.submit(work.do, target) for target in batch.targets}
        while waiting:
            finished, waiting = wait(waiting, timeout=_LOOK_EVERY)
            for future in finished:
                future.result()  # raises what is our own mistake
            if waiting and work.ending():
                work.hang_up()


@dataclass
class _Work:
    """The step on all devices: what is open, and until when."""

    batch: Batch
    _open: dict[str, Connection] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)
    _end: float = 0.0

    def __post_init__(self) -> None:
        self._end = time.monotonic() + self.batch.job.shape.timeout

    def ending(self) -> str:
        """Return why the run is to end now, "" while it is not."""
        if self.batch.stop.is_set():
            return _("interrupted")
        if time.monotonic() > self._end:
            seconds = self.batch.job.shape.timeout
            return _("not finished within the {seconds:g} s that the job gives").format(seconds=seconds)
        return ""

    def hang_up(self) -> None:
        """Close every connection, so that whoever waits for an answer stops waiting."""
        with self._lock:
            connections = list(self._open.values())
        for connection in connections:
            connection.close()

    def do(self, target: Target) -> None:
        """Do the step on one device, and tell how it ended."""
        outcome, reason = Outcome.DONE, ""
        try:
            self._do(target)
        except _EndedError as error:
            outcome, reason = Outcome.FAILED, str(error)
        except _InapplicableError as error:
            outcome, reason = Outcome.NOT_APPLICABLE, str(error)
        except ReachError as error:
            ended = self.ending()
            outcome, reason = (Outcome.FAILED, ended) if ended else (Outcome.UNREACHABLE, str(error))
        except GearError as error:
            outcome, reason = Outcome.FAILED, str(error)
        except (NetmikoBaseException, ValueError) as error:  # netmiko: a prompt or a mode that it did not expect
            told = _("its command line answers otherwise than expected: {reason}")
            outcome, reason = Outcome.FAILED, self.ending() or told.format(reason=first_line(str(error)))
        self.batch.tell(Done(target.id, outcome, self.batch.mask(reason)))

    def _do(self, target: Target) -> None:
        name = target.device.platform
        if name not in PLATFORMS:
            told = _("no gear of platform '{platform}' has been driven by us; known are {known}")
            raise _InapplicableError(told.format(platform=name, known=", ".join(PLATFORMS)))
        if not applicable(self.batch.job, name):
            raise _InapplicableError(_("the job says nothing for {platform}").format(platform=name))
        self._rest(0)
        self.batch.tell(Doing(target.id, _("logs in")))
        enable = str(target.variables.get("enable_password") or target.login.password)
        with (
            self._connected(target) as connection,
            open_cli(connection, name, PLATFORMS[name], enable) as cli,
        ):
            Session(self.batch, target, connection, cli, self._rest).do()

    @contextmanager
    def _connected(self, target: Target) -> Iterator[Connection]:
        """Log in, knocking twice at a door that does not open; remembered so that it can be hung up."""
        with self._reach(target) as connection:
            with self._lock:
                self._open[target.id] = connection
            try:
                yield connection
            finally:
                with self._lock:
                    del self._open[target.id]

    def _reach(self, target: Target) -> Connection:
        for _attempt in range(_ATTEMPTS - 1):
            try:
                return connect(target.login, target.jumps, target.known_hosts)
            except RefusedError:
                raise
            except ReachError:
                self._rest(_BETWEEN)
        return connect(target.login, target.jumps, target.known_hosts)

    def _rest(self, seconds: float) -> None:
        """Wait, unless the run is to end. Raises _EndedError."""
        self.batch.stop.wait(seconds)
        if reason := self.ending():
            raise _EndedError(reason)
