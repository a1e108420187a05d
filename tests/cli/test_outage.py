"""`tuyen outage`: who may say something of which outage, and how moments are written."""

import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import typer

from cli.moments import local, moment
from ledger.connection import FILE, open_ledger
from ledger.leases import acquire
from ledger.outages import WATCH, Opened, find_outage, record
from ledger.planned import planned
from ledger.records import Actor
from tests.conftest import Tuyen
from tests.exporters.test_health import GOOD

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
EVENING = datetime(2026, 11, 25, 20, 30, tzinfo=ZONE)
BEGAN = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
PEOPLE = """
  binh:
    name: Trần Văn Bình
    roles: [operator]
    under: dong-yen
  mai:
    name: Lê Thị Mai
    roles: [viewer]
    under: centre
"""
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root is known by the account that sudo names")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A province with a district that is out, and a commune behind it."""
    made = Path(shutil.copytree(GOOD, tmp_path / "province"))
    with (made / "people.yaml").open("a") as people:
        people.write(PEOPLE)
    with open_ledger(made / FILE) as ledger:
        token = acquire(ledger, WATCH, actor=Actor("watch", "watch"), seconds=60).token
        district = Opened("1", "office", "an-bien", BEGAN, "down", "link", None, {"why": "nothing answers"})
        behind = {"behind": "an-bien"}
        commune = Opened("2", "office", "dong-yen", BEGAN, "unreachable", "upstream", "1", behind)
        earlier = BEGAN - timedelta(seconds=6)
        box = Opened("3", "device", "box.dong-yen", earlier, "unreachable", "upstream", "1", behind)
        record(ledger, [district, commune, box], token=token)
    return made


def test_open_outages_are_listed_and_the_exit_code_says_so(tuyen: Tuyen, folder: Path) -> None:
    done = tuyen("outage", "list", "--kind", "office", cwd=folder)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert [line.split()[2] for line in lines[1:]] == ["an-bien", "dong-yen"]
    assert lines[2].rstrip().endswith("an-bien")  # what it follows from
    assert [line.split()[0] for line in tuyen("outage", "list", "--roots", cwd=folder).stdout.splitlines()] == [
        "ID",
        "1",
    ]
    within = tuyen("outage", "list", "office=dong-yen", "--format", "json", cwd=folder)
    assert [item["node"] for item in json.loads(within.stdout)["items"]] == ["box.dong-yen", "dong-yen"]
    assert tuyen("outage", "list", "office=nam-yen", cwd=folder).returncode == 0


def test_an_outage_is_shown_with_what_follows_from_it(tuyen: Tuyen, folder: Path) -> None:
    done = tuyen("outage", "show", "an-bien", "--format", "json", cwd=folder)
    first, *behind = json.loads(done.stdout)["items"]
    assert (first["id"], first["cause"], first["evidence"]) == ("1", "link", {"why": "nothing answers"})
    assert [one["id"] for one in behind] == ["2", "3"]  # offices before devices, of which there are many
    unknown = tuyen("outage", "show", "rach-gia", cwd=folder)
    assert (unknown.returncode, unknown.stderr) == (2, "the ledger knows no outage rach-gia\n")


@as_root
def test_people_speak_of_their_own_subtree_only(tuyen: Tuyen, folder: Path) -> None:
    said = ("outage", "note", "dong-yen", "mất điện", "--cause", "power")
    assert tuyen(*said, cwd=folder, SUDO_USER="binh").returncode == 0
    with open_ledger(folder / FILE) as ledger:
        assert find_outage(ledger, "2").cause_by == "binh"
    for account, words in (
        ("binh", ("outage", "note", "an-bien", "x")),
        ("binh", ("outage", "ack", "an-bien")),
        ("binh", ("outage", "plan", "under=an-bien", "--until", "1h", "--why", "x")),
        ("mai", said),
        ("nobody-known", said),
    ):
        refused = tuyen(*words, cwd=folder, SUDO_USER=account)
        assert refused.returncode == 1, words
        assert f"'{account}'" in refused.stderr


