"""Web pages and certificates, served by nginx with certificates of an authority of our own."""

import contextlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from exporters.reading import Reading, Target
from tests.exporters.asking import reading, values
from tests.exporters.authority import Authority
from tests.exporters.daemons import HERE, accepts, daemon, free_port

NAME = "motcua.kien-giang.example"
DAY = 86400


class Web(NamedTuple):
    ports: dict[str, int]
    target: Target


SERVER = """server {{ listen 127.0.0.1:{port} {ssl}; {certificate}
  location / {{ default_type text/plain; return 200 "Một cửa điện tử: $host $request_method"; }}
  location /gone {{ return 404; }}
  location /down {{ proxy_pass http://127.0.0.1:1; }}
  location /secret {{ return 401; }}
  location /old {{ return 301 /new?a=b; }}
  location /circle {{ return 302 /circle; }}
  location /home {{ return 302 http://localhost:{plain}/; }}
  location /nowhere {{ return 302 http://a..b/; }}
  location /mail {{ return 302 mailto:x@y.example; }}
  location /safe {{ return 301 https://$host:{good}/; }}
}}"""
CONFIGURATION = """daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr crit;
events {{ worker_connections 64; }}
http {{ access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
uwsgi_temp_path {folder}; scgi_temp_path {folder}; {servers} }}"""


def _certificates(folder: Path) -> tuple[Authority, dict[str, Path]]:
    (folder / "other").mkdir()
    ours, other = Authority(folder), Authority(folder / "other", "Somebody Else")
    return ours, {
        "good": ours.issue("good", [NAME], 200),
        "wildcard": ours.issue("wildcard", ["*.kien-giang.example"], 200),
        "soon": ours.issue("soon", [NAME], 12),
        "expired": ours.issue("expired", [NAME], -3),
        "future": ours.issue("future", [NAME], 90, since=5),
        "misnamed": ours.issue("misnamed", ["other.example", "more.example"], 200),
        "self-signed": ours.issue("self-signed", [NAME], 200, own=True),
        "stranger": other.issue("stranger", [NAME], 200),
        "hopeless": other.issue("hopeless", ["other.example"], -30),
    }


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("nginx")
    authority, certificates = _certificates(folder)
    ports = {name: free_port() for name in ("plain", *certificates)}
    servers = [SERVER.format(port=ports["plain"], ssl="", certificate="", **ports)]
    for name, file in certificates.items():
        told = f"ssl_certificate {file}; ssl_certificate_key {file}; ssl_protocols TLSv1.2 TLSv1.3;"
        servers.append(SERVER.format(port=ports[name], ssl="ssl", certificate=told, **ports))
    written = folder / "nginx.conf"
    written.write_text(CONFIGURATION.format(folder=folder, servers="\n".join(servers)))
    command = ["nginx", "-p", str(folder), "-c", str(written), "-e", "stderr"]
    with contextlib.ExitStack() as stack:
        stack.enter_context(daemon(command, lambda: accepts(ports["plain"]), folder / "log"))
        yield Web(ports, Target(HERE, NAME, ca_file=str(authority.file)))


def page(web: Web, server: str = "plain", **options: Any) -> Reading:
    return reading("http", web.target, port=web.ports[server], tls=server != "plain", **options)


def test_page_is_read_with_status_phases_and_host_name(web: Web) -> None:
    found = page(web, body_must_match=f"Một cửa điện tử: {NAME} GET")
    assert (found.success, found.degraded, found.reason) == (True, False, "HTTP 200 OK")
    told = values(found)
    assert told["probe_http_status_code"] == 200
    assert told["probe_http_version"] == 1.1
    assert told["probe_http_ssl"] == 0
    assert told["probe_failed_due_to_regex"] == 0
    assert told["probe_http_content_length"] == told["probe_http_uncompressed_body_length"] > 20
    phases = [told[f"probe_http_duration_seconds{{phase={phase}}}"] for phase in ("connect", "processing", "transfer")]
    assert all(phase > 0 for phase in phases)
    assert sum(phases) <= found.seconds


def test_tls_page_tells_expiry_and_version(web: Web) -> None:
    told = values(page(web, "good"))
    assert told["probe_http_ssl"] == 1
    assert abs(told["probe_ssl_earliest_cert_expiry"] - time.time() - 200 * DAY) < DAY
    assert told["probe_tls_version_info{version=TLS 1.3}"] == 1
    assert told["probe_http_duration_seconds{phase=tls}"] > 0


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/gone", "HTTP 404 Not Found: the page is not there"),
        ("/down", "HTTP 502 Bad Gateway: the web server runs, but the application behind it does not"),
        ("/secret", "HTTP 401 Unauthorized: it asks for a password"),
        ("/circle", "redirects in a circle: more than 10"),
        ("/nowhere", "redirects to a..b, whose address cannot be found"),
        ("/mail", "redirects to “mailto:x@y.example”, which is no web address"),
    ],
)
def test_refused_page_says_why(web: Web, path: str, reason: str) -> None:
    found = page(web, path=path)
    assert (found.success, found.asked, found.reason) == (False, True, reason)


