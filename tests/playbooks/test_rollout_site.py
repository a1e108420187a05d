"""The site of this machine, on light servers of the lab: every dispatch is reported once, with what really happened."""

import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger.records import Actor
from playbooks.catalogue import find_job
from playbooks.engine import Order
from playbooks.errors import PlaybookError
from playbooks.rollout.seams import Dispatch, Report
from playbooks.rollout.site import LocalSite, Orders
from playbooks.rollout.state import Result
from tests.playbooks.conftest import Boot
from tests.playbooks.field import Field
from tests.playbooks.inside_lab import standing_in

JOBS = Path(__file__).parents[1] / "journeys" / "jobs"
BOXES = ("box.tay-1", "box.tay-2", "box.tay-3")
SECONDS = 90
BROKEN = """
from pyinfra.operations import server
def deploy(values):
    server.shell(name="Break", commands=["echo it is broken >&2; exit 3"])
"""
HOLD = """
import sys, time
from pathlib import Path
from ledger.locks import take
with take(Path(sys.argv[1]), sys.argv[2], person="minh", doing="something else", patience=1):
    print("held", flush=True)
    time.sleep(float(sys.argv[3]))
"""


class Desk:
    """Hands dispatches to a site, and gathers its reports."""

    def __init__(self, field: Field) -> None:
        self.field = field
        self._reports: queue.SimpleQueue[Report] = queue.SimpleQueue()
        self._number = 0

    def orders(self, job: str, **sets: Any) -> Orders:
        def order(devices: tuple[str, ...]) -> Order:
            province = self.field.province
            return Order(
                province=province,
                job=find_job(self.field.folder, job),
                devices=tuple(province.devices[device] for device in devices if device in province.devices),
                selector="",
                actor=Actor("tuyen", "tuyen"),
                command="test",
                secrets={},
                sets=sets,
            )

        return order

    def dispatch(self, site: LocalSite, *devices: str, step: str = "apply", again: bool = False) -> None:
        self._number += 1
        site.dispatch([Dispatch(f"{self._number}.{one}", one, step, again) for one in devices], self._reports.put)

    def reports(self, number: int) -> dict[str, Report]:
        """Wait for so many reports, and see that no more come."""
        found = [self._reports.get(timeout=SECONDS) for _report in range(number)]
        assert self._reports.empty()
        return {report.device: report for report in found}

    def done(self, orders: Orders, *devices: str, **words: Any) -> dict[str, Report]:
        site = LocalSite(orders, lambda _event: None)
        self.dispatch(site, *devices, **words)
        found = self.reports(len(devices))
        site.stop()
        return found


@pytest.fixture(scope="module")
def desk(boot: Boot) -> Iterator[Desk]:
    field = boot("", light=f"id in ({','.join(BOXES)})")
    if not (field.folder / "jobs").exists():
        shutil.copytree(JOBS, field.folder / "jobs")
    broken = field.folder / "jobs" / "broken"
    broken.mkdir()
    (broken / "job.yaml").write_text("about: {en: It fails.}\ndriver: pyinfra\nfits: platform=linux\n")
    (broken / "apply.py").write_text(BROKEN)
    with standing_in(field.lab):
        yield Desk(field)


def test_done_and_then_nothing_to_do(desk: Desk) -> None:
    greeting = desk.orders("greeting", text="one")
    assert {(one.result, one.changed) for one in desk.done(greeting, *BOXES).values()} == {(Result.DONE, True)}
    assert {(one.result, one.changed) for one in desk.done(greeting, *BOXES).values()} == {(Result.DONE, False)}
    again = desk.done(greeting, BOXES[0], again=True)[BOXES[0]]
    assert (again.result, again.changed) == (Result.DONE, True), "a controller that died may have changed it"


def test_failure_is_told_with_its_reason(desk: Desk) -> None:
    report = desk.done(desk.orders("broken"), BOXES[0])[BOXES[0]]
    assert report.result is Result.FAILED
    assert "it is broken" in report.reason


def test_device_that_is_away_spoils_nobody_elses_turn(desk: Desk) -> None:
    desk.field.lab.power(BOXES[1], on=False)
    try:
        found = desk.done(desk.orders("greeting", text="two"), *BOXES)
    finally:
        desk.field.lab.power(BOXES[1], on=True)
        desk.field.lab.wait_ssh([BOXES[1]], 30)
    assert [found[box].result for box in BOXES] == [Result.DONE, Result.UNREACHABLE, Result.DONE]
    assert found[BOXES[1]].reason


def test_device_that_is_declared_no_more_spoils_nobody_elses_turn(desk: Desk) -> None:
    found = desk.done(desk.orders("greeting", text="four"), BOXES[0], "box.sold", BOXES[2])
    assert [found[box].result for box in (BOXES[0], BOXES[2])] == [Result.DONE, Result.DONE]
    sold = found["box.sold"]
    assert (sold.result, sold.reason, sold.changed) == (Result.FAILED, "'box.sold' is no longer declared", False)
    assert desk.done(desk.orders("greeting"), "box.sold", step="rollback")["box.sold"].result is Result.FAILED


def test_who_is_held_by_others_is_waited_for_and_the_others_are_not_held_up(desk: Desk) -> None:
    command = [sys.executable, "-c", HOLD, str(desk.field.folder / ".tuyen" / "locks"), BOXES[0], "6"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        found = desk.done(desk.orders("greeting", text="three"), *BOXES)
        assert holder.poll() == 0
    assert {one.result for one in found.values()} == {Result.DONE}
    assert list(found)[-1] == BOXES[0]


def test_fault_of_this_machine_is_waited_for_and_not_blamed_on_the_device(desk: Desk) -> None:
    runs, aside = (desk.field.folder / ".tuyen" / name for name in ("runs", "runs-aside"))
    runs.rename(aside)
    runs.write_text("in the way")

    def mend() -> None:
        runs.unlink()
        aside.rename(runs)

    threading.Timer(3, mend).start()
    report = desk.done(desk.orders("greeting", text="five"), BOXES[0])[BOXES[0]]
    assert (report.result, report.reason) == (Result.DONE, "")


def _raise(_devices: tuple[str, ...]) -> Order:
    raise PlaybookError("box.tay-1 is no longer declared")


@pytest.mark.parametrize(
    ("orders", "step", "reason"),
    [
        (lambda _desk: _raise, "apply", "box.tay-1 is no longer declared"),
        (lambda desk: desk.orders("greeting", unknown=1), "apply", "unknown"),
        (lambda desk: desk.orders("greeting"), "rollback", "the job 'greeting' knows no way back"),
    ],
)
def test_whatever_breaks_is_reported(desk: Desk, orders: Callable[[Desk], Orders], step: str, reason: str) -> None:
    report = desk.done(orders(desk), BOXES[0], step=step)[BOXES[0]]
    assert report.result is Result.FAILED
    assert reason in report.reason


def test_stopped_site_leaves_what_it_could_not_finish_to_the_next(desk: Desk) -> None:
    site = LocalSite(desk.orders("slow"), lambda _event: None)
    desk.dispatch(site, BOXES[2])
    end = time.monotonic() + 30
    while not desk.field.shell(BOXES[2], "ls /root/begun || true"):
        assert time.monotonic() < end
    site.stop()
    assert desk.reports(0) == {}
    assert desk.done(desk.orders("slow"), BOXES[2], again=True)[BOXES[2]].result is Result.DONE
    assert "ended" in desk.field.shell(BOXES[2], "ls /root")
