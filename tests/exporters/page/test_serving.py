"""What every answer says to browsers, languages, errors, files, TLS, and a page that is not public."""

import gzip
import json
import shutil
import ssl
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest
from starlette.requests import Request

from exporters.page.assets import FOLDER, asset
from exporters.page.language import preferred
from ledger.connection import FILE
from tests.exporters.access.serving import Browser
from tests.exporters.authority import Authority
from tests.exporters.page.conftest import PASSWORD
from tests.exporters.page.showing import Showing

PATHS = ("/", "/offices/dong-yen", "/no-such-page", "/static/style.css", "/static/none.css", "/healthz", "/login")


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_lets_nothing_foreign_in(public: Browser, path: str) -> None:
    headers = public.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "http:" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "strict-transport-security" not in headers


@pytest.mark.parametrize("path", PATHS)
def test_head_is_get_without_a_body(public: Browser, path: str) -> None:
    whole, head = public.get(path), public.ask("HEAD", path)
    assert head.status == whole.status
    assert head.text == ""
    assert head.headers["content-type"] == whole.headers["content-type"]


def test_pages_name_only_files_of_their_own(public: Browser) -> None:
    text = public.get("/").text
    assert "//" not in text.replace("<!doctype html>", "").replace("http://www.w3.org/2000/svg", "")
    assert " style=" not in text
    assert "onclick" not in text
    assert "<script>" not in text


def test_files_are_kept_until_they_change(public: Browser) -> None:
    for file in FOLDER.iterdir():
        first = public.get(asset(file.name))
        assert first.status == 200
        assert first.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert public.get(f"/static/{file.name}").headers["cache-control"] == "public, max-age=300"
        assert public.get(asset(file.name), if_none_match=first.headers["etag"]).status == 304


def test_pages_travel_compressed_but_no_form_with_its_secret(public: Browser) -> None:
    connection = HTTPConnection("127.0.0.1", public.port, timeout=60)
    lengths, texts = {}, {}
    for path in ("/", "/static/htmx.min.js", "/login?next=/services", "/no-such-page"):
        connection.request("GET", path, headers={"Accept-Encoding": "gzip", "Accept-Language": "en"})
        answer = connection.getresponse()
        body = answer.read()
        lengths[path] = answer.headers["content-encoding"]
        texts[path] = gzip.decompress(body) if lengths[path] else body
        assert "Accept-Encoding" in str(answer.headers.get_all("vary")) or not lengths[path]
    connection.close()
    assert lengths == {
        "/": "gzip",
        "/static/htmx.min.js": "gzip",
        "/login?next=/services": None,
        "/no-such-page": "gzip",
    }
    assert texts["/static/htmx.min.js"] == (FOLDER / "htmx.min.js").read_bytes()
    assert b"</html>" in texts["/"]


def test_a_file_outside_is_no_file(public: Browser) -> None:
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static/", "/static/%00"):
        assert public.get(path).status == 404, path


def test_what_there_is_not_has_the_look_of_the_rest(public: Browser) -> None:
    answer = public.get("/offices/no-such-office")
    assert answer.status == 404
    assert "There is no such page" in answer.text
    assert 'href="/services"' in answer.text


def test_a_mistake_of_ours_is_told_and_goes_no_further(showing: Showing, public: Browser) -> None:
    parts = showing.page.stream.parts
    whole = parts.looking

    class Broken:
        @property
        def latest(self) -> Request:
            raise ZeroDivisionError("secret")

    parts.looking = Broken()  # type: ignore[assignment]
    try:
        answer = public.get("/")
    finally:
        parts.looking = whole
    assert answer.status == 500
    assert "We made a mistake" in answer.text
    assert "secret" not in answer.text
    assert "content-security-policy" in answer.headers
    assert public.get("/").status == 200


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "vi"),
        ("vi-VN,vi;q=0.9,en;q=0.8", "vi"),
        ("en-GB,en;q=0.9", "en"),
        ("fr,en;q=0.5,vi;q=0.7", "vi"),
        ("fr, en;q=0.5", "en"),
        ("fr", "vi"),
        ("en;q=x, vi;q=0.1", "vi"),
        ("en;q=0, vi;q=0.1", "vi"),
        (",;=,,;q", "vi"),
    ],
)
def test_the_browser_says_what_its_reader_likes(header: str, language: str) -> None:
    assert preferred(header) == language


def test_a_language_that_was_chosen_stays(public: Browser) -> None:
    assert '<html lang="en">' in public.get("/").text
    chosen = public.get("/?lang=vi")
    assert '<html lang="vi">' in chosen.text
    assert ">hoạt động<" in chosen.text
    assert '<html lang="vi">' in public.get("/services").text
    assert '<html lang="vi">' in public.get("/?lang=klingon").text
    assert "vi" in public.jar.values()
    assert "Accept-Language, Cookie" in chosen.headers["vary"]


def test_the_page_says_that_it_lives(public: Browser) -> None:
    assert json.loads(public.get("/healthz").text) == {"status": "ok"}


@pytest.fixture
def closed(folder: Path, tmp_path: Path) -> Iterator[Browser]:
    """Somebody before a page over TLS that is not public."""
    own = Path(shutil.copytree(folder, tmp_path / "province"))
    authority = Authority(tmp_path)
    certificate = authority.issue("page", ["localhost"], 30)
    trusted = ssl.create_default_context(cafile=str(authority.file))
    trusted.check_hostname = False  # it is asked by its address
    with Showing(own, own / FILE, str(certificate), public=False).running() as showing:
        yield Browser(showing.port, trusted)


def test_a_page_that_is_not_public_shows_nothing_before_one_has_logged_in(closed: Browser) -> None:
    for path in ("/", "/offices/dong-yen", "/services", "/outages"):
        answer = closed.get(path)
        assert (answer.status, answer.headers["location"]) == (303, f"/login?next={path}")
    assert closed.get("/events?of=/").status == 303
    assert closed.get("/login").headers["strict-transport-security"] == "max-age=31536000"
    assert closed.log_in("lan", PASSWORD).status == 303
    assert "Xã Đông Yên" in closed.get("/").text
    assert all("Secure" in line for line in closed.get("/login").cookies)
