"""Pages in a real browser: what changes shows by itself; keyboard, phones, colours, both languages."""

import re
from collections.abc import Iterator
from itertools import pairwise

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, Route, expect

from tests.exporters.page.conftest import HOSTILE, PASSWORD
from tests.exporters.page.showing import Showing

PATHS = ("/", "/services", "/outages", "/offices/dong-yen", "/login", "/no-such-page")
PHONE = {"width": 360, "height": 740}


@pytest.fixture(autouse=True)
def _well(showing: Showing) -> Iterator[None]:
    yield
    showing.say(seconds=35)


def _is_live(page: Page) -> None:
    expect(page.locator("#pulse")).to_have_text("live", timeout=60_000)


def test_a_cut_shows_by_itself_and_so_does_its_end(showing: Showing, page: Page) -> None:
    page.goto("/")
    _is_live(page)
    page.evaluate("window.kept = true")
    expect(page.locator("h1")).to_have_text("All 4 offices are up")
    showing.say("an-bien", "dong-yen", "nam-yen")
    expect(page.locator("h1")).to_have_text("3 of 4 offices are cut off", timeout=60_000)
    expect(page.locator("#o-an-bien")).to_have_class(re.compile("s-down"), timeout=60_000)
    expect(page.locator("#o-dong-yen")).to_have_class(re.compile("s-unreachable"), timeout=60_000)
    expect(page.locator("#o-dong-yen")).to_contain_text("unreachable", timeout=60_000)
    trouble = page.locator(".trouble").first
    expect(trouble).to_contain_text("Huyện An Biên", timeout=60_000)
    expect(trouble).to_contain_text("being confirmed", timeout=60_000)
    showing.pass_by(25)
    expect(trouble).not_to_contain_text("being confirmed", timeout=60_000)
    trouble.locator("summary").click()
    expect(trouble.locator("details li").first).to_contain_text("unreachable")
    showing.say(seconds=35)
    expect(page.locator("h1")).to_have_text("All 4 offices are up", timeout=60_000)
    assert page.evaluate("window.kept")


def test_an_office_shows_by_itself_what_its_devices_say(showing: Showing, page: Page) -> None:
    _log_in(page, "/offices/dong-yen")
    _is_live(page)
    page.evaluate("window.kept = true")
    showing.answer("box.dong-yen", f"banner {HOSTILE}")
    row = page.locator(".machines tr", has=page.get_by_role("rowheader", name="box"))
    expect(row).to_contain_text(HOSTILE, timeout=60_000)
    expect(row.locator(".badge")).to_have_text("degraded", timeout=60_000)
    expect(page.locator("img")).to_have_count(0)
    assert page.evaluate("window.kept")


def _log_in(page: Page, path: str) -> None:
    page.goto(f"/login?next={path}")
    page.fill("#account", "lan")
    page.fill("#password", PASSWORD)
    page.locator("main button").click()
    page.wait_for_url(f"**{path}")


def test_who_reads_with_the_keyboard_keeps_their_place(showing: Showing, page: Page) -> None:
    page.goto("/")
    _is_live(page)
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.locator("#o-dong-yen").focus()
    showing.say("dong-yen")
    expect(page.locator("#o-dong-yen")).to_contain_text("down", timeout=60_000)
    expect(page.locator("#o-dong-yen")).to_be_focused()
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_a_screen_reader_finds_its_way(page: Page) -> None:
    for path in PATHS[:-1]:
        page.goto(path)
        for landmark in ("banner", "main", "contentinfo"):
            expect(page.get_by_role(landmark)).to_have_count(1)
        expect(page.get_by_role("navigation", name="Pages")).to_have_count(1)
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        levels = [int(tag[1]) for tag in page.locator("h1,h2,h3,h4").evaluate_all("all => all.map(x => x.tagName)")]
        assert all(later - earlier <= 1 for earlier, later in pairwise(levels)), path
        ids = page.locator("[id]").evaluate_all("all => all.map(x => x.id)")
        assert len(ids) == len(set(ids)), path
    page.goto("/offices/dong-yen")
    expect(page.get_by_role("img")).to_have_attribute("aria-label", re.compile("90 days"))
    page.goto("/")
    expect(page.locator("#summary")).to_have_attribute("aria-live", "polite")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_phones_in_both_colours(chromium: Chromium, showing: Showing, scheme: str) -> None:
    context = chromium.new_context(color_scheme=scheme, viewport=PHONE, base_url=showing.base)  # type: ignore[arg-type]
    page = context.new_page()
    showing.say("nam-yen")
    for path in (*PATHS, "/login?next=/rollouts", "/expiry", "/rollouts", "/", "/offices/dong-yen"):
        page.goto(path)
        if path.startswith("/login?"):
            _log_in(page, "/rollouts")
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= PHONE["width"], path
        ground, text = page.evaluate(
            "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
        )
        assert (_light(ground) > _light(text)) is (scheme == "light")
    context.close()


def _light(colour: str) -> float:
    return sum(map(float, re.findall(r"[\d.]+", colour)[:3]))


CONTRAST = """() => {
  const parse = (c) => c.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map(
    (v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4
  ).reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.length < 4 || c[3] > 0) return c;
    }
    return [255, 255, 255];
  };
  const bad = [];
  for (const e of document.querySelectorAll("main *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || e.closest(".vh, .skip, title")) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) bad.push(`${e.className}: ${e.textContent.trim()}`);
  }
  return bad;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_stands_out_from_its_ground(chromium: Chromium, showing: Showing, scheme: str) -> None:
    context = chromium.new_context(color_scheme=scheme, base_url=showing.base)  # type: ignore[arg-type]
    page = context.new_page()
    showing.say("an-bien", "dong-yen", "nam-yen")
    showing.answer("web.centre", "sick")
    for path in ("/", "/outages", "/offices/dong-yen"):
        page.goto(path)
        assert page.evaluate(CONTRAST) == [], path
    context.close()


def test_a_reader_of_vietnamese_is_answered_so_and_stays_so(chromium: Chromium, showing: Showing) -> None:
    context = chromium.new_context(locale="vi-VN", base_url=showing.base)
    page = context.new_page()
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("lang", "vi")
    expect(page.locator("#pulse")).to_have_attribute("data-alive", "true", timeout=60_000)
    showing.say("dong-yen")
    expect(page.locator("#o-dong-yen")).to_contain_text("hỏng", timeout=60_000)
    page.get_by_role("link", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.goto("/services")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    context.close()


def test_a_page_that_shows_another_view_loads_itself_again(page: Page) -> None:
    def of_another_view(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace(".en-public", ".en-all"))

    page.route("**/services", of_another_view, times=1)
    page.goto("/services", wait_until="commit")
    expect(page.locator(".live")).to_have_attribute("sse-connect", re.compile(r"\.en-public$"), timeout=60_000)
    _is_live(page)
