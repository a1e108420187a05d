"""Alerts from readings to real deliveries, in simulated time: who is told what, once, over kills and silences."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from exporters.outages.rules import RULES
from exporters.reading import metric
from ledger.connection import open_ledger
from ledger.notices import Notice, notices_since
from ledger.outages import acknowledge, find_outage, open_outages
from ledger.planned import plan
from ledger.records import Actor
from tests.exporters.alerts.telling import ALERTS, HookServer, Telling, hook, on_battery, province_told
from tests.exporters.test_outages_keeping import START

DISTRICT = ("an-bien", "dong-yen", "nam-yen")
LAN = Actor("lan", "lan")


@pytest.fixture
def server() -> Iterator[HookServer]:
    with hook() as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path, server: HookServer) -> Path:
    return province_told(tmp_path / "province", server.server_port)


def notices(folder: Path) -> tuple[Notice, ...]:
    with open_ledger(folder / "ledger.sqlite") as ledger:
        return notices_since(ledger, datetime(2020, 1, 1, tzinfo=UTC))


def is_over(title: str) -> bool:
    return "resolved:" in title or "đã hết:" in title


def test_a_district_is_one_message_to_each_whom_it_concerns(folder: Path, server: HookServer) -> None:
    told = Telling(folder)
    told.pass_by(10)
    told.say(*DISTRICT)
    told.pass_by(60)
    assert server.taken() == []  # it has not lasted long enough, and then its group waits
    told.pass_by(30)
    [huong, lan] = server.taken()
    assert huong[:2] == ("huong", "[Tỉnh Mẫu] 1 alerts: Huyện An Biên (an-bien) is down: nothing there answers")
    assert huong[2].splitlines() == [
        "* Huyện An Biên (an-bien) is down: nothing there answers (since 15:00 15/01/2027)",
        "  and 2 offices behind it",
        "  cause: link",
        "  Its link, its power or its router. Ask the office about power, then the provider about the line.",
        "  To be told no more of it for four hours: tuyen outage ack an-bien --until 4h",
    ]
    assert lan[0] == "lan"
    assert "An Biên (an-bien)" in lan[1]
    assert lan[1] != huong[1]  # in Vietnamese
    told.pass_by(300)
    assert server.taken() == []
    told.say()
    told.pass_by(60)
    [huong, lan] = server.taken()
    assert huong[1] == "[Tỉnh Mẫu] 1 resolved: Huyện An Biên (an-bien) is down: nothing there answers"
    assert "over since 15:06" in huong[2]
    told.pass_by(120)
    assert server.taken() == []
    assert all(notice.sent and notice.tries == 1 for notice in notices(folder))


@pytest.mark.parametrize("moment", ["before", "waiting", "told", "over"])
def test_a_kill_neither_loses_nor_doubles(folder: Path, server: HookServer, moment: str) -> None:
    told = Telling(folder)
    told.pass_by(10)
    told.say(*DISTRICT)
    told.pass_by({"before": 40, "waiting": 65, "told": 100, "over": 100}[moment])
    silent: tuple[str, ...] = DISTRICT
    if moment == "over":
        told.say()
        told.pass_by(32)
        silent = ()
    told.kill()
    told = Telling(folder, told.at + 30)
    told.say(*silent)
    told.pass_by(120)
    told.say()
    told.pass_by(120)
    found = [(who, is_over(title)) for who, title, _text in server.taken()]
    assert found == [("huong", False), ("huong", True), ("lan", False), ("lan", True)]


def test_what_was_written_down_and_not_sent_goes_out_after_a_kill(folder: Path, server: HookServer) -> None:
    told = Telling(folder)
    told.pass_by(10)
    server.refuses = True
    told.say(*DISTRICT)
    told.pass_by(90)
    assert {notice.sent for notice in notices(folder)} == {None}
    told.kill()
    server.refuses = False
    told = Telling(folder, told.at + 5)
    told.say(*DISTRICT)
    told.pass_by(300)
    assert [who for who, _title, _text in server.taken()] == ["huong", "lan"]


def test_a_refused_message_is_tried_again_and_nothing_is_told_meanwhile(folder: Path, server: HookServer) -> None:
    told = Telling(folder)
    told.pass_by(10)
    server.refuses = True
    told.say(*DISTRICT)
    told.pass_by(100)
    told.say()
    told.pass_by(100)
    server.refuses = False
    told.pass_by(700)
    found = server.taken()
    assert [who for who, _title, _text in found] == ["huong", "huong", "lan", "lan"]  # that it was, and that it is over


def test_what_lasts_is_told_again(folder: Path, server: HookServer) -> None:
    told = Telling(folder)
    told.pass_by(10)
    told.say("dong-yen")
    told.pass_by(90)
    assert [who for who, *_rest in server.taken()] == ["dong", "huong", "lan"]
    told.pass_by(500)
    assert server.taken() == []
    told.pass_by(150)
    assert [who for who, *_rest in server.taken()] == ["dong", "huong", "lan"]


def test_nobody_is_told_of_what_somebody_takes_care_of(folder: Path, server: HookServer) -> None:
    told = Telling(folder)
    told.pass_by(10)
    told.say("dong-yen")
    told.pass_by(30)
    with open_ledger(folder / "ledger.sqlite") as ledger:
        until = datetime.fromtimestamp(START, UTC) + timedelta(minutes=8)
        acknowledge(ledger, find_outage(ledger, "dong-yen").id, until, actor=LAN)
    told.pass_by(430)
    assert server.taken() == []
    told.pass_by(150)
    assert [who for who, *_rest in server.taken()] == ["dong", "huong", "lan"]
    with open_ledger(folder / "ledger.sqlite") as ledger:
        acknowledge(ledger, find_outage(ledger, "dong-yen").id, until + timedelta(days=2), actor=LAN)
    told.pass_by(800)
    assert server.taken() == []  # not told again
    told.say()
    told.pass_by(60)
    assert [who for who, *_rest in server.taken()] == ["dong", "huong", "lan"]  # but who knew of it hears of its end


def test_what_was_over_before_anybody_was_told_is_told_to_nobody(folder: Path, server: HookServer) -> None:
    told = Telling(folder)
    told.pass_by(10)
    told.say("dong-yen")
    told.pass_by(45)
    told.say()
    told.pass_by(200)
    with open_ledger(folder / "ledger.sqlite") as ledger:
        assert find_outage(ledger, "dong-yen").ended
    assert server.taken() == []
    assert notices(folder) == ()


def test_planned_work_is_told_to_nobody(folder: Path, server: HookServer) -> None:
    told = Telling(folder)
    told.pass_by(10)
    with open_ledger(folder / "ledger.sqlite") as ledger:
        begin, end = (datetime.fromtimestamp(START + seconds, UTC) for seconds in (0, 400))
        plan(ledger, selector="under=dong-yen", began=begin, until=end, why="a new router", actor=LAN)
    told.pass_by(15)
    told.say("dong-yen")
    told.pass_by(350)
    assert server.taken() == []
    with open_ledger(folder / "ledger.sqlite") as ledger:
        assert {one.cause for one in open_outages(ledger)} == {"maintenance"}
    told.pass_by(200)  # the work is over, and it is still away
    assert [who for who, *_rest in server.taken()] == ["dong", "huong", "lan"]


def test_a_device_is_not_back_while_its_office_is_silent(folder: Path, server: HookServer) -> None:
    told = Telling(folder)
    told.pass_by(10)
    for module in ("icmp", "ssh", "icmp", "ssh"):
        told.hear("box.dong-yen", module, silent=True)
    told.pass_by(340)
    [dong, _huong, _lan] = server.taken()
    assert dong[1] == "[Tỉnh Mẫu] 1 alerts: box.dong-yen does not answer, although its office does"
    told.say("dong-yen")
    told.pass_by(120)
    assert [(who, is_over(title)) for who, title, _text in server.taken()] == [
        ("dong", False), ("huong", False), ("lan", False)
    ]  # fmt: skip
    told.kill()
    told = Telling(folder, told.at + 30)
    told.say("dong-yen")
    told.pass_by(60)
    assert server.taken() == []
    told.say()
    told.pass_by(60)
    assert [(who, is_over(title)) for who, title, _text in server.taken()] == [
        (who, True) for who in ("dong", "dong", "huong", "huong", "lan", "lan")
    ]


def test_a_device_is_not_back_while_the_way_to_it_is_worked_on(folder: Path, server: HookServer) -> None:
    told = Telling(folder)
    told.pass_by(10)
    for module in ("icmp", "ssh", "icmp", "ssh"):
        told.hear("box.dong-yen", module, silent=True)
    told.pass_by(340)
    assert len(server.taken()) == 3
    with open_ledger(folder / "ledger.sqlite") as ledger:
        begin, end = (datetime.fromtimestamp(START + seconds, UTC) for seconds in (0, 3600))
        plan(ledger, selector="an-bien", began=begin, until=end, why="a new router", actor=LAN)
    told.pass_by(15)
    told.say(*DISTRICT)
    told.pass_by(120)
    with open_ledger(folder / "ledger.sqlite") as ledger:
        assert find_outage(ledger, "box.dong-yen").cause == "maintenance"
    assert server.taken() == []
    told.say()
    told.pass_by(60)
    assert [(who, is_over(title)) for who, title, _text in server.taken()] == [
        (who, True) for who in ("dong", "huong", "lan")
    ]


def test_a_battery_of_what_is_worked_on_is_told_to_nobody(folder: Path, server: HookServer) -> None:
    told = Telling(folder)
    told.pass_by(10)
    with open_ledger(folder / "ledger.sqlite") as ledger:
        begin, end = (datetime.fromtimestamp(START + seconds, UTC) for seconds in (0, 400))
        plan(ledger, selector="box.dong-yen", began=begin, until=end, why="a new battery", actor=LAN)
    told.pass_by(15)
    told.hear("box.dong-yen", "ssh", on_battery(True))
    told.pass_by(350)
    assert server.taken() == []
    told.pass_by(60)
    assert [who for who, *_rest in server.taken()] == ["dong", "huong", "lan"]


def test_a_battery_is_told_and_then_the_silence_with_its_cause(folder: Path, server: HookServer) -> None:
    told = Telling(folder)
    told.pass_by(10)
    told.hear("box.dong-yen", "ssh", on_battery(True))
    told.pass_by(80)
    [dong, _huong, _lan] = server.taken()
    assert dong[1] == "[Tỉnh Mẫu] 1 alerts: box.dong-yen runs on its battery: dong-yen has no mains"
    told.say("dong-yen")
    told.pass_by(90)
    [dong, _huong, _lan] = server.taken()
    assert "cause: power; box.dong-yen ran on its battery before the silence" in dong[2]
    assert "runs on its battery" not in dong[2]
    told.pass_by(620)  # the office is told again, its battery is not, as nothing is known of it
    again = [text for who, _title, text in server.taken() if who == "dong"]
    assert len(again) == 1
    assert "runs on its battery" not in again[0]
    told.say()
    told.hear("box.dong-yen", "ssh", on_battery(False))
    told.pass_by(60)
    over = [text for who, _title, text in server.taken() if who == "dong"]
    assert sum("is down" in text for text in over) == 1
    assert sum("runs on its battery" in text for text in over) == 1


def test_a_kill_while_on_battery_calls_nothing_over_that_nobody_knows(folder: Path, server: HookServer) -> None:
    told = Telling(folder)
    told.pass_by(10)
    told.hear("box.dong-yen", "ssh", on_battery(True))
    told.pass_by(80)
    assert len(server.taken()) == 3
    told.kill()
    told = Telling(folder, told.at + 30)
    told.pass_by(120)
    assert server.taken() == []
    told.hear("box.dong-yen", "ssh", on_battery(True))
    told.pass_by(120)
    assert server.taken() == []
    told.hear("box.dong-yen", "ssh", on_battery(False))
    told.pass_by(30)
    assert [is_over(title) for _who, title, _text in server.taken()] == [True] * 3


def test_a_certificate_is_told_in_the_words_of_the_kit(folder: Path, server: HookServer) -> None:
    told = Telling(folder)
    told.pass_by(10)
    told.hear("web.centre", "https", metric("tuyen_probe_certificate_expiry_timestamp_seconds", START + 86400 * 5.5))
    told.pass_by(90)
    [lan] = server.taken()  # it concerns the province's own office only
    assert lan[0] == "lan"
    assert "web.centre motcua.good.example" in lan[1]
    assert "5d 11h" in lan[1]


def test_an_avalanche_is_one_message(folder: Path, server: HookServer) -> None:
    told = Telling(folder)
    told.pass_by(10)
    for device in ("web.centre", "server-1.an-bien"):
        told.hear(device, "icmp", metric("tuyen_probe_ups_battery_low", 1))
        told.hear(device, "ssh", metric("tuyen_probe_ssh_host_key_matches", 0))
    told.pass_by(100)
    found = server.taken()
    assert [who for who, *_rest in found] == ["huong", "huong", "lan"]  # two groups, and four at once
    assert len([line for line in found[2][2].splitlines() if line.startswith("*")]) == 4


def test_what_flaps_is_told_once(folder: Path, server: HookServer) -> None:
    told = Telling(folder)
    told.keeping.rules = RULES
    told.pass_by(10)
    for _minute in range(7):
        told.say("dong-yen")
        told.pass_by(60)
        told.say()
        told.pass_by(60)
    assert [who for who, *_rest in server.taken()] == ["dong", "huong", "lan"]
    with open_ledger(folder / "ledger.sqlite") as ledger:
        [flapping] = [one for one in open_outages(ledger) if one.kind == "office"]
        assert flapping.evidence["flaps"] >= 3
    told.pass_by(400)
    assert [is_over(title) for _who, title, _text in server.taken()] == [True] * 3


def test_with_alertmanager_tuyen_tells_nobody(tmp_path: Path, server: HookServer) -> None:
    folder = province_told(tmp_path / "province", server.server_port, "alerts: {by: alertmanager, after: 60 s}\n")
    told = Telling(folder)
    told.pass_by(10)
    told.say(*DISTRICT)
    told.pass_by(300)
    assert server.taken() == []
    assert notices(folder) == ()


def test_recurring_work_is_told_to_nobody_and_does_not_count(tmp_path: Path, server: HookServer) -> None:
    work = "maintenance: [{select: under=dong-yen, why: the mast, days: [fri], opens: '14:00', closes: '15:06'}]\n"
    folder = province_told(tmp_path / "province", server.server_port, ALERTS + work)  # it is Friday, 15:00
    told = Telling(folder)
    told.pass_by(10)
    told.say("dong-yen")
    told.pass_by(330)
    assert server.taken() == []
    with open_ledger(folder / "ledger.sqlite") as ledger:
        assert {one.cause for one in open_outages(ledger)} == {"maintenance"}
        assert find_outage(ledger, "dong-yen").evidence["why"] == "the mast"
    told.pass_by(150)
    assert [who for who, *_rest in server.taken()] == ["dong", "huong", "lan"]
    with open_ledger(folder / "ledger.sqlite") as ledger:
        assert find_outage(ledger, "dong-yen").cause == "link"


def test_a_ledger_that_cannot_be_written_is_told_and_then_all_that_happened(folder: Path, server: HookServer) -> None:
    told = Telling(folder, patience=0.05)
    told.pass_by(10)
    with open_ledger(folder / "ledger.sqlite") as ledger, ledger.write():
        told.say("dong-yen")
        told.pass_by(30)
        told.at += 900
        told.pass_by(10)
        [lan] = server.taken()  # who is there for the whole province
        assert (lan[0], is_over(lan[1])) == ("lan", False)
        assert "sổ" in lan[1].lower()
    told.pass_by(60)
    assert [(who, is_over(title)) for who, title, _text in server.taken()] == [
        ("dong", False), ("huong", False), ("lan", False), ("lan", True)
    ]  # fmt: skip
