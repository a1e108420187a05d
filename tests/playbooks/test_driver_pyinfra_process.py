"""The process of the pyinfra driver: it goes on from step to step, and ends as it has to, whoever is killed."""

import dataclasses
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from playbooks.batch import Kept
from playbooks.event import Doing, Done, Event, Outcome
from playbooks.job import Step
from tests.playbooks.loopback import Server
from tests.playbooks.pyinfra_play import DONE, SLEEP, WRITE, Play, target


def children() -> list[str]:
    """The command lines of this process's children."""
    told = subprocess.run(["pgrep", "-a", "-P", str(os.getpid())], capture_output=True, text=True, check=False)
    return [line for line in told.stdout.splitlines() if "pyinfra_child" in line]


def pids() -> list[int]:
    return [int(line.split()[0]) for line in children()]


@pytest.mark.parametrize("dead", [False, True])
def test_the_next_step_goes_on_in_the_same_process_unless_that_has_died(
    dead: bool, server: Server, known_hosts: Path, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    play = Play(tmp_path, [target(server.login(), known_hosts, file=str(file))], apply=WRITE)
    kept = Kept()
    assert len(play(Step.CHECK, kept=kept)) == 2
    (first,) = pids()
    if dead:
        os.kill(first, signal.SIGKILL)
        os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
    assert len(play(Step.APPLY, kept=kept)) == 2
    assert file.read_text() == "one\ntwo\n"
    (second,) = pids()
    assert (second == first) is not dead
    kept.close()
    assert children() == []


def test_the_process_of_a_risky_job_ends_with_its_step(server: Server, known_hosts: Path, tmp_path: Path) -> None:
    play = Play(tmp_path, [target(server.login(), known_hosts, file=str(tmp_path / "file"))], apply=WRITE)
    play.job = dataclasses.replace(play.job, shape=play.job.shape.model_copy(update={"risk": "cut-off"}))
    kept = Kept()
    assert len(play(Step.CHECK, kept=kept)) == 2
    assert children() == []
    assert kept.take() is None


@pytest.mark.parametrize("why", ["stop", "timeout"])
def test_it_ends_when_it_has_to_and_leaves_nothing(why: str, server: Server, known_hosts: Path, tmp_path: Path) -> None:
    apply = f'server.shell(name="Work", commands=["true"])\nif values["slow"]:\n    {SLEEP}'
    logins = [dataclasses.replace(server.login(), device=name) for name in ("box.fast", "box.slow")]
    targets = [target(login, known_hosts, slow=login.device == "box.slow") for login in logins]
    play = Play(tmp_path, targets, timeout=4 if why == "timeout" else 60, apply=apply)
    stop = threading.Event()

    awaited = {"asleep", "fast"}

    def listen(event: Event) -> None:
        if isinstance(event, Doing) and event.what == "Sleep":
            awaited.discard("asleep")
        if isinstance(event, Done) and event.device == "box.fast":
            awaited.discard("fast")
        if why == "stop" and not awaited:
            stop.set()

    begun = time.monotonic()
    ended = play.ended(Step.APPLY, on_event=listen, stop=stop)
    assert time.monotonic() - begun < 15
    assert ended["box.fast"] == DONE
    late = ("'Sleep' did not end in time", "it was not finished within 4 s")
    assert ended["box.slow"] in [(Outcome.FAILED, reason) for reason in (["interrupted"] if why == "stop" else late)]
    assert children() == []


LIKE_A_CONTROLLER = """
import os, sys, threading
from pathlib import Path
from playbooks.batch import Batch, Kept
from playbooks.drivers.pyinfra import perform
from playbooks.job import Job, JobShape, Step
from playbooks.mask import Mask
from tests.playbooks.pyinfra_play import target
from playbooks.target import Login
folder, known_hosts, port, key, user, lock = sys.argv[1:]
login = Login("box.test", "127.0.0.1", user, int(port), key)
shape = JobShape(about={"en": "a test"}, driver="pyinfra", fits="platform=linux")
job = Job("test", Path(folder, "job"), shape, "")
held = os.open(lock, os.O_RDWR)
import fcntl
fcntl.flock(held, fcntl.LOCK_EX)
targets = (target(login, Path(known_hosts), file=folder + "/last"),)
perform(Batch(job, Step.APPLY, targets, Path(folder, "run"), lambda e: print(e, flush=True), Mask([]), locks=(held,)))
"""


def test_when_the_controller_is_killed_the_device_is_not_left_half_done_and_stays_locked(
    server: Server, known_hosts: Path, tmp_path: Path
) -> None:
    apply = """
        for number in range(20):
            server.shell(name=f"Work {number}", commands=["sleep 0.1"])
        server.shell(name="Last", commands=["touch " + values["file"]])
    """
    Play(tmp_path, [], apply=apply)
    lock = tmp_path / "lock"
    lock.touch()
    login = server.login()
    words = [str(tmp_path), str(known_hosts), str(login.port), login.key, login.user, str(lock)]
    command = [sys.executable, "-c", LIKE_A_CONTROLLER, *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as controller:
        assert controller.stdout
        for line in controller.stdout:
            if "Work 2" in line:
                break
        controller.send_signal(signal.SIGKILL)
    with lock.open("r+") as another:
        with pytest.raises(BlockingIOError):
            fcntl.flock(another, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(another, fcntl.LOCK_EX)
    assert (tmp_path / "last").exists()
