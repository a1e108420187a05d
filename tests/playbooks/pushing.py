"""What the tests of push-file share: a file, a target, and one step of the driver."""

import hashlib
import random
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from inventory.finding import Place
from inventory.model import Device
from playbooks.batch import Batch
from playbooks.drivers import driver
from playbooks.event import Change, Done, Event, Note
from playbooks.job import Step, read_job
from playbooks.mask import Mask
from playbooks.target import Login, Target

JOB = read_job(Path(__file__).parents[2] / "playbooks" / "jobs" / "push-file")


class Account(NamedTuple):
    """What bringing a file has cost, as the note at its end says."""

    payload: int
    sessions: int
    seconds: float
    wire: int
    again: int


class Push:
    """A province's folder with a file in it, a device, and what was told of it."""

    def __init__(self, folder: Path, login: Login, path: Path, size: int) -> None:
        self.folder, self.login, self.path = folder, login, path
        self.source = folder / "firmware.bin"
        self.known_hosts = folder / ".tuyen" / "known_hosts"
        self.known_hosts.parent.mkdir()
        self.source.write_bytes(random.Random(7).randbytes(size))
        self.stop = threading.Event()
        self.told: list[Event] = []
        self.listen: Callable[[Event], None] | None = None

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.source.read_bytes()).hexdigest()

    @property
    def part(self) -> Path:
        return Path(f"{self.path}.part-{self.digest[:16]}")

    def target(self, login: Login, values: dict[str, Any]) -> Target:
        device = Device(login.device, "box", "dong", "server", "box", login.address, (), Place("test.yaml"))
        defaults = {"file": self.source.name, "path": str(self.path), "mode": "0644", "owner": "root", "rate": 0}
        return Target(device, login, (), self.known_hosts, {**defaults, **values})

    def perform(self, step: Step, *logins: Login, timeout: float = 60, **values: Any) -> Done:
        """Do a step, and return how it ended on the first device."""
        targets = tuple(self.target(login, values) for login in logins or [self.login])
        job = replace(JOB, shape=JOB.shape.model_copy(update={"timeout": timeout}))
        self.told = []
        driver("sftp").perform(Batch(job, step, targets, self.folder, self._tell, Mask([]), self.stop))
        ended = [event for event in self.told if isinstance(event, Done)]
        assert len(ended) == len(targets)
        return next(event for event in ended if event.device == targets[0].id)

    def _tell(self, event: Event) -> None:
        self.told.append(event)
        if self.listen:
            self.listen(event)

    def changes(self) -> list[Change]:
        return [event for event in self.told if isinstance(event, Change)]

    def account(self) -> Account:
        (note,) = [event.text for event in self.told if isinstance(event, Note)]
        numbers = re.findall(r"[\d.]+", note)
        assert len(numbers) == 6, note
        payload, _size, sessions, seconds, wire, again = map(float, numbers)
        return Account(int(payload), int(sessions), seconds, int(wire), int(again))

    def payload(self) -> int:
        return self.account().payload
