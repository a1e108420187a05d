"""The status page on the lab, in a real browser: a cut shows by itself, and the watch ends though people look."""

import contextlib
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from inventory.load import load
from inventory.secrets import open_secrets
from lab.practice import enter_command, up
from lab.running import Lab
from tests.conftest import Tuyen
from tests.journeys.conftest import Watched, _round_done, wait_for

DISTRICT = ["an-bien.uplink", "an-bien.backup"]
BEHIND = 10  # offices
PATIENCE = 120  # seconds until a watch on a busy machine knows of a cut
SOON = 5.0  # seconds in which the page shows what the watch knows
SHOWN = """(states) => Object.entries(states).every(
  ([office, state]) => document.getElementById(`o-${office}`).classList.contains(`s-${state}`)
)"""


@dataclass(frozen=True)
class Looked:
    """A watch on the lab, its process, and where its page is."""

    watched: Watched
    process: "subprocess.Popen[bytes]"
    page: str

    def not_up(self) -> dict[str, str]:
        return {office: state for office, state in self.watched.states("office").items() if state != "up"}


@pytest.fixture(scope="module")
def looked(kien_giang: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looked]:
    """The whole example province, watched, with its page."""
    folder = Path(shutil.copytree(kien_giang, tmp_path_factory.mktemp("page") / "kien-giang"))
    lab = up(load(folder), folder / ".tuyen" / "lab", secrets=open_secrets(folder), die_with_parent=True)
    try:
        with _watching(lab, folder) as found:
            wait_for(lambda: _round_done(found.watched), PATIENCE)
            yield found
    finally:
        lab.down()


@contextlib.contextmanager
def _watching(lab: Lab, folder: Path) -> Iterator[Looked]:
    with socket.create_server(("127.0.0.1", 0)) as metrics, socket.create_server(("127.0.0.1", 0)) as page:
        words = ["--province", str(folder), "--lang", "en", "watch"]
        words += ["--fd", str(metrics.fileno()), "--page-fd", str(page.fileno())]
        command = enter_command(lab, [sys.executable, "-m", "cli", *words])
        bases = [f"http://127.0.0.1:{door.getsockname()[1]}" for door in (metrics, page)]
        with subprocess.Popen(command, pass_fds=[metrics.fileno(), page.fileno()]) as process:
            try:
                yield Looked(Watched(lab, load(folder), folder, bases[0]), process, bases[1])
            finally:
                process.terminate()
                process.wait(60)


@pytest.fixture(scope="module")
def page(looked: Looked, chromium: Browser) -> Page:
    """The province's page in a browser that stays open."""
    made = chromium.new_page(locale="en", base_url=looked.page)
    made.goto("/")
    wait_for(lambda: _alive(made) == "true", 60)
    made.evaluate("window.kept = true")
    return made


def _alive(page: Page) -> str | None:
    """Return whether the page says that it is live: "true", "false", or None before it knows."""
    return page.locator("#pulse").get_attribute("data-alive")


def _shows_after(page: Page, states: Mapping[str, str]) -> float:
    """Return after how many seconds the page shows these states."""
    return wait_for(lambda: page.evaluate(SHOWN, dict(states)), 60, 0.1)


def _behind(looked: Looked) -> tuple[str, ...]:
    return tuple(office.id for office in looked.watched.province.offices.values() if office.parent == "an-bien")


def test_a_cut_district_and_its_return_show_by_themselves(looked: Looked, page: Page) -> None:
    _shows_after(page, dict.fromkeys(looked.watched.province.offices, "up"))
    looked.watched.lab.cut(DISTRICT)
    try:
        known = {"an-bien": "down"} | dict.fromkeys(_behind(looked), "unreachable")
        wait_for(lambda: looked.not_up() == known, PATIENCE, 0.2)
        cut = _shows_after(page, known)
        assert f"{BEHIND + 1} of 208 offices are cut off" in page.inner_text("h1")
        trouble = page.locator(".trouble", has_text="Huyện An Biên")
        wait_for(lambda: f"{BEHIND} more" in trouble.first.inner_text(), 60)
        assert "link" in trouble.first.inner_text()
    finally:
        looked.watched.lab.restore()
    wait_for(lambda: not looked.not_up(), PATIENCE, 0.2)
    back = _shows_after(page, dict.fromkeys(known, "up"))
    print(f"the cut showed after {cut:.1f} s, the return after {back:.1f} s")
    assert min(cut, back) < SOON
    assert page.evaluate("window.kept"), "it was never loaded again"


def test_no_page_of_the_public_tells_an_address_or_a_device(looked: Looked, page: Page) -> None:
    province = looked.watched.province
    secrets = {device.address for device in province.devices.values() if device.address}
    ids = {device.id for device in province.devices.values()}
    for path in ("/", "/services", "/outages?days=90", *(f"/offices/{office}" for office in province.offices)):
        words = set(page.request.get(path).text().replace("<", " ").replace(">", " ").replace('"', " ").split())
        assert words & secrets == set(), path
        assert words & ids == set(), path


def test_the_watch_ends_though_somebody_looks(looked: Looked, page: Page) -> None:
    looked.process.terminate()
    looked.process.wait(30)
    wait_for(lambda: _alive(page) == "false", 60)
    assert "may be old" in page.inner_text("#pulse")


@pytest.mark.parametrize(
    ("settings", "words", "told"),
    [
        ("", ["--page", "0.0.0.0:0"], "without a certificate"),
        ("", ["--page", "nowhere"], "cannot serve on nowhere"),
        ('page: {listen: "127.0.0.1:0", certificate: a.pem, key: a.key}', [], "'127.0.0.1:0'"),
        ('page: {listen: "127.0.0.1:8443", certificate: a.pem, key: a.key}', [], "cannot be used"),
    ],
)
def test_a_page_that_cannot_be_served_is_told_at_once(
    tuyen: Tuyen, kien_giang: Path, tmp_path: Path, settings: str, words: list[str], told: str
) -> None:
    folder = Path(shutil.copytree(kien_giang, tmp_path / "kien-giang"))
    with (folder / "province.yaml").open("a") as file:
        file.write(f"{settings}\n")
    done = tuyen("--lang", "en", "--province", str(folder), "watch", "--listen", "127.0.0.1:0", *words)
    assert done.returncode == 2
    assert told in " ".join((done.stdout + done.stderr).replace("│", " ").split())
