"""The engine with a plan that was made earlier: what is carried out of it, under which address."""

from dataclasses import replace
from pathlib import Path

import pytest

from ledger.connection import FILE, open_ledger
from ledger.history import history
from playbooks.checking import moved
from playbooks.errors import PlanError
from playbooks.plan import read_plan, write_plan
from tests.playbooks.filing import BOXES, applied, make_province, mood, use

A, B = BOXES
pytestmark = pytest.mark.usefixtures("filing")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_province(tmp_path)


def test_a_plan_is_carried_out_under_its_own_address(folder: Path, tmp_path: Path) -> None:
    with use(folder) as session:
        write_plan(session.check(), tmp_path / "plan.json")
    earlier = read_plan(tmp_path / "plan.json")
    (folder / "devices" / A).write_text("somebody was here")
    with use(folder) as session:
        plan = session.check()
        away = moved(earlier.devices, plan.devices)
        assert set(away) == {A}
        left = tuple(device for device in plan.devices if device.device not in away)
        assert set(session.apply(replace(plan, devices=left), earlier.digest)) == {B}
    assert not applied(folder, A)
    with open_ledger(folder / FILE) as ledger:
        assert history(ledger)[0].plan_digest == earlier.digest


def test_what_the_inventory_knows_belongs_to_a_plan(folder: Path) -> None:
    with use(folder, A) as session:
        before = session.check()
    people = folder / "people.yaml"
    people.write_text(people.read_text().replace("name: ", "name: Bà ", 1))
    with use(folder, A) as session:
        assert set(moved(before.devices, session.check().devices)) == {A}


def test_a_device_that_is_away_has_not_moved(folder: Path) -> None:
    with use(folder, A) as session:
        before = session.check()
        mood(folder, A, "unreachable")
        assert moved(before.devices, session.check().devices) == {}


def test_a_plan_that_cannot_be_written_is_told(folder: Path, tmp_path: Path) -> None:
    with use(folder, A) as session:
        plan = session.check()
    for path, reason in ((tmp_path, "Is a directory"), (tmp_path / "none" / "plan.json", "No such file or directory")):
        with pytest.raises(PlanError, match=f"cannot be written to {path}: {reason}"):
            write_plan(plan, path)
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".new")]
