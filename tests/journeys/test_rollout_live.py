"""Rollouts as they run, by the real clock: hours, power, people, notices, metrics, and a change that cuts machines off.

All on one lab: the example, of which the boxes of some communes are real.
"""

import json
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from inventory.windows import DAYS
from lab.practice import enter_command
from ledger.errors import UnknownRolloutError
from playbooks.rollout.state import Kind
from tests.journeys.conftest import Watched, started
from tests.journeys.fleet import course_of, moment
from tests.journeys.practice import Practice, copied, practising
from tests.journeys.provisioned import JOBS, wait_until

COMMUNES = ("thu-ba", "tay-yen", "tay-yen-a", "nam-yen", "hung-yen", "nam-thai", "nam-thai-a", "dong-thai", "dong-yen")
BOXES = tuple(f"box.{commune}" for commune in COMMUNES)
ISLANDS = ("box.hon-tre", "box.lai-son", "box.an-son")
ALL = f"id in ({','.join(BOXES + ISLANDS)})"
WEAK = ("box.thu-ba", "box.tay-yen", "box.hon-tre")  # on battery, behind a slow link, well
SEVERED = frozenset(BOXES[3:9])  # three quarters of a wave of eight
PROBE_INTERVAL = 60.0  # seconds: what probes have that do not say otherwise; the gate looks twice as often
SEVERS = 8.0  # seconds after it was done until a machine shuts itself off
LATE = 15.0  # seconds after a window opened until work has begun, on a busy machine
UNFIT = timedelta(minutes=10)  # until an office that was not fit is looked at again


@dataclass(frozen=True)
class Scene:
    """The lab, the private key of mai who may approve, and the file into which notices come."""

    place: Practice
    key: Path
    told: Path

    def declare(self, name: str, *waves: dict[str, Any], **more: Any) -> None:
        """Write a rollout of a greeting that says its name; `more` are keys of its own."""
        boxes = [box for wave in waves for box in wave["canary"]]
        shape = {
            "about": {"en": "A greeting."},
            "job": "greeting",
            "with": {"text": name},
            "select": f"id in ({','.join(boxes)})",
            "waves": list(waves),
            "gate": {"bake": "1 s", "budget": {"devices": 0}},
            "working_hours": "ignored",
            "until": "2099-12-31",
            **more,
        }
        (self.place.folder / "rollouts" / f"{name}.yaml").write_text(json.dumps(shape))

    def greetings(self, *boxes: str) -> list[str]:
        return [self.place.shell(box, "cat /etc/motd").strip() for box in boxes]

    def counts(self, name: str) -> Counter[str]:
        """Return how many devices of a rollout are in which state; nothing before it has begun."""
        try:
            _plan, steps = course_of(self.place.folder, name)
        except UnknownRolloutError:
            return Counter()
        return Counter(str(device.state) for device in steps[-1].after.devices.values()) if steps else Counter()

    def notices(self, name: str) -> list[tuple[str, str]]:
        """Return who was told what of a rollout, in order."""
        lines = map(json.loads, self.told.read_text().splitlines() if self.told.exists() else ())
        return [(line["by"], line["message"]) for line in lines if f" {name} " in line["title"]]

    def events(self, name: str, kind: Kind) -> dict[str, float]:
        """Return when a rollout had events of a kind, the last of each device or of the whole ("")."""
        return {step.event.device: moment(step) for step in course_of(self.place.folder, name)[1] if _is(step, kind)}


def _is(step: Any, kind: Kind) -> bool:
    return bool(step.event.kind is kind)


def wave(*boxes: str, **more: Any) -> dict[str, Any]:
    return {"canary": list(boxes), **more}


