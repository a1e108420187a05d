"""A driver whose devices are files, and a use of the engine on them; as a program, a controller that kills itself.

A device is <folder>/<id>, its mood in <id>.mood, what was ever applied to it, a line each, in <id>.applied, and the
seconds that each step was given in <id>.seconds.

python -m tests.playbooks.filing PROVINCE when NUMBER      when: before or after that write to the ledger
"""

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from inventory.load import load
from ledger.connection import Ledger
from ledger.records import Actor
from playbooks.batch import Batch
from playbooks.catalogue import find_job
from playbooks.drivers import DRIVERS, Kind
from playbooks.engine import Order, Session
from playbooks.errors import PlaybookError
from playbooks.event import Change, Done, Event, Outcome
from playbooks.job import Step
from playbooks.plan import Plan
from playbooks.target import Target

GOOD = Path(__file__).parents[1] / "provinces" / "good"
FILING = Kind("tests.playbooks.filing", "{step}.py")  # stands in for the driver that the job names
BOXES = ("box.dong-yen", "box.nam-yen")
LAN = Actor("lan", "lan")
JOB = """
about: {en: Tests.}
driver: pyinfra
fits: role=server
variables:
  text: {about: What the device is to be., default: wanted}
"""


def make_province(folder: Path, job: str = JOB, steps: tuple[str, ...] = ("apply", "verify", "rollback")) -> Path:
    """Return the folder of a province with a job called "filing", and files that are its devices."""
    made = Path(shutil.copytree(GOOD, folder / "province", ignore=shutil.ignore_patterns(".tuyen")))
    (made / "jobs" / "filing").mkdir(parents=True)
    (made / "jobs" / "filing" / "job.yaml").write_text(job)
    for step in steps:
        (made / "jobs" / "filing" / f"{step}.py").touch()
    (made / "devices").mkdir()
    return made


def order_of(folder: Path, *devices: str, **changes: Any) -> Order:
    province = load(folder)
    chosen = tuple(province.devices[device] for device in devices or BOXES)
    return Order(province, find_job(folder, "filing"), chosen, "", LAN, "tuyen run filing", {}, **changes)


def use(folder: Path, *devices: str, listen: Callable[[Event], None] = lambda _event: None, **changes: Any) -> Session:
    return Session(order_of(folder, *devices, **changes), listen)


def run(folder: Path, *devices: str, **changes: Any) -> Plan:
    """Do it all: recover, ask, carry out."""
    with use(folder, *devices, **changes) as session:
        session.recover()
        plan = session.check()
        session.apply(plan)
    return plan


def applied(folder: Path, device: str) -> list[str]:
    file = folder / "devices" / f"{device}.applied"
    return file.read_text().split() if file.is_file() else []


def mood(folder: Path, device: str, text: str) -> None:
    (folder / "devices" / f"{device}.mood").write_text(text)


def perform(batch: Batch) -> None:
    """Carry out a step, device by device, in the mood that it is in."""
    for target in batch.targets:
        if batch.stop.is_set():
            batch.tell(Done(target.id, Outcome.FAILED, "interrupted"))
        elif done := _one(batch, target):
            batch.tell(done)


def _one(batch: Batch, target: Target) -> Done | None:
    file = target.known_hosts.parents[1] / "devices" / target.id
    said = file.with_name(f"{target.id}.mood").read_text() if file.with_name(f"{target.id}.mood").exists() else ""
    _append(file.with_name(f"{target.id}.seconds"), str(batch.job.shape.timeout))
    if said in (f"unreachable at {batch.step}", "unreachable"):
        return Done(target.id, Outcome.UNREACHABLE, "no answer")
    if said == f"bad at {batch.step}":
        return Done(target.id, Outcome.FAILED, f"bad at {batch.step}")
    if said == f"silent at {batch.step}":
        return None
    if said == f"full at {batch.step}":
        raise OSError(28, "No space left on device", "/var/log/filing")
    if said == f"odd at {batch.step}":
        raise PlaybookError("the driver gives up")
    if said == f"stop at {batch.step}":
        batch.stop.set()
    _do(batch, target, file, said)
    return Done(target.id, Outcome.DONE)


def _do(batch: Batch, target: Target, file: Path, said: str) -> None:
    is_now = file.read_text() if file.exists() else ""
    wanted = "" if batch.step is Step.ROLLBACK else str(target.variables["text"])
    if batch.step is Step.VERIFY or is_now == wanted:
        return
    batch.tell(Change(target.id, "write the file", f"-{is_now}\n+{wanted}"))
    if batch.step is not Step.CHECK:
        file.write_text(wanted)
        _append(file.with_name(f"{target.id}.applied"), wanted or "back")
        if said == "more at apply":
            batch.tell(Change(target.id, "something else"))


def _append(file: Path, line: str) -> None:
    with file.open("a") as written:
        written.write(f"{line}\n")
        written.flush()
        os.fsync(written.fileno())


def _die_at(when: str, number: int) -> None:
    """Let this process be killed before or after it writes to the ledger for the so manieth time."""
    write, numbers = Ledger.write, count(1)

    @contextmanager
    def dying(ledger: Ledger) -> Iterator[Any]:
        this = next(numbers)
        if (this, when) == (number, "before"):
            os.kill(os.getpid(), signal.SIGKILL)
        with write(ledger) as connection:
            yield connection
        if (this, when) == (number, "after"):
            os.kill(os.getpid(), signal.SIGKILL)

    Ledger.write = dying  # type: ignore[method-assign,assignment]


def main() -> None:
    folder, when, number = sys.argv[1:]
    DRIVERS["pyinfra"] = FILING  # type: ignore[index]
    _die_at(when, int(number))
    run(Path(folder))


if __name__ == "__main__":
    main()
