"""The kit at work: Debian's Prometheus and Alertmanager in the lab, beside a real watch of the whole province."""

import contextlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from exporters.kit.folder import write
from exporters.kit.rendering import render
from exporters.kit.settings import KitSettings
from inventory.load import load
from inventory.secrets import open_secrets
from lab.practice import enter_command, up
from lab.running import Lab

EVERY = 4  # seconds between two pings, two scrapes, two evaluations
WATCH, RECEIVER = "127.0.0.1:9733", 9099
YOUNG = 30  # seconds for which a watch that has just begun is not believed
CUT = "an-bien"  # a district with communes behind it
PROMETHEUS = ("prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data")
ALERTMANAGER = (
    "prometheus-alertmanager",
    "--config.file=alertmanager.yml",
    "--storage.path=alerts",
    "--cluster.listen-address=",
)


@dataclass
class Running:
    """The lab, what runs in it, and what was told to the receiver."""

    lab: Lab
    province: Path
    kit: Path
    log: Path
    ends: contextlib.ExitStack
    watch: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    def start(self, *words: str) -> "subprocess.Popen[bytes]":
        with (self.log / f"{Path(words[0]).name}.log").open("ab") as log:
            process = subprocess.Popen(
                enter_command(self.lab, ["env", f"--chdir={self.kit}", *words]),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.ends.callback(_end, process)
        return process

    def start_watch(self) -> None:
        words = ("-m", "cli", "--province", str(self.province), "watch", "--listen", WATCH)
        root = Path(__file__).parents[2]
        self.watch.append(self.start("env", f"PYTHONPATH={root}", sys.executable, *words))

    def kill_watch(self) -> None:
        """Kill the watch as the kernel would: it is told nothing."""
        pids = subprocess.run(
            enter_command(self.lab, ["pgrep", "-f", f"cli --province {self.province} watch"]),
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        ).stdout.split()
        subprocess.run(enter_command(self.lab, ["kill", "-9", *pids]), timeout=20, check=True)
        self.watch.pop().wait(20)

    def get(self, url: str) -> Any:
        words = ["curl", "--silent", "--fail", "--max-time", "5", url]
        done = subprocess.run(enter_command(self.lab, words), capture_output=True, timeout=20, check=False)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def told(self) -> list[tuple[str, str, str, str]]:
        """Return (path, status, alert, office) of every alert that came to the receiver, in order."""
        file = self.log / "told"
        lines = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
        return [
            (line["path"], alert["status"], alert["labels"]["alertname"], alert["labels"].get("office", ""))
            for line in lines
            for alert in line["alerts"]
        ]


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    process.wait(20)


@pytest.fixture(scope="module")
def running(kien_giang: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    tmp_path = tmp_path_factory.mktemp("kit")
    folder = Path(shutil.copytree(kien_giang, tmp_path / "kien-giang"))
    _receive_by_webhook(folder)
    province = load(folder)
    kit = tmp_path / "kit"
    files = render(province, KitSettings(watch=WATCH, interval=EVERY))
    write(kit, files, tuple(files))
    lab = up(province, folder / ".tuyen" / "lab", secrets=open_secrets(folder), die_with_parent=True)
    try:
        with contextlib.ExitStack() as ends:
            found = Running(lab, folder, kit, tmp_path, ends)
            found.start_watch()
            found.start(
                sys.executable, str(Path(__file__).with_name("kit_receiver.py")), str(RECEIVER), f"{tmp_path}/told"
            )
            found.start(*ALERTMANAGER)
            found.start(*PROMETHEUS)
            yield found
    finally:
        lab.down()


def _receive_by_webhook(folder: Path) -> None:
    """Let one of the province's people and the district's be told by webhook, and ping more often."""
    people = folder / "people.yaml"
    text = people.read_text()
    for account, address in (
        ("nguyen-hoang-nam", f"json://127.0.0.1:{RECEIVER}/province"),
        ("huynh-ngoc-diep", f"json://127.0.0.1:{RECEIVER}/an-bien?lang=en"),
        ("pham-van-tien", f"json://127.0.0.1:{RECEIVER}/phu-quoc"),
    ):
        text = text.replace(f"mailto:{account}@kiengiang.example", f'"{address}"')
    people.write_text(text)
    province = folder / "province.yaml"
    ping = f"modules:\n  icmp: {{probe: icmp, interval: {EVERY} s, timeout: 2 s, with: {{wait: 1}}}}\n"
    province.write_text(province.read_text().replace("modules:\n", ping, 1))


def _held(running: Running) -> dict[str, str]:
    """Return the state of every office as Prometheus holds it."""
    found = running.get("http://127.0.0.1:9090/api/v1/query?query=tuyen:office_state:held")
    series = found["data"]["result"] if found else []
    return {one["metric"]["office"]: one["metric"]["state"] for one in series}


def _wait(what: Callable[[], bool], seconds: float, running: Running) -> float:
    start = time.monotonic()
    while not what():
        assert time.monotonic() - start < seconds, (running.told(), _held(running) and _not_up(running))
        time.sleep(0.5)
    return time.monotonic() - start


def _not_up(running: Running) -> dict[str, str]:
    return {office: state for office, state in _held(running).items() if state != "up"}


def _news(alert: str, status: str) -> list[tuple[str, str, str, str]]:
    """Return what the two receivers concerned are told."""
    return [("/an-bien", status, alert, CUT), ("/province", status, alert, CUT)]


def _told_since(running: Running, before: int) -> list[tuple[str, str, str, str]]:
    """Return what was told of offices; that a watch which is long in starting is silent is told, too, and right."""
    return sorted(told for told in running.told()[before:] if told[2] != "WatchSilent")


def test_one_cut_gives_one_alert(running: Running) -> None:
    _wait(lambda: set(_held(running).values()) == {"up"}, 150, running)
    targets = running.get("http://127.0.0.1:9090/api/v1/targets")["data"]["activeTargets"]
    assert {t["labels"]["job"] for t in targets if t["health"] == "up"} >= {"tuyen", "prometheus", "alertmanager"}
    assert _told_since(running, 0) == []
    running.lab.cut([CUT])
    firing, over = _news("OfficeDown", "firing"), _news("OfficeDown", "resolved")
    print(f"told after {_wait(lambda: _told_since(running, 0) == firing, 150, running):.1f} s")
    assert len([o for o, state in _not_up(running).items() if state == "unreachable"]) >= 9
    _wait(lambda: "OfficeUnreachable" in _known_to_alertmanager(running), 120, running)
    assert _told_since(running, 0) == firing
    running.lab.restore()
    took = _wait(lambda: _told_since(running, 0) == sorted([*firing, *over]), 150, running)
    print(f"resolved after {took:.1f} s")
    _wait(lambda: not _not_up(running), 150, running)


@pytest.mark.soak
def test_the_death_of_the_watch_in_an_outage_resolves_nothing(running: Running) -> None:
    before = len(running.told())
    running.lab.cut([CUT])
    firing, over = _news("OfficeDown", "firing"), _news("OfficeDown", "resolved")
    _wait(lambda: _told_since(running, before) == firing, 150, running)
    behind = {o for o, state in _not_up(running).items() if state == "unreachable"}
    running.kill_watch()
    time.sleep(2 * EVERY)
    assert _not_up(running).keys() >= {CUT, *behind}
    running.start_watch()
    _wait(lambda: _fresh(running), 120, running)
    time.sleep(YOUNG + 4 * EVERY)  # longer than the new watch is not believed, and than Alertmanager holds news back
    assert _told_since(running, before) == firing
    running.lab.restore()
    _wait(lambda: _told_since(running, before) == sorted([*firing, *over]), 150, running)


def _known_to_alertmanager(running: Running) -> set[str]:
    """Return the alerts that Alertmanager has, told or muted."""
    found = running.get("http://127.0.0.1:9093/api/v2/alerts") or []
    return {alert["labels"]["alertname"] for alert in found}


def _fresh(running: Running) -> bool:
    """Whether the watch answers, and has asked everything once."""
    health = running.get(f"http://{WATCH}/healthz")
    return bool(health and health["answered"] == health["questions"])
