"""Rollouts as they are declared: what is read, when offices may be touched, and every way to say it wrongly."""

import shutil
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from inventory.forms import time_of_day
from inventory.load import Loader, load
from inventory.model import Limits, Province, Rollout
from inventory.rollouts import ends_at, hours_of
from inventory.windows import Window

GOOD = Path(__file__).parents[1] / "provinces" / "good"
KIEN_GIANG = Path(__file__).parents[2] / "inventory" / "kien-giang"
DAY = date(2021, 1, 1)
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
FILE, HEAD = "rollouts/agent.yaml", "province.yaml"
WINDOW = "{days: [mon, tue], opens: 17:30, closes: 06:30}"
LATELY = 0.06  # s; files that are younger are read again, whatever they hold


@pytest.fixture
def province(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOOD, tmp_path / "province"))


@pytest.fixture(scope="module")
def kien_giang() -> Province:
    return load(KIEN_GIANG)


def rewrite(folder: Path, name: str, right: str, other: str) -> None:
    path = folder / name
    text = path.read_text()
    assert right in text
    path.write_text(text.replace(right, other, 1))


def test_a_rollout_is_read_with_all_that_it_says(kien_giang: Province) -> None:
    rollout = kien_giang.rollouts["agent-2"]
    communes = [office.id for office in kien_giang.offices.values() if office.tier == "commune"]
    assert rollout.devices == tuple(f"box.{office}" for office in communes if f"box.{office}" in kien_giang.devices)
    assert (rollout.job, rollout.values, len(rollout.devices)) == ("one-stop-agent", {"version": "2.0"}, 145)
    assert [(wave.kind, wave.name, wave.percent, wave.approvals) for wave in rollout.waves] == [
        ("canary", "canary", 0, 0),
        ("percent", "10 %", 10, 1),
        ("district", "district", 0, 1),
        ("rest", "rest", 0, 0),
    ]
    assert (rollout.gate.bake, rollout.gate.budget_devices, rollout.gate.budget_percent) == (1800, 2, 5)
    assert rollout.limits == Limits(parallel=20, per_uplink=2, rate=256_000)
    assert (rollout.on_failure, rollout.until) == ("rollback-wave", date(2026, 12, 31))


def test_what_is_not_said_has_its_default(province: Path) -> None:
    rewrite(province, FILE, f"windows:\n  - {WINDOW}\n", "")
    rollout = load(province).rollouts["agent"]
    assert (rollout.gate.bake, rollout.gate.probes, rollout.gate.budget_devices) == (0, True, 0)
    assert (rollout.windows, rollout.limits, rollout.on_failure) == ((), Limits(20, 2, 0), "stop")
    assert rollout.respects_hours


def test_a_province_without_rollouts_has_none(province: Path) -> None:
    shutil.rmtree(province / "rollouts")
    assert load(province).rollouts == {}


def open_at(province: Province, device: str, when: str, rollout: str = "agent-2") -> bool:
    hours = hours_of(province, province.rollouts[rollout], province.devices[device])
    return hours.is_open(datetime.fromisoformat(when).replace(tzinfo=ZONE))


def test_each_office_is_touched_in_its_own_windows(kien_giang: Province) -> None:
    wednesday, saturday = "2026-11-25T", "2026-11-28T"
    assert open_at(kien_giang, "box.dong-yen", wednesday + "20:00")
    assert not open_at(kien_giang, "box.dong-yen", wednesday + "10:00")
    assert not open_at(kien_giang, "box.dong-yen", saturday + "10:00")
    assert open_at(kien_giang, "box.hon-tre", saturday + "10:00")
    assert not open_at(kien_giang, "box.hon-tre", wednesday + "20:00")


def test_without_windows_only_working_hours_are_left_alone(province: Path) -> None:
    rewrite(province, FILE, f"windows:\n  - {WINDOW}\n", "")
    rewrite(province, FILE, "select: kind=commune,role=server", "select: role in (server, router)")
    made = load(province)
    for when, commune, root in (
        ("2026-11-25T06:59", True, True),
        ("2026-11-25T07:00", False, True),
        ("2026-11-25T16:59", False, True),
        ("2026-11-25T17:00", True, True),
        ("2026-11-28T10:00", True, True),  # Saturday
    ):
        assert open_at(made, "router.nam-yen", when, "agent") is commune
        assert open_at(made, "web.centre", when, "agent") is root


def test_working_hours_may_differ_by_office(province: Path) -> None:
    hours = "working_hours:\n  - {opens: 08:00, closes: 16:00}\n  - {select: nam-yen, days: [sat], closes: 11:00}\n"
    rewrite(province, HEAD, "id: good\n", f"id: good\n{hours}")
    rewrite(province, FILE, WINDOW, "{opens: 00:00, closes: 00:00}")
    made = load(province)
    assert [len(item.offices) for item in made.working_hours] == [3, 1]
    assert open_at(made, "box.nam-yen", "2026-11-25T07:30", "agent")
    assert not open_at(made, "box.nam-yen", "2026-11-28T10:00", "agent")
    assert open_at(made, "box.dong-yen", "2026-11-28T10:00", "agent")
    assert not open_at(made, "box.dong-yen", "2026-11-25T08:30", "agent")


