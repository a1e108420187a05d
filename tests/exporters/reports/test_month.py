"""A month of a thousand offices through the real ledger: the report equals the oracle, again and again."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from benchmarks.large import write_province
from exporters.reports.figures import Amounts, Period
from exporters.reports.items import uptime_items, uptime_summary
from exporters.reports.period import before, month, period
from exporters.reports.recorded import recorded
from exporters.reports.scope import scope
from exporters.reports.uptime import uptime
from inventory.load import load
from inventory.model import Province
from ledger.connection import open_ledger
from tests.exporters.reports import uptime_oracle as oracle
from tests.exporters.reports.synthetic import write_events

ZONE = "Asia/Ho_Chi_Minh"
OCTOBER = period(*month("2026-10"), ZONE, datetime(2026, 11, 2, tzinfo=UTC))
HOUR = 3600 * oracle.SECOND
HOLIDAYS = """\
holidays:
  2026-10-07: Lễ của tỉnh
  2026-10-10: {name: Làm bù, working: true}
"""


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> Province:
    folder = tmp_path_factory.mktemp("large")
    write_province(folder)
    (folder / "holidays.yaml").write_text(HOLIDAYS)
    return load(folder)


@pytest.fixture(scope="module")
def file(province: Province, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("ledger") / "ledger.sqlite"
    begin = datetime(2026, 9, 20, tzinfo=ZoneInfo(ZONE))
    write_events(made, province, begin, days=41, roots=2500, seed=7)
    return made


def made(province: Province, file: Path) -> str:
    with open_ledger(file) as ledger:
        now, earlier = recorded(ledger, OCTOBER), recorded(ledger, before(OCTOBER))
    report = uptime(scope(province), OCTOBER, now, earlier)
    return json.dumps([uptime_summary(report), uptime_items(report)], ensure_ascii=False)


def test_every_office_fared_as_the_oracle_tells(province: Province, file: Path) -> None:
    with open_ledger(file) as ledger:
        known, earlier = recorded(ledger, OCTOBER), recorded(ledger, before(OCTOBER))
    report = uptime(scope(province), OCTOBER, known, earlier)
    by_id = {one.id: one for one in known.outages}
    own: dict[str, list[str]] = {}
    for one in known.outages:
        own.setdefault(one.node, []).append(one.id)
    total, roots = dict.fromkeys(oracle.NAMES, 0), set[str]()
    for row in report.offices:
        mine = {name: by_id[name] for name in own.get(row.id, ())}
        mine |= {one.root: by_id[one.root] for one in list(mine.values()) if one.root}
        told = oracle.walk(
            province, ("office", row.id), list(mine.values()), known.spans, OCTOBER.begin, OCTOBER.end, HOUR
        )
        assert row.now.all_hours == Amounts(**told.all_hours), row.id
        assert row.now.working_hours == Amounts(**told.working_hours), row.id
        assert (row.now.outages, row.now.longest) == (len(told.roots), told.longest), row.id
        roots |= told.roots
        total = {name: total[name] + told.all_hours[name] for name in oracle.NAMES}
    assert report.total.now.all_hours == Amounts(**total)
    assert report.total.now.outages == len(roots)
    ended = oracle.repaired([by_id[name] for name in roots], OCTOBER.begin, OCTOBER.end)
    assert (report.total.now.repaired, report.total.now.repair) == ended
    assert all(total[name] for name in oracle.NAMES), "each kind of time was met"


def test_a_second_run_gives_the_same_bytes(province: Province, file: Path) -> None:
    assert made(province, file) == made(province, file)


def test_roots_that_were_over_before_the_period_still_tell_the_cause(province: Province, file: Path) -> None:
    whole = Period("days", "x", ZONE, OCTOBER.first, OCTOBER.last, OCTOBER.begin, OCTOBER.end, OCTOBER.end)
    with open_ledger(file) as ledger:
        known = recorded(ledger, whole)
    ids = {one.id for one in known.outages}
    assert all(one.root in ids for one in known.outages if one.root)
    begun = oracle.micros("2026-09-30T17:00:00.000000Z")
    over = [one for one in known.outages if one.ended and oracle.micros(one.ended) <= begun]
    assert over, "some roots ended before what followed from them did"
    assert timedelta(microseconds=whole.end - whole.begin) == timedelta(days=31)
