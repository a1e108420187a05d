"""The kit on real series: Debian's node_exporter, snmp_exporter and snmpd, read by Debian's Prometheus.

Grafana is not among Debian's packages: its dashboards are judged by their questions, put to that Prometheus, and by
the form of their JSON, in test_kit.
"""

import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from exporters.kit.machine_alerts import NODE_ALERTS
from exporters.kit.recording import LONG_ERROR_WINDOWS, error_ratio
from tests.exporters.exporters_at_work import BATTERY, AtWork, at_work

SERVERS = {"web.centre", "server-1.an-bien", "server-2.an-bien", "box.dong-yen", "box.nam-yen"}
ROUTERS = {"router.centre", "router.an-bien", "router.dong-yen", "router.nam-yen"}
CUT = "10.91.16.0/25"  # the office an-bien
HUNG, HUNG_ADDRESS = "box.nam-yen", "10.91.16.202"
LOSSY, LOSSY_ROUTER = "dong-yen", "10.91.16.129"
LOSE = "numgen inc mod 2 == 0 drop"
OFFICES = {"centre", "an-bien", "dong-yen", "nam-yen"}
TROUBLES = {
    "OfficeDown": ("office", {"an-bien"}),
    "NodeExporterSilent": ("instance", {HUNG}),  # of an office that is down, silence says nothing
    "LinkLoss": ("office", {LOSSY}),
    "UpsOnBattery": ("device", {"ups.dong-yen", "ups.nam-yen"}),
    "UpsBatteryLow": ("device", {"ups.dong-yen", "ups.nam-yen"}),
}
# Errors over hours and days are put together every minute and every five: their rules are tested over days.
SLOW = {*map(error_ratio, ("30m", "1h", *LONG_ERROR_WINDOWS))}


@pytest.fixture(scope="module")
def well(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AtWork]:
    """Everything answers, and has been read."""
    with at_work(tmp_path_factory.mktemp("at-work")) as found:
        _wait(lambda: found.get("status/runtimeinfo"), 90)
        _wait(lambda: _instances(found, 'up{job="node"} == 1') == SERVERS, 150)
        _wait(lambda: _instances(found, 'up{job="snmp"} == 1') == ROUTERS, 150)
        yield found


@pytest.fixture(scope="module")
def work(well: AtWork) -> AtWork:
    """All troubles at once: an office is cut, a machine hangs, a link loses half of what it carries, mains fail."""
    _wait(lambda: _instances(well, "tuyen:link_loss:ratio10m == 0", "office") == OFFICES, 150)
    assert not [name for name in TROUBLES if _alerts(well, name)]
    for prefix in (CUT, f"{HUNG_ADDRESS}/32"):
        well.do("ip", "route", "add", "blackhole", prefix, "table", "local")
    well.do("nft", "add table ip lossy; add chain ip lossy in { type filter hook input priority 0; };")
    well.do("nft", f"add rule ip lossy in ip daddr {LOSSY_ROUTER} icmp type echo-request {LOSE}")
    well.supply(BATTERY)
    return well


def _wait(what: Callable[[], object], seconds: float, told: Callable[[], object] = lambda: None) -> None:
    start = time.monotonic()
    while not what():
        assert time.monotonic() - start < seconds, told()
        time.sleep(0.5)


def _instances(work: AtWork, expr: str, label: str = "instance") -> set[str]:
    return {series["metric"].get(label, "") for series in work.query(expr)}


def _alerts(work: AtWork, name: str) -> list[dict[str, Any]]:
    found = work.get("alerts") or {"alerts": []}
    return [alert["labels"] for alert in found["alerts"] if alert["labels"]["alertname"] == name]


def _expr(name: str) -> str:
    return next(alert.expr for alert in NODE_ALERTS if alert.name == name)


def test_gear_clocks_and_disks_are_read(well: AtWork) -> None:
    assert _instances(well, 'ifOperStatus{job="snmp",ifName="lo"} == 1') == ROUTERS
    assert _instances(well, "ifHCInOctets > 0") == ROUTERS
    assert _instances(well, "sysUpTime > 0", "office") == OFFICES
    assert _instances(well, "abs(node_timex_offset_seconds) >= 0") == SERVERS
    assert _instances(well, _expr("ClockOff").replace("> 0.1", ">= 0")) == SERVERS
    assert _instances(well, _expr("ClockOff").replace("> 0.1", "> 3600").replace(">= 16", "> 3600")) == set()


@pytest.mark.parametrize(("alert", "disk"), [("DiskFull", "full"), ("DiskReadOnly", "worn")])
def test_disks_are_told_of_machine_and_place(well: AtWork, alert: str, disk: str) -> None:
    _wait(lambda: {labels["instance"] for labels in _alerts(well, alert)} == SERVERS, 120)
    assert {labels["mountpoint"] for labels in _alerts(well, alert)} == {str(well.folder / disk)}
    box = next(labels for labels in _alerts(well, alert) if labels["instance"] == "box.dong-yen")
    assert (box["office"], box["district"], box["role"]) == ("dong-yen", "an-bien", "server")


def test_every_trouble_is_told_of_what_has_it(work: AtWork) -> None:
    expected = {name: whose for name, (_label, whose) in TROUBLES.items()}

    def told() -> dict[str, set[str]]:
        return {name: {one[label] for one in _alerts(work, name)} for name, (label, _whose) in TROUBLES.items()}

    _wait(lambda: told() == expected, 180, told)


def test_every_question_of_every_dashboard_has_an_answer(work: AtWork) -> None:
    questions = {question for question in _questions(work) if not any(name in question for name in SLOW)}
    assert len(questions) > 25
    _wait(lambda: not _unanswered(work, questions), 150, lambda: _unanswered(work, questions))
    for question in _questions(work) - questions:
        work.query(question)  # it is well formed


def _questions(work: AtWork) -> set[str]:
    boards = [json.loads(file.read_text()) for file in work.kit.glob("grafana/en/*.json")]
    return {target["expr"] for board in boards for panel in board["panels"] for target in panel["targets"]}


def _unanswered(work: AtWork, questions: set[str]) -> list[str]:
    return [question for question in questions if not work.query(question.replace("$office", "dong-yen"))]


def test_every_variable_is_declared_and_fills_itself(work: AtWork) -> None:
    for file in work.kit.glob("grafana/*/*.json"):
        board = json.loads(file.read_text())
        declared = {variable["name"]: variable for variable in board["templating"]["list"]}
        used = set(re.findall(r"\$\{?(\w+)", json.dumps([panel["targets"] for panel in board["panels"]])))
        assert used == declared.keys()
        for variable in declared.values():
            if variable["type"] == "query":
                metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["definition"]).groups()  # type: ignore[union-attr]
                assert _instances(work, metric, label) == OFFICES
