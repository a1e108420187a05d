"""The uptime report against an oracle that walks through time: random outages, watches, holidays, zones and clocks."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from exporters.reports.evidence import Evidence
from exporters.reports.figures import Amounts, Period, Row, UptimeReport
from exporters.reports.period import period
from exporters.reports.scope import scope
from exporters.reports.uptime import uptime
from inventory.finding import Place
from inventory.load import load
from inventory.model import Holiday, Province, WorkingHours
from inventory.windows import Window
from ledger.outages import Outage
from ledger.records import stamp
from ledger.watching import Span
from tests.exporters.reports import uptime_oracle as oracle
from tests.exporters.test_health import GOOD

HOUR = 3_600 * oracle.SECOND
NOWHERE = Place("test")
PROVINCE = load(GOOD)
OFFICES = tuple(PROVINCE.offices)
NODES = (
    *(("office", office) for office in OFFICES),
    ("service", "one-stop"),
    ("device", "router.an-bien"),
    ("device", "web.centre"),
    ("link", "an-bien.uplink"),
)
# Days around which clocks are set, at midnight, too, and by half an hour
CLOCKS = (
    ("Asia/Ho_Chi_Minh", date(2026, 10, 5)),
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("America/Sao_Paulo", date(2018, 11, 4)),
    ("America/Sao_Paulo", date(2018, 2, 18)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("America/New_York", date(2026, 11, 1)),
    ("Asia/Kathmandu", date(2026, 10, 5)),
)
HOURS = st.builds(
    Window,
    st.frozensets(st.integers(0, 6), min_size=3),
    st.builds(time, st.integers(5, 12), st.sampled_from((0, 30))),
    st.builds(time, st.integers(5, 21), st.sampled_from((0, 15))),
)


def at(micros: int) -> str:
    return stamp(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros))


def outage(
    name: str, node: tuple[str, str], began: int, ended: int | None, state: str, cause: str, **more: Any
) -> Outage:
    rest: dict[str, Any] = {"root": None, "evidence": {}, **more}
    return Outage(name, *node, at(began), None if ended is None else at(ended), state, cause, **rest)


World = tuple[Province, Period, list[Outage], list[Span], Mapping[str, frozenset[date]]]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    zone, day = draw(st.sampled_from(CLOCKS))
    first = day - timedelta(days=draw(st.integers(0, 2)))
    last = day + timedelta(days=draw(st.integers(0, 1)))
    days = st.dates(first - timedelta(days=1), last + timedelta(days=1))
    holidays = draw(st.dictionaries(days, st.booleans(), max_size=3))
    hours = draw(st.lists(st.tuples(HOURS, st.frozensets(st.sampled_from(OFFICES), min_size=2)), max_size=3))
    province = replace(
        PROVINCE,
        time_zone=zone,
        holidays=MappingProxyType({d: Holiday(d, "lễ", NOWHERE, holidays[d]) for d in sorted(holidays)}),
        working_hours=tuple(WorkingHours("", window, offices, NOWHERE) for window, offices in hours),
    )
    now = oracle.midnight(last + timedelta(days=1), zone) - draw(st.sampled_from((0, 0, 3_600_000_001, 50_000_000_000)))
    wanted = period(first, last, zone, datetime.fromisoformat(at(now)))
    outages = list[Outage]()
    for number in range(draw(st.integers(0, 12))):
        outages.append(draw(outages_of(str(number), wanted, now, outages)))
    missing = draw(st.dictionaries(st.sampled_from(OFFICES), st.frozensets(days, max_size=2), max_size=2))
    seen = {office: {first} for office in OFFICES}  # what falls is there on that day
    for one in outages:
        seen.setdefault(one.node, set()).add(local_day(one.began, zone))
    missing = {office: found - seen[office] for office, found in missing.items()}
    return province, wanted, outages, draw(watches(wanted, now)), missing


def local_day(began: str, zone: str) -> date:
    return datetime.fromtimestamp(oracle.micros(began) // oracle.SECOND, ZoneInfo(zone)).date()


def known_days(wanted: Period, missing: Mapping[str, frozenset[date]]) -> dict[tuple[str, str], frozenset[date]]:
    """Return the days on which offices are known: all but what is missing."""
    count = (wanted.last - wanted.first).days + 1
    days = frozenset(wanted.first + timedelta(days=number) for number in range(count))
    return {("office", office): days - missing.get(office, frozenset()) for office in OFFICES}


@st.composite
def outages_of(draw: st.DrawFn, name: str, wanted: Period, now: int, earlier: list[Outage]) -> Outage:
    """Draw an outage, which may follow from one of those before it; what is to come is not known."""
    began = draw(st.integers(wanted.begin - 2 * HOUR, wanted.until - 1))
    ended = draw(st.none() | st.integers(began, began + 20 * HOUR) | st.integers(began, wanted.end + HOUR))
    node = draw(st.sampled_from(NODES))
    state = draw(st.sampled_from(("down", "unreachable", "degraded", "down", "maintenance")))
    cause = draw(st.sampled_from(("device", "link", "power", "upstream", "unknown", "maintenance")))
    root = draw(st.sampled_from((None, "lost", *(one.id for one in earlier), *(one.id for one in earlier))))
    said = draw(st.sampled_from(("", "", "", "lan")))
    ended = ended if ended is None or ended <= now else None
    return outage(name, node, began, ended, state, cause, root=root, cause_by=said)


@st.composite
def watches(draw: st.DrawFn, wanted: Period, now: int) -> list[Span]:
    """Draw when a watch was on: mostly nearly always, with gaps; sometimes a few times that may overlap."""
    moment = st.integers(wanted.begin - HOUR, wanted.end)
    pairs = draw(st.lists(st.tuples(moment, moment), max_size=3))
    if draw(st.integers(0, 3)):
        gaps = sorted(
            min(one, now) for one in {wanted.begin - HOUR, now, *(moment for pair in pairs for moment in pair)}
        )
        pairs = list(zip(gaps[::2], gaps[1::2], strict=False)) or [(wanted.begin, now)]
    return [Span(at(min(pair)), at(min(max(pair), now))) for pair in pairs if min(pair) <= now]


def amounts(told: Mapping[str, int]) -> Amounts:
    return Amounts(**told)


def check_row(row: Row, told: oracle.Told) -> None:
    assert row.now.all_hours == amounts(told.all_hours)
    assert row.now.working_hours == amounts(told.working_hours)
    assert row.now.outages == len(told.roots)
    assert row.now.longest == told.longest


@settings(max_examples=400, deadline=None)
@given(worlds())
def test_every_figure_is_what_walking_through_time_tells(
    world: World,
) -> None:
    province, wanted, outages, spans, missing = world
    known, nothing = Evidence(outages, spans, known_days(wanted, missing)), Evidence((), (), {})
    report = uptime(scope(province), wanted, known, nothing)
    begin, until = oracle.midnight(wanted.first, province.time_zone), wanted.until
    assert wanted.begin == begin
    assert wanted.end == oracle.midnight(wanted.last + timedelta(days=1), province.time_zone)
    told = {
        row.id: oracle.walk(province, (row.kind, row.id), outages, spans, begin, until, missing=missing.get(row.id, ()))
        for row in (*report.offices, *report.services)
    }
    by_id = {one.id: one for one in outages}
    for row in (*report.offices, *report.services):
        check_row(row, told[row.id])
        roots = [by_id[name] for name in told[row.id].roots]
        assert (row.now.repaired, row.now.repair) == oracle.repaired(roots, begin, until)
    check_sums(report, told, by_id, begin, until)


def check_sums(
    report: UptimeReport, told: Mapping[str, oracle.Told], by_id: Mapping[str, Outage], begin: int, until: int
) -> None:
    """Check the whole, and the causes of offices."""
    offices = [told[row.id] for row in report.offices]
    for name in oracle.NAMES:
        assert getattr(report.total.now.all_hours, name) == sum(one.all_hours[name] for one in offices)
        assert getattr(report.total.now.working_hours, name) == sum(one.working_hours[name] for one in offices)
    roots = set().union(*(one.roots for one in offices))
    assert report.total.now.outages == len(roots)
    assert (report.total.now.repaired, report.total.now.repair) == oracle.repaired(
        [by_id[r] for r in roots], begin, until
    )
    causes: dict[tuple[str, str], int] = {}
    for one in offices:
        for key, passed in one.causes.items():
            causes[key] = causes.get(key, 0) + passed
    found = {
        (row.cause, how): passed
        for row in report.causes
        for how, passed in (
            ("own", row.now.own),
            ("behind", row.now.behind),
            ("degraded", row.now.degraded),
            ("maintenance", row.now.maintenance),
        )
        if passed
    }
    assert found == {key: passed for key, passed in causes.items() if passed}
    assert sum(row.now.away for row in report.causes) == report.total.now.all_hours.away
