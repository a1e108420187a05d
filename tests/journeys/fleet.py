"""Boxes on a lab, the one-stop agent on them, rollouts of it whose controller is killed, and what must hold after."""

import json
import os
import random
import signal
import statistics
import subprocess
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from inventory.load import load
from inventory.rollouts import hours_of
from inventory.selector import select_devices
from lab.wires import CONTROLLER
from ledger.connection import FILE, open_ledger
from ledger.leases import held
from ledger.records import Actor
from ledger.rollout_history import events, find_rollout, unended
from ledger.rollouts import lease_name
from playbooks.rollout.journal import Journal, Step
from playbooks.rollout.plan import RolloutPlan
from playbooks.rollout.state import Kind
from tests.journeys.provisioned import controller_of, wait_until

BOXES = "role=server,tier=commune"
SECONDS = 900
DEB = "one-stop-agent_1.0_all.deb"
PROBE = 'modules:\n  agent: {probe: http, with: {port: 8099, body_must_match: \'"status": "ok"\'}}\n'


def install(url: str) -> str:
    """Return the command that brings version 1.0 to a box, for the one-stop system at `url`."""
    return (
        f"cd /tmp && curl -sfO http://{CONTROLLER}/pool/lab/{DEB} && dpkg -i {DEB}"
        f" && printf '[agent]\\noffice = %s\\nurl = {url}\\n' $(hostname) > /etc/one-stop-agent/agent.conf"
        " && systemctl restart one-stop-agent"
    )


def probed(folder: Path, box: str) -> None:
    """Let the gate ask the agents, too: those are on the boxes that the text `box` of kinds.yaml gives."""
    province, kinds = folder / "province.yaml", folder / "kinds.yaml"
    text = province.read_text()
    province.write_text(text.replace("modules:\n", PROBE) if "modules:\n" in text else text + PROBE)
    kinds.write_text(kinds.read_text().replace(box, f"{box}, probes: [agent]"))


def course_of(folder: Path, name: str) -> tuple[RolloutPlan, list[Step]]:
    """Return the plan of the newest rollout of that name in a province's ledger, and all that has happened to it."""
    with open_ledger(folder / FILE) as ledger:
        journal = Journal(ledger, find_rollout(ledger, name).id, Actor("", ""))
        return journal.plan, journal.read()


def moment(step: Step) -> float:
    """Return when it happened, in seconds of the clock."""
    return datetime.fromisoformat(step.event.at).timestamp()


class Field(Protocol):
    """Where a fleet is: a lab with the province in `folder`."""

    @property
    def folder(self) -> Path: ...
    def tuyen(self, *words: str, seconds: float = 120) -> "subprocess.CompletedProcess[str]": ...
    def start(self, *words: str) -> "subprocess.Popen[str]": ...
    def shell(self, box: str, command: str) -> str: ...