def test_working_hours_are_ignored_only_by_a_rollout_that_says_so(province: Path) -> None:
    rewrite(province, FILE, WINDOW, "{opens: 08:00, closes: 11:00}\nworking_hours: ignored")
    made = load(province)
    assert open_at(made, "box.nam-yen", "2026-11-25T10:00", "agent")


def test_an_empty_key_does_not_give_up_the_working_hours(province: Path) -> None:
    before = load(province).working_hours
    rewrite(province, HEAD, "id: good\n", "id: good\nworking_hours:\n")
    after = load(province).working_hours
    assert [(item.window, item.offices) for item in after] == [(item.window, item.offices) for item in before]
    assert before[0].window == Window(frozenset(range(5)), clock(7), clock(17))


def test_a_rollout_ends_when_its_last_day_does(kien_giang: Province, province: Path) -> None:
    assert ends_at(kien_giang, kien_giang.rollouts["agent-2"]) == datetime(2026, 12, 31, 17, tzinfo=UTC)
    rewrite(province, FILE, "until: 2021-12-31", "until: 9999-12-31")
    made = load(province)
    assert ends_at(made, made.rollouts["agent"]).year == 9999


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)), st.data())
def test_no_office_is_touched_in_its_working_hours(kien_giang: Province, when: datetime, data: st.DataObject) -> None:
    rollout: Rollout = kien_giang.rollouts["agent-2"]
    device = kien_giang.devices[data.draw(st.sampled_from(rollout.devices))]
    hours = hours_of(kien_giang, rollout, device)
    opening = hours.next_open(when.replace(tzinfo=ZONE))
    assert opening is not None
    assert opening - when.replace(tzinfo=ZONE) <= timedelta(days=7)
    local = opening.astimezone(ZONE)
    assert local.weekday() > 4 or not clock(7) <= local.time() < clock(17)


@given(st.times())
def test_times_of_day_are_read_as_they_are_written(moment: clock) -> None:
    assert time_of_day(f"{moment:%H:%M}") == moment.replace(second=0, microsecond=0)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("7:00", "07:00"), ("17h30", "17:30"), ("24:00", "00:00"), ("7h", "07:00"), ("17:30:00", "17:30"), ("x", "17:30")],
)
def test_a_time_that_is_none_is_answered_with_what_was_meant(written: str, meant: str) -> None:
    with pytest.raises(PydanticCustomError) as caught:
        time_of_day(written)
    assert (caught.value.type, caught.value.context) == ("bad-time", {"value": written, "near": meant})


