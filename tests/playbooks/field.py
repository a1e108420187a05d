"""The province of tests/provinces/machines with some of its devices real, and what tests do with them."""

import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inventory.keypair import ensure_key
from inventory.load import load
from inventory.model import Device, Province
from inventory.selector import select_devices
from lab.images import provide
from lab.machines.chosen import Machines, light_kinds, usual_kinds
from lab.practice import Lab, enter_command, up
from lab.repository import CERTIFICATE, PUBLIC, build_repository
from lab.wires import CONTROLLER
from playbooks.event import Change, Doing, Done, Event, Note, Outcome

MACHINES = Path(__file__).parents[1] / "provinces" / "machines"
KINDS = {kind.__name__: kind for kind in (Doing, Change, Note, Done)}
PORT = 80  # of the package repository, at the controller's address


@dataclass(frozen=True)
class Field:
    """A lab with real machines. `folder` is the province's, `lab` the lab."""

    province: Province
    folder: Path
    lab: Lab
    sets: dict[str, Any] = field(default_factory=dict)  # values for jobs that have such variables

    def devices(self, selector: str) -> Sequence[Device]:
        return select_devices(self.province, selector)

    def perform(
        self, job: str, step: str, selector: str, *, secrets: Mapping[str, str] | None = None, **sets: Any
    ) -> list[Event]:
        """Do one step of a job and return what was told, in order."""
        lines = self._perform(job, step, selector, secrets or {}, sets).splitlines()
        return [_event(kind, values) for kind, values in map(json.loads, lines)]

    def gather(self, selector: str) -> Mapping[str, Any]:
        """Return the facts of devices by id, as JSON has them."""
        gathered: Mapping[str, Any] = json.loads(self._perform("facts", "gather", selector, {}, {}))
        return gathered

    def run(self, command: Sequence[str], order: Mapping[str, Any] | None = None, seconds: float = 60) -> str:
        """Run something where the controller stands, and return what it printed."""
        text = json.dumps(order) if order else ""
        entered = enter_command(self.lab, command)
        done = subprocess.run(entered, input=text, capture_output=True, text=True, timeout=seconds, check=False)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def shell(self, device: str, command: str, seconds: float = 60) -> str:
        """Run a command as root on a device, and return what it printed."""
        key, known_hosts = self.folder / ".tuyen/id_ed25519", self.folder / ".tuyen/known_hosts"
        options = [f"-oUserKnownHostsFile={known_hosts}", "-oBatchMode=yes", "-oConnectTimeout=5", f"-i{key}"]
        where = f"root@{self.province.devices[device].address}"
        return self.run(["ssh", *options, where, command], seconds=seconds)

    def pin(self, selector: str) -> None:
        """Pin the host keys of devices as they are now."""
        order = {"province": str(self.folder), "job": "", "selector": selector}
        self.run([sys.executable, "-m", "tests.playbooks.performing"], order)

    def _perform(self, job: str, step: str, selector: str, secrets: Mapping[str, str], sets: Mapping[str, Any]) -> str:
        order = {
            "province": str(self.folder),
            "run": str(self.folder / "run"),
            "job": job,
            "step": step,
            "selector": selector,
            "secrets": secrets,
            "sets": sets,
            "usual": self.sets,
        }
        return self.run([sys.executable, "-m", "tests.playbooks.performing"], order, seconds=600)

    @contextlib.contextmanager
    def mirror(self) -> Iterator[Path]:
        """Serve the package repository for a block; the variables that jobs need for it are among `sets`."""
        folder = self.folder / "mirror"
        folder.mkdir()
        status = folder / "status"
        with status.open("wb") as written:
            unpack = ["tar", "--zstd", "-xOf", str(provide("server")), "./var/lib/dpkg/status"]
            subprocess.run(unpack, stdout=written, check=True, timeout=60)
        build_repository(folder, status)
        self.sets["mirror"] = f"http://{CONTROLLER}"
        self.sets["mirror_key"] = (folder / PUBLIC / CERTIFICATE).read_text()
        command = [sys.executable, "-m", "tests.playbooks.mirror", str(folder), CONTROLLER, str(PORT)]
        serving = subprocess.Popen(
            enter_command(self.lab, command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        with serving:
            assert serving.stdout
            assert serving.stdout.readline() == "serving\n"
            yield folder


def _event(kind: str, values: dict[str, Any]) -> Event:
    if kind == "Done":
        values["outcome"] = Outcome(values["outcome"])
    event: Event = KINDS[kind](**values)
    return event


@contextlib.contextmanager
def field_of(folder: Path, booted: str, light: str = "") -> Iterator[Field]:
    """Bring the province up in `folder`, with the devices that selectors choose real, until the block ends."""
    home = Path(shutil.copytree(MACHINES, folder / "province"))
    authorized = ensure_key(home)
    province = load(home)
    kinds = usual_kinds(select_devices(province, booted)) if booted else {}
    kinds |= light_kinds(select_devices(province, light)) if light else {}
    machines = Machines(kinds, authorized)
    lab = up(province, folder / "lab", secrets={}, machines=machines, die_with_parent=True, patience=300)
    try:
        made = Field(province, home, lab)
        made.pin(f"id in ({','.join(kinds)})")
        yield made
    finally:
        lab.down()


def changes(events: Sequence[Event]) -> dict[str, list[Change]]:
    """Return the changes that were told, by device."""
    told: dict[str, list[Change]] = {event.device: [] for event in events}
    for event in events:
        if isinstance(event, Change):
            told[event.device].append(event)
    return told


def outcomes(events: Sequence[Event]) -> dict[str, tuple[Outcome, str]]:
    """Return how each device ended, and why; each has ended once."""
    ended = [event for event in events if isinstance(event, Done)]
    assert len({event.device for event in ended}) == len(ended)
    return {event.device: (event.outcome, event.reason) for event in ended}
