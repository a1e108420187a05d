"""`tuyen rollout` as people type it: plans, refusals, approvals, lists and evidence. Nothing here reaches a device."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from cli.rollout import app
from ledger.connection import FILE, open_ledger
from ledger.records import Actor, Draft
from ledger.rollout_history import find_rollout
from ledger.rollouts import append, create
from playbooks.rollout.plan import dump_rollout
from playbooks.rollout.planning import read_rollout
from tests.conftest import Tuyen

GOOD = Path(__file__).parents[1] / "provinces" / "good"
JOB = """about: {en: "A greeting at log-in."}
driver: pyinfra
fits: role=server
takes: 90 s
bytes: 4000000
variables:
  text: {about: What it says., default: Welcome}
  rate: {type: integer, about: "Kilobits a second."}
"""
ROLLOUT = """about: {en: The greeting in the communes.}
job: greeting
select: kind=commune,role=server
waves:
  - {canary: [box.dong-yen]}
  - {rest: true, approvals: 1}
gate: {bake: 30 s, probes: false}
limits: {rate: 256 kbit/s}
working_hours: ignored
until: 2099-12-31
"""
As = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def province(tmp_path: Path) -> Path:
    """A province with a job, a rollout, and people with real keys: lan and hung operate, lan and mai approve."""
    folder = Path(copytree(GOOD, tmp_path / "good"))
    for name in ("lan", "mai", "hung"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)]
        subprocess.run(command, check=True, timeout=30)
    roles = {"lan": "operator, approver", "mai": "approver", "hung": "operator"}
    under = {"lan": "centre", "mai": "centre", "hung": "dong-yen"}
    people = (
        f'  {name}: {{name: {name}, roles: [{words}], under: {under[name]}, keys: ["{public(tmp_path / name)}"]}}\n'
        for name, words in roles.items()
    )
    (folder / "people.yaml").write_text("people:\n" + "".join(people))
    (folder / "jobs" / "greeting").mkdir(parents=True)
    (folder / "jobs" / "greeting" / "job.yaml").write_text(JOB)
    (folder / "jobs" / "greeting" / "apply.py").write_text("def deploy(values):\n    pass\n")
    for file in (folder / "rollouts").glob("*.yaml"):
        file.unlink()
    (folder / "rollouts" / "greet.yaml").write_text(ROLLOUT)
    return folder


def public(key: Path) -> str:
    return key.with_name(f"{key.name}.pub").read_text().strip()


@pytest.fixture
def rollout(tuyen: Tuyen, province: Path) -> As:
    """Run `tuyen rollout` as somebody: rollout("lan", "plan", ...)."""

    def run(who: str, *words: str) -> "subprocess.CompletedProcess[str]":
        return tuyen("rollout", *words, cwd=province, SUDO_USER=who, SSH_AUTH_SOCK="")

    return run


@pytest.fixture
def under_way(rollout: As, province: Path) -> str:
    """A rollout of lan's that was started, and that nobody drives; its id."""
    made = rollout("lan", "plan", "greet", "--no-ask", "--out", "plan.json")
    assert made.returncode == 0, made.stderr
    plan = read_rollout(province / "plan.json")
    with open_ledger(province / FILE) as ledger:
        lan = Actor("lan", "lan")
        identity = create(ledger, name=plan.name, job=plan.job, plan=dump_rollout(plan), actor=lan)
        append(ledger, identity, [Draft("started", details={"before": {}})], actor=lan)
    return identity


def items(done: "subprocess.CompletedProcess[str]") -> list[dict[str, Any]]:
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["items"]
    return found


def test_a_plan_tells_waves_time_and_bytes_and_is_written_under_its_digest(rollout: As, province: Path) -> None:
    (province / ".tuyen").mkdir(exist_ok=True)
    (province / ".tuyen").chmod(0o2770)
    done = rollout("lan", "plan", "greet", "--no-ask", "--format", "json")
    told = json.loads(done.stdout)
    assert Path(told["file"]).parent.stat().st_mode & 0o7777 == 0o2770  # others of the group plan, too
    waves = [item for item in told["items"] if item["is"] == "wave"]
    assert [(wave["name"], wave["devices"], wave["approvals"]) for wave in waves] == [
        ("canary", ["box.dong-yen"], 0),
        ("rest", ["box.nam-yen"], 1),
    ]
    links = {item["link"]: (item["devices"], item["bytes"]) for item in told["items"] if item["is"] == "link"}
    assert links["an-bien.uplink"] == (2, 8_000_000)
    assert links["dong-yen.uplink"] == (1, 4_000_000)
    assert told["bytes"] == 8_000_000
    assert waves[0]["begins"] < waves[0]["ends"] == waves[1]["begins"] < told["ends"]
    plan = read_rollout(Path(told["file"]))
    assert told["file"].endswith(f".tuyen/rollouts/greet-{told['digest'][:12]}.json")
    assert (plan.digest, plan.author, plan.sets) == (told["digest"], "lan", {"rate": 256})
    table = rollout("lan", "plan", "greet", "--no-ask")
    assert "canary" in table.stdout
    assert "start it with: tuyen rollout start" in table.stdout


