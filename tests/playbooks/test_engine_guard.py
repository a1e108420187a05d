"""The engine with risky jobs: turns, time, and devices that cannot return. The guard itself is proven on machines."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ledger.connection import FILE, open_ledger
from ledger.runs import begin_run, intend
from ledger.states import State
from playbooks.applying import Application, Result
from playbooks.engine import Session
from playbooks.event import Change, Done
from playbooks.guard import Guard
from playbooks.job import Step
from playbooks.target import Target
from tests.playbooks.filing import BOXES, JOB, LAN, applied, make_province, use

A, B = BOXES
RISKY = JOB + "risk: cut-off\nrevert: {after: 60 s, paths: [/etc/ssh]}\n"
pytestmark = pytest.mark.usefixtures("filing")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_province(tmp_path)


def of_platform(platform: str, session: Session) -> tuple[Target, ...]:
    return tuple(replace(target, device=replace(target.device, platform=platform)) for target in session.targets)


@dataclass(frozen=True)
class Watchman(Guard):
    """A guard of devices that are files: they have nothing to arm, and all the same have their time."""

    seconds: float = 0.0

    def arm(self, _target: Target) -> datetime | None:
        return datetime.now(UTC) + timedelta(seconds=self.seconds)

    def confirm(self, _target: Target, until: datetime) -> None:
        assert datetime.now(UTC) < until


def test_nothing_is_changed_when_a_device_may_begin_to_return(tmp_path: Path) -> None:
    folder = make_province(tmp_path, RISKY)
    with use(folder, A) as session:
        plan = session.check()
        words = {"job": "filing", "job_digest": "", "plan_digest": "", "command": ""}
        for seconds in (100.0, 5000.0):
            one = begin_run(session.ledger, actor=LAN, **words)
            intend(session.ledger, one, {A: ""})
            (folder / "devices" / A).unlink(missing_ok=True)
            guard = Watchman(session.order.job, one, session.stop, unguarded=False, seconds=seconds)
            found = Application(session.work, session.ledger, one, guard).carry_out(session.targets, plan.devices)
            assert found[A].state is State.CHANGED
    given = [float(line) for line in (folder / "devices" / f"{A}.seconds").read_text().split()]
    apply, verify, *unhurried = given[1:]  # the first was for checking
    assert 90 < verify < apply < 98.1
    assert unhurried == [900.0, 900.0]


def test_a_device_whose_revert_cannot_be_asked_keeps_nobody_waiting(tmp_path: Path) -> None:
    folder = make_province(tmp_path, RISKY)
    with use(folder, A) as session:
        session.targets = of_platform("linux", session)
        found = session.apply(session.check())
    assert found[A].state is State.UNREACHABLE, "there is no pinned key to arm it by"
    assert "no revert could be armed" in found[A].reason
    assert not applied(folder, A)
    with open_ledger(folder / FILE) as ledger, ledger.write() as connection:
        connection.exec_driver_sql("UPDATE task SET revert_until = '2026-01-01T00:00:00.000000Z'")
    with use(folder, A) as session:
        begun = time.monotonic()
        [one] = session.recover()
        assert time.monotonic() - begun < 15, "its time is long over"
    assert (one.device, one.state) == (A, State.UNREACHABLE)
    assert "no host key" in one.reason


def test_a_risky_job_goes_by_turns_and_leaves_out_what_cannot_return(tmp_path: Path) -> None:
    folder = make_province(tmp_path, RISKY)
    told: list[tuple[str, str]] = []

    def listen(event: object) -> None:
        if isinstance(event, Change | Done):
            told.append((type(event).__name__, event.device))

    def of_no_kind(unguarded: bool) -> Mapping[str, Result]:
        with use(folder, listen=listen, parallel=1, unguarded=unguarded) as session:
            session.targets = of_platform("draytek", session)
            plan = session.check()
            told.clear()
            return session.apply(plan)

    found = of_no_kind(unguarded=False)
    assert {one.state for one in found.values()} == {State.FAILED}
    assert "draytek cannot return by itself" in found[A].reason
    assert not told
    assert {one.state for one in of_no_kind(unguarded=True).values()} == {State.CHANGED}
    turn = [("Change", A), ("Done", A), ("Done", A)]
    assert told == [*turn, *((kind, B) for kind, _device in turn)], "one is verified before the next is touched"


def test_a_step_may_be_given_less_time_than_the_job_has(folder: Path) -> None:
    seconds: list[float] = []
    with use(folder, A) as session:
        for within in (None, 5.0, 5000.0):
            session.work.perform(
                Step.CHECK, session.targets, lambda batch: seconds.append(batch.job.shape.timeout), within
            )
    assert seconds == [900.0, 5.0, 900.0]
