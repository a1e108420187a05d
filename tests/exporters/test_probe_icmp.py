"""Ping in a network namespace of the test's own, where addresses answer, are silent, or have no way."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SILENT = "no answer to ping: the device is off or unreachable, or drops ping"


def pinged(*questions: dict[str, object], before: tuple[str, ...] = ()) -> list[list[dict[str, Any]]]:
    command = ["unshare", "--net", *before, sys.executable, "-m", "tests.exporters.in_a_namespace"]
    done = subprocess.run(
        [*command, json.dumps(questions)], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr
    answers: list[list[dict[str, Any]]] = json.loads(done.stdout)
    return answers


def test_answers_silence_and_ways_that_are_cut() -> None:
    answers = pinged(
        {"address": "10.91.0.1"},
        {"address": "10.7.0.2", "wait": 0.3},
        {"address": "10.7.0.2", "wait": 5, "patience": 0.3},
        {"address": "10.9.0.1"},
        {"address": "10.8.0.1"},
        {"address": "11.0.0.1"},
    )
    told = [(answer["success"], answer["heard"], answer["asked"], answer["reason"]) for (answer,) in answers]
    assert told[0][:3] == (True, True, True)
    assert told[0][3].startswith("answers ping in 0.")
    assert told[1:] == [
        (False, False, True, SILENT),
        (False, False, True, f"{SILENT} (waited 0.3 s)"),
        (False, False, True, "no route to the network: the way to it is cut off on this machine"),
        (False, False, True, "no route to the host: a router on the way says that it is not there"),
        (False, False, True, "no route to the network: look at the link and at this machine's routes"),
    ]
    assert 0.3 <= answers[1][0]["seconds"] < 0.8


def test_several_requests_tell_loss() -> None:
    (answer,), (silent,) = pinged(
        {"address": "10.91.0.1", "count": 3}, {"address": "10.7.0.2", "count": 2, "wait": 0.2}
    )
    metrics = {name: value for name, _labels, value in answer["metrics"]}
    assert metrics["tuyen_probe_icmp_loss_ratio"] == 0
    assert 0 < metrics["probe_icmp_duration_seconds"] < 0.1
    assert ["tuyen_probe_icmp_loss_ratio", [], 1.0] in silent["metrics"]


def test_requests_leave_at_an_even_pace() -> None:
    (answers,) = pinged({"address": "paced"})
    took = sorted(answer["seconds"] for answer in answers)
    assert took[5] < 0.1
    assert all(took[index] > index / 100 - 0.15 for index in range(50))
    assert 0.35 < took[-1] < 1


def test_fleet_loses_no_answer() -> None:
    (answers,) = pinged({"address": "fleet"})
    assert len(answers) == 10000
    assert [answer["reason"] for answer in answers if not answer["success"]] == []


def test_cancelled_questions_do_not_disturb_the_others() -> None:
    (answers,) = pinged({"address": "cancelled"})
    assert len(answers) == 11
    assert all(answer["success"] for answer in answers)


def test_missing_privilege_is_named_and_no_fault_of_the_device() -> None:
    without_raw = ("setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw")
    ((answer,),) = pinged({"address": "10.91.0.1"}, before=without_raw)
    assert (answer["success"], answer["asked"]) == (False, False)
    assert "setcap cap_net_raw+ep" in answer["reason"]
    assert "net.ipv4.ping_group_range" in answer["reason"]