def test_a_declaration_may_be_named_by_its_path(rollout: As, province: Path) -> None:
    done = rollout("lan", "plan", "rollouts/greet.yaml", "--no-ask", "--format", "json")
    assert json.loads(done.stdout)["rollout"] == "greet", done.stderr
    other = province / "greet.yaml"
    other.write_text(ROLLOUT)
    assert "it is no whole plan of a rollout" in rollout("lan", "plan", "greet.yaml", "--no-ask").stderr
    gone = rollout("lan", "plan", "rollouts/gret.yaml", "--no-ask")
    assert (gone.returncode, "write 'greet'" in gone.stderr.replace("\n", " ")) == (2, True)


def test_a_plan_that_was_touched_or_is_anothers_is_refused(rollout: As, province: Path) -> None:
    rollout("lan", "plan", "greet", "--no-ask", "--out", "plan.json")
    other = rollout("hung", "start", "plan.json", "--yes")
    assert other.returncode == 1
    assert "lan made this plan" in other.stderr
    job = province / "jobs" / "greeting" / "job.yaml"
    job.write_text(JOB.replace("90 s", "80 s"))
    changed = rollout("lan", "start", "plan.json", "--yes")
    assert changed.returncode == 1
    assert "was changed after the rollout was planned" in changed.stderr
    plan = province / "plan.json"
    plan.write_text(plan.read_text().replace("box.nam-yen", "web.centre"))
    touched = rollout("lan", "start", "plan.json", "--yes")
    assert touched.returncode == 2
    assert "it was changed after it was made" in touched.stderr


@pytest.mark.parametrize(
    ("before", "after", "code", "said"),
    [
        ("until: 2099-12-31", "until: 2021-12-31", 1, "'until: 2021-12-31' is over"),
        ("job: greeting", "job: greting", 2, "'greeting'"),
        ("job: greeting", "job: greeting\nwith: {txt: x}", 2, "'text'"),
        ("limits", "with: {rate: fast}\nlimits", 2, "no integer"),
        ("select: kind=commune,role=server", "select: office=dong-yen", 1, "fits role=server"),
    ],
)
def test_what_cannot_be_carried_out_is_refused(
    rollout: As, province: Path, before: str, after: str, code: int, said: str
) -> None:
    (province / "rollouts" / "greet.yaml").write_text(ROLLOUT.replace(before, after))
    done = rollout("lan", "plan", "greet", "--no-ask")
    assert done.returncode == code, done
    assert said in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr


def test_names_that_are_none_are_told_with_the_nearest(rollout: As) -> None:
    wrong = rollout("lan", "plan", "gret", "--no-ask")
    assert wrong.returncode == 2
    assert "'greet'" in wrong.stderr.replace("\n", " ")
    assert rollout("lan", "pause", "greet").returncode == 2
    device = rollout("lan", "show", "box.dong-yem")
    assert device.returncode == 2
    assert "'box.dong-yen'" in device.stderr.replace("\n", " ")


def test_nobody_acts_outside_of_their_subtree(rollout: As, under_way: str) -> None:
    for words in (("start", "greet", "--yes"), ("pause", under_way), ("abort", under_way), ("resume", under_way)):
        done = rollout("hung", *words)
        assert done.returncode == 1, words
        assert "outside of it: box.nam-yen" in done.stderr
    viewer = rollout("mai", "pause", under_way)
    assert "'mai' is no operator" in viewer.stderr


def test_a_start_that_lacks_something_leaves_nothing_behind(rollout: As, province: Path) -> None:
    head, kinds = province / "province.yaml", province / "kinds.yaml"
    plain = head.read_text(), kinds.read_text()
    asked = plain[1].replace("router: {probes: [icmp]}", "router: {probes: [icmp, snmp]}")  # the gate's and the job's
    for texts in ((plain[0], asked), (plain[0] + "variables: [{with: {text: {secret: word}}}]\n", plain[1])):
        head.write_text(texts[0])
        kinds.write_text(texts[1])
        done = rollout("lan", "start", "greet", "--yes")  # secrets are needed, and there are none
        assert done.returncode == 2
        assert "secrets.yaml" in done.stderr
        assert items(rollout("lan", "list", "--format", "json")) == []


def test_only_one_of_a_name_is_under_way(rollout: As, under_way: str) -> None:
    done = rollout("lan", "start", "greet", "--yes")
    assert done.returncode == 1
    assert f"greet is under way already ({under_way})" in done.stderr


