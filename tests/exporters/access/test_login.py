"""Login, wrong passwords, forms of other sites, sessions that end: a real server and real HTTP."""

import asyncio
import json
import logging
import ssl
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from exporters.access import passwords
from exporters.access.desk import Desk, TooManyError
from exporters.access.rate import Rate
from exporters.page.hygiene import Hygiene
from exporters.watch import Watch
from ledger import accounts
from ledger.accounts import ATTEMPTS, LOCKED
from ledger.audit import entries, verify
from ledger.connection import FILE, Ledger, open_ledger
from ledger.sessions import IDLE, LASTS
from tests.clock import Clock
from tests.exporters.access.conftest import LAN, PASSWORD, without
from tests.exporters.access.serving import Answer, Browser, serving
from tests.exporters.authority import Authority

WRONG = "con trâu ăn cỏ 8"


def person(browser: Browser, **headers: str) -> Any:
    return json.loads(browser.get("/whoami", **headers).text)["person"]


def why(answer: Answer) -> str:
    return answer.text.partition('role="alert"')[2].partition(">")[2].partition("<")[0]


def told(ledger: Ledger) -> list[str]:
    return [entry.action for entry in entries(ledger)][2:]


def test_people_log_in_and_out(browser: Browser, ledger: Ledger) -> None:
    assert person(browser) is None
    answer = browser.log_in("lan", PASSWORD)
    assert (answer.status, answer.headers["location"]) == (303, "/")
    assert person(browser, accept_language="en") == {"account": "lan", "under": "", "language": "en"}
    assert browser.get("/login").status == 303
    (name,) = browser.jar
    before = dict(browser.jar)
    out = browser.post("/logout", {"csrf": json.loads(browser.get("/whoami").text)["csrf"]})
    assert (out.status, out.headers["location"], browser.jar) == (303, "/", {})
    assert person(browser) is None
    browser.jar = before
    assert person(browser) is None  # what the browser held is worth nothing any more
    assert told(ledger) == ["account.login", "account.logout"]
    assert name == "tuyen-session"


def test_the_cookie_is_for_this_site_only(browser: Browser) -> None:
    (cookie,) = browser.get("/login").cookies
    assert {part.strip().lower() for part in cookie.split(";")[1:]} == {"httponly", "path=/", "samesite=strict"}
    cookies = browser.log_in("lan", PASSWORD).cookies
    assert all("httponly" in one.lower() and "samesite=strict" in one.lower() for one in cookies)
    assert not any("secure" in one.lower() or "domain" in one.lower() for one in cookies)


def test_under_tls_the_cookies_are_bound_to_the_host(app: Hygiene, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate = str(authority.issue("page", ["localhost"], 30))
    trusted = ssl.create_default_context(cafile=str(authority.file))
    trusted.check_hostname = False
    with serving(app, certificate) as port:
        browser = Browser(port, trusted)
        cookies = (*browser.get("/login").cookies, *browser.log_in("lan", PASSWORD).cookies)
        assert person(browser)["account"] == "lan"
    assert all(one.startswith("__Host-tuyen-") for one in cookies)
    for one in cookies:
        parts = {part.strip().lower() for part in one.split(";")[1:]}
        assert {"secure", "httponly", "path=/", "samesite=strict"} <= parts


def test_a_session_is_a_new_one_at_each_login(browser: Browser) -> None:
    browser.jar["tuyen-session"] = "planted by somebody else"
    browser.log_in("lan", PASSWORD)
    first = browser.jar["tuyen-session"]
    assert first != "planted by somebody else"
    csrf = json.loads(browser.get("/whoami").text)["csrf"]
    browser.post("/login", {"csrf": csrf, "account": "binh", "password": PASSWORD})
    assert person(browser)["account"] == "binh"
    assert person(browser)["under"] == "dong-yen"
    browser.jar["tuyen-session"] = first
    assert person(browser) is None  # the earlier one ended


def test_wrong_passwords_lock_the_account_and_tell_nothing_more(browser: Browser, clock: Clock, ledger: Ledger) -> None:
    answers = [browser.log_in("lan", WRONG) for _turn in range(ATTEMPTS)]
    answers += [browser.log_in("lan", PASSWORD), browser.log_in("lan", WRONG), browser.log_in("nobody", WRONG)]
    assert {answer.status for answer in answers} == {403}
    (said,) = {why(answer) for answer in answers}
    assert "after 5 wrong passwords it is for 15 minutes" in said
    assert told(ledger) == ["account.wrong-password", "account.lock"]
    clock.pass_by(LOCKED)
    assert browser.log_in("lan", PASSWORD).status == 303
    assert list(verify(ledger)) == []


def test_two_wrong_passwords_at_the_same_moment_count_two(port: int, ledger: Ledger) -> None:
    browsers = [Browser(port), Browser(port)]
    tokens = [browser.csrf() for browser in browsers]
    together = threading.Barrier(2)

    def miss(number: int) -> int:
        together.wait()
        fields = {"csrf": tokens[number], "account": "lan", "password": WRONG}
        return browsers[number].post("/login", fields).status

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(miss, range(2))) == [403, 403]
    assert [one.failures for one in accounts.accounts(ledger) if one.person == "lan"] == [2]


def test_many_guesses_at_once_are_five_and_two_hashes_at_a_time(port: int, ledger: Ledger) -> None:
    browsers = [Browser(port) for _turn in range(12)]
    tokens = [browser.csrf() for browser in browsers]

    def guess(number: int) -> int:  # the last one is right, and comes too late
        fields = {"csrf": tokens[number], "account": "lan", "password": WRONG if number < 11 else PASSWORD}
        if number == 11:
            time.sleep(0.3)
        return browsers[number].post("/login", fields).status

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(guess, range(12)))
    assert set(answers[:11]) == {403}
    (lan,) = (one for one in accounts.accounts(ledger) if one.person == "lan")
    assert lan.failures == ATTEMPTS
    assert lan.locked_until is not None
    assert told(ledger).count("account.lock") == 1


