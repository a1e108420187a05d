"""The interface for programs: a real server, a real ledger, every answer held against the OpenAPI document."""

import json
import logging
import time
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from exporters.access.desk import Desk
from exporters.access.visitor import visitor_of
from exporters.api.answers import available
from exporters.api.asked import Asked
from exporters.api.endpoints import ENDPOINTS, Endpoint
from exporters.api.openapi import document
from exporters.api.problems import KINDS, MEDIA_TYPE
from exporters.api.queries import Query
from exporters.outages.node import Kind, Node
from exporters.page.snapshot import Snapshot
from ledger import accounts, tokens
from ledger.connection import FILE, Ledger
from ledger.watching import Day, days
from tests.clock import Clock
from tests.exporters.access.conftest import LAN, PASSWORD
from tests.exporters.access.serving import Answer, Browser
from tests.exporters.api.conftest import Program
from tests.exporters.test_outages_keeping import Played

every_list = pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda one: one.name)


def check(schema: str, value: Any) -> None:
    """Hold a value against a schema of the OpenAPI document."""
    found = {"$ref": f"#/components/schemas/{schema}", "components": document()["components"]}
    Draft202012Validator(found).validate(value)


def problem(answer: Answer, kind: str) -> dict[str, Any]:
    assert (answer.status, answer.headers["content-type"]) == (KINDS[kind].status, MEDIA_TYPE), answer.text
    told: dict[str, Any] = json.loads(answer.text)
    check("Problem", told)
    assert (told["type"], told["status"]) == (f"/api#{kind}", answer.status)
    assert told["detail"]
    assert told["remedy"]
    return told


def items(program: Browser, path: str) -> list[dict[str, Any]]:
    answer = program.get(f"/api/v1/{path}")
    assert answer.status == 200, answer.text
    found: list[dict[str, Any]] = json.loads(answer.text)["items"]
    return found


@every_list
def test_every_list_answers_as_its_document_says(lan: Program, endpoint: Endpoint) -> None:
    answer = lan.get(endpoint.path)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["cache-control"] == "no-store"
    page = json.loads(answer.text)
    operation = document()["paths"][endpoint.path]["get"]
    ref = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
    check(ref.rpartition("/")[2], page)
    assert page["items"], "an empty list proves nothing"
    keys = [endpoint.key(endpoint.item(**item)) for item in page["items"]]
    assert keys == sorted(set(keys))
    if endpoint.example:
        assert lan.get(f"{endpoint.path}?{endpoint.example}").status == 200


@every_list
def test_pages_follow_each_other_without_a_gap(lan: Program, endpoint: Endpoint) -> None:
    whole = items(lan, f"{endpoint.name}?limit=1000")
    walked: list[dict[str, Any]] = []
    after: str | None = ""
    while after is not None:
        page = json.loads(lan.get(f"{endpoint.path}?limit=2&after={after}").text)
        assert len(page["items"]) in (1, 2)  # nor is there an empty one at the end
        walked += page["items"]
        after = page["next"]
    assert walked == whole


@every_list
def test_nobody_is_told_anything_without_a_token_or_a_session(port: int, endpoint: Endpoint) -> None:
    answer = Browser(port).get(endpoint.path)
    problem(answer, "login")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_session_is_as_good_as_a_token_and_a_bad_token_is_worse(
    port: int, lan: Program, binh: Program, ledger: Ledger
) -> None:
    browser = Browser(port)
    browser.log_in("lan", PASSWORD)
    assert items(browser, "offices") == items(lan, "offices")
    assert browser.get("/api/v1/offices", authorization=f"Bearer {binh.token}").text == binh.get("/api/v1/offices").text
    for shown in ("Bearer x", "Bearer ", "Bearer", "", f"Basic {lan.token}", lan.token, f"Bearer {lan.token}x"):
        problem(browser.get("/api/v1/offices", authorization=shown), "token")
    accounts.disable(ledger, "binh", actor=LAN)
    problem(binh.get("/api/v1/offices"), "token")
    tokens.revoke(ledger, tokens.tokens(ledger, "lan")[0].id, actor=LAN)
    problem(lan.get("/api/v1/offices"), "token")