@as_root
def test_planned_work_is_shown_and_taken_back(tuyen: Tuyen, folder: Path) -> None:
    words = ("outage", "plan", "dong-yen", "--from", "1h", "--until", "2h", "--why", "new router")
    done = tuyen(*words, cwd=folder, SUDO_USER="binh")
    assert done.returncode == 0, done.stderr
    with open_ledger(folder / FILE) as ledger:
        (work,) = planned(ledger, datetime.now(UTC))
    length = datetime.fromisoformat(work.until) - datetime.fromisoformat(work.began)
    assert (length, work.person) == (timedelta(hours=2), "binh")  # counted from its beginning
    assert "new router" in tuyen("outage", "plan", cwd=folder).stdout
    assert tuyen("outage", "plan", "--cancel", work.id, cwd=folder, SUDO_USER="binh").returncode == 0
    assert tuyen("outage", "plan", "--cancel", work.id, cwd=folder, SUDO_USER="binh").returncode == 2


def test_work_that_comes_again_is_shown_with_its_next_time(tuyen: Tuyen, folder: Path) -> None:
    with (folder / "province.yaml").open("a") as file:
        file.write("maintenance:\n  - {select: under=an-bien, why: mast, days: [sun], ")
        file.write("opens: '22:00', closes: '02:00'}\n")
    (item,) = json.loads(tuyen("outage", "plan", "--format", "json", cwd=folder).stdout)["items"]
    begin, end = (datetime.fromisoformat(item[key]).astimezone(ZONE) for key in ("began", "until"))
    assert (begin.weekday(), f"{begin:%H:%M}", end - begin) == (6, "22:00", timedelta(hours=4))
    assert end > datetime.now(UTC) > begin - timedelta(days=7)
    assert (item["id"], item["selector"], item["why"]) == ("province.yaml:11", "under=an-bien", "mast")
    assert tuyen("outage", "plan", "--cancel", item["id"], cwd=folder).returncode == 2


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("90m", EVENING + timedelta(minutes=90)),
        ("2 d", EVENING + timedelta(days=2)),
        ("21:00", EVENING.replace(hour=21, minute=0)),
        ("08:00", EVENING.replace(day=26, hour=8, minute=0)),
        ("2026-12-05 20:00", datetime(2026, 12, 5, 20, 0, tzinfo=ZONE)),
        ("2026-12-05T13:00:00Z", datetime(2026, 12, 5, 13, 0, tzinfo=UTC)),
    ],
)
def test_moments_are_read_as_people_write_them(text: str, meant: datetime) -> None:
    assert moment(text, ZONE, EVENING) == meant


OF_ANOTHER_AGE = ["0001-01-01", "9999-12-31", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]


@pytest.mark.parametrize("text", ["", "never", "25:00", "4 weeks", "2026-13-01", "2026", "17", *OF_ANOTHER_AGE])
def test_what_is_no_moment_is_told(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="is no moment; write for example 17:00"):
        moment(text, ZONE, EVENING)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("list", "--kind", "planet"), "'planet' is no kind; write device, office, link or service"),
        (("list", "--days", "99999999999"), "Invalid value for '--days'"),
        (("note", "an-bien", " "), "the note is empty"),
        (("ack", "an-bien", "--until", "2026-01-01"), "'2026-01-01' is past"),
        (("plan", "--until", "1h", "--why", "x"), "planned work takes a selector"),
        (("plan", "dong-yen", "--from", "2026-01-01", "--until", "2026-01-02", "--why", "x"), "'2026-01-02' is past"),
        (("plan", "dong-yen", "--from", "2h", "--until", "2026-01-02", "--why", "x"), "end before it begins"),
    ],
)
@as_root
def test_what_makes_no_sense_is_told_and_nothing_is_written(
    tuyen: Tuyen, folder: Path, words: tuple[str, ...], why: str
) -> None:
    done = tuyen("outage", *words, cwd=folder, SUDO_USER="lan")
    assert done.returncode == 2
    assert why in " ".join(done.stderr.replace("│", " ").split())
    with open_ledger(folder / FILE) as ledger:
        assert planned(ledger, datetime(2000, 1, 1, tzinfo=UTC)) == ()
        assert not find_outage(ledger, "1").acked_by


def test_times_are_shown_in_the_provinces_zone() -> None:
    assert local("2026-11-25T12:00:00.000000Z", ZONE) == "2026-11-25 19:00:00+07:00"
