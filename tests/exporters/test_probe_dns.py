"""DNS against dnsmasq: records, refusals, an answer too long for UDP."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from exporters.reading import Target
from tests.exporters.asking import reading, values
from tests.exporters.daemons import HERE, bound, daemon, free_port


@pytest.fixture(scope="module")
def dnsmasq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder, port = tmp_path_factory.mktemp("dnsmasq"), free_port(socket.SOCK_DGRAM)
    command = ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts"]
    command += [f"--port={port}", f"--listen-address={HERE}", "--bind-interfaces", "--log-facility=-"]
    command += ["--user=root", f"--pid-file={folder}/pid", "--local=/example/", "--edns-packet-max=512"]
    command += ["--host-record=motcua.kien-giang.example,10.91.0.5,fd00:91::5"]
    command += ["--cname=cu.kien-giang.example,motcua.kien-giang.example"]
    command += [f"--txt-record=dai.kien-giang.example,{number:03}{'x' * 200}" for number in range(12)]
    with daemon(command, lambda: bound(port), folder / "log"):
        yield port


@pytest.mark.parametrize(
    ("options", "success", "reason"),
    [
        ({"name": "motcua.kien-giang.example"}, True, "“motcua.kien-giang.example” is 10.91.0.5"),
        (
            {"name": "motcua.kien-giang.example", "expect": "10.91.0.5"},
            True,
            "“motcua.kien-giang.example” is 10.91.0.5",
        ),
        (
            {"name": "motcua.kien-giang.example", "expect": "10.91.0.6"},
            False,
            "“motcua.kien-giang.example” is 10.91.0.5, not 10.91.0.6 as it should be",
        ),
        ({"name": "motcua.kien-giang.example", "type": "AAAA"}, True, "“motcua.kien-giang.example” is fd00:91::5"),
        ({"name": "cu.kien-giang.example", "expect": "10.91.0.5"}, True, "“cu.kien-giang.example” is 10.91.0.5"),
        (
            {"name": "motcua.kien-giang.example", "type": "MX"},
            False,
            "the name server knows “motcua.kien-giang.example”, but has no MX record of it",
        ),
        ({"name": "khong.example"}, False, "the name server does not know “khong.example” (NXDOMAIN)"),
        (
            {"name": "www.elsewhere.test"},
            False,
            "the name server refuses to answer us (REFUSED): look at its access rules",
        ),
        ({"name": "a..b"}, False, "“a..b” cannot be asked for: A DNS label is empty."),
    ],
)
def test_answers_and_refusals(dnsmasq: int, options: dict[str, Any], success: bool, reason: str) -> None:
    found = reading("dns", port=dnsmasq, **options)
    assert (found.success, found.reason) == (success, reason)


def test_answer_too_long_for_a_datagram_comes_by_tcp(dnsmasq: int) -> None:
    found = reading("dns", port=dnsmasq, name="dai.kien-giang.example", type="TXT", expect="011" + "x" * 200)
    assert found.success, found.reason
    assert values(found)["probe_dns_answer_rrs"] == 12
    assert values(found)["probe_dns_query_succeeded"] == 1


def test_without_a_name_any_answer_shows_life(dnsmasq: int) -> None:
    found = reading("dns", Target(HERE, "khong.example"), port=dnsmasq)
    assert (found.success, found.reason) == (True, "the name server answers")


def test_closed_port_is_told_at_once() -> None:
    port = free_port(socket.SOCK_DGRAM)
    found = reading("dns", port=port, name="motcua.kien-giang.example")
    assert found.reason == f"port {port} refuses connections: the service is not running"
    assert found.seconds < 1