@pytest.fixture(scope="module")
def scene(kien_giang: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = copied(kien_giang, tmp_path_factory.mktemp("live"))
    shutil.copytree(JOBS, folder / "jobs", dirs_exist_ok=True)
    severed = f'  - select: "id in ({",".join(sorted(SEVERED))})"\n    with: {{sever: true}}\n'
    file = folder / "province.yaml"
    file.write_text(file.read_text().replace("variables:\n", f"variables:\n{severed}"))
    with practising(folder, ALL, "--light", ALL) as place, receiving(place, folder / "told") as (hook, mail):
        yield Scene(place, people(folder, hook, mail), folder / "told")


@contextmanager
def receiving(place: Practice, file: Path) -> Iterator[tuple[int, int]]:
    """Receive notices on the loopback of the controller for a block; yield the ports of web hook and mail."""
    command = enter_command(place.lab, [sys.executable, "-m", "tests.journeys.receiver", str(file)])
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as receiver:
        assert receiver.stdout
        hook, mail = map(int, receiver.stdout.readline().split())
        yield hook, mail
        receiver.communicate(timeout=30)


def people(folder: Path, hook: int, mail: int) -> Path:
    """Let only nam, an operator, and mai, who approves, be told anything; return the key of mai."""
    key = folder / ".tuyen" / "mai"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True, timeout=30)
    public = key.with_suffix(".pub").read_text().strip()
    letter = f"mailto://127.0.0.1:{mail}/?from=tuyen@kiengiang.example&to=mai@kiengiang.example&mode=insecure"
    file = folder / "people.yaml"
    others = re.sub(r" +notify: .*\n", "", file.read_text())
    file.write_text(
        f"{others}\n  nam:\n    name: Nam\n    roles: [operator]\n    under: data-centre\n"
        f'    language: en\n    notify: ["json://127.0.0.1:{hook}/"]\n'
        f"  mai:\n    name: Mai\n    roles: [approver]\n    under: data-centre\n    language: en\n"
        f'    keys: ["{public}"]\n    notify: ["{letter}"]\n'
    )
    return key


@pytest.fixture(scope="module", autouse=True)
def evening(scene: Scene) -> Iterator[tuple["subprocess.Popen[str]", float]]:
    """A rollout whose window opens in a minute or two: who drives it, and when that is. All other tests run beside."""
    now = datetime.now(ZoneInfo("Asia/Ho_Chi_Minh"))
    opens = (now + timedelta(seconds=120)).replace(second=0, microsecond=0)
    times = {"opens": f"{opens:%H:%M}", "closes": f"{opens + timedelta(hours=6):%H:%M}"}
    boxes = ISLANDS[1:]
    scene.declare("evening", wave(*boxes), windows=[{"days": list(DAYS), **times}], gate={"probes": False})
    drives = scene.place.start("rollout", "start", "evening", "--yes")
    wait_until(lambda: scene.counts("evening")["waiting"] == len(boxes), 60)
    yield drives, opens.timestamp()
    drives.kill()
    drives.wait(30)


def test_offices_on_battery_or_behind_a_bad_link_are_postponed(scene: Scene) -> None:
    with weather(scene):
        postponed = dict(_reasons(scene, "weather"))
        assert set(postponed) == set(WEAK[:2])
        assert "mains are off" in postponed[WEAK[0]]
        assert "its link is slow: " in postponed[WEAK[1]]
        assert "weather" not in scene.greetings(*WEAK[:2])
        ended = scene.place.tuyen("rollout", "abort", "weather", "--why", "a storm", "--format", "json")
        assert json.loads(ended.stdout)["items"][0]["status"] in ("aborted", "ended"), ended.stderr


@pytest.mark.soak
def test_postponed_offices_are_done_once_they_are_well(scene: Scene) -> None:
    with weather(scene) as drives:
        began = time.monotonic()
        scene.place.lab.set_supply("ups.thu-ba", battery=False)
        scene.place.lab.restore()
        said, _nothing = drives.communicate(timeout=UNFIT.total_seconds() + 300)
        assert drives.returncode == 0, said
        print(f"done {time.monotonic() - began:.0f} s after they were well again")
        assert scene.greetings(*WEAK) == ["weather"] * 3
        assert time.monotonic() - began > UNFIT.total_seconds() - 120


@contextmanager
def weather(scene: Scene) -> "Iterator[subprocess.Popen[str]]":
    """Let a rollout run in bad weather until it waits for offices that it must not touch; yield who drives it."""
    lab = scene.place.lab
    lab.set_supply("ups.thu-ba", battery=True)
    lab.impair("tay-yen.uplink", delay=1.3)
    scene.declare("weather", wave(*WEAK), gate={"probes": False, "bake": "1 s"})
    drives = scene.place.start("rollout", "start", "weather", "--yes")
    try:
        wait_until(lambda: scene.counts("weather") == {"done": 1, "owed": 2}, 120)
        yield drives
    finally:
        lab.set_supply("ups.thu-ba", battery=False)
        lab.restore()
        drives.kill()
        drives.wait(30)


def _reasons(scene: Scene, name: str) -> Iterator[tuple[str, str]]:
    for step in course_of(scene.place.folder, name)[1]:
        if step.event.kind is Kind.POSTPONED:
            yield step.event.device, str(step.event.details["why"])