class Fleet:
    """Boxes, and rollouts of the agent on them. `values` are what the job needs beside the version."""

    def __init__(self, field: Field, select: str, values: Mapping[str, Any]) -> None:
        self.field, self._select, self._values = field, select, values
        self.boxes = [device.id for device in select_devices(load(field.folder), select)]
        self.canary = self.boxes[0]
        self._chance, self.kills = random.Random(2026), 0
        self.leased: list[float] = []  # seconds from the start of each later controller until it held the lease
        self._began: list[float] = []  # when those were started
        self._token = 0  # of the last controller that was killed

    def declare(self, name: str, version: str, *waves: dict[str, Any], **more: Any) -> None:
        """Write a rollout of that version: a canary, then what is given, then the rest; `more` are keys of its own."""
        folder = self.field.folder / "rollouts"
        folder.mkdir(exist_ok=True)
        shape = {
            "about": {"en": f"Agent {version}."},
            "job": "one-stop-agent",
            "with": {**self._values, "version": version},
            "select": self._select,
            "waves": [{"canary": [self.canary]}, *waves, {"rest": True}],
            "gate": {"bake": "3 s", "budget": {"devices": 0}},
            "working_hours": "ignored",
            "limits": {"parallel": 20, "per_uplink": 10},
            "until": "2036-12-31",
            "on_failure": "rollback-wave",
            **more,
        }
        (folder / f"{name}.yaml").write_text(json.dumps(shape, indent=1))  # JSON is YAML

    def rollout(self, name: str, kills: int = 0, seconds: float = SECONDS) -> "subprocess.CompletedProcess[str]":
        """Carry a rollout out, killing its controller so many times on the way; return how the last one ended."""
        words, self._token = ["start", name, "--yes"], 0
        for kill in range(kills):
            if (ended := self._killed(words, 1 + kill * len(self.boxes) // (kills + 1), seconds)) is not None:
                return ended
            words = ["resume", name]
        self._began += [time.time()] if kills else []
        return self.field.tuyen("rollout", *words, seconds=seconds)

    def _killed(self, words: list[str], dispatched: int, seconds: float) -> "subprocess.CompletedProcess[str] | None":
        """Let a controller drive until so many devices were begun, and kill it soon after.

        Return how it ended when it was faster.
        """
        began = time.time()
        drives = self.field.start("rollout", *words)
        wait_until(lambda: self._is_driven() or drives.poll() is not None, seconds, 0.05)
        if words[0] == "resume":
            self.leased.append(time.time() - began)
            self._began.append(began)
        wait_until(lambda: self._dispatched() >= dispatched or drives.poll() is not None, seconds)
        time.sleep(self._chance.uniform(0, 25))
        if drives.poll() is None:
            os.kill(controller_of(self.field.folder), signal.SIGKILL)
        said, _nothing = drives.communicate(timeout=30)
        if drives.returncode in (0, 1):
            return subprocess.CompletedProcess(words, drives.returncode, said, "")
        self.kills += 1
        return None

    def _is_driven(self) -> bool:
        """Whether a controller that we have not killed holds the lease."""
        if not (self.field.folder / FILE).exists():
            return False
        with open_ledger(self.field.folder / FILE) as ledger:
            for rollout in unended(ledger):
                lease = held(ledger, lease_name(rollout.id))
                if lease and lease.token > self._token:
                    self._token = lease.token
                    return True
        return False

    def _dispatched(self) -> int:
        """Return how many devices the rollout under way has begun."""
        with open_ledger(self.field.folder / FILE) as ledger:
            found = [event.kind for rollout in unended(ledger) for event in events(ledger, rollout.id)]
        return found.count(Kind.DISPATCHED)

    def on_boxes(self, command: str) -> dict[str, str]:
        with ThreadPoolExecutor(8) as pool:
            said = pool.map(lambda box: self.field.shell(box, command).strip(), self.boxes)
            return dict(zip(self.boxes, said, strict=True))

    def versions(self) -> set[str]:
        return set(self.on_boxes("dpkg-query -W -f '${db:Status-Abbrev}${Version}' one-stop-agent").values())

    def changes_to(self, version: str) -> dict[str, int]:
        """Return how often each box has begun to install that version."""
        what = f"(install|upgrade) one-stop-agent:all .* {version}$"
        counted = self.on_boxes(f"grep -cE '{what}' /var/log/dpkg.log || true")
        return {box: int(number) for box, number in counted.items()}

    def changed_at(self, version: str) -> dict[str, float]:
        """Return when each box first began to install that version, by its own log in whole seconds; 0: never."""
        what = f"(install|upgrade) one-stop-agent:all .* {version}$"
        command = f"grep -m1 -E '{what}' /var/log/dpkg.log | cut -c1-19 | xargs -r -d '\\n' -I@ date -d @ +%s"
        return {box: float(said or 0) for box, said in self.on_boxes(command).items()}

    def course(self, name: str) -> tuple[RolloutPlan, list[Step]]:
        """Return the plan of the newest rollout of that name, and all that has happened to it."""
        return course_of(self.field.folder, name)

    def settled(self, name: str) -> list[float]:
        """Return the seconds from the start of each later controller that lived to report anything until it did."""
        moments = [moment(step) for step in self.course(name)[1] if step.event.kind is Kind.REPORTED]
        lives = zip(self._began, [*self._began[1:], time.time()], strict=True)
        firsts = ((began, [at for at in moments if began < at < over]) for began, over in lives)
        return [min(reports) - began for began, reports in firsts if reports]

    def tell_resumption(self, name: str) -> None:
        """Print how soon later controllers went on."""
        for what, seconds in (("lease held", self.leased), ("first report", self.settled(name))):
            if seconds:
                worst, usual = max(seconds), statistics.median(seconds)
                print(f"{self.kills} kills; {what} after {usual:.1f} s (median), {worst:.1f} s (worst)")


def check_order(fleet: Fleet, name: str, version: str) -> None:
    """Check that no box was changed before the ledger said so, before its gate had opened, or outside of its hours."""
    plan, steps = fleet.course(name)
    begun = [step for step in steps if step.event.kind is Kind.DISPATCHED]
    identities = [step.event.details["dispatch"] for step in begun]
    assert len(identities) == len(set(identities)), "an id is never used twice"
    passed = {step.event.wave: moment(step) for step in steps if step.event.kind is Kind.GATE_PASSED}
    assert sorted(passed) == list(range(len(plan.waves)))
    first = {step.event.device: moment(step) for step in reversed(begun)}
    for box, changed in fleet.changed_at(version).items():
        opened = max(first[box], passed.get(plan.wave_of(box) - 1, 0.0))
        assert opened < changed + 1, f"{box} was changed {opened - changed:.1f} s early"
    check_hours(fleet, name, begun)


def check_hours(fleet: Fleet, name: str, begun: list[Step]) -> None:
    """Check that everything was begun when its box might be worked on."""
    province = load(fleet.field.folder)
    rollout = province.rollouts[name]
    for step in begun:
        hours = hours_of(province, rollout, province.devices[step.event.device])
        assert hours.is_open(datetime.fromisoformat(step.event.at)), f"{step.event} is outside of its hours"
