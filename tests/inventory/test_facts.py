"""Facts beside the declaration: files that change when devices do, and drift, told rule by rule."""

import shutil
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.facts import Disk, Facts, Interface, drift, read_facts, write_facts
from inventory.finding import InvalidProvinceError
from inventory.load import load
from inventory.model import Province
from inventory.rules import RULES

GOOD = Path(__file__).parents[1] / "provinces" / "good"
DAY = date(2026, 11, 25)
BOX = "box.dong-yen"


@pytest.fixture
def province(tmp_path: Path) -> Province:
    """The good province; its box is declared in full."""
    folder = Path(shutil.copytree(GOOD, tmp_path / "province"))
    made = load(folder)
    box = replace(made.devices[BOX], platform="linux", serial="KSA9130552", mac="00:1d:aa:4b:2c:10")
    return replace(made, devices={**made.devices, BOX: box})


def facts(address: str = "10.91.16.138/26", **told: Any) -> Facts:
    as_declared: dict[str, Any] = {
        "gathered": DAY,
        "host_name": BOX,
        "system": "linux",
        "os": "debian",
        "os_version": "12",
        "os_name": "Debian GNU/Linux 12 (bookworm)",
        "cpus": 2,
        "memory": 4 * 2**30,
        "serial": "ksa9130552",
        "disks": (Disk(name="sda", bytes=64 * 10**9),),
        "interfaces": (Interface(name="eth0", mac="00:1D:AA:4B:2C:10", addresses=(address,)),),
        "boot_id": "f00d",
        "uptime": 12.5,
    }
    return Facts(**{**as_declared, **told})


def test_a_device_as_declared_does_not_drift(province: Province) -> None:
    assert province.devices[BOX].address == "10.91.16.138"
    assert drift(province, {BOX: facts()}, DAY) == ()
    assert drift(province, {BOX: facts(gathered=date(2020, 1, 1))}, DAY) == ()
    assert drift(province, {BOX: facts(host_name="box.dong-yen.good.example")}, DAY) == ()


@pytest.mark.parametrize("serial", ["", "To Be Filled By O.E.M.", "Default string"])
def test_what_a_device_does_not_know_is_no_drift(serial: str, province: Province) -> None:
    assert drift(province, {BOX: facts(serial=serial, interfaces=(), host_name="", system="", os="")}, DAY) == ()


OTHER_MAC = (Interface(name="eth0", mac="00:1d:aa:4b:2c:11", addresses=("10.91.16.138/26",)),)
DRIFTS: dict[str, tuple[dict[str, Any], str]] = {
    "drift-serial": (
        {"serial": "KSA9130553"},
        "'box.dong-yen' has the serial KSA9130553, but KSA9130552 is declared; "
        "if the machine was exchanged, declare the new one; else look which machine stands there",
    ),
    "drift-mac": (
        {"interfaces": OTHER_MAC},
        "no interface of 'box.dong-yen' has the MAC address 00:1d:aa:4b:2c:10; it has 00:1d:aa:4b:2c:11; "
        "declare the one that carries its address; else look which machine stands there",
    ),
    "drift-host-name": (
        {"host_name": "localhost"},
        "'box.dong-yen' calls itself 'localhost'; "
        "name it 'box.dong-yen.good.example' or 'box.dong-yen', or look which machine answers there",
    ),
    "drift-address": (
        {"address": "10.91.16.140/26"},
        "'box.dong-yen' does not have the address 10.91.16.138; it has 10.91.16.140; "
        "mend its network settings, or declare its address",
    ),
    "drift-platform": (
        {"system": "freebsd", "os": "", "os_name": "FreeBSD 14.1"},
        "'box.dong-yen' runs FreeBSD 14.1, but the platform 'linux' is declared; declare its platform",
    ),
    "drift-os-ended": (
        {"os_version": "11", "os_name": "Debian GNU/Linux 11 (bullseye)"},
        "Debian GNU/Linux 11 (bullseye) on 'box.dong-yen' has had no security updates since 2026-08-31; "
        "upgrade it to a newer release",
    ),
}


def test_every_rule_of_drift_is_proven_here() -> None:
    assert DRIFTS.keys() == {rule for rule in RULES if rule.startswith("drift-")}


