"""Forms that other sites send, or that are no forms, or lead elsewhere: refused by a real server over real HTTP."""

import json
import socket
import time

import pytest

from ledger.connection import Ledger
from ledger.sessions import IDLE
from tests.clock import Clock
from tests.exporters.access.conftest import PASSWORD
from tests.exporters.access.serving import Browser
from tests.exporters.access.test_login import WRONG, person, told


def test_a_form_without_its_token_is_refused(browser: Browser, ledger: Ledger) -> None:
    fields = {"account": "lan", "password": PASSWORD}
    token = browser.csrf()
    other = Browser(browser.port).csrf()
    for wrong in ("", "x", token[:-1], other):
        assert browser.post("/login", {**fields, "csrf": wrong}).status == 403
    assert browser.post("/login", fields).status == 403
    bare = Browser(browser.port)
    assert bare.post("/login", {**fields, "csrf": ""}).status == 403  # an empty cookie is no token
    bare.jar["tuyen-form"] = ""
    assert bare.post("/login", {**fields, "csrf": ""}).status == 403
    assert told(ledger) == []
    browser.log_in("lan", PASSWORD)
    assert browser.post("/logout", {}).status == 403
    assert browser.post("/logout", {"csrf": token}).status == 403  # that of the login form
    assert browser.post("/echo", {}).status == 403
    assert person(browser) is not None
    csrf = json.loads(browser.get("/whoami").text)["csrf"]
    echoed = json.loads(browser.post("/echo", {"csrf": csrf, "a": "ă & b"}).text)
    assert echoed["form"] == echoed["state"] == {"csrf": csrf, "a": "ă & b"}
    assert browser.post("/echo", {"a": "b"}, x_csrf_token=csrf).status == 200


def test_another_sites_form_is_refused_even_with_the_token(browser: Browser) -> None:
    fields = {"account": "lan", "password": PASSWORD, "csrf": browser.csrf()}
    port = browser.port
    for origin in (
        "https://evil.example",
        "null",
        "",
        f"http://localhost:{port}.evil.example",
        f"https://localhost:{port}",
    ):
        assert browser.post("/login", fields, origin=origin).status == 403, origin
    assert browser.ask("GET", "/logout").status == 405
    assert browser.post("/login", fields).status == 303


def test_what_is_no_small_form_is_refused(browser: Browser) -> None:
    fields = {"account": "lan", "csrf": browser.csrf()}
    assert browser.post("/login", {**fields, "password": "x" * 20_000}).status == 413
    assert browser.post("/login", {f"f{number}": "" for number in range(60)}).status == 413
    assert browser.post("/login", fields, content_type="multipart/form-data; boundary=x").status == 415
    assert browser.post("/login", fields, content_type="text/plain").status == 415
    assert browser.ask("DELETE", "/whoami").status == 415


@pytest.mark.parametrize(
    ("wanted", "goes"),
    [
        ("/offices/dong-yen?x=1", "/offices/dong-yen?x=1"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("evil", "/"),
        ("", "/"),
        ("/a\r\nSet-Cookie: x=y", "/"),
        ("/\t/evil.example", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_a_login_leads_to_pages_of_this_site_only(browser: Browser, wanted: str, goes: str) -> None:
    answer = browser.log_in("lan", PASSWORD, next=wanted)
    assert (answer.status, answer.headers["location"]) == (303, goes)
    assert "x" not in browser.jar


def test_a_form_of_a_session_that_is_over_says_so(browser: Browser, clock: Clock) -> None:
    browser.log_in("lan", PASSWORD)
    csrf = json.loads(browser.get("/whoami").text)["csrf"]
    clock.pass_by(IDLE)
    answer = browser.post("/logout", {"csrf": csrf})
    assert answer.status == 403
    assert 'href="/login"' in answer.text


def test_hostile_names_are_text(browser: Browser) -> None:
    answer = browser.log_in('"><script>alert(1)</script>', WRONG)
    assert answer.status == 403
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;" in answer.text
    assert browser.log_in("lan\0", PASSWORD).status == 403
    assert browser.log_in("l\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), PASSWORD).status == 403


def test_who_hangs_up_in_the_middle_of_a_form_makes_no_noise(
    browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    form = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100"
    with socket.create_connection(("127.0.0.1", browser.port)) as line:
        line.sendall(f"POST /login HTTP/1.1\r\nHost: localhost\r\n{form}\r\n\r\naccount=".encode())
        time.sleep(0.3)
    assert browser.get("/login").status == 200
    time.sleep(0.3)
    assert caplog.text == ""