def test_no_token_is_logged(lan: Program, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    assert lan.get("/api/v1/offices").status == 200
    problem(lan.get("/api/v1/offices", authorization=f"Basic {lan.token}"), "token")
    problem(lan.get("/api/v1/offices?limit=x"), "parameter")
    assert lan.token not in caplog.text


def test_a_token_ends_on_its_day(lan: Program, clock: Clock) -> None:
    assert lan.get("/api/v1/offices").status == 200
    clock.pass_by(timedelta(days=1))
    problem(lan.get("/api/v1/offices"), "token")


def test_who_has_one_commune_is_told_of_it_and_of_nothing_else(binh: Program, lan: Program) -> None:
    assert [item["id"] for item in items(binh, "offices")] == ["dong-yen"]
    assert {item["office"] for item in items(binh, "devices")} == {"dong-yen"}
    assert {item["office"] for item in items(binh, "states")} == {"dong-yen", ""}
    assert {item["node"] for item in items(binh, "uptime")} == {"dong-yen"}
    assert [item["offices"] for item in items(binh, "services")] == [["dong-yen"]]
    own = {item["node"].rpartition(".")[2] for item in items(binh, "outages") if item["kind"] == "device"}
    assert own <= {"dong-yen"}
    secret = [device for device in items(lan, "devices?limit=1000") if device["office"] != "dong-yen"]
    assert secret
    for endpoint in ENDPOINTS:
        said = binh.get(f"{endpoint.path}?limit=1000").text
        for device in secret:
            assert device["id"] not in said, endpoint.name
            assert f'"{device["address"]}"' not in said, endpoint.name
    refused = problem(binh.get("/api/v1/devices?selector=router.an-bie"), "selector")
    assert "router.an-bien" not in refused["detail"]
    assert items(binh, "devices?selector=router.an-bien") == []


def test_of_a_service_only_those_are_told_more_who_see_all_that_it_is_asked_of(played: Played) -> None:
    good = played.watch.province
    service = good.services["one-stop"]
    commune = replace(service.probes[0], device="router.dong-yen")
    both = replace(service, probes=(commune, *service.probes))
    for probes, told in ((both.probes, False), ((commune,), True)):
        province = replace(good, services={"one-stop": replace(service, probes=probes)})
        binh = visitor_of(province, province.people["binh"])
        asked = Asked(Query(), binh, Snapshot(province), played.keeping.book.open_ledger, tuple)
        assert asked.is_told(Node(Kind.SERVICE, "one-stop")) is told


def test_states_tell_what_is_down_and_what_is_only_behind_it(lan: Program) -> None:
    offices = {item["id"]: item["state"] for item in items(lan, "offices")}
    assert offices == {"an-bien": "down", "centre": "up", "dong-yen": "unreachable", "nam-yen": "unreachable"}
    assert [item["id"] for item in items(lan, "offices?state=down")] == ["an-bien"]
    assert [item["id"] for item in items(lan, "offices?selector=tier%3Dcommune&state=unreachable")] == [
        "dong-yen",
        "nam-yen",
    ]
    links = items(lan, "states?kind=link&state=down")
    assert {item["id"] for item in links} == {"an-bien.uplink", "an-bien.backup"}
    routers = items(lan, "states?selector=role%3Drouter&kind=device")
    assert {item["id"].split(".")[0] for item in routers} == {"router"}


def test_outages_are_told_with_cause_and_root(lan: Program) -> None:
    found = {item["node"]: item for item in items(lan, "outages?kind=office&open=true")}
    assert {name: item["cause"] for name, item in found.items()} == {
        "an-bien": "link",
        "dong-yen": "upstream",
        "nam-yen": "upstream",
    }
    assert found["dong-yen"]["root"] == found["an-bien"]["id"]
    assert 3500 < found["an-bien"]["seconds"] < 3600
    assert [item["node"] for item in items(lan, "outages?kind=office&roots=true")] == ["an-bien"]
    assert [item["node"] for item in items(lan, "outages?cause=link&kind=office")] == ["an-bien"]
    assert items(lan, "outages?open=false") == []
    began = datetime.fromisoformat(found["an-bien"]["began"]).astimezone(timezone(timedelta(hours=7)))
    assert items(lan, f"outages?kind=office&until={quote(began.isoformat())}") == []
    later = quote((began + timedelta(seconds=1)).isoformat())
    assert (
        len(items(lan, f"outages?kind=office&since={later}"))
        == len(items(lan, f"outages?kind=office&until={later}"))
        == 3
    )


def test_days_are_told_with_their_availability(lan: Program, clock: Clock) -> None:
    days = {item["node"]: item for item in items(lan, "uptime?kind=office")}
    assert days["centre"]["available"] == 1
    assert 0 < days["an-bien"]["available"] < 1
    day = date.fromisoformat(days["an-bien"]["day"])
    assert abs((day - clock.now.date()).days) <= 1  # it is the province's own
    assert items(lan, f"uptime?last={day - timedelta(days=1)}") == []
    assert items(lan, f"uptime?first={day}&last={day}") == list(days.values())
    assert [item["kind"] for item in items(lan, "uptime?kind=device&selector=router.dong-yen")] == ["device"]


def test_planned_work_is_told_to_those_who_see_where_it_is(lan: Program, binh: Program, clock: Clock) -> None:
    (work,) = items(lan, "planned")
    assert (work["selector"], work["why"], work["person"]) == ("under=nam-yen", "a new mast", "lan")
    assert (work["offices"], work["services"], work["recurring"], work["under_way"]) == (["nam-yen"], [], False, False)
    assert work["devices"] == sorted(item["id"] for item in items(lan, "devices?selector=under%3Dnam-yen"))
    began, until = (datetime.fromisoformat(work[key]) for key in ("began", "until"))
    assert (began - clock.now, until - began) == (timedelta(days=1), timedelta(hours=1))
    assert items(lan, "planned?selector=router.nam-yen") == [work]
    assert items(lan, "planned?selector=router.dong-yen") == items(binh, "planned") == []


def test_days_are_read_one_by_one(lan: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """A province has 15,000 devices, each of which has 400 days."""
    read = list[str]()

    def spy(ledger: Ledger, first: str, last: str, kind: str) -> tuple[Day, ...]:
        read.append(first)
        assert first == last
        return days(ledger, first, last, kind)

    monkeypatch.setattr("exporters.api.answers.days", spy)
    (last,) = items(lan, "uptime?first=0001-01-01&last=9999-12-31&limit=1")
    assert len(read) <= 405
    assert max(read) == last["day"]
    read.clear()
    assert items(lan, f"uptime?first={last['day']}&last=9999-12-31&limit=1") == [last]
    assert read == [last["day"]]


@pytest.mark.parametrize(
    ("seconds", "ratio"),
    [
        ({"up": 60, "degraded": 30, "down": 5, "unreachable": 5, "maintenance": 900}, 0.9),
        ({"maintenance": 900}, None),
        ({"degraded": 1}, 1.0),
        ({"unreachable": 1}, 0.0),
    ],
)
def test_planned_work_counts_neither_way(seconds: dict[str, float], ratio: float | None) -> None:
    assert available(Day("2026-11-25", "office", "centre", **seconds)) == ratio  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("question", "kind", "named"),
    [
        ("offices?limit=0", "parameter", {"limit"}),
        ("offices?limit=1001", "parameter", {"limit"}),
        ("offices?limit=x&state=well", "parameter", {"limit", "state"}),
        ("offices?selektor=x", "parameter", {"selektor"}),
        ("offices?limit=1&limit=2", "parameter", {"limit"}),
        ("offices?selector=tier%3D", "selector", {"selector"}),
        ("devices?selector=dong-ye", "selector", {"selector"}),
        ("outages?since=2026-11-25T00:00:00", "parameter", {"since"}),
        ("outages?since=2026-11-25T00:00:00Z&until=2026-11-24T00:00:00Z", "parameter", {"since"}),
        ("outages?until=0001-01-01T00:00:00Z", "parameter", {"until"}),
        ("outages?since=0001-01-01T00:00:00%2B14:00", "parameter", {"since"}),
        ("outages?until=9999-12-31T23:59:59-14:00", "parameter", {"until"}),
        ("outages?until=1970-01-01T00:00:00Z", "", set()),
        ("uptime?first=2026-11-25&last=2026-11-24", "parameter", {"first"}),
        ("uptime?last=0001-01-01", "", set()),
        ("uptime?after=zzz", "", set()),
        ("states?kind=planet", "parameter", {"kind"}),
        ("office", "unknown", set()),
        ("../../etc/passwd", "unknown", set()),
        ("offices/dong-yen", "unknown", set()),
    ],
)
def test_a_question_without_an_answer_is_told_why(lan: Program, question: str, kind: str, named: set[str]) -> None:
    answer = lan.get(f"/api/v1/{question}")
    if not kind:
        assert (answer.status, json.loads(answer.text)["items"]) == (200, [])
        return
    told = problem(answer, kind)
    assert set(told["parameters"]) == named


def test_it_only_reads(lan: Program, port: int) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = lan.ask(method, "/api/v1/offices", "{}", content_type="application/json")
        problem(answer, "method")
        assert answer.headers["allow"] == "GET, HEAD"
    browser = Browser(port)
    browser.log_in("lan", PASSWORD)
    problem(browser.post("/api/v1/offices", {}, origin="https://evil.example"), "method")
    assert lan.ask("HEAD", "/api/v1/offices").status == 200


def test_while_the_ledger_does_not_answer_it_says_so(lan: Program, desk: Desk, folder: Path) -> None:
    desk.close()
    (folder / FILE).rename(folder / "away")
    (folder / FILE).mkdir()
    problem(lan.get("/api/v1/offices"), "ledger")
    (folder / FILE).rmdir()
    (folder / "away").rename(folder / FILE)
    assert lan.get("/api/v1/offices").status == 200


def test_what_devices_say_is_text(lan: Program, played: Played) -> None:

    hostile = '"}]}</script>\x1b[2J\u202e{{7*7}}'
    key, question = next((key, one) for key, one in played.watch.asked.items() if key[0] == "web.centre")
    reading = replace(played.watch.latest[key], success=False, heard=True, reason=hostile)
    played.watch._take(question, reading)
    played.pass_by(2)
    time.sleep(0.6)  # longer than a snapshot is good
    (web,) = items(lan, "devices?selector=web.centre")
    services = items(lan, "services")
    assert hostile in web["reason"] or any(hostile in one["reason"] for one in services)


def test_people_read_of_it_on_a_page(port: int) -> None:
    browser = Browser(port)
    text = browser.get("/api").text
    for endpoint in ENDPOINTS:
        assert endpoint.path in text
        for name in (*endpoint.query.model_fields, *endpoint.item.model_fields):
            assert f"<code>{name}</code>" in text
    for kind in KINDS:
        assert f'id="{kind}"' in text