@pytest.mark.parametrize("rule", DRIFTS)
def test_drift(rule: str, province: Province) -> None:
    told, expected = DRIFTS[rule]
    assert list(map(str, drift(province, {BOX: facts(**told)}, DAY))) == [
        f"offices/an-bien.yaml:14:7: {rule}: {expected}"
    ]


def test_several_drifts_come_in_the_order_of_the_declaration(province: Province) -> None:
    wrong = {"web.centre": facts(host_name="x", serial="", interfaces=(), system=""), BOX: facts(serial="1", os="")}
    found = drift(province, wrong, DAY)
    assert [(item.place.file, item.rule) for item in found] == [
        ("offices/an-bien.yaml", "drift-serial"),
        ("offices/province.yaml", "drift-host-name"),
    ]


def test_the_last_day_of_support_is_still_supported(province: Province) -> None:
    old = {BOX: facts(os_version="11")}
    assert drift(province, old, date(2026, 8, 31)) == ()
    assert len(drift(province, old, date(2026, 9, 1))) == 1
    assert drift(province, {BOX: facts(os="rocky", os_version="9.4")}, date(2032, 5, 31)) == ()


def test_what_is_written_is_read_back_without_what_changes_by_itself(province: Province) -> None:
    (path,) = write_facts(province, {BOX: facts()})
    known, findings = read_facts(Path(province.folder))
    assert findings == []
    assert known == {BOX: facts(boot_id="", uptime=0.0)}
    assert path.read_text().startswith("# Written by 'tuyen facts'")
    assert "uptime" not in path.read_text()
    assert load(Path(province.folder)), "the declaration does not read them"


def test_a_file_changes_when_a_device_did(province: Province) -> None:
    (path,) = write_facts(province, {BOX: facts()})
    before = path.read_bytes()
    assert write_facts(province, {BOX: facts(gathered=DAY + timedelta(29), boot_id="beef", uptime=1.0)}) == ()
    assert path.read_bytes() == before
    assert write_facts(province, {BOX: facts(gathered=DAY + timedelta(30))}) == (path,)
    assert write_facts(province, {BOX: facts(gathered=DAY + timedelta(31), cpus=4)}) == (path,)
    assert read_facts(Path(province.folder))[0][BOX].gathered == DAY + timedelta(31)
    assert sorted(item.name for item in path.parent.iterdir()) == ["dong-yen.yaml"], "nothing half-written stays"


def test_devices_that_did_not_answer_keep_their_facts_and_those_that_are_gone_lose_them(province: Province) -> None:
    write_facts(province, {BOX: facts(), "router.dong-yen": facts(serial="")})
    write_facts(province, {BOX: facts(cpus=4)})
    assert read_facts(Path(province.folder))[0].keys() == {BOX, "router.dong-yen"}
    rest = {name: device for name, device in province.devices.items() if name != "router.dong-yen"}
    write_facts(replace(province, devices=rest), {BOX: facts(cpus=8)})
    assert read_facts(Path(province.folder))[0].keys() == {BOX}


def test_the_order_is_that_of_the_declaration(province: Province) -> None:
    ids = [device.id for device in province.devices_of["dong-yen"]]
    write_facts(province, {name: facts() for name in reversed(ids)})
    assert list(read_facts(Path(province.folder))[0]) == ids


def test_a_file_that_was_spoilt_is_told_and_not_written_over(province: Province) -> None:
    (path,) = write_facts(province, {BOX: facts()})
    path.write_text("devices:\n  box.dong-yen: {gathered: 2026-11-25, cpus: many}\n")
    known, findings = read_facts(Path(province.folder))
    assert known == {}
    assert [(item.place.file, item.rule) for item in findings] == [("facts/dong-yen.yaml", "wrong-type")]
    with pytest.raises(InvalidProvinceError):
        write_facts(province, {BOX: facts()})


@given(st.text(max_size=300))
def test_whatever_a_device_says_can_be_written_and_read(text: str) -> None:
    told = Facts(gathered=DAY, host_name=text, serial=text, interfaces=(Interface(name=text, addresses=(text,)),))
    assert told.host_name.isprintable()
    assert Facts(**told.model_dump()) == told
    assert "\x1b" not in told.serial
