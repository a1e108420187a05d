"""What is shown, as pure values: bars of days, shares, spans of time in words, roots of what is out."""

import re
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.outages.node import Cause, Kind, Node
from exporters.outages.work import Coming
from exporters.page.bars import Bar, Bars, Sum, bars, sum_of, total
from exporters.page.environment import environment, fill
from exporters.page.marks import between, described, lasted, percent, since, told, when
from exporters.page.overview import summary
from exporters.page.past import at_office, entries
from exporters.page.planned import planned
from exporters.page.snapshot import Snapshot, Trouble
from exporters.page.troubles import roots
from exporters.page.view import PUBLIC, View
from inventory.language import speaking
from inventory.load import load
from inventory.topology import State
from ledger.outages import Outage
from ledger.watching import Day
from tests.exporters.test_health import GOOD

TODAY = date(2026, 11, 25)
SECONDS = st.floats(0, 86400).map(lambda value: round(value, 3))
DAY = st.builds(Sum, SECONDS, SECONDS)


@given(st.dictionaries(st.integers(-5, 100), DAY, max_size=120))
def test_bars_are_days_without_a_gap_and_sum_up(found: dict[int, Sum]) -> None:
    sums = {str(TODAY - timedelta(days=back)): one for back, one in found.items()}
    made = bars(sums, TODAY)
    assert len(made.bars) == 90
    assert made.bars[-1].day == TODAY
    assert all(later.day - earlier.day == timedelta(days=1) for earlier, later in pairwise(made.bars))
    shown = [one for back, one in found.items() if 0 <= back < 90]
    up, out = sum(one.up for one in shown), sum(one.out for one in shown)
    assert made.up == (pytest.approx(up / (up + out)) if up + out else None)
    for bar in made.bars:
        one = sums.get(str(bar.day), Sum())
        assert (bar.up is None) is (one.up + one.out == 0)
        assert (bar.mark == "full") is (bar.up is not None and bar.up >= 0.999)


def test_a_day_is_full_fair_or_poor_and_those_with_trouble_are_named_the_latest_first() -> None:
    shares = {4: None, 3: 0.9989, 2: 0.99, 1: 0.9899, 0: 0.999}
    days = tuple(Bar(TODAY - timedelta(days=back), up) for back, up in shares.items())
    assert [bar.mark for bar in days] == ["none", "fair", "fair", "poor", "full"]
    assert Bars(days, None).troubled == (days[3], days[2], days[1])


def test_planned_work_and_what_is_unknown_do_not_count() -> None:
    day = Day("2026-11-25", "office", "x", up=100, degraded=50, down=30, unreachable=20, maintenance=9000)
    assert sum_of(day) == Sum(150, 50)
    assert total([Sum(1, 2), Sum(3, 4)]) == Sum(4, 6)


@given(st.floats(0, 1))
def test_a_share_is_never_said_to_be_whole_when_it_is_not(share: float) -> None:
    with speaking("en"):
        text = percent(share)
    assert (text == "100 %") is (share == 1)
    assert abs(float(text.removesuffix(" %")) / 100 - share) < 0.00011


def test_words_of_time() -> None:
    zone = ZoneInfo("Asia/Ho_Chi_Minh")
    with speaking("en"):
        assert [lasted(seconds) for seconds in (0, 29, 60, 3599, 3600, 5400, 86399, 86400, 200000)] == [
            "less than a minute",
            "less than a minute",
            "1 min",
            "1 h 0 min",
            "1 h 0 min",
            "1 h 30 min",
            "1 d 0 h",
            "1 d 0 h",
            "2 d 7 h",
        ]
        assert when(0, zone) == '<time datetime="1970-01-01T08:00:00+08:00">1970-01-01 08:00</time>'
        assert 'data-since="0"' in since(0.4, zone)
        assert re.sub("<.*?>", "", between(0, 3600, zone)) == "1970-01-01 08:00 – 09:00"
        assert re.sub("<.*?>", "", between(0, 86400, zone)) == "1970-01-01 08:00 – 1970-01-02 08:00"
        bar = Bar(TODAY, 0.5, 3600)
        assert told(bar) == "2026-11-25: 50 % available, 1 h 0 min out"
        assert told(Bar(TODAY, None)) == "2026-11-25: no data"
        whole = Bars((bar, Bar(TODAY, 1.0)), 0.75)
        assert described(whole) == "75 % available in the last 2 days; days with outages: 1"
    with speaking("vi"):
        assert "08:00 01/01/1970" in when(0, zone)
        assert re.sub("<.*?>", "", between(0, 3600, zone)) == "08:00 – 09:00 01/01/1970"
        assert re.sub("<.*?>", "", between(0, 86400, zone)) == "08:00 01/01/1970 – 08:00 02/01/1970"
        assert percent(0.9951) == "99,51 %"


