"""Outages on the lab with the real watch: one cause, one root; kill -9; power; planned work; what people say."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from inventory.load import load
from inventory.secrets import open_secrets
from lab.practice import enter_command, up
from lab.running import Lab
from ledger.connection import FILE, open_ledger
from ledger.outages import Outage, open_outages, outages_between
from ledger.watching import days, spans
from tests.journeys.conftest import Watched, wait_for

BEHIND = {
    "an-bien-post",
    "thu-ba",
    "tay-yen",
    "tay-yen-a",
    "nam-yen",
    "hung-yen",
    "nam-thai",
    "nam-thai-a",
    "dong-thai",
    "dong-yen",
}
DISTRICT = ["an-bien.uplink", "an-bien.backup"]


class Province:
    """The whole example province in the lab, with a watch that can be killed and started again."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab, self.folder = lab, folder
        self.listener = socket.create_server(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.watched = Watched(lab, load(folder), folder, base)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        words = ["--province", str(self.folder), "--lang", "en", "watch", "--fd", str(self.listener.fileno())]
        command = enter_command(self.lab, [sys.executable, "-m", "cli", *words])
        self.process = subprocess.Popen(command, pass_fds=[self.listener.fileno()])
        wait_for(self._round_done, 90)

    def _round_done(self) -> bool:
        try:
            health = json.loads(self.watched.get("/healthz"))
        except (OSError, ValueError):
            return False
        return bool(health["answered"] == health["questions"])

    def kill(self) -> None:
        """Kill the watch itself, not what entered the lab for it: nothing of it runs to an end."""
        assert self.process
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        os.kill(int(children[0]), signal.SIGKILL)
        self.process.wait(20)
        self.process = None

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(20)
        self.listener.close()

    def open(self, kind: str = "") -> dict[str, Outage]:
        with open_ledger(self.folder / FILE) as ledger:
            return {one.node: one for one in open_outages(ledger) if not kind or one.kind == kind}

    def since(self, at: datetime) -> list[Outage]:
        with open_ledger(self.folder / FILE) as ledger:
            return [one for one in outages_between(ledger, at, datetime.now(UTC)) if _time(one.began) >= at]

    def figure(self, kind: str, cause: str) -> float:
        return self.watched.samples()[f'tuyen_outage_open{{cause="{cause}",kind="{kind}"}}']


@pytest.fixture(scope="module")
def province(kien_giang: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    folder = Path(shutil.copytree(kien_giang, tmp_path_factory.mktemp("outages") / "kien-giang"))
    lab = up(load(folder), folder / ".tuyen" / "lab", secrets=open_secrets(folder), die_with_parent=True)
    made = Province(lab, folder)
    try:
        made.start()
        wait_for(lambda: not made.open() and (folder / FILE).is_file(), 60)
        yield made
    finally:
        made.stop()
        lab.down()


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _causes(outages: dict[str, Outage]) -> dict[str, str]:
    return {node: outage.cause for node, outage in outages.items()}


def _district_is_out(province: Province) -> Callable[[], bool]:
    def is_out() -> bool:
        causes = _causes(province.open("office"))
        return causes == {"an-bien": "link"} | dict.fromkeys(BEHIND, "upstream")

    return is_out


def _check_one_root(outages: list[Outage]) -> str:
    """Check that of all outages, of whatever kind, one is the root and all others point to it; return its id."""
    roots = [one for one in outages if one.root is None]
    assert [(one.kind, one.node, one.cause) for one in roots] == [("office", "an-bien", "link")]
    assert {one.root for one in outages if one.root} == {roots[0].id}
    nodes = [(one.kind, one.node) for one in outages]
    assert len(nodes) == len(set(nodes))
    return roots[0].id


def test_one_cause_is_one_root_through_kill_9(province: Province) -> None:
    start = datetime.now(UTC)
    province.lab.cut(DISTRICT)
    cut = datetime.now(UTC)
    try:
        took = wait_for(_district_is_out(province), 90, 1)
        print(f"out after {took:.0f} s")
        wait_for(lambda: province.figure("office", "upstream") == 10, 10)
        assert province.figure("office", "link") == 1
        assert province.open("link")["an-bien.uplink"].cause == "link"
        assert {one.state for one in province.open("office").values() if one.node != "an-bien"} == {"unreachable"}
        root = _check_one_root(list(province.open().values()))
        before = province.open()
        province.kill()
        time.sleep(3)
        assert province.open() == before
        province.start()
        time.sleep(45)  # longer than anything is confirmed or damped
        assert {one.id for one in province.open().values()} == {one.id for one in before.values()}
        assert _check_one_root(list(province.open().values())) == root
    finally:
        province.lab.restore()
    restored = datetime.now(UTC)
    took = wait_for(lambda: not province.open(), 240, 1)
    print(f"all closed after {took:.0f} s")
    outages = province.since(start)
    assert _check_one_root(outages) == root
    assert all(cut <= _time(one.began) <= cut + timedelta(seconds=60) for one in outages)
    ended = [_time(one.ended or "") for one in outages]
    assert all(restored - timedelta(seconds=1) <= moment <= restored + timedelta(seconds=60) for moment in ended)
    assert sum(province.figure("office", cause) for cause in ("link", "upstream", "power", "device")) == 0


def test_what_came_back_while_the_watch_was_off_is_closed_when_it_is_heard(province: Province) -> None:
    start = datetime.now(UTC)
    province.lab.cut(["tho-chau.uplink"])
    try:
        wait_for(lambda: "tho-chau" in province.open("office"), 90, 1)
        province.kill()
    finally:
        province.lab.restore()
    off = datetime.now(UTC)
    time.sleep(15)
    again = datetime.now(UTC)
    province.start()
    wait_for(lambda: not province.open(), 240, 1)
    outages = [one for one in province.since(start) if one.kind == "office"]
    assert [one.node for one in outages] == ["tho-chau"]
    assert again < _time(outages[0].ended or "") < again + timedelta(seconds=60)
    with open_ledger(province.folder / FILE) as ledger:
        found = spans(ledger, start, datetime.now(UTC))
    gaps = [(_time(one.until), _time(other.began)) for one, other in pairwise(found)]
    assert gaps[-1][0] <= off
    assert gaps[-1][1] >= again


@pytest.fixture(scope="module")
def worked_on(province: Province) -> Iterator[str]:
    """Work that is planned at hon-tre, which is cut during it, while dong-yen's mains fail; the id of the work."""
    said = province.watched.run("outage", "plan", "hon-tre", "--until", "2h", "--why", "a new router")
    assert said.returncode == 0, said.stderr
    province.lab.set_supply("ups.dong-yen", battery=True)
    time.sleep(12)  # the watch looks into the ledger
    province.lab.cut(["hon-tre.uplink"])
    yield said.stdout.partition(":")[0]
    province.lab.restore()
    province.lab.set_supply("ups.dong-yen", battery=False)


def test_a_battery_before_the_silence_tells_of_the_power(province: Province, worked_on: str) -> None:
    wait_for(lambda: _causes(province.open("device")).get("ups.dong-yen") == "power", 120, 1)
    assert province.open("office")["dong-yen"].cause == "power"
    assert province.open()["dong-yen"].state == "degraded"
    province.lab.cut(["dong-yen.uplink"])
    wait_for(lambda: province.open()["dong-yen"].state == "down", 90, 1)
    office = province.open("office")["dong-yen"]
    assert office.cause == "power"
    assert "on battery" in office.evidence["said"]
    assert office.root is None
    assert "dong-yen.uplink" not in province.open("link")  # without power at its end nothing is known of the line


def test_planned_work_is_maintenance_and_people_have_their_say(province: Province, worked_on: str) -> None:
    parts = ("hon-tre", "hon-tre.uplink", "router.hon-tre", "box.hon-tre")
    wait_for(lambda: [_causes(province.open()).get(part) for part in parts] == ["maintenance"] * 4, 90, 1)
    assert province.watched.states("office")["hon-tre"] == "maintenance"
    planned = province.open("office")["hon-tre"]
    assert planned.evidence["why"] == "a new router"
    assert province.watched.run("outage", "plan", "--cancel", worked_on).returncode == 0
    wait_for(lambda: _causes(province.open("office")).get("hon-tre") == "link", 60, 1)
    said = province.watched.run("outage", "note", "hon-tre", "the ferry cut the cable", "--cause", "power")
    assert said.returncode == 0, said.stderr
    assert province.watched.run("outage", "ack", "hon-tre", "--until", "4h").returncode == 0
    time.sleep(35)  # the watch goes on looking, and keeps what was said
    listed = json.loads(province.watched.run("outage", "list", "--format", "json", "--kind", "office").stdout)
    found = {one["node"]: one for one in listed["items"]}["hon-tre"]
    assert (found["cause"], found["note"]) == ("power", "the ferry cut the cable")
    assert found["acked_by"]


def test_all_is_over_and_planned_work_is_not_counted(province: Province, worked_on: str) -> None:
    """The report counts of hon-tre what was not planned, to the second, and tells the planned time beside it."""
    province.lab.restore()
    province.lab.set_supply("ups.dong-yen", battery=False)
    wait_for(lambda: not province.open(), 240, 1)
    verified = province.watched.run("audit-log", "verify")
    assert verified.returncode == 0, verified.stdout
    today = datetime.now(UTC).date()
    days = ("--from", str(today - timedelta(days=1)), "--to", str(today + timedelta(days=1)))
    said = province.watched.run("report", "uptime", *days, "--format", "json")
    assert said.returncode == 0, said.stderr
    line = {one["id"]: one for one in json.loads(said.stdout)["items"] if one["kind"] == "office"}["hon-tre"]
    planned, away = (_seconds_of(province, "hon-tre", state) for state in ("maintenance", "down"))
    assert planned > 20
    assert away > 20
    assert (line["maintenance_seconds"], line["away_seconds"]) == pytest.approx((planned, away), abs=1)
    assert line["availability"] == pytest.approx(1 - away / (line["observed_seconds"] - planned), abs=0.001)


def _seconds_of(province: Province, office: str, state: str) -> float:
    """Return for how long an office was in a state, by its outages in the ledger."""
    outages = [one for one in province.since(datetime.now(UTC) - timedelta(days=1)) if one.kind == "office"]
    return sum(
        (_time(one.ended or "") - _time(one.began)).total_seconds()
        for one in outages
        if (one.node, one.state) == (office, state)
    )


def test_the_days_are_counted_when_the_watch_ends(province: Province) -> None:
    assert province.process
    province.process.terminate()
    province.process.wait(30)
    province.process = None
    with open_ledger(province.folder / FILE) as ledger:
        # what entered the lab for the watch ends before it
        wait_for(lambda: days(ledger, "2000-01-01", "2100-01-01", "office", "an-bien"), 20)
        found = days(ledger, "2000-01-01", "2100-01-01", "office", "an-bien")
        routers = days(ledger, "2000-01-01", "2100-01-01", "device", "router.an-bien")
    assert sum(day.up for day in found) > 60
    assert sum(day.trips for day in routers) > 5
    assert all(0 < day.trip_seconds / day.trips <= day.longest_trip for day in routers if day.trips)
