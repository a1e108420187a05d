"""JSON, Prometheus and OpenSSH exports of the good province and of the whole example, read by the real readers."""

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from inventory.export.formats import EXPORTS
from inventory.export.items import device_item, office_item
from inventory.export.prometheus import target_groups
from inventory.export.ssh import JumpError, speaks_ssh, write_ssh_config
from inventory.load import load
from inventory.model import Province
from inventory.selector import select_devices

GOOD = Path(__file__).parents[1] / "provinces" / "good"
EXAMPLE = Path(__file__).parents[2] / "inventory" / "kien-giang"


@pytest.fixture(scope="module")
def good() -> Province:
    return load(GOOD)


@pytest.fixture(scope="module")
def example() -> Province:
    return load(EXAMPLE)


def labelled(province: Province, device: str, **labels: str) -> Province:
    """Return the province with other labels on one device."""
    changed = replace(province.devices[device], labels=MappingProxyType(labels))
    return replace(province, devices={**province.devices, device: changed})


def ssh_options(config: Path, host: str) -> dict[str, str]:
    command = ["ssh", "-G", "-F", str(config), host]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True, stdin=subprocess.DEVNULL)
    return dict(line.split(" ", 1) for line in shown.stdout.splitlines() if " " in line)


def test_a_device_item_holds_its_own_words_and_those_of_office_and_type(good: Province) -> None:
    item = device_item(good, good.devices["box.dong-yen"])
    assert item["serial"] == "0012345"
    assert item["mac"] == "00:1d:aa:4b:2c:10"
    assert item["bought"] == "2019-06-15"
    assert (item["office"], item["tier"], item["district"]) == ("dong-yen", "commune", "an-bien")
    assert item["host_name"] == f"box.dong-yen.{good.domain}"
    assert item["manufacturer"] == good.device_types[item["type"]].manufacturer


def test_an_office_item_holds_its_links_and_its_unit(good: Province) -> None:
    item = office_item(good, good.offices["an-bien"])
    assert (item["parent"], item["backup_provider"], item["backup_bandwidth"]) == ("centre", "viettel", 8_000_000)
    assert item["unit_code"] == good.units["an-bien"].code.values[0]
    root = office_item(good, good.offices["centre"])
    assert (root["parent"], root["provider"], root["bandwidth"]) == ("", "", None)


def test_json_is_one_object_of_plain_items(example: Province) -> None:
    devices = tuple(example.devices.values())
    read = json.loads(EXPORTS["json"].write(example, devices))
    assert read["schema"] == 1
    assert [item["id"] for item in read["items"]] == list(example.devices)
    allowed = (str, int, float, bool, list, dict, type(None))
    assert all(isinstance(value, allowed) for item in read["items"] for value in item.values())


def test_every_export_is_the_same_each_time(example: Province) -> None:
    devices = select_devices(example, "under=an-bien")
    again = load(EXAMPLE)
    for export in EXPORTS.values():
        assert export.write(example, devices) == export.write(again, select_devices(again, "under=an-bien"))


def test_prometheus_asks_each_module_of_each_address_once(good: Province) -> None:
    devices = tuple(good.devices.values())
    groups = target_groups(good, devices)
    asked = [
        (group["labels"]["__param_target"], group["labels"]["__param_module"])
        for group in groups
        if "__param_target" in group["labels"]
    ]
    expected = [(d.address, module) for d in devices if d.address for module in dict.fromkeys(d.probes)]
    assert asked == expected
    assert asked


def test_prometheus_asks_the_prober_when_it_is_named(good: Province) -> None:
    group = target_groups(good, tuple(good.devices.values()), prober="watch:9115")[0]
    assert group["targets"] == ["watch:9115"]
    assert group["labels"]["__param_target"] == "10.91.16.1"
    assert group["labels"]["__metrics_path__"] == "/probe"


@pytest.mark.parametrize("said", [{"probes": ("icmp", "node")}, {"platform": "linux"}])
def test_prometheus_scrapes_the_node_exporter_of_linux_and_where_it_is_asked(good: Province, said: Any) -> None:
    box = replace(good.devices["box.dong-yen"], **said)
    scraped = [group for group in target_groups(good, [box]) if group["labels"]["job"] == "node"]
    assert [group["targets"] for group in scraped] == [[f"{box.address}:9100"]]
    assert "__param_target" not in scraped[0]["labels"]
    assert not [
        group for group in target_groups(good, [good.devices["box.dong-yen"]]) if group["labels"]["job"] == "node"
    ]