def test_values_of_a_message_are_text() -> None:
    assert fill("{a} & {b}", a="<b>", b=fill("<{c}>", c="'")) == "&lt;b&gt; &amp; &lt;&#39;&gt;"
    made = environment().from_string('{{ _("{count} of it")|fill(count=x) }}{{ x }}')
    assert made.render(x="<script>") == "&lt;script&gt; of it&lt;script&gt;"


def _snapshot(*troubles: Trouble) -> Snapshot:
    return Snapshot(load(GOOD), troubles={trouble.node: trouble for trouble in troubles})


OFFICE, BEHIND = Node(Kind.OFFICE, "an-bien"), Node(Kind.OFFICE, "dong-yen")
BOX, LINK = Node(Kind.DEVICE, "box.dong-yen"), Node(Kind.LINK, "an-bien.uplink")
CUT = (
    Trouble(OFFICE, State.DOWN, Cause.LINK, None, 100, "a"),
    Trouble(LINK, State.DOWN, Cause.LINK, OFFICE, 100, "b"),
    Trouble(BEHIND, State.UNREACHABLE, Cause.UPSTREAM, OFFICE, 101, "c"),
    Trouble(BOX, State.UNREACHABLE, Cause.UPSTREAM, OFFICE, 101, "d"),
)


def test_one_cause_is_one_root_and_names_each_office_once() -> None:
    for view in (PUBLIC, View(""), View("dong-yen")):
        found = roots(_snapshot(*CUT), view)
        assert [root.line.name for root in found] == ["Huyện An Biên"]
        assert [line.name for line in found[0].behind] == ["Xã Đông Yên"]
        assert found[0].behind[0].because == "Huyện An Biên"


def test_a_device_is_a_root_for_staff_and_a_cause_for_others() -> None:
    sick = replace(CUT[3], state=State.DEGRADED, cause=Cause.DEVICE, root=None)
    office = Trouble(BEHIND, State.DEGRADED, Cause.DEVICE, BOX, 101, "c")
    snapshot = replace(_snapshot(sick, office), reasons={BOX.id: "it burns", BEHIND.id: "box.dong-yen: it burns"})
    assert roots(snapshot, View(""))[0].line.why == "it burns"
    assert [(root.line.name, len(root.behind)) for root in roots(snapshot, View(""))] == [("box.dong-yen", 1)]
    (public,) = roots(snapshot, PUBLIC)
    assert (public.line.name, public.line.because) == ("Xã Đông Yên", "a device at Xã Đông Yên")
    assert public.line.why == ""
    assert public.behind == ()


def test_the_outages_of_an_office_are_told_as_if_all_had_been_looked_at() -> None:
    def outage(name: str, kind: str, node: str, root: str | None = None) -> Outage:
        began, ended = f"2026-11-2{name}T00:00:00.000000Z", f"2026-11-2{name}T01:00:00.000000Z"
        return Outage(name, kind, node, began, ended, "down", "link", root, {})

    known = (
        outage("1", "office", "an-bien"),
        outage("2", "office", "dong-yen", "1"),
        outage("3", "device", "box.dong-yen", "1"),
        outage("4", "device", "router.dong-yen"),
        outage("5", "service", "one-stop", "4"),
        outage("6", "office", "nam-yen", "1"),
        outage("7", "link", "dong-yen.uplink", "1"),
        outage("8", "device", "box.nam-yen"),
    )
    province, at = load(GOOD), ("office", "device")
    for office, expected in (("dong-yen", "12345"), ("an-bien", "12367"), ("nam-yen", "168"), ("centre", "")):
        near = at_office(known, office)
        assert "".join(one.id for one in near) == expected
        for view in (PUBLIC, View("")):
            wanted = lambda one, node, office=office: one.kind in at and node.id.rpartition(".")[2] == office  # noqa: E731
            assert entries(province, near, view, wanted, limit=9) == entries(province, known, view, wanted, limit=9)