def test_the_board_tells_how_it_stands(rollout: As, under_way: str) -> None:
    whole, *others = items(rollout("lan", "status", "--format", "json"))
    assert (whole["rollout"], whole["id"], whole["status"]) == ("greet", under_way, "running")
    assert (whole["wave"], whole["waves"], whole["devices"], whole["waiting"]) == (0, 2, 2, 2)
    assert whole["driver"] == ""
    assert [item["gate"] for item in others if item["is"] == "wave"] == ["ahead", "ahead"]
    assert {item["device"]: item["state"] for item in others if item["is"] == "device"} == {
        "box.dong-yen": "waiting",
        "box.nam-yen": "waiting",
    }
    table = rollout("lan", "status", "greet").stdout
    assert "nobody drives it; go on with: tuyen rollout resume greet" in table
    assert "approved by 0 of 1" in table


def test_the_board_tells_of_a_gate_that_failed_also_when_all_is_over(rollout: As, province: Path, changed: str) -> None:
    def gates() -> list[str]:
        told = items(rollout("lan", "status", "greet", "--format", "json"))
        return [item["gate"] for item in told if item["is"] == "wave"]

    assert gates() == ["open", "ahead"]
    with open_ledger(province / FILE) as ledger:
        failed = Draft("gate-failed", wave=0, details={"why": "the portal is down"})
        append(ledger, changed, [failed], actor=Actor("lan", "lan"))
        assert gates() == ["failed", "ahead"]
        ended = [Draft("rollback", details={"devices": ["box.dong-yen"]}), Draft("ended")]
        append(ledger, changed, ended, actor=Actor("lan", "lan"), ends=True)
    assert gates() == ["failed", "ahead"]


def test_the_board_tells_of_a_wave_that_was_left(rollout: As, changed: str) -> None:
    assert rollout("lan", "abort", "greet").returncode == 0
    table = rollout("lan", "status", "greet").stdout
    assert any(line.startswith("1     canary") and line.endswith("not done") for line in table.splitlines()), table


def test_a_mistake_in_a_file_keeps_nobody_from_stopping_a_rollout(rollout: As, province: Path, under_way: str) -> None:
    for file, text, how in (
        ("services.yaml", "x: [", "pause"),
        ("offices/an-bien.yaml", "offices: {dong-yen: {nmber: 3}}\n", "abort"),
    ):
        (province / file).write_text(text)
        refused = rollout("lan", "resume", "greet")
        assert (refused.returncode, file in refused.stderr) == (2, True)
        assert rollout("hung", how, "greet").returncode == 1, "what is missing may be what hung may not touch"
        seen = rollout("lan", "status", "greet")
        assert (seen.returncode, file in seen.stderr, under_way in seen.stdout) == (0, True, True)
        done = rollout("lan", how, "greet", "--why", "a storm")
        assert (done.returncode, file in done.stderr) == (0, True)
    assert done.stdout == "greet is aborted\n"


def test_pause_and_abort(rollout: As, under_way: str) -> None:
    assert rollout("lan", "pause", "greet", "--why", "a storm").returncode == 0
    assert "paused: a storm" in rollout("lan", "status", "greet").stdout
    again = rollout("lan", "pause", "greet")
    assert again.returncode == 1
    assert "is paused, so this changes nothing" in again.stderr
    back = rollout("lan", "rollback", "greet", "--yes")
    assert back.returncode == 1
    assert "nothing to roll back" in back.stderr
    assert rollout("lan", "abort", "greet").returncode == 0
    [item] = items(rollout("lan", "list", "--format", "json"))
    assert (item["status"], item["devices"]) == ("ended", 2)
    assert item["ended_at"]
    assert rollout("lan", "resume", "greet").returncode == 1


@pytest.fixture
def changed(province: Path, under_way: str) -> str:
    """The same, with its canary done."""
    told = {"dispatch": "1", "step": "apply"}
    done = {"dispatch": "1", "result": "done", "changed": True}
    with open_ledger(province / FILE) as ledger:
        began = [Draft("wave-began", wave=0), Draft("dispatched", "box.dong-yen", details=told)]
        append(ledger, under_way, [*began, Draft("reported", "box.dong-yen", details=done)], actor=Actor("lan", "lan"))
    return under_way


def test_where_nobody_can_answer_a_question_it_is_said_what_helps(rollout: As, changed: str) -> None:
    done = rollout("lan", "rollback", "greet")
    assert done.returncode == 2
    assert done.stderr.startswith("put 1 devices back? [y/N]:")
    assert done.stderr.endswith("there is nobody here to ask: add --yes\n")
    assert items(rollout("lan", "status", "greet", "--format", "json"))[0]["status"] == "running"


