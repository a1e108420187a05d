"""Who sees what: the public no addresses and no devices, staff what lies below their office; all text is only text."""

import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ledger.connection import FILE, open_ledger
from ledger.outages import acknowledge, note, open_outages
from ledger.records import Actor
from tests.exporters.access.serving import Browser
from tests.exporters.page.conftest import HOSTILE
from tests.exporters.page.showing import Showing

PUBLIC = ("/", "/services", "/outages", "/outages?days=90", "/login", "/no-such-page", "/offices/no-such-office")
STAFF = ("/rollouts", "/expiry")
ESCAPED = "&lt;img src=x onerror=alert(1)&gt;{{ 7*7 }}&lt;/script&gt;"


@pytest.fixture(autouse=True, scope="module")
def _troubled(showing: Showing) -> None:
    """Something is wrong with everything, in words that hold addresses, names and markup."""
    box = showing.played.watch.province.devices["box.dong-yen"]
    showing.say("nam-yen", seconds=25)
    showing.answer("box.dong-yen", f"{box.address} ({box.id}) said {HOSTILE}")
    showing.answer("web.centre", f"web.centre at 10.91.0.10 said {HOSTILE}", ends=time.time() + 86400 * 5)
    showing.pass_by(25)


def _paths(showing: Showing) -> tuple[str, ...]:
    return (*PUBLIC, *(f"/offices/{office}" for office in showing.played.watch.province.offices))


def test_the_public_is_told_no_address_and_no_device(showing: Showing, public: Browser) -> None:
    devices = showing.played.watch.province.devices.values()
    told = {word for device in devices for word in (device.address, device.id, device.mac)}
    secrets = sorted(word for word in told | {"said", "lan@", "Nguyễn Thị Lan"} if word)
    for path in _paths(showing):
        answer = public.get(path)
        assert answer.status == (404 if "no-such" in path else 200), path
        found = [word for word in secrets if re.search(rf"(?<![\w.]){re.escape(word)}(?![\w])", answer.text)]
        assert found == [], path
        assert not re.search(r"\b\d+\.\d+\.\d+\.\d+\b", answer.text), path


def test_the_public_is_sent_away_from_the_pages_of_staff(public: Browser) -> None:
    for path in STAFF:
        answer = public.get(path)
        assert (answer.status, answer.headers["location"]) == (303, f"/login?next={path}")


def test_staff_see_devices_with_addresses_readings_and_reasons(showing: Showing, lan: Browser) -> None:
    text = lan.get("/offices/dong-yen").text
    box = showing.played.watch.province.devices["box.dong-yen"]
    assert f'<td class="mono">{box.address}</td>' in text
    assert f"{box.address} ({box.id}) said {ESCAPED}" in text
    assert "<b>icmp</b>" in text
    assert "box.dong-yen" in lan.get("/").text
    assert "vnpt" in text


def test_an_officer_sees_devices_below_their_office_only(showing: Showing, binh: Browser) -> None:
    assert "box.dong-yen" in binh.get("/offices/dong-yen").text
    province = showing.played.watch.province
    for office in province.offices.keys() - {"dong-yen"}:
        text = binh.get(f"/offices/{office}").text
        assert not [device.id for device in province.devices_of[office] if device.id in text]
        assert "vnpt" not in text
    text = binh.get("/outages?days=90").text + binh.get("/").text
    assert "box.dong-yen" in text
    assert "web.centre" not in text
    assert "router.nam-yen" not in text
    assert "web.centre" not in binh.get("/expiry").text


def test_hostile_text_stays_text(showing: Showing, lan: Browser) -> None:
    for path in (*_paths(showing), *STAFF):
        text = lan.get(path).text
        assert "<img" not in text
        assert "49</script>" not in text
    assert ESCAPED in lan.get("/offices/nam-yen").text
    assert f'<span class="mono">{ESCAPED}</span>' in lan.get("/offices/dong-yen").text


def test_outages_tell_cause_and_since(lan: Browser, public: Browser) -> None:
    text = public.get("/").text
    assert re.search(
        r'id="t-office.nam-yen" href="/offices/nam-yen">.*?<dd>link</dd>.*?<time datetime="20', text, re.DOTALL
    )
    assert '<a id="t-office.dong-yen" href="/offices/dong-yen">' in text
    assert "<dd>device: a device at Xã Đông Yên</dd>" in text
    assert '">Một cửa điện tử</a>' in text
    assert "still out" in lan.get("/offices/nam-yen").text


def test_what_people_said_of_an_outage_is_for_those_who_see_its_office(
    folder: Path, lan: Browser, binh: Browser, public: Browser
) -> None:
    with open_ledger(folder / FILE) as ledger:
        open_now = {one.node: one.id for one in open_outages(ledger) if one.kind == "office"}
        note(ledger, open_now["nam-yen"], f"EVN works there {HOSTILE}", actor=Actor("lan", "lan"))
        acknowledge(ledger, open_now["nam-yen"], datetime.now(UTC) + timedelta(hours=1), actor=Actor("lan", "lan"))
    until = time.monotonic() + 60
    while "EVN works" not in (text := lan.get("/outages").text):
        assert time.monotonic() < until
        time.sleep(0.2)
    assert "lan: EVN works there &lt;img" in text
    assert "lan takes care of it until" in text
    for other in (binh, public):
        for path in ("/outages", "/offices/nam-yen"):
            assert "EVN" not in other.get(path).text


def test_staff_see_rollouts_and_what_ends_soon(lan: Browser) -> None:
    rollouts = lan.get("/rollouts").text
    assert "agent-2" in rollouts
    assert "running" in rollouts
    assert "1 of 3" in rollouts
    expiry = lan.get("/expiry").text
    assert "motcua.good.example" in expiry
    assert "in 4 days" in expiry
