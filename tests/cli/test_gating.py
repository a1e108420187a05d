"""The gate of a rollout on the lab: what was up and is not fails it, what cannot be told pauses it."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.gating import PROMETHEUS, ask_query
from lab.practice import Lab, enter_command, up
from playbooks.rollout.seams import Judgement
from tests.cli.looking import province
from tests.exporters.test_notify import free_port
from tests.lab.small import SECRETS

Ask = Callable[..., Any]
BOXES = ["box.upper", "box.lower", "box.island"]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = up(province(), tmp_path_factory.mktemp("gate"), secrets=SECRETS, die_with_parent=True)
    yield lab
    lab.down()


@pytest.fixture
def lab(running: Lab) -> Iterator[Lab]:
    yield running
    running.restore()


@pytest.fixture
def ask(lab: Lab) -> Ask:
    def put(do: str, *devices: str, **more: Any) -> Any:
        question = json.dumps({"do": do, "devices": devices or BOXES, "ca_file": str(lab.authority), **more})
        command = enter_command(lab, [sys.executable, "-m", "tests.cli.looking", question])
        done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return put


def test_all_is_well(ask: Ask) -> None:
    assert ask("not_up") == {}
    assert ask("look") == {"judgement": "well", "why": ""}


def test_a_device_that_went_down_fails_the_gate_and_is_named(lab: Lab, ask: Ask) -> None:
    lab.cut(["box.upper"])
    verdict = ask("look")
    assert verdict["judgement"] == "ill"
    assert "box.upper: " in verdict["why"]
    assert "island" not in verdict["why"]


def test_an_office_that_went_away_fails_the_gate(lab: Lab, ask: Ask) -> None:
    lab.cut(["south"])
    verdict = ask("look", "box.island")
    assert verdict["judgement"] == "ill"
    assert "island: behind south, which is silent" in verdict["why"]


def test_a_service_that_went_down_fails_the_gate_of_the_offices_that_need_it(lab: Lab, ask: Ask) -> None:
    lab.cut(["web.hub"])
    assert ask("look", "box.island")["judgement"] == "well"
    verdict = ask("look", "box.upper")
    assert verdict["judgement"] == "ill"
    assert verdict["why"].startswith("one-stop: ")


def test_what_was_down_before_does_not_fail_it(lab: Lab, ask: Ask) -> None:
    lab.cut(["box.upper", "web.hub"])
    before = ask("not_up")
    assert set(before) == {"box.upper", "upper", "one-stop"}
    assert ask("look", before=before)["judgement"] == "well"
    lab.cut(["box.lower"])
    verdict = ask("look", before=before)
    assert verdict["judgement"] == "ill"
    assert "box.upper" not in verdict["why"]


def test_the_provinces_own_way_out_being_down_cannot_be_judged(lab: Lab, ask: Ask) -> None:
    lab.cut(["router.hub"])
    verdict = ask("look")
    assert verdict["judgement"] == "unknown"
    assert "router.hub is silent" in verdict["why"]


def test_silence_everywhere_cannot_be_judged(lab: Lab, ask: Ask) -> None:
    lab.cut(["hub"])
    verdict = ask("look")
    assert verdict["judgement"] == "unknown"
    assert "nothing answers at all" in verdict["why"]


def test_lost_packets_of_a_weak_link_do_not_fail_it(lab: Lab, ask: Ask) -> None:
    lab.impair("south.uplink", loss=0.02, delay=0.3)
    assert [ask("look", "box.island")["judgement"] for _turn in range(3)] == ["well"] * 3


def test_asking_that_fails_here_cannot_be_judged(ask: Ask) -> None:
    verdict = ask("look", "ups.upper", blind=True)
    assert verdict["judgement"] == "unknown"
    assert "ups.upper" in verdict["why"]


def test_offices_that_are_well_are_fit(ask: Ask) -> None:
    assert ask("fitness") == {}


def test_an_office_on_battery_is_postponed(lab: Lab, ask: Ask) -> None:
    lab.set_supply("ups.upper", battery=True)
    try:
        unfit = ask("fitness")
    finally:
        lab.set_supply("ups.upper", battery=False)
    assert list(unfit) == ["box.upper"]
    assert "ups.upper: mains are off" in unfit["box.upper"]


def test_an_office_on_a_bad_link_is_postponed(lab: Lab, ask: Ask) -> None:
    lab.impair("upper.uplink", loss=0.5)
    lab.impair("island.uplink", delay=1.2)
    # chance alone may let nearly all or none of ten pings pass, but not three times
    unfit: dict[str, str] = next((found for _turn in range(3) if "box.upper" in (found := ask("fitness"))), {})
    assert set(unfit) == {"box.upper", "box.island"}
    assert "pings are lost" in unfit["box.upper"]
    assert "s a round trip" in unfit["box.island"]


def test_a_device_that_is_declared_no_more_is_postponed(ask: Ask) -> None:
    assert ask("fitness", "box.sold", "box.upper") == {"box.sold": "'box.sold' is no longer declared"}


def test_a_silent_office_is_not_called_unfit(lab: Lab, ask: Ask) -> None:
    lab.cut(["island"])
    assert ask("fitness", "box.island") == {}


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Prometheus that scrapes nothing."""
    folder = tmp_path_factory.mktemp("prometheus")
    Path(folder, "prometheus.yml").write_text("global: {}\n")
    listen = f"127.0.0.1:{free_port()}"
    words = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    with subprocess.Popen(["prometheus", *words, f"--web.listen-address={listen}", "--log.level=error"]) as process:
        yield f"http://{listen}"
        process.terminate()


@pytest.mark.parametrize(
    ("query", "judgement"),
    [
        ("vector(1)", Judgement.WELL),
        ("1 == bool 1", Judgement.WELL),
        ("vector(0)", Judgement.ILL),
        ("absent(nothing) * 0", Judgement.ILL),
        ("nothing", Judgement.UNKNOWN),
        ("vector(0) / 0", Judgement.UNKNOWN),
        ("sum(", Judgement.UNKNOWN),
    ],
)
def test_prometheus_is_asked(
    prometheus: str, monkeypatch: pytest.MonkeyPatch, query: str, judgement: Judgement
) -> None:
    monkeypatch.setenv(PROMETHEUS, prometheus)
    for _turn in range(100):
        verdict = ask_query(query)
        if "does not answer" not in verdict.why and "503" not in verdict.why:
            break
        time.sleep(0.1)
    assert verdict.judgement is judgement, verdict
    assert (judgement is Judgement.WELL) is (verdict.why == "")


def test_a_prometheus_that_is_not_there_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PROMETHEUS, f"http://127.0.0.1:{free_port()}")
    verdict = ask_query("vector(1)")
    assert verdict.judgement is Judgement.UNKNOWN
    assert "does not answer" in verdict.why