def test_people_are_told_and_the_watch_shows_it_while_it_runs(scene: Scene) -> None:
    scene.declare("greet", wave("box.hon-tre"), wave("box.thu-ba", name="second", approvals=1))
    with watched(scene) as watch:
        drives = scene.place.start("rollout", "start", "greet", "--yes")
        try:
            wait_until(lambda: scene.notices("greet"), 120, 1)
            asked = "wave 'second' waits for approval; people that must still agree: 1"
            assert scene.notices("greet") == [("mai@kiengiang.example", asked)]
            wait_until(lambda: figures(watch)["devices", "done"] == 1, 60, 1)
            assert figures(watch)["status", "running"] == 1
            assert figures(watch)["devices", "waiting"] == 1
            assert figures(watch)["wave", ""] == 1
            act(scene, "pause", "greet", "--why", "a storm", "--as", "nam")
            wait_until(lambda: figures(watch)["status", "paused"] == 1, 60, 1)
            act(scene, "resume", "greet", "--as", "nam")
            act(scene, "approve", "greet", "--as", "mai", "--key", str(scene.key))
            said, _nothing = drives.communicate(timeout=120)
            assert drives.returncode == 0, said
            wait_until(lambda: figures(watch)["status", "ended"] == 1, 60, 1)
            assert figures(watch)["devices", "done"] == 2
        finally:
            drives.kill()
            drives.wait(30)
    told = [("hook", "paused: a storm"), ("hook", "ended: 2 done")]
    assert scene.notices("greet")[1:] == told
    assert scene.greetings("box.hon-tre", "box.thu-ba") == ["greet", "greet"]


def act(scene: Scene, *words: str) -> None:
    done = scene.place.tuyen("rollout", *words, "--format", "json")
    assert done.returncode == 0, done.stderr


@contextmanager
def watched(scene: Scene) -> Iterator[Watched]:
    """The real watch, at work in the lab for a block."""
    with started(scene.place.lab, scene.place.folder) as base:
        found = Watched(scene.place.lab, scene.place.declared, scene.place.folder, base)
        wait_until(lambda: "tuyen_rollouts_read_success 1.0" in _metrics(found), 120, 1)
        yield found


def _metrics(watch: Watched) -> str:
    try:
        return watch.get("/metrics")
    except OSError:  # it is not there yet
        return ""


def figures(watch: Watched) -> dict[tuple[str, str], float]:
    """Return what the watch tells of the rollout greet, by metric and by state or status; 0 for what it does not."""
    known = {("devices", "done"): 0.0, ("status", "paused"): 0.0, ("status", "ended"): 0.0}
    for series, value in watch.samples().items():
        if told := re.fullmatch(r'tuyen_rollout_(\w+)\{rollout="greet"(?:,\w+="([\w-]+)")?\}', series):
            known[told[1], told[2] or ""] = value
    return known


def test_change_that_cuts_most_of_a_wave_off_is_stopped_within_a_probe_interval(scene: Scene) -> None:
    waves = wave(*BOXES[1:]), wave(BOXES[0], ISLANDS[0], name="next")
    scene.declare("severed", *waves, job="severed", gate={"bake": "100 s", "budget": {"percent": 20}})
    done = scene.place.tuyen("rollout", "start", "severed", "--yes", seconds=600)
    assert done.returncode == 1, done.stdout + done.stderr
    check_stop(scene)
    assert "severed" not in scene.greetings(BOXES[0], ISLANDS[0])
    [(by, why)] = scene.notices("severed")
    assert by == "hook"
    assert why.startswith("failed: ")
    assert any(box in why for box in SEVERED) or "did not answer" in why


def check_stop(scene: Scene) -> None:
    """Check that the wave failed soon after the first machine was gone, and that nothing was begun from then on."""
    begun, reported = scene.events("severed", Kind.DISPATCHED), scene.events("severed", Kind.REPORTED)
    failed = scene.events("severed", Kind.GATE_FAILED)[""]
    cut = min(at for box, at in reported.items() if box in SEVERED) + SEVERS
    print(f"failed {failed - cut:.1f} s after the first machine had shut itself off")
    assert failed - cut < PROBE_INTERVAL
    assert max(begun.values()) < failed
    assert set(begun) == set(BOXES[1:]), "the next wave is untouched"


def test_rollout_begins_when_its_window_opens(scene: Scene, evening: tuple["subprocess.Popen[str]", float]) -> None:
    drives, opens = evening
    said, _nothing = drives.communicate(timeout=180)
    assert drives.returncode == 0, said
    begun = scene.events("evening", Kind.DISPATCHED)
    late = min(begun.values()) - opens
    print(f"begun {late:.2f} s after the window had opened")
    assert set(begun) == set(ISLANDS[1:])
    assert 0 <= late < LATE
    assert min(scene.events("evening", Kind.WAVE_BEGAN).values()) < opens, "it was driven, and waited"
    assert scene.greetings(*ISLANDS[1:]) == ["evening", "evening"]