def test_two_passwords_are_looked_at_at_once_and_no_more(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    counting, now, most = threading.Lock(), 0, 0
    real = passwords.fits

    def counted(kept: str | None, password: str) -> bool:
        nonlocal now, most
        with counting:
            now += 1
            most = max(most, now)
        try:
            return real(kept, password)
        finally:
            with counting:
                now -= 1

    monkeypatch.setattr(passwords, "fits", counted)

    async def run() -> None:
        await asyncio.gather(*(desk.log_in(f"nobody-{number}", WRONG, "10.9.8.7") for number in range(5)))

    asyncio.run(run())
    assert most == 2


def test_who_is_unknown_waits_as_long_as_who_is_wrong(folder: Path, ledger: Ledger, watch: Watch) -> None:
    desk = Desk(partial(open_ledger, folder / FILE), lambda: watch.province, not_before=3)

    async def seconds(account: str) -> float:
        began = time.monotonic()
        assert await desk.log_in(account, WRONG, "10.9.8.7") is None
        return time.monotonic() - began

    async def run() -> list[float]:
        return [await seconds(account) for account in ("nobody", "lan", "nobody")]

    assert min(asyncio.run(run())) >= 3
    desk.close()

    def work(kept: str | None) -> float:
        began = time.process_time()
        assert not passwords.fits(kept, PASSWORD)
        return time.process_time() - began

    other = passwords.hashed(WRONG)
    passwords.prepare()
    ratio = statistics.median(work(None) for _turn in range(3)) / statistics.median(work(other) for _turn in range(3))
    assert 0.4 < ratio < 2.5  # without a hash, it would be thousands of times quicker


def test_one_address_does_not_try_for_ever(folder: Path, ledger: Ledger, watch: Watch, app: Hygiene) -> None:
    turned = [0.0]
    rate = Rate(3, 15, lambda: turned[0])
    desk = Desk(partial(open_ledger, folder / FILE), lambda: watch.province, rate, not_before=0)

    async def run() -> None:
        for number in range(3):
            assert await desk.log_in(f"nobody-{number}", WRONG, "10.9.8.7") is None
        with pytest.raises(TooManyError) as refused:
            await desk.log_in("lan", PASSWORD, "10.9.8.7")
        assert refused.value.seconds in (15, 16)
        assert await desk.log_in("lan", PASSWORD, "10.9.8.8") is not None  # from elsewhere
        turned[0] = 15
        for _turn in range(3):
            assert await desk.log_in("lan", PASSWORD, "10.9.8.7") is not None  # who is right does not count

    asyncio.run(run())
    desk.close()


def test_too_many_logins_are_told_when_to_come_again(desk: Desk, browser: Browser) -> None:
    desk.rate = Rate(1, 15)
    assert browser.log_in("nobody", WRONG).status == 403
    answer = browser.log_in("lan", PASSWORD)
    assert answer.status == 429
    assert 10 <= int(answer.headers["retry-after"]) <= 16


def test_sessions_end(browser: Browser, clock: Clock) -> None:
    browser.log_in("lan", PASSWORD)
    clock.pass_by(IDLE - timedelta(seconds=1))
    assert person(browser) is not None
    clock.pass_by(IDLE - timedelta(seconds=1))
    assert person(browser, sec_fetch_dest="empty") is not None  # the page by itself: that is no use
    clock.pass_by(timedelta(seconds=1))
    assert person(browser) is None
    assert browser.log_in("lan", PASSWORD).status == 303
    for _turn in range(int(LASTS / (IDLE / 2)) - 1):
        clock.pass_by(IDLE / 2)
        assert person(browser) is not None
    clock.pass_by(IDLE / 2)
    assert person(browser) is None


def test_who_leaves_people_yaml_or_is_shut_out_is_out_at_once(browser: Browser, ledger: Ledger, watch: Watch) -> None:
    browser.log_in("binh", PASSWORD)
    accounts.disable(ledger, "binh", actor=LAN)
    assert person(browser) is None
    assert browser.log_in("binh", PASSWORD).status == 403
    browser.log_in("lan", PASSWORD)
    without(watch, "lan")
    assert person(browser) is None
    assert browser.log_in("lan", PASSWORD).status == 403


def test_no_password_is_logged_or_kept(
    browser: Browser, ledger: Ledger, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    browser.log_in("lan", WRONG)
    browser.log_in(WRONG, WRONG)  # typed into the wrong field
    browser.log_in("lan", PASSWORD)
    (session,) = browser.jar.values()
    browser.get("/whoami")
    said = caplog.text + str(entries(ledger))
    with ledger.read() as connection:
        for table in ("account", "session"):
            said += str(connection.execute(text(f"SELECT * FROM {table}")).all())
    for secret in (WRONG, PASSWORD, session):
        assert secret not in said
    assert "a login from 127.0.0.1 was refused" in said


def test_while_the_ledger_does_not_answer_the_page_goes_on(browser: Browser, folder: Path, desk: Desk) -> None:
    browser.log_in("lan", PASSWORD)
    desk.close()
    (folder / FILE).rename(folder / "away")
    (folder / FILE).mkdir()
    assert person(browser) is None
    browser.jar.clear()
    assert browser.log_in("lan", PASSWORD).status == 503
    (folder / FILE).rmdir()
    (folder / "away").rename(folder / FILE)
    assert browser.log_in("lan", PASSWORD).status == 303
