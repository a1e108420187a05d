"""The one-stop agent on booted boxes of all communes: waves, gates, hours, twenty kills, and a broken version."""

import re
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from inventory.load import load
from inventory.windows import DAYS
from playbooks.rollout.state import Kind
from tests.journeys.fleet import BOXES, Fleet, check_order, install, probed
from tests.journeys.practice import Practice, copied, practising

pytestmark = pytest.mark.soak
KILLS = 20
SECONDS = 4 * 3600
URL = "https://motcua.kiengiang.example"
COUNTERS_CLOSE, ISLANDS_OPEN = timedelta(minutes=3), timedelta(minutes=12)  # after the rollout is declared


@pytest.fixture(scope="module")
def fleet(kien_giang: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = copied(kien_giang, tmp_path_factory.mktemp("communes"))
    began = time.monotonic()
    with practising(folder, BOXES, "--machines", BOXES, "--packages") as place:
        print(f"{len(place.declared.devices)} devices, real ones trusted: {time.monotonic() - began:.1f} s")
        probed(folder, "type: advantech-ark-1123h, host: 8")
        yield Fleet(place, BOXES, {"one_stop_url": URL})


def offer(fleet: Fleet, version: str) -> None:
    done = Practice(fleet.field.folder).of_lab("offer", "one-stop-agent", version)
    assert done.returncode == 0, done.stderr


def hours(folder: Path) -> dict[str, Any]:
    """Let the counters close in some minutes, and return windows of which those of the islands open later still."""
    zone = ZoneInfo(load(folder).time_zone)
    now = datetime.now(zone)

    def clock(after: timedelta) -> str:
        return (now + after).strftime("%H:%M")

    counters = (
        f'working_hours: {{days: [{", ".join(DAYS)}], opens: "{clock(timedelta(hours=-6))}",'
        f' closes: "{clock(COUNTERS_CLOSE)}"}}\n'
    )
    file = folder / "province.yaml"
    file.write_text(re.sub(r"working_hours:\n(  .*\n)+", counters, file.read_text()))
    mainland = {"opens": clock(timedelta(hours=-1)), "closes": clock(timedelta(hours=12))}
    islands = {"opens": clock(ISLANDS_OPEN), "closes": clock(timedelta(hours=12))}
    windows = [
        {"select": select, "days": list(DAYS), **times}
        for select, times in (("!island", mainland), ("island", islands))
    ]
    return {"working_hours": "respected", "windows": windows}


def test_all_communes_converge_once_though_the_controller_is_killed(fleet: Fleet) -> None:
    fleet.on_boxes(install(URL))
    assert fleet.versions() == {"ii 1.0"}
    offer(fleet, "2.0")
    fleet.declare("agent-2", "2.0", {"percent": 20}, {"percent": 40}, **hours(fleet.field.folder))
    began = time.monotonic()
    done = fleet.rollout("agent-2", kills=KILLS, seconds=SECONDS)
    print(f"{len(fleet.boxes)} boxes, {fleet.kills} kills: {time.monotonic() - began:.0f} s")
    fleet.tell_resumption("agent-2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert fleet.versions() == {"ii 2.0"}
    assert set(fleet.changes_to("2.0").values()) == {1}
    assert fleet.kills == KILLS
    check_order(fleet, "agent-2", "2.0")
    checked = fleet.field.tuyen("audit-log", "verify")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_broken_version_stops_at_the_canary_and_touches_nobody_else(fleet: Fleet) -> None:
    offer(fleet, "3.0")
    fleet.declare("agent-3", "3.0", {"percent": 20})
    done = fleet.rollout("agent-3", seconds=SECONDS)
    assert done.returncode == 1, done.stdout + done.stderr
    assert fleet.versions() == {"ii 2.0"}
    assert {box for box, number in fleet.changes_to("3.0").items() if number} == {fleet.canary}
    begun = {step.event.device for step in fleet.course("agent-3")[1] if step.event.kind is Kind.DISPATCHED}
    assert begun == {fleet.canary}
