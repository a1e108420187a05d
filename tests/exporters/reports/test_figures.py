"""The uptime report by example: a cut district, planned work, what people say, what is unknown, other trees."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from types import MappingProxyType
from zoneinfo import ZoneInfo

import pytest

from exporters.reports.documents.say import speaker
from exporters.reports.documents.uptime_tables import causes
from exporters.reports.evidence import Evidence
from exporters.reports.figures import Row, UptimeReport
from exporters.reports.items import uptime_items, uptime_summary
from exporters.reports.period import before, month, period
from exporters.reports.scope import UnknownScopeError, scope
from exporters.reports.uptime import uptime
from inventory.finding import Place
from inventory.load import load
from inventory.model import Dated, Holiday, Province
from ledger.outages import Outage
from ledger.records import stamp
from ledger.watching import Span
from tests.exporters.test_health import GOOD

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
SECOND, HOUR, DAY = 1_000_000, 3_600_000_000, 86_400_000_000
NOVEMBER = datetime(2026, 11, 10, tzinfo=UTC)
OCTOBER = period(*month("2026-10"), "Asia/Ho_Chi_Minh", NOVEMBER)
NOTHING = Evidence((), (), {})


@pytest.fixture
def province() -> Province:
    return load(GOOD)


def on(day: int, hour: int, minute: int = 0) -> str:
    """Return a local moment of October 2026, as the ledger keeps it."""
    return stamp(datetime(2026, 10, 1, tzinfo=ZONE) + timedelta(days=day - 1, hours=hour, minutes=minute))


ALL = Span(on(1, 0), on(32, 0))


def out(name: str, node: str, began: str, ended: str | None, state: str, cause: str, root: str | None = None) -> Outage:
    kind = "service" if node == "one-stop" else "office"
    kind = "device" if "." in node else kind
    return Outage(name, kind, node, began, ended, state, cause, root, {})


def cut(began: str = on(5, 9), ended: str | None = on(5, 11)) -> tuple[Outage, ...]:
    """A district that is cut off with all behind it, from 9 to 11 on a Monday."""
    return (
        out("1", "an-bien", began, ended, "down", "link"),
        *(out(f"1-{o}", o, began, ended, "unreachable", "upstream", "1") for o in ("dong-yen", "nam-yen")),
    )


def report(province: Province, *outages: Outage, spans: tuple[Span, ...] = (ALL,), under: str = "") -> UptimeReport:
    return uptime(scope(province, under), OCTOBER, Evidence(outages, spans, {}), NOTHING)


def row(found: UptimeReport, name: str, kind: str = "office") -> Row:
    return next(one for one in found.rows() if (one.kind, one.id) == (kind, name))


def test_a_cut_district_is_one_outage_from_which_every_office_suffers(province: Province) -> None:
    found = report(province, *cut())
    assert (found.total.now.outages, found.total.now.all_hours.away) == (1, 3 * 2 * HOUR)
    assert found.total.now.all_hours.behind == 2 * 2 * HOUR
    assert [one.now.outages for one in found.offices] == [1, 1, 1, 0]
    month_long = 31 * 24 * HOUR
    assert row(found, "dong-yen").now.all_hours.availability == Fraction(month_long - 2 * HOUR, month_long)
    (link,) = found.causes
    assert (link.cause, link.now.outages, link.now.own, link.now.behind) == ("link", 1, 2 * HOUR, 4 * HOUR)
    assert link.now.nodes_behind == 2
    (incident,) = found.incidents
    assert (incident.name, incident.offices, incident.away) == ("Huyện An Biên", 3, 6 * HOUR)
    assert found.total.now.time_to_repair == 2 * HOUR
    assert [one.id for one in found.worst] == ["an-bien", "dong-yen", "nam-yen"]


def test_working_hours_are_those_of_the_offices_without_holidays(province: Province) -> None:
    hours = 22 * 10 * HOUR  # October 2026 has 22 days from Monday to Friday
    assert row(report(province), "an-bien").now.working_hours.observed == hours
    assert row(report(province), "centre").now.working_hours.availability is None
    holidays = {
        date(2026, 10, 5): Holiday(date(2026, 10, 5), "Lễ", Place("test")),
        date(2026, 10, 10): Holiday(date(2026, 10, 10), "Làm bù", Place("test"), working=True),
    }
    other = replace(province, holidays=MappingProxyType(holidays))
    found = report(other, *cut())
    assert row(found, "an-bien").now.working_hours.observed == hours  # one less, one more
    assert row(found, "an-bien").now.working_hours.away == 0
    saturday = report(other, *cut(on(10, 6), on(10, 8)))
    assert row(saturday, "an-bien").now.working_hours.away == HOUR
    assert [(day.day.day, day.working) for day in found.holidays] == [(5, False), (10, True)]


def test_planned_work_is_counted_nowhere_and_degraded_is_available(province: Province) -> None:
    planned = out("1", "an-bien", on(5, 9), on(5, 11), "maintenance", "maintenance")
    slow = out("2", "nam-yen", on(5, 9), on(5, 12), "degraded", "device")
    found = report(province, planned, slow)
    assert row(found, "an-bien").now.all_hours.counted == 31 * 24 * HOUR - 2 * HOUR
    assert row(found, "an-bien").now.all_hours.availability == 1
    assert row(found, "nam-yen").now.all_hours.availability == 1
    assert row(found, "nam-yen").now.all_hours.degraded == 3 * HOUR
    assert found.total.now.outages == 0


def test_what_a_person_says_of_the_root_holds_for_all_behind_it(province: Province) -> None:
    root, *behind = cut()
    said = replace(root, cause="maintenance", cause_by="lan")
    found = report(province, said, *behind)
    assert found.total.now.all_hours.away == 0
    assert found.total.now.all_hours.maintenance == 6 * HOUR
    powerless = replace(behind[0], cause="power", cause_by="lan")
    found = report(province, root, powerless, behind[1])
    assert {one.cause: (one.now.own, one.now.behind) for one in found.causes} == {
        "link": (2 * HOUR, 2 * HOUR),
        "power": (2 * HOUR, 0),
    }


def test_what_was_not_watched_is_unknown_and_never_up(province: Province) -> None:
    half = Span(on(5, 10), on(20, 0))
    found = report(province, *cut(), spans=(half,))
    amounts = row(found, "an-bien").now.all_hours
    assert (amounts.observed, amounts.unknown) == (14 * 24 * HOUR + 14 * HOUR, 16 * 24 * HOUR + 10 * HOUR)
    assert amounts.away == HOUR
    assert amounts.coverage == Fraction(14 * 24 + 14, 31 * 24)
    assert report(province, *cut(), spans=()).total.now.all_hours.availability is None
    assert report(province, *cut(), spans=()).incidents == ()


def test_an_office_of_which_nothing_is_asked_has_no_figures(province: Province) -> None:
    silent = {n: replace(d, probes=()) if d.office == "nam-yen" else d for n, d in province.devices.items()}
    found = report(replace(province, devices=silent))
    assert row(found, "nam-yen").now.all_hours.availability is None
    assert row(found, "nam-yen").now.all_hours.coverage is None
    assert found.total.now.all_hours.observed == 3 * 31 * 24 * HOUR


def october(*days: int) -> frozenset[date]:
    return frozenset(date(2026, 10, day) for day in days)


def test_an_office_counts_from_the_day_it_is_known(province: Province) -> None:
    known_days = {("office", office): october(*range(1, 32)) for office in ("centre", "an-bien")}
    known_days["office", "dong-yen"] = october(*range(11, 32))
    found = uptime(scope(province), OCTOBER, Evidence((), (ALL,), known_days), NOTHING)
    assert row(found, "an-bien").now.all_hours.observed == 31 * DAY
    assert row(found, "dong-yen").now.all_hours.observed == 21 * DAY
    assert row(found, "dong-yen").now.all_hours.unknown == 0
    assert row(found, "dong-yen").now.working_hours.observed == 15 * 10 * HOUR
    assert row(found, "dong-yen").now.working_hours.unknown == 0
    assert row(found, "nam-yen").now.all_hours.availability is None
    assert row(found, "nam-yen").now.all_hours.unknown == 0
    assert row(found, "one-stop", "service").now.all_hours.observed == 31 * DAY  # of services nothing was counted


def test_days_on_which_nothing_was_counted_of_an_office_are_unknown(province: Province) -> None:
    known_days = {("office", office): october(*range(3, 32)) for office in province.offices}
    known_days["office", "dong-yen"] = october(*range(11, 20), *range(22, 30))
    found = uptime(scope(province), OCTOBER, Evidence((), (ALL,), known_days), NOTHING)
    assert row(found, "an-bien").now.all_hours.observed == 31 * DAY  # days that nobody has tell nothing
    amounts = row(found, "dong-yen").now.all_hours
    assert (amounts.observed, amounts.unknown) == (17 * DAY, 4 * DAY)
    fallen = Evidence(cut(on(8, 0), on(8, 1)), (ALL,), known_days)
    found = uptime(scope(province), OCTOBER, fallen, NOTHING)
    amounts = row(found, "dong-yen").now.all_hours
    assert (amounts.observed, amounts.unknown, amounts.away) == (18 * DAY, 6 * DAY, HOUR)  # it was there when it fell


def test_an_open_outage_lasts_until_now_and_the_month_is_provisional(province: Province) -> None:
    now = datetime(2026, 10, 5, 12, tzinfo=ZONE)
    running = period(*month("2026-10"), "Asia/Ho_Chi_Minh", now)
    known = Evidence(cut(ended=None), (Span(on(1, 0), on(5, 12)),), {})
    found = uptime(scope(province), running, known, NOTHING)
    assert running.provisional
    assert row(found, "an-bien").now.all_hours.away == 3 * HOUR
    assert row(found, "an-bien").now.all_hours.unknown == 0
    assert found.incidents[0].ended is None
    assert found.total.now.repaired == 0


def test_an_outage_that_lasts_over_the_turn_of_the_month_is_clipped_and_repaired_where_it_ends(
    province: Province,
) -> None:
    over = (
        *cut(on(0, 23), on(1, 1)),
        *(replace(one, id=f"x{one.id}", root=one.root and f"x{one.root}") for one in cut(on(31, 23), on(32, 1))),
    )
    found = report(province, *over)
    assert row(found, "an-bien").now.all_hours.away == 2 * HOUR
    assert (found.total.now.outages, found.total.now.repaired) == (2, 1)
    assert found.total.now.time_to_repair == 2 * HOUR  # from its very beginning
    assert found.total.now.longest == HOUR
    assert report(province, *cut(on(31, 23), on(32, 0))).total.now.repaired == 1  # with the month, within it


def test_the_month_before_stands_beside(province: Province) -> None:
    september = Evidence(
        (out("s", "an-bien", on(-5, 9), on(-5, 15), "down", "power"),), (Span(on(-40, 0), on(1, 0)),), {}
    )
    found = uptime(scope(province), OCTOBER, Evidence(cut(), (ALL,), {}), september)
    district = row(found, "an-bien")
    assert found.before.name == "2026-09"
    assert district.before.all_hours.away == 6 * HOUR
    assert district.change == Fraction(6, 30 * 24) - Fraction(2, 31 * 24)
    assert {one.cause: one.before and one.before.away for one in found.causes} == {"link": 0, "power": 6 * HOUR}


def test_of_a_month_before_that_nobody_watched_no_cause_is_said_to_have_cost_nothing(province: Province) -> None:
    found = uptime(scope(province), OCTOBER, Evidence(cut(), (ALL,), {}), NOTHING)
    assert [(one.cause, one.before) for one in found.causes] == [("link", None)]
    shown, *_others = causes(found.causes, speaker("en")).rows
    assert shown[-1] is None
    assert uptime_summary(found)["causes"][0]["before"]["own_seconds"] == 0  # the form for programs is stable


def test_a_service_suffers_from_its_own_machine_and_from_what_is_upstream(province: Province) -> None:
    machine = out("1", "web.centre", on(5, 9), on(5, 10), "down", "device")
    own = out("2", "one-stop", on(5, 9), on(5, 10), "down", "upstream", "1")
    centre = out("3", "centre", on(6, 9), on(6, 10), "down", "power")
    behind = out("4", "one-stop", on(6, 9), on(6, 10), "unreachable", "upstream", "3")
    found = report(province, machine, own, centre, behind)
    (service,) = found.services
    assert (service.offices, service.now.outages) == (3, 2)
    assert (service.now.all_hours.away, service.now.all_hours.behind) == (2 * HOUR, HOUR)
    assert service.now.working_hours.observed == 22 * 10 * HOUR  # those of the offices that depend on it
    assert {one.cause: (one.now.own, one.now.behind) for one in found.service_causes} == {
        "device": (HOUR, 0),
        "power": (0, HOUR),
    }


def test_what_lies_at_the_same_office_is_its_own_fault(province: Province) -> None:
    router = out("1", "router.an-bien", on(5, 9), on(5, 10), "down", "device")
    by_router = out("2", "an-bien", on(5, 9), on(5, 10), "down", "device", "1")
    line = replace(router, id="3", kind="link", node="an-bien.uplink", began=on(6, 9), ended=on(6, 10), cause="link")
    by_line = out("4", "an-bien", on(6, 9), on(6, 10), "down", "link", "3")
    foreign = out("5", "router.nam-yen", on(7, 9), on(7, 10), "down", "device")
    service = out("6", "one-stop", on(7, 9), on(7, 10), "down", "upstream", "5")
    found = report(province, router, by_router, line, by_line, foreign, service)
    assert (row(found, "an-bien").now.all_hours.away, row(found, "an-bien").now.all_hours.behind) == (2 * HOUR, 0)
    assert found.services[0].now.all_hours.behind == HOUR
    assert [(one.kind, one.node, one.name) for one in found.incidents] == [
        ("device", "router.an-bien", "Huyện An Biên"),
        ("link", "an-bien.uplink", "Huyện An Biên"),
    ]


def test_what_cost_most_stands_first(province: Province) -> None:
    by_day = out("1", "nam-yen", on(5, 9), on(5, 10), "down", "power")
    by_night = out("2", "dong-yen", on(5, 20), on(5, 23), "down", "link")
    longer = out("3", "an-bien", on(6, 20), on(6, 22), "down", "device")
    found = report(province, by_day, by_night, longer)
    assert [one.id for one in found.worst] == ["nam-yen", "dong-yen", "an-bien"]  # by working hours, then by all
    assert [one.cause for one in found.causes] == ["link", "device", "power"]
    assert [one.id for one in found.incidents] == ["2", "3", "1"]


def test_a_report_of_what_lies_under_a_unit_or_an_office(province: Province) -> None:
    found = report(province, *cut(), under="dong-yen")
    assert [one.id for one in found.offices] == ["dong-yen"]
    assert (found.total.id, found.under_name, found.total.now.outages) == ("dong-yen", "Xã Đông Yên", 1)
    assert found.causes[0].now.behind == 2 * HOUR  # its root lies outside
    assert [one.id for one in report(province, under="mau").offices] == list(province.offices)
    assert [one.id for one in report(province, under="centre").offices] == list(province.offices)
    with pytest.raises(UnknownScopeError, match=r"no unit and no office is called 'an-bein'; write .*an-bien"):
        scope(province, "an-bein")


def test_units_are_as_they_were_on_the_day(province: Province) -> None:
    unit = province.units["dong-yen"]
    moved = replace(unit, parent=Dated((date.min, date(2026, 1, 1)), ("an-bien", "mau")))
    moved = replace(moved, name=Dated((date.min, date(2026, 1, 1)), ("Xã Đông Yên", "Phường Đông Yên")))
    units = {**province.units, "dong-yen": moved}
    old = replace(province, units=units, as_of=date(2025, 12, 31))
    new = replace(province, units=units, as_of=date(2026, 1, 1))
    assert [one.id for one in report(old, under="an-bien").offices] == ["an-bien", "dong-yen", "nam-yen"]
    assert [one.id for one in report(new, under="an-bien").offices] == ["an-bien", "nam-yen"]
    assert report(new, under="dong-yen").under_name == "Phường Đông Yên"


def test_the_form_for_programs_is_flat_and_tells_everything(province: Province) -> None:
    found = report(province, *cut())
    items, told = uptime_items(found), uptime_summary(found)
    assert [item["id"] for item in items if item["kind"] == "office"] == list(province.offices)
    assert items[0]["away_seconds"] == 6 * 3600.0
    assert items[0]["before"]["availability"] is None
    short = report(province, out("1", "nam-yen", on(5, 9), "2026-10-05T02:00:01.500001Z", "down", "power"))
    assert uptime_items(short)[0]["away_seconds"] == 1.500001
    assert told["period"]["name"] == "2026-10"
    assert told["incidents"][0]["began"] == "2026-10-05T02:00:00.000000Z"
    assert told["watched"] == [{"from": "2026-09-30T17:00:00.000000Z", "until": "2026-10-31T17:00:00.000000Z"}]


def test_longest_goes_on_where_the_cause_changes_and_over_what_was_not_watched(province: Province) -> None:
    first, *_rest = cut(on(5, 9), on(5, 11))
    second = replace(first, id="2", began=on(5, 11), ended=on(5, 12), cause="device")
    apart = replace(first, id="3", began=on(5, 13), ended=on(5, 14))
    spans = (Span(on(1, 0), on(5, 10)), Span(on(5, 10, 30), on(32, 0)))
    found = report(province, first, second, apart, spans=spans)
    assert row(found, "an-bien").now.longest == 150 * 60 * SECOND
    gap = (Span(on(1, 0), on(5, 11)), Span(on(5, 12), on(32, 0)))
    third = replace(first, id="4", began=on(5, 12), ended=on(5, 13))
    found = report(province, first, second, third, spans=gap)  # the second was not observed at all
    assert row(found, "an-bien").now.longest == 3 * HOUR
    assert before(OCTOBER).until == OCTOBER.begin


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_opens(province: Province) -> None:
    night = replace(
        province.working_hours[0], window=replace(province.working_hours[0].window, opens=time(22), closes=time(2))
    )
    holidays = {date(2026, 10, 6): Holiday(date(2026, 10, 6), "Lễ", Place("test"))}
    other = replace(province, working_hours=(night,), holidays=MappingProxyType(holidays))
    found = report(other, *cut(on(6, 0), on(7, 3)))
    assert row(found, "an-bien").now.working_hours.away == 2 * HOUR  # Monday's, until Tuesday at 2
