"""Login in a real Chromium: in and out, wrong passwords, a form that was tampered with, a session that ends."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from ledger import accounts
from ledger.accounts import ATTEMPTS, LOCKED
from ledger.connection import Ledger
from ledger.sessions import IDLE
from tests.clock import Clock
from tests.exporters.access.conftest import LAN, PASSWORD
from tests.exporters.test_outages_keeping import Played

MILLISECONDS = 60_000.0
WRONG = "con trâu ăn cỏ 8"


@pytest.fixture
def page(chromium: Browser, port: int) -> Iterator[Page]:
    """A page of a reader of English, on which nothing may go wrong unseen."""
    context = chromium.new_context(locale="en", base_url=f"http://localhost:{port}")
    context.set_default_timeout(MILLISECONDS)
    expect.set_options(timeout=MILLISECONDS)
    made, wrong = context.new_page(), list[str]()
    made.on("pageerror", lambda error: wrong.append(str(error)))
    yield made
    context.close()
    assert wrong == []


def log_in(page: Page, account: str, password: str) -> None:
    page.goto("/login")
    page.get_by_label("Account").fill(account)
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")


def test_a_person_logs_in_by_keyboard_and_out_by_a_button(page: Page, played: Played) -> None:
    address = played.watch.province.devices["router.dong-yen"].address
    page.goto("/login?next=/offices/dong-yen")
    expect(page.get_by_label("Account")).to_be_focused()
    page.keyboard.type("lan")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Password")).to_be_focused()
    page.keyboard.insert_text(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/offices/dong-yen")
    expect(page.get_by_text("Nguyễn Thị Lan")).to_be_visible()
    expect(page.locator("main")).to_contain_text(address)
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/")
    expect(page.get_by_role("link", name="Log in")).to_be_visible()
    page.goto("/offices/dong-yen")
    assert address not in page.content()
    assert page.context.cookies() == []


def test_wrong_passwords_are_told_and_lock(page: Page, clock: Clock, ledger: Ledger) -> None:
    for _turn in range(ATTEMPTS):
        log_in(page, "lan", WRONG)
        expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    expect(page.get_by_label("Password")).to_be_focused()
    assert page.get_by_label("Password").input_value() == ""
    log_in(page, "lan", PASSWORD)
    expect(page.get_by_role("alert")).to_contain_text("after 5 wrong passwords it is for 15 minutes")
    assert WRONG not in page.content()
    clock.pass_by(LOCKED)
    log_in(page, "lan", PASSWORD)
    page.wait_for_url("**/")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    assert [one.failures for one in accounts.accounts(ledger) if one.person == "lan"] == [0]


def test_a_form_that_was_tampered_with_does_nothing(page: Page) -> None:
    log_in(page, "lan", PASSWORD)
    page.wait_for_url("**/")
    page.locator('form[action="/logout"] input[name=csrf]').evaluate("field => { field.value = 'x' }")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("alert")).to_contain_text("load the page again")
    page.goto("/")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()  # still in


def test_a_form_of_another_site_does_nothing(page: Page, chromium: Browser, port: int) -> None:
    log_in(page, "lan", PASSWORD)
    page.wait_for_url("**/")
    there = f"http://localhost:{port}/logout"
    form = f'<form method="post" action="{there}"><input name="csrf" value="x"><button>go</button></form>'
    page.route("http://evil.example/", lambda route: route.fulfill(content_type="text/html", body=form))
    page.goto("http://evil.example/")
    page.get_by_role("button", name="go").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.goto("/")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


def test_a_session_ends_by_itself_and_with_its_account(page: Page, clock: Clock, ledger: Ledger) -> None:
    log_in(page, "lan", PASSWORD)
    page.wait_for_url("**/")
    clock.pass_by(IDLE)
    page.goto("/")
    expect(page.get_by_role("link", name="Log in")).to_be_visible()
    log_in(page, "lan", PASSWORD)
    page.wait_for_url("**/")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    accounts.disable(ledger, "lan", actor=LAN)
    page.reload()
    expect(page.get_by_role("link", name="Log in")).to_be_visible()


def test_a_hostile_name_is_text_and_scripts_cannot_read_the_session(page: Page) -> None:
    log_in(page, '"><img src=x onerror="document.title=1">', WRONG)
    expect(page.get_by_role("alert")).to_be_visible()
    assert page.locator("main img").count() == 0
    assert page.get_by_label("Account").input_value() == '"><img src=x onerror="document.title=1">'
    log_in(page, "lan", PASSWORD)
    page.wait_for_url("**/")
    assert "tuyen-session" not in page.evaluate("document.cookie")


def test_the_interface_is_described_on_a_page(page: Page) -> None:
    page.goto("/api")
    expect(page.get_by_role("heading", level=1)).to_have_text("Interface for programs")
    page.get_by_role("link", name="/api/v1/outages").click()
    expect(page.locator("#outages")).to_be_in_viewport()
    page.set_viewport_size({"width": 380, "height": 700})
    width, seen = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= seen  # nothing sticks out of a telephone