WAYS = "write exactly one of canary, percent, each, rest"
WRONG = [
    (FILE, "until: ", "untill: ", [f"{FILE}:1:1: missing-key: the key 'until' is missing in {FILE}; add it",
        f"{FILE}:11:1: unknown-key: no key 'untill' is known in {FILE}; write 'until' (the nearest that exists)"]),
    (FILE, "[mon, tue]", "[mon, tuesday]", [f"{FILE}:10:18: unknown-value: windows.0.days.1 is 'tuesday', which is "
        "not known; write 'tue' (the nearest that exists)"]),
    (FILE, "until: 2021-12-31", "until: 31/12/2021", [f"{FILE}:11:1: bad-date: until: '31/12/2021' is no date; "
        "write year-month-day, for example 2021-12-31"]),
    (FILE, "{rest: true}", "{rest: false}", [f"{FILE}:8:5: bad-wave: the wave takes none of its devices; {WAYS}"]),
    (FILE, "{each: district, ", "{percent: 101, ", [f"{FILE}:7:6: wrong-type: waves.1.percent is '101'; "
        "write a number of 100 or less"]),
    (FILE, "{each: district, ", "{percent: 0, ", [f"{FILE}:7:6: wrong-type: waves.1.percent is '0'; "
        "write a number above 0"]),
    (FILE, "approvals: 1", "approvals: -1", [f"{FILE}:7:22: wrong-type: waves.1.approvals is '-1'; "
        "write a number of 0 or more"]),
    (FILE, "each: district", "each: distrikt", [f"{FILE}:7:6: unknown-value: waves.1.each is 'distrikt', which is "
        "not known; write 'district' (the nearest that exists)"]),
    (FILE, "[box.dong-yen]", "[box.dong-yem]", [f"{FILE}:6:15: unknown-device: no device 'box.dong-yem' is "
        "declared; write 'box.dong-yen' (the nearest that exists)"]),
    (FILE, "kind=commune", "kind=comune", [f"{FILE}:4:1: bad-selector: selector: nothing has kind=comune; "
        "write 'commune' (the nearest that exists); mend the selector"]),
    (FILE, "kind=commune", "serial=x", [f"{FILE}:4:1: nothing-selected: 'serial=x,role=server' chooses none of the "
        "province's devices; mend the selector"]),
    (FILE, "until:", "gate: {budget: {percent: 200}}\nuntil:", [f"{FILE}:11:17: wrong-type: gate.budget.percent is "
        "'200'; write a number of 100 or less"]),
    (FILE, "until:", "gate: {bake: 30}\nuntil:", [f"{FILE}:11:8: bad-duration: gate.bake: '30' is no duration; "
        "write for example 500 ms, 30 s, 5 m or 1 h"]),
    (FILE, "until:", "limits: {rate: 256 kbps}\nuntil:", [f"{FILE}:11:10: bad-bandwidth: limits.rate: '256 kbps' "
        "is no bandwidth; write for example 256 kbit/s"]),
    (FILE, "until:", "on_failure: rollback\nuntil:", [f"{FILE}:11:1: unknown-value: on_failure is 'rollback', which "
        "is not known; write 'rollback-all' (the nearest that exists)"]),
    (HEAD, "id: good\n", "id: good\nworking_hours: {opend: 08:00}\n", [f"{HEAD}:2:17: unknown-key: no key 'opend' "
        "is known in working_hours; write 'opens' (the nearest that exists)"]),
    (HEAD, "id: good\n", "id: good\nworking_hours:\n  - {opend: 08:00}\n", [f"{HEAD}:3:6: unknown-key: no key "
        "'opend' is known in working_hours.0; write 'opens' (the nearest that exists)"]),
    (HEAD, "id: good\n", "id: good\nworking_hours: []\n", [f"{HEAD}:2:1: wrong-type: working_hours is a list; "
        "write at least one entry"]),
    (HEAD, "id: good\n", "id: good\nworking_hours: {select: label/floor=3}\n", [f"{HEAD}:2:17: nothing-selected: "
        "'label/floor=3' chooses none of the province's offices; mend the selector"]),
    (HEAD, "id: good\n", "id: good\nworking_hours: {opens: 00:00, closes: 00:00, days: [mon, tue, wed]}\n", [
        f"{FILE}:9:1: never-open: the windows of box.dong-yen, box.nam-yen lie within the working hours, so that "
        "nothing could ever be done; move the windows, or write 'working_hours: ignored'"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "right", "wrong", "told"), WRONG)
def test_every_mistake_is_told_with_its_line(
    name: str, right: str, wrong: str, told: list[str], province: Path
) -> None:
    rewrite(province, name, right, wrong)
    assert [str(found) for found in Loader(province, day=DAY).examine()[1]] == told


def test_offices_of_other_working_hours_are_told_together(province: Path) -> None:
    hours = "working_hours: [{opens: 05:00, closes: 16:00}, {select: nam-yen, opens: 05:00, closes: 18:00}]\n"
    rewrite(province, HEAD, "id: good\n", f"id: good\n{hours}")
    rewrite(province, FILE, WINDOW, "{days: [wed], opens: 06:00, closes: 12:00}")
    findings = Loader(province, day=DAY).examine()[1]
    assert [(found.rule, found.values) for found in findings] == [
        ("never-open", (("devices", "box.dong-yen, box.nam-yen"),))
    ]


def test_a_file_is_called_like_an_id(province: Path) -> None:
    (province / FILE).rename(province / "rollouts" / "Đợt 2.yaml")
    assert [str(found).split(";")[1] for found in Loader(province, day=DAY).examine()[1]] == [
        " write for example 'dot-2': lower-case ASCII letters, digits, single hyphens, at most 63"
    ]


def test_a_folder_within_is_told_to_be_passed_over(province: Path) -> None:
    (province / "rollouts" / "old").mkdir()
    shutil.copy(province / FILE, province / "rollouts" / "old" / "agent-1.yaml")
    assert [str(found) for found in Loader(province, day=DAY).examine()[1]] == [
        "rollouts/old/agent-1.yaml:1:1: misplaced-file: nothing reads this file; "
        "call it rollouts/agent-1.yaml if it belongs to the province"
    ]


def edit_people(folder: Path) -> None:
    rewrite(folder, "people.yaml", "under: centre", "under: an-bien")


def edit_offices(folder: Path) -> None:
    rewrite(folder, "offices/an-bien.yaml", "number: 3", "number: 4")


@pytest.mark.parametrize(("edit", "kept"), [(edit_people, True), (edit_offices, False)])
def test_a_rollout_is_resolved_again_only_when_its_devices_may_have_changed(
    edit: Callable[[Path], None], kept: bool, province: Path
) -> None:
    time.sleep(LATELY)
    loader = Loader(province, day=DAY)
    before = loader.load().rollouts["agent"]
    edit(province)
    after = loader.load().rollouts["agent"]
    assert after == before
    assert (after is before) is kept
