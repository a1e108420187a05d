"""`tuyen rollout` on real machines: driven here, stopped and gone on with, approved meanwhile, detached, and told."""

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger.locks import FOLDER as LOCKS
from ledger.locks import take
from tests.journeys.provisioned import Provisioned, provisioned, wait_until

BOXES = "id in (box.dong-1,box.dong-2,box.tay-1)"
ROLLOUT = """about: {{en: A greeting.}}
job: greeting
with: {{text: "{text}"}}
select: "{boxes}"
waves:
  - {{canary: [box.dong-1]}}
  - {{rest: true, approvals: {approvals}}}
gate: {{bake: 1 s}}
working_hours: ignored
until: 2099-12-31
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provisioned]:
    with provisioned(tmp_path_factory.mktemp("drive"), "", BOXES) as made:
        (made.field.folder / "rollouts").mkdir()
        yield made


def appoint(lab: Provisioned) -> Path:
    """Let mai approve, too, and return her private key."""
    path = lab.field.folder / ".tuyen" / "mai"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True, timeout=30)
    public = path.with_suffix(".pub").read_text().strip()
    lab.write("people.yaml", f'  mai: {{name: Mai, roles: [approver], under: centre, keys: ["{public}"]}}\n')
    return path


def declare(lab: Provisioned, text: str, approvals: int) -> None:
    written = ROLLOUT.format(text=text, boxes=BOXES, approvals=approvals)
    (lab.field.folder / "rollouts" / "greet.yaml").write_text(written)


def board(lab: Provisioned) -> dict[str, Any]:
    """Return how the newest rollout stands."""
    told: dict[str, Any] = json.loads(lab.tuyen("rollout", "status", "greet", "--format", "json").stdout)["items"][0]
    return told


def greetings(lab: Provisioned) -> set[str]:
    return {lab.field.shell(device.id, "cat /etc/motd").strip() for device in lab.field.devices(BOXES)}


def test_it_is_driven_stopped_gone_on_with_and_approved(lab: Provisioned) -> None:
    declare(lab, "one", approvals=1)
    run = lab.start("rollout", "start", "greet", "--yes")
    wait_until(lambda: "passed" in lab.tuyen("rollout", "status", "greet").stdout, 90, 1)
    second = lab.tuyen("rollout", "resume", "greet")
    assert second.returncode == 0
    assert "drives it on" in second.stderr
    assert board(lab)["waits_for"] == "approval"
    run.send_signal(signal.SIGINT)
    said, _none = run.communicate(timeout=60)
    assert run.returncode in (130, -signal.SIGINT), said  # a shell sees the same
    assert board(lab)["driver"] == ""
    again, refused = two_at_once(lab)
    assert "drives it on" in refused or "is held by root on" in refused
    key = appoint(lab)  # while it is driven: who drives it knows her only now
    approved = lab.tuyen("rollout", "approve", "greet", "--as", "mai", "--key", str(key))
    assert approved.returncode == 0, approved.stderr
    said, _none = again.communicate(timeout=120)
    assert again.returncode == 0, said
    asked, _colon, _rest = said.partition("approved by mai")
    assert "waits for approval of wave 2\n\n" in asked
    assert " wave 'rest' waits for approval; people that must still agree: 1" in asked
    assert (board(lab)["status"], board(lab)["done"]) == ("ended", 3)
    assert greetings(lab) == {"one"}
    assert lab.tuyen("audit-log", "verify").returncode == 0


def two_at_once(lab: Provisioned) -> "tuple[subprocess.Popen[str], str]":
    """Start two controllers; return the one that drives, and what the other said."""
    both = [lab.start("rollout", "resume", "greet") for _one in range(2)]
    wait_until(lambda: any(one.poll() is not None for one in both), 60)
    [over] = [one for one in both if one.returncode is not None]
    said, _none = over.communicate(timeout=60)
    wait_until(lambda: board(lab)["driver"], 60, 1)
    return next(one for one in both if one is not over), said


def test_planning_waits_for_nobody_and_holds_nobody_up(lab: Provisioned) -> None:
    declare(lab, "not yet", approvals=0)
    with take(lab.field.folder / LOCKS, "box.dong-1", person="lan", doing="something else", patience=1):
        planned = lab.tuyen("rollout", "plan", "greet", "--format", "json")
    told = json.loads(planned.stdout)["items"]
    assert {item["state"] for item in told if item["is"] == "device"} == {"change"}


def test_it_is_driven_in_a_process_of_its_own(lab: Provisioned) -> None:
    declare(lab, "two", approvals=0)
    done = lab.tuyen("rollout", "start", "greet", "--yes", "--detach")
    assert done.returncode == 0, done.stderr
    assert "is under way; its log is " in done.stdout
    wait_until(lambda: board(lab)["status"] == "ended", 120, 1)
    assert greetings(lab) == {"two"}
    log = Path(done.stdout.rpartition(" ")[2].strip()).read_text()
    assert "box.tay-1: done" in log
    wait_until(lambda: board(lab)["driver"] == "", 30)
