"""Status pages at work, and a real browser before them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page

from ledger import accounts
from ledger.connection import FILE, open_ledger
from ledger.records import Actor
from tests.exporters.access.serving import Browser
from tests.exporters.page.showing import Showing
from tests.exporters.test_health import GOOD

PASSWORD = "con trâu ăn cỏ 7"
HOSTILE = "<img src=x onerror=alert(1)>{{ 7*7 }}</script>"
PEOPLE = "\n  binh:\n    name: Trần Văn Bình\n    roles: [operator]\n    under: dong-yen\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A province with hostile names where anything goes, and with accounts for Lan, who sees all, and Bình."""
    made = Path(shutil.copytree(GOOD, tmp_path_factory.mktemp("page") / "province"))
    with (made / "people.yaml").open("a") as people:
        people.write(PEOPLE)
    offices = made / "offices" / "an-bien.yaml"
    text = offices.read_text().replace("  nam-yen: {number: 3}", f'  nam-yen: {{number: 3, name: "{HOSTILE}"}}')
    offices.write_text(text.replace("serial: 0012345", f'serial: "{HOSTILE}"'))
    quick = PasswordHasher(1, 8, 1).hash(PASSWORD)  # how long it takes stands in the hash itself
    with open_ledger(made / FILE) as ledger:
        for person in ("lan", "binh"):
            accounts.add(ledger, person, quick, actor=Actor("lan", "lan"))
    return made


@pytest.fixture(scope="module")
def showing(folder: Path) -> Iterator[Showing]:
    with Showing(folder, folder / FILE).running() as made:
        yield made


@pytest.fixture
def public(showing: Showing) -> Browser:
    return Browser(showing.port)


@pytest.fixture
def lan(showing: Showing) -> Browser:
    """Somebody who sees everything."""
    return logged_in(showing, "lan")


@pytest.fixture
def binh(showing: Showing) -> Browser:
    """Somebody who sees everything of Đông Yên only."""
    return logged_in(showing, "binh")


def logged_in(showing: Showing, account: str) -> Browser:
    browser = Browser(showing.port)
    assert browser.log_in(account, PASSWORD).status == 303
    return browser


@pytest.fixture
def page(chromium: Chromium, showing: Showing) -> Iterator[Page]:
    """A page that fails the test when a script does, or when something is refused to it."""
    context = chromium.new_context(locale="en", base_url=showing.base)
    made = context.new_page()
    made.set_default_timeout(60_000)
    troubles: list[str] = []
    made.on("pageerror", lambda error: troubles.append(str(error)))
    made.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
    made.on("dialog", lambda dialog: troubles.append(f"dialog: {dialog.message}"))
    yield made
    context.close()
    assert troubles == []
