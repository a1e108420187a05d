"""Jobs for pyinfra, written as the bodies of their steps, and played against OpenSSH on loopback."""

import textwrap
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from inventory.finding import Place
from inventory.model import Device
from playbooks.batch import Batch
from playbooks.drivers.pyinfra import carry_out
from playbooks.event import Change, Doing, Done, Event, Outcome
from playbooks.job import Job, JobShape, Step
from playbooks.mask import Mask
from playbooks.target import Login, Target
from tests.exporters.daemons import HERE

SECRET = 'mật "khẩu" 5f1c'
DONE = (Outcome.DONE, "")
HEAD = """
from io import StringIO
from pyinfra.context import host
from pyinfra.operations import files, python, server
from pyinfra.facts.server import Command
from playbooks.deploying import NotApplicableError, NotAtTargetError, behind, changed, note, report
from playbooks.edge.files import written

def deploy(values):
"""


def target(login: Login, known_hosts: Path, jumps: tuple[Login, ...] = (), **variables: Any) -> Target:
    device = Device(login.device, "box", "test", "server", "", HERE, (), Place("test"), platform="linux")
    return Target(device, login, jumps, known_hosts, variables)


class Play:
    """Performs steps of one job, given as the bodies of its steps, and keeps what was told."""

    def __init__(self, folder: Path, targets: Iterable[Target], timeout: float = 60.0, **steps: str) -> None:
        self.targets, self.folder = tuple(targets), folder / "run"
        self.folder.mkdir(exist_ok=True)
        job = folder / "job"
        job.mkdir(exist_ok=True)
        for step, body in steps.items():
            (job / f"{step}.py").write_text(HEAD + textwrap.indent(textwrap.dedent(body), "    "))
        shape = JobShape(about={"en": "a test"}, driver="pyinfra", fits="platform=linux", timeout=f"{timeout:g} s")
        self.job = Job("test", job, shape, "")
        self.told: list[Event] = []
        self.facts: dict[str, Mapping[str, Any]] = {}

    def __call__(self, step: Step, on_event: Callable[[Event], None] | None = None, **more: Any) -> list[Event]:
        """Do a step; return what was told but live progress."""
        self.told = []

        def tell(event: Event) -> None:
            self.told.append(event)
            if on_event:
                on_event(event)

        batch = Batch(self.job, step, self.targets, self.folder, tell, Mask([SECRET]), **more)
        carry_out(batch, self.facts.__setitem__)
        return [event for event in self.told if not isinstance(event, Doing)]

    def ended(self, step: Step, **more: Any) -> dict[str, tuple[Outcome, str]]:
        """Do a step; return how each device ended, which must have been told once."""
        done = [event for event in self(step, **more) if isinstance(event, Done)]
        assert len(done) == len(self.targets)
        return {event.device: (event.outcome, event.reason) for event in done}

    def changes(self, step: Step) -> list[Change]:
        return [event for event in self(step) if isinstance(event, Change)]


WRITE = 'written(name="Write it", content="one\\ntwo\\n", path=values["file"], mode="600")\n'
SLEEP = 'server.shell(name="Sleep", commands=["sleep 30"])\n'
