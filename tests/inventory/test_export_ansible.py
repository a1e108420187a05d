"""The static and the live Ansible inventory, read by the real ansible-inventory."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import yaml

from inventory.export.ansible import group_names, host_variables, write_ansible
from inventory.load import load
from inventory.model import Province
from inventory.selector import select_devices

ROOT = Path(__file__).parents[2]
GOOD = ROOT / "tests" / "provinces" / "good"
EXAMPLE = ROOT / "inventory" / "kien-giang"
BIN = Path(sys.executable).parent


def run_ansible(tool: str, *arguments: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1",
        "ANSIBLE_LOCAL_TEMP": str(folder / "ansible"),
        "ANSIBLE_NOCOLOR": "1",
        "COLUMNS": "2000",
        "LC_ALL": "C.UTF-8",
    }
    command = [str(BIN / tool), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, cwd=folder, env=environment
    )


def listed(path: Path) -> dict[str, Any]:
    done = run_ansible("ansible-inventory", "-i", str(path), "--list", folder=path.parent)
    assert done.returncode == 0, done.stderr
    assert "[WARNING]" not in done.stderr
    read: dict[str, Any] = json.loads(done.stdout)
    return read


def write_live(folder: Path, text: str = "plugin: tuyen.core.tuyen\n") -> Path:
    shutil.copytree(GOOD, folder, dirs_exist_ok=True)
    path = folder / "province.tuyen.yml"
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def good() -> Province:
    return load(GOOD)


def test_groups_are_names_that_ansible_takes(good: Province) -> None:
    box = replace(good.devices["box.dong-yen"], platform="linux-6.1")
    assert group_names(good, box) == (
        "tier_commune",
        "district_an_bien",
        "unit_dong_yen",
        "office_dong_yen",
        "kind_commune",
        "role_server",
        "platform_linux_6_1",
    )


def test_static_and_live_inventory_say_the_same(good: Province, tmp_path: Path) -> None:
    static = tmp_path / "hosts.yml"
    static.write_text(write_ansible(good, tuple(good.devices.values())), encoding="utf-8")
    live = write_live(tmp_path / "good")
    from_static, from_live = listed(static), listed(live)
    assert from_static["_meta"] == from_live["_meta"]
    groups = set(from_static) - {"_meta", "all"}
    assert {name: sorted(from_static[name]["hosts"]) for name in groups} == {
        name: sorted(from_live[name]["hosts"]) for name in groups
    }
    box = from_static["_meta"]["hostvars"]["box.dong-yen"]
    assert box["ansible_host"] == good.devices["box.dong-yen"].address
    assert (box["tuyen_serial"], box["tuyen_bought"]) == ("0012345", "2019-06-15")
    assert set(from_static["_meta"]["hostvars"]) == {d.id for d in good.devices.values() if d.address}


def test_both_inventories_name_the_port_that_access_names(tmp_path: Path) -> None:
    live = write_live(tmp_path / "good")
    head = live.parent / "province.yaml"
    head.write_text(head.read_text() + "access: [{select: kind=commune, port: 2222}]\n")
    province, static = load(live.parent), tmp_path / "hosts.yml"
    static.write_text(write_ansible(province, tuple(province.devices.values())), encoding="utf-8")
    for inventory in (static, live):
        variables = listed(inventory)["_meta"]["hostvars"]
        assert variables["box.dong-yen"]["ansible_port"] == 2222
        assert "ansible_port" not in variables["server-1.an-bien"]


def test_linux_names_its_python(good: Province) -> None:
    box = replace(good.devices["box.dong-yen"], platform="linux")
    assert host_variables(good, box)["ansible_python_interpreter"] == "/usr/bin/python3"


def test_gear_says_how_ansible_speaks_to_it(good: Province, tmp_path: Path) -> None:
    router = replace(good.devices["router.an-bien"], platform="cisco_xe", driver="netmiko")
    path = tmp_path / "hosts.yml"
    path.write_text(write_ansible(good, [router]))
    variables = listed(path)["_meta"]["hostvars"]["router.an-bien"]
    assert variables["ansible_network_os"] == "cisco.ios.ios"
    assert variables["ansible_connection"] == "ansible.netcommon.network_cli"
    assert variables["tuyen_driver"] == "netmiko"


BRACES = "{{ lookup('pipe', 'echo run') }}"


def test_braces_in_a_label_are_text_and_not_run(good: Province, tmp_path: Path) -> None:
    box = replace(good.devices["box.dong-yen"], owner=BRACES, labels=MappingProxyType({"note": BRACES}))
    path = tmp_path / "hosts.yml"
    path.write_text(write_ansible(good, [box]))
    message = json.dumps({"msg": "{{ tuyen_owner }} {{ tuyen_labels.note }}"})
    arguments = ["-i", str(path), "-c", "local", "-m", "debug", "-a", message, "box.dong-yen"]
    done = run_ansible("ansible", *arguments, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(BRACES) == 2


def test_braces_in_the_live_inventory_are_text_and_not_run(tmp_path: Path) -> None:
    live = write_live(tmp_path / "good")
    offices = live.parent / "offices" / "an-bien.yaml"
    offices.write_text(offices.read_text().replace("serial: 0012345", f'serial: 0012345, owner: "{BRACES}"'))
    arguments = ["-i", str(live), "-c", "local", "-m", "debug", "-a", "msg={{ tuyen_owner }}", "box.dong-yen"]
    done = run_ansible("ansible", *arguments, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert BRACES in done.stdout


def test_the_live_inventory_selects_and_groups_as_asked(tmp_path: Path) -> None:
    text = (
        "plugin: tuyen.core.tuyen\nprovince: .\nselector: office=dong-yen,role=server\n"
        "keyed_groups:\n- {prefix: by, key: tuyen_role}\ncompose:\n  where: tuyen_office ~ '!'\n"
    )
    read = listed(write_live(tmp_path / "good", text))
    assert list(read["_meta"]["hostvars"]) == ["box.dong-yen"]
    assert read["by_server"]["hosts"] == ["box.dong-yen"]
    assert read["_meta"]["hostvars"]["box.dong-yen"]["where"] in ("dong-yen!", {"__ansible_unsafe": "dong-yen!"})


def test_the_province_may_lie_elsewhere(tmp_path: Path) -> None:
    write_live(tmp_path / "good")
    path = tmp_path / "good.tuyen.yaml"
    path.write_text("plugin: tuyen.core.tuyen\nprovince: good\n")
    assert "box.dong-yen" in listed(path)["_meta"]["hostvars"]


def test_a_bad_province_is_told_with_file_and_line(tmp_path: Path) -> None:
    live = write_live(tmp_path / "good")
    offices = live.parent / "offices" / "an-bien.yaml"
    text = offices.read_text().replace("number: 3", "numbre: 3")
    offices.write_text(text)
    before = text[: text.index("numbre")]
    line = f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"
    done = run_ansible("ansible-inventory", "-i", str(live), "--list", folder=tmp_path)
    assert done.returncode != 0
    assert f"offices/an-bien.yaml:{line}: unknown-key: no key 'numbre'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bad_selector_and_a_missing_province_are_told(tmp_path: Path) -> None:
    for extra, message in (("selector: tier=comune", "'commune' (the nearest"), ("province: nowhere", "province.yaml")):
        live = write_live(tmp_path / "good", f"plugin: tuyen.core.tuyen\n{extra}\n")
        done = run_ansible("ansible-inventory", "-i", str(live), "--list", folder=tmp_path)
        assert done.returncode != 0
        assert message in done.stderr


def test_ansible_doc_knows_the_plugin(tmp_path: Path) -> None:
    done = run_ansible("ansible-doc", "-t", "inventory", "--json", "tuyen.core.tuyen", folder=tmp_path)
    options = json.loads(done.stdout)["tuyen.core.tuyen"]["doc"]["options"]
    assert {"plugin", "province", "selector", "keyed_groups"} <= set(options)


def test_the_static_inventory_is_yaml_with_one_host_a_line(tmp_path: Path) -> None:
    example = load(EXAMPLE)
    devices = select_devices(example, "under=an-bien")
    text = write_ansible(example, devices)
    hosts = yaml.safe_load(text)["all"]["hosts"]
    assert list(hosts) == [device.id for device in devices if device.address]
    assert all(sum(line.startswith(f'"{name}": {{"ansible') for line in text.splitlines()) == 1 for name in hosts)