def test_programs_are_told_how_it_stands_after_each_command(rollout: As, province: Path, under_way: str) -> None:
    key = str(province.parent / "mai")
    for who, words, status in (
        ("lan", ("pause", "greet", "--why", "a storm"), "paused"),
        ("mai", ("approve", "greet", "--key", key), "paused"),
        ("lan", ("abort", "greet"), "ended"),
    ):
        told = items(rollout(who, *words, "--format", "json"))
        assert [told[0][key] for key in ("is", "id", "status")] == ["rollout", under_way, status]
        assert told == items(rollout("lan", "status", "greet", "--format", "json"))
    assert told[2]["approved"] == ["mai"]
    unasked = rollout("lan", "rollback", "greet", "--format", "json")
    assert unasked.returncode == 2
    assert "json has nobody to ask" in unasked.stderr.replace("\n", " ")


def test_approval_is_anothers_and_signed(rollout: As, province: Path, under_way: str) -> None:
    own = rollout("lan", "approve", "greet", "--key", str(province.parent / "lan"))
    assert "is the author" in own.stderr
    no_role = rollout("hung", "approve", "greet", "--key", str(province.parent / "hung"))
    assert "is no approver" in no_role.stderr
    others_key = rollout("mai", "approve", "greet", "--key", str(province.parent / "lan"))
    assert "none of those that people.yaml gives 'mai'" in others_key.stderr
    no_key = rollout("mai", "approve", "greet")
    assert "--key" in no_key.stderr
    for wave, said in (("1", "needs no approval"), ("3", "there is no wave 3")):
        assert said in rollout("mai", "approve", "greet", "--wave", wave).stderr
    assert all(done.returncode == 1 for done in (own, no_role, others_key, no_key))
    done = rollout("mai", "approve", "greet", "--key", str(province.parent / "mai"))
    assert done.returncode == 0, done.stderr
    assert "approved by mai (1 of 1)" in done.stdout
    assert "approved by 1 of 1" in rollout("lan", "status", "greet").stdout


def test_a_forged_approval_in_the_ledger_does_not_count_and_evidence_says_so(
    rollout: As, province: Path, under_way: str, tmp_path: Path
) -> None:
    with open_ledger(province / FILE) as ledger:
        forged = Draft("approved", wave=1, details={"person": "mai", "signature": "none"})
        append(ledger, under_way, [forged], actor=Actor("mai", "mai"))
        assert find_rollout(ledger, "greet").id == under_way
    assert "approved by 0 of 1" in rollout("lan", "status", "greet").stdout
    rollout("mai", "approve", "greet", "--key", str(province.parent / "mai"))
    [told] = items(rollout("lan", "export", "greet"))
    assert [one["counts"] for one in told["approvals"]] == [False, True]
    assert told["plan_digest"] == read_rollout(province / "plan.json").digest
    assert [event["kind"] for event in told["events"]] == ["started", "approved", "approved"]
    good = told["approvals"][1]
    (tmp_path / "allowed").write_text(f"mai {good['keys'][0]}\n")
    (tmp_path / "signature").write_text(good["signature"])
    words = ["-f", "allowed", "-I", "mai", "-n", good["namespace"], "-s", "signature"]
    verified = subprocess.run(
        ["ssh-keygen", "-Y", "verify", *words], input=good["text"], text=True, cwd=tmp_path, check=False, timeout=30
    )
    assert verified.returncode == 0
    assert rollout("lan", "export", "greet", "--out", "evidence.json").returncode == 0
    assert json.loads((province / "evidence.json").read_text())["items"][0]["rollout"] == under_way


def test_a_devices_history_names_the_rollout(rollout: As, province: Path, under_way: str) -> None:
    with open_ledger(province / FILE) as ledger:
        drafts = [
            Draft("wave-began", wave=0),
            Draft("dispatched", "box.dong-yen", details={"dispatch": "d1", "step": "apply"}),
            Draft("reported", "box.dong-yen", details={"dispatch": "d1", "result": "failed", "reason": "disk full"}),
        ]
        append(ledger, under_way, drafts, actor=Actor("lan", "lan"))
    told = items(rollout("lan", "show", "box.dong-yen", "--format", "json"))
    assert {item["of"] for item in told} == {"greet"}
    assert ("reported failed", "disk full") in [(item["what"], item["reason"]) for item in told]
    shown = rollout("lan", "show", "box.dong-yen").stdout
    assert "begun: apply" in shown
    assert "ended: FAILED" in shown
    table = rollout("lan", "status", "greet").stdout
    assert "disk full" in table


def test_every_command_explains_itself(rollout: As) -> None:
    for command in app.registered_commands:
        if not command.hidden:
            assert command.epilog
            assert "tuyen rollout " in command.epilog
    done = rollout("lan", "start", "--help")
    assert done.returncode == 0
    assert "For example" in done.stdout
