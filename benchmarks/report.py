"""A month of 1,000 offices, 50,000 outages in the ledger: the uptime report, beside a plain SELECT of the same rows."""

import random
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.figure import Figure, fastest
from benchmarks.large import write_province
from exporters.reports.figures import Period, UptimeReport
from exporters.reports.period import before, month, period
from exporters.reports.recorded import recorded
from exporters.reports.scope import scope
from exporters.reports.uptime import uptime
from inventory.load import load
from inventory.model import Province
from ledger.connection import Ledger, open_ledger
from ledger.records import stamp
from ledger.schema import DAILY, OUTAGE, WATCH_SPAN

OUTAGES = 50_000
ZONE = "Asia/Ho_Chi_Minh"
OCTOBER = period(*month("2026-10"), ZONE, datetime(2026, 11, 2, tzinfo=UTC))
BEGIN = datetime(2026, 9, 30, 17, tzinfo=UTC)
_ROWS = "SELECT * FROM outage WHERE began < ? AND (ended IS NULL OR ended > ?) ORDER BY began, id"
_DAYS = "SELECT * FROM daily WHERE day BETWEEN ? AND ? AND kind = 'office' ORDER BY day, kind, node"


def measure() -> Iterator[Figure]:
    """Yield the seconds of the report, from the ledger to its figures, and of reading the rows alone."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_province(folder / "province")
        province = load(folder / "province")
        with open_ledger(folder / "ledger.sqlite") as ledger:
            _fill(ledger, province)
            ours = fastest(lambda: _report(ledger, province, OCTOBER))
            evidence = recorded(ledger, OCTOBER), recorded(ledger, before(OCTOBER))
            figures = fastest(lambda: uptime(scope(province), OCTOBER, *evidence))
        bare = fastest(lambda: _select(folder / "ledger.sqlite"))
    rows = f"{len(evidence[0].outages)} outages of {len(province.offices)} offices in a month"
    yield Figure(f"uptime report, {rows}", ours, "s", "SELECT of the same rows, sqlite3", bare)
    yield Figure("of it the arithmetic alone", figures, "s", "SELECT of the same rows, sqlite3", bare)


def _report(ledger: Ledger, province: Province, wanted: Period) -> UptimeReport:
    return uptime(scope(province), wanted, recorded(ledger, wanted), recorded(ledger, before(wanted)))


def _select(file: Path) -> int:
    """Read what the report reads, without making anything of it."""
    with sqlite3.connect(file) as connection:
        rows = connection.execute(_ROWS, (stamp(BEGIN + timedelta(days=31)), stamp(BEGIN))).fetchall()
        rows += connection.execute(_DAYS, ("2026-10-01", "2026-10-31")).fetchall()
    connection.close()
    return len(rows)


def _fill(ledger: Ledger, province: Province) -> None:
    chance = random.Random(5)
    with ledger.write() as connection:
        connection.execute(WATCH_SPAN.insert(), [{"began": stamp(BEGIN), "until": stamp(BEGIN + timedelta(days=31))}])
        connection.execute(OUTAGE.insert(), list(_outages(province, chance)))
        connection.execute(DAILY.insert(), list(_days(province)))


def _outages(province: Province, chance: random.Random) -> Iterator[Mapping[str, Any]]:
    """Yield outages of offices, each with those of its link and router, which follow from it."""
    offices = tuple(province.offices)
    for number in range(OUTAGES // 3):
        office = chance.choice(offices)
        began = BEGIN + timedelta(seconds=chance.uniform(0, 30 * 86_400))
        times = {"began": stamp(began), "ended": stamp(began + timedelta(seconds=chance.uniform(30, 7200)))}
        state, cause = chance.choice((("down", "link"), ("down", "power"), ("degraded", "device")))
        root = f"{number:06}"
        yield _row(root, "office", office, times, state, cause, None)
        yield _row(f"{root}-link", "link", f"{office}.uplink", times, state, "upstream", root)
        yield _row(f"{root}-router", "device", f"router.{office}", times, state, "upstream", root)


def _row(
    name: str, kind: str, node: str, times: Mapping[str, str], state: str, cause: str, root: str | None
) -> Mapping[str, Any]:
    said = {"cause_by": "", "note": "", "noted_by": "", "acked_by": "", "evidence": '{"why": "no answer to ping"}'}
    return {"id": name, "kind": kind, "node": node, **times, "state": state, "cause": cause, "root": root, **said}


def _days(province: Province) -> Iterator[Mapping[str, Any]]:
    counts = dict.fromkeys(("asked", "unanswered", "trips"), 0)
    times = dict.fromkeys(("degraded", "down", "unreachable", "maintenance", "trip_seconds", "longest_trip"), 0.0)
    for day in range(1, 32):
        for office in province.offices:
            yield {"day": f"2026-10-{day:02}", "kind": "office", "node": office, "up": 86_400.0, **times, **counts}