def _coming(*nodes: Node, under_way: bool = False) -> Coming:
    return Coming("1", "x", 100, 200, "router 10.91.0.1", "lan", False, under_way, tuple(sorted(nodes)))


ROUTER = Node(Kind.DEVICE, "router.dong-yen")


def test_the_public_is_told_of_planned_work_on_whole_offices_and_services_only() -> None:
    service = Node(Kind.SERVICE, "one-stop")
    works = _coming(BEHIND, BOX, ROUTER, LINK, service), _coming(BOX), _coming(Node(Kind.OFFICE, "gone"))
    found = planned(replace(_snapshot(), coming=works[:2]), PUBLIC, "")
    assert [[place.name for place in work.places] for work in found.shown] == [["Xã Đông Yên", "Một cửa điện tử"]]
    assert (found.shown[0].why, found.shown[0].person, found.shown[0].under_way) == ("", "", False)
    assert (found.shown[0].began, found.shown[0].until) == (100, 200)
    assert planned(replace(_snapshot(), coming=works[1:]), PUBLIC, "").shown == ()
    assert planned(replace(_snapshot(), coming=works), PUBLIC, "nam-yen").shown == ()
    assert len(planned(replace(_snapshot(), coming=works), PUBLIC, "dong-yen").shown) == 1


def test_staff_are_told_why_and_of_devices_where_they_see_all_of_it() -> None:
    snapshot = replace(_snapshot(), coming=(_coming(BOX, under_way=True), _coming(OFFICE, BEHIND, BOX)))
    for view in (View(""), View("dong-yen")):
        box, offices = planned(snapshot, view, "").shown
        assert [(place.name, place.href) for place in box.places] == [("box.dong-yen", "/offices/dong-yen")]
        assert (box.why, box.person, box.under_way) == ("router 10.91.0.1", "lan", True)
        assert [place.name for place in offices.places] == ["Huyện An Biên", "Xã Đông Yên"]
        assert offices.why == ("router 10.91.0.1" if view == View("") else "")
    assert len(planned(replace(snapshot, coming=(_coming(BOX),) * 23), View(""), "").shown) == 20
    assert planned(replace(snapshot, coming=(_coming(BOX),) * 23), View(""), "").more == 3


@pytest.mark.parametrize(
    ("office", "service", "told"),
    [
        (State.UP, State.UP, ("up", "up")),
        (State.UP, State.DOWN, ("up", "down")),
        (State.UP, State.MAINTENANCE, ("up", "maintenance")),
        (State.UNKNOWN, State.DOWN, ("unknown", "unknown")),
        (State.DEGRADED, State.DOWN, ("degraded", "degraded")),
    ],
)
def test_the_headline_is_not_green_while_a_service_is_out(office: State, service: State, told: tuple[str, str]) -> None:
    province = load(GOOD)
    states = {kind: dict[str, State]() for kind in Kind}
    states[Kind.OFFICE] = {**dict.fromkeys(province.offices, State.UP), "an-bien": office}
    states[Kind.SERVICE] = dict.fromkeys(province.services, service)
    found = summary(Snapshot(province, states))
    assert (found.state, found.tone) == told
    with speaking("en"):
        text = environment().get_template("parts/summary.html").render(it=found)
    assert ("All 4 offices are up<" in text.replace("\n", "<")) is (told[0] == "up" and service is not State.DOWN)
    assert ("but not all services" in text) is (told == ("up", "down"))


def test_what_was_declared_once_breaks_nothing() -> None:
    gone = Trouble(Node(Kind.OFFICE, "gone"), State.DOWN, Cause.LINK, Node(Kind.DEVICE, "x.gone"), 1, "z")
    assert roots(_snapshot(gone), PUBLIC) == ()
    assert roots(_snapshot(gone), View("")) == ()
