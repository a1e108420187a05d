"""Every protocol that a device of the lab speaks, asked by independent clients."""

import subprocess

from lab.practice import Lab, enter_command
from tests.lab.conftest import Ask
from tests.lab.small import SECRETS

ROUTER, WEB, NAMES, UPS = "10.91.0.1", "10.91.0.2", "10.91.0.3", "10.91.0.66"
COMMUNITY = next(iter(SECRETS.values()))
GARBAGE = ["00", "ff" * 1400, "3082ffff", "30060201010400a0", "0" * 96, "1b" + "00" * 10, "300302010130"]


def test_ssh_greets(ask: Ask) -> None:
    assert ask("tcp", address=ROUTER, port=22)["said"].startswith("SSH-2.0-OpenSSH")


def test_undeclared_port_refuses_and_undeclared_address_is_silent(ask: Ask) -> None:
    assert ask("tcp", address=ROUTER, port=80) == {"error": "ConnectionRefusedError"}
    assert ask("tcp", address="10.91.0.60", port=22, patience=0.5) == {"error": "TimeoutError"}
    assert ask("ping", addresses=["10.91.0.60", ROUTER])["10.91.0.60"] == [None]


def test_page_of_a_service_is_there_and_another_is_not(ask: Ask) -> None:
    found = ask("tcp", address=WEB, port=80, send="GET / HTTP/1.1\r\nHost: x\r\n\r\n")["said"]
    assert found.startswith("HTTP/1.1 200 OK\r\n")
    assert "Connection: close" in found
    missing = ask("tcp", address=WEB, port=80, send="GET /missing HTTP/1.1\r\nHost: x\r\n\r\n")["said"]
    assert missing.startswith("HTTP/1.1 404")
    assert ask("tcp", address=WEB, port=80, send="nonsense\r\n\r\n")["said"].startswith("HTTP/1.1 400")


def test_ordinary_curl_resolves_and_trusts(small_lab: Lab) -> None:
    command = enter_command(small_lab, ["curl", "-sS", "-m", "5", "https://one-stop.small.example/login"])
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, done.stderr
    assert "<h1>Một cửa điện tử</h1>" in done.stdout


def test_certificate_is_the_names_own_and_of_the_labs_authority(small_lab: Lab, ask: Ask) -> None:
    authority = str(small_lab.authority)
    for name in ("one-stop.small.example", "portal.small.example", "web.hub.small.example"):
        assert ask("tls", address=WEB, name=name, authority=authority) == {"names": f"{name},{WEB}"}
    assert "mismatch" in ask("tls", address=WEB, name="other.example", authority=authority)["error"]
    foreign = ask("tls", address=WEB, name="one-stop.small.example", authority="/etc/ssl/certs/ca-certificates.crt")
    assert foreign["error"] == "unable to get local issuer certificate"


def test_snmp_tells_the_system_and_walks_the_interfaces(ask: Ask) -> None:
    system = {"1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.1.3.0", "1.3.6.1.2.1.1.5.0"}
    told = ask("snmp", address=ROUTER, community=COMMUNITY, objects=sorted(system))
    assert told["1.3.6.1.2.1.1.1.0"] == "DrayTek Vigor2927"
    assert told["1.3.6.1.2.1.1.5.0"] == "router.hub.small.example"
    assert told["1.3.6.1.2.1.1.3.0"] >= 0
    by_next = ask("snmp", address=ROUTER, community=COMMUNITY, objects=[], walk="1.3.6.1.2.1.2.2.1.2")
    assert by_next == {"1.3.6.1.2.1.2.2.1.2.1": "eth0", "1.3.6.1.2.1.2.2.1.2.2": "eth1"}
    by_bulk = ask("snmp", address=ROUTER, community=COMMUNITY, objects=[], walk="1.3.6.1.2.1.2.2.1.8", bulk=True)
    assert set(by_bulk.values()) == {1}


def test_snmp_is_silent_to_strangers(ask: Ask) -> None:
    asked = {"address": ROUTER, "objects": ["1.3.6.1.2.1.1.1.0"]}
    assert ask("snmp_or_silence", community="public", **asked) == "TimeoutError"


def test_ups_on_battery_says_so(small_lab: Lab, ask: Ask) -> None:
    ups = {"address": UPS, "community": COMMUNITY, "objects": []}
    mains = ask("snmp", walk="1.3.6.1.2.1.33.1", **ups)
    assert mains["1.3.6.1.2.1.33.1.4.1.0"] == 3
    assert mains["1.3.6.1.2.1.33.1.2.4.0"] == 100
    small_lab.set_supply("ups.north", battery=True)
    assert ask("snmp", walk="1.3.6.1.2.1.33.1", **ups)["1.3.6.1.2.1.33.1.4.1.0"] == 5
    small_lab.set_supply("ups.north", battery=False)
    assert ask("snmp", walk="1.3.6.1.2.1.33.1", **ups)["1.3.6.1.2.1.33.1.4.1.0"] == 3


def test_dns_knows_devices_services_and_addresses(ask: Ask) -> None:
    assert ask("name", server=NAMES, question="router.hub.small.example") == ["NOERROR", ROUTER]
    assert ask("name", server=NAMES, question="One-Stop.small.example") == ["NOERROR", WEB]
    assert ask("name", server=NAMES, question="small.example") == ["NOERROR"]
    assert ask("name", server=NAMES, question="router.hub.small.example", kind="AAAA") == ["NOERROR"]
    assert ask("name", server=NAMES, question="nobody.small.example") == ["NXDOMAIN"]
    reverse = ask("name", server=NAMES, question="1.0.91.10.in-addr.arpa", kind="PTR")
    assert reverse == ["NOERROR", "router.hub.small.example."]
    assert ask("resolve", host="one-stop.small.example") == WEB


def test_time_is_right(ask: Ask) -> None:
    told = ask("ntp", address=NAMES)
    assert told["stratum"] == 2
    assert told["mode"] == 4
    assert told["origin"] == 42
    assert abs(told["offset"]) < 0.1


def test_garbage_is_not_answered_and_hurts_nobody(ask: Ask) -> None:
    for address, port in ((ROUTER, 161), (NAMES, 123)):
        assert ask("datagrams", address=address, port=port, sent=GARBAGE) == 0
    ask("datagrams", address=NAMES, port=53, sent=GARBAGE)
    ask("tcp", address=WEB, port=443, send="\x16\x03\x01garbage\r\n\r\n")
    assert ask("name", server=NAMES, question="router.hub.small.example") == ["NOERROR", ROUTER]
    assert ask("ntp", address=NAMES)["stratum"] == 2
    assert ask("snmp", address=ROUTER, community=COMMUNITY, objects=["1.3.6.1.2.1.1.6.0"])