def test_a_real_prometheus_takes_the_file(example: Province, tmp_path: Path) -> None:
    text = EXPORTS["prometheus"].write(example, tuple(example.devices.values()))
    (tmp_path / "targets.json").write_text(text, encoding="utf-8")
    (tmp_path / "prometheus.yml").write_text(
        "scrape_configs:\n- job_name: tuyen\n  file_sd_configs: [{files: [targets.json]}]\n"
        "  relabel_configs:\n"
        '  - {source_labels: [__param_target], regex: .+, target_label: __address__, replacement: "127.0.0.1:9115"}\n'
    )
    command = ["promtool", "check", "config", str(tmp_path / "prometheus.yml")]
    checked = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert checked.returncode == 0, checked.stderr


def test_ssh_reads_the_address_and_insists_on_the_pinned_key(good: Province, tmp_path: Path) -> None:
    province = replace(good, folder=str(tmp_path / 'a "strange" 100% folder'))
    config = tmp_path / "config"
    config.write_text(write_ssh_config(province, tuple(good.devices.values())))
    for name in ("box.dong-yen", f"box.dong-yen.{good.domain}"):
        options = ssh_options(config, name)
        assert options["hostname"] == good.devices["box.dong-yen"].address
        assert options["stricthostkeychecking"] in ("true", "yes")
        assert options["userknownhostsfile"].replace("%%", "%") == f"{province.folder}/.tuyen/known_hosts"
        assert "proxyjump" not in options
    assert ssh_options(config, "elsewhere")["hostname"] == "elsewhere"


def test_ssh_goes_to_the_port_that_access_names_the_later_rule_over_the_earlier(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(GOOD, tmp_path / "good"))
    rules = "access: [{port: 2222}, {select: kind=commune, user: tuyen}, {select: kind=hall, port: 22}]\n"
    (folder / "province.yaml").write_text((folder / "province.yaml").read_text() + rules)
    province = load(folder)
    config = tmp_path / "config"
    config.write_text(write_ssh_config(province, tuple(province.devices.values())))
    assert ssh_options(config, "box.dong-yen")["port"] == "2222"
    assert ssh_options(config, "server-1.an-bien")["port"] == "22"


def test_ssh_goes_through_the_device_that_the_label_names(good: Province, tmp_path: Path) -> None:
    province = labelled(good, "box.dong-yen", jump="router.an-bien")
    config = tmp_path / "config"
    config.write_text(write_ssh_config(province, [province.devices["box.dong-yen"]]))
    assert ssh_options(config, "box.dong-yen")["proxyjump"] == "router.an-bien"
    jump = ssh_options(config, "router.an-bien")
    assert jump["hostname"] == province.devices["router.an-bien"].address
    assert "proxyjump" not in jump


def test_a_jump_host_in_the_labelled_office_goes_straight(good: Province) -> None:
    office = replace(good.offices["dong-yen"], labels=MappingProxyType({"jump": "box.dong-yen"}))
    province = replace(good, offices={**good.offices, "dong-yen": office})
    assert "ProxyJump" not in write_ssh_config(province, [province.devices["box.dong-yen"]])


def test_a_jump_through_nothing_is_refused_with_the_nearest_name(good: Province) -> None:
    province = labelled(good, "box.dong-yen", jump="router.an-bein\nUser x")
    with pytest.raises(JumpError) as caught:
        write_ssh_config(province, [province.devices["box.dong-yen"]])
    assert str(caught.value).startswith("offices/an-bien.yaml:")
    assert "write 'router.an-bien' (the nearest that exists)" in str(caught.value)


def test_ssh_has_all_that_speak_ssh_and_nothing_else(example: Province) -> None:
    text = write_ssh_config(example, tuple(example.devices.values()))
    listed = [line.split()[1] for line in text.splitlines() if line.startswith("Host ")]
    assert listed == [device.id for device in example.devices.values() if speaks_ssh(example, device)]
    assert 100 < len(listed) < len(example.devices)


def test_a_line_break_in_a_name_stays_inside_the_comment(good: Province) -> None:
    text = write_ssh_config(replace(good, name="Tỉnh\nProxyCommand true"), [])
    assert text.count("\n") == 1