def test_status_may_be_chosen(web: Web) -> None:
    assert page(web, path="/secret", status=[401]).success
    assert not page(web, status=[204]).success


def test_redirect_is_followed_and_counted(web: Web) -> None:
    found = page(web, path="/old")
    assert found.success
    assert found.reason == f"HTTP 200 OK from http://{NAME}:{web.ports['plain']}/new?a=b"
    assert values(found)["probe_http_redirects"] == 1
    assert values(page(web, path="/safe"))["probe_http_ssl"] == 1
    assert page(web, path="/home", body_must_match="localhost GET").success


def test_redirect_is_judged_itself_when_not_followed(web: Web) -> None:
    found = page(web, path="/old", follow_redirects=False)
    assert found.reason == "HTTP 301 Moved Permanently: not a status that is accepted here"
    assert not found.success


def test_words_of_the_page_are_judged(web: Web) -> None:
    missing, unwanted = page(web, body_must_match="Bảo trì"), page(web, body_must_not_match="điện tử")
    assert missing.reason == "HTTP 200 OK: the page does not contain “Bảo trì”"
    assert unwanted.reason == "HTTP 200 OK: the page contains “điện tử”"
    assert [values(found)["probe_failed_due_to_regex"] for found in (missing, unwanted)] == [1, 1]


def test_method_and_host_are_sent(web: Web) -> None:
    assert page(web, host="other.example", body_must_match="other.example GET").success
    assert values(page(web, method="HEAD"))["probe_http_uncompressed_body_length"] == 0


def test_bad_certificate_fails_the_page_unless_it_may_be_any(web: Web) -> None:
    found = page(web, "expired")
    assert not found.success
    assert "expired on" in found.reason
    assert page(web, "expired", valid_certificate=False).success


def test_plain_http_to_a_tls_port_and_the_reverse_are_told(web: Web) -> None:
    assert page(web, "plain").success
    wrong = reading("http", web.target, port=web.ports["plain"], tls=True)
    assert wrong.reason.startswith(f"port {web.ports['plain']} answers, but not in TLS")
    assert reading("http", web.target, port=web.ports["good"]).reason.startswith("HTTP 400 Bad Request")


def certificate(web: Web, server: str, **options: Any) -> Reading:
    return reading("certificate", web.target, port=web.ports[server], **options)


def day(days: int) -> str:
    return f"{datetime.now(UTC) + timedelta(days=days, hours=1):%Y-%m-%d}"


@pytest.mark.parametrize("server", ["good", "wildcard"])
def test_good_certificate_tells_days_left(web: Web, server: str) -> None:
    found = certificate(web, server)
    assert (found.success, found.degraded) == (True, False)
    assert found.reason == (f"the certificate for {NAME} by Test Authority is good until {day(200)}, 200 days left")
    assert values(found)["tuyen_probe_certificate_trusted"] == 1


def test_certificate_near_its_end_is_degraded(web: Web) -> None:
    found = certificate(web, "soon", days_warn=30)
    assert (found.success, found.degraded) == (True, True)
    assert found.reason == f"the certificate for {NAME} expires on {day(12)}: 12 days left, renew it"
    assert not certificate(web, "soon", days_warn=12).degraded


@pytest.mark.parametrize(
    ("server", "reason", "days"),
    [
        ("expired", f"the certificate expired on {day(-3)} (2 days ago)", -3),
        ("misnamed", f"it is not for {NAME} but for other.example, more.example", 200),
        ("self-signed", "it is self-signed, vouched for by nobody", 200),
        ("stranger", "its issuer “Somebody Else” is not trusted here, or the chain is incomplete", 200),
    ],
)
def test_bad_certificate_is_read_all_the_same(web: Web, server: str, reason: str, days: int) -> None:
    found = certificate(web, server)
    assert (found.success, found.reason) == (False, reason)
    told = values(found)
    assert told["tuyen_probe_certificate_trusted"] == 0
    assert abs(told["tuyen_probe_certificate_expiry_timestamp_seconds"] - time.time() - days * DAY) < DAY


def test_certificate_of_tomorrow_and_hopeless_one_tell_everything(web: Web) -> None:
    assert "is not valid before" in certificate(web, "future").reason
    reason = certificate(web, "hopeless").reason
    assert all(part in reason for part in ("expired on", "not for " + NAME, "Somebody Else"))


def test_server_name_may_be_named(web: Web) -> None:
    assert certificate(web, "misnamed", server_name="more.example").success


def test_unreadable_authorities_are_no_fault_of_the_device(web: Web, tmp_path: Path) -> None:
    target = Target(HERE, NAME, ca_file=str(tmp_path / "none.pem"))
    found = reading("certificate", target, port=web.ports["good"])
    assert (found.success, found.asked) == (False, False)
    assert "none.pem cannot be read" in found.reason
