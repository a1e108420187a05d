"""The done-when of watching: cuts and recoveries show within 30 s, and real Prometheus believes us."""

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.journeys.conftest import Watched, wait_for

CUT = ("dong-yen", "an-minh", "tho-chau")  # a commune, a district, an island


def _expected(watched: Watched) -> dict[str, str]:
    """Return which offices are down and which only unreachable while CUT holds, by the declared uplinks."""
    offices = watched.province.offices
    found = {}
    for office in offices.values():
        above, way = [office.id], office.parent
        while way:
            above.append(way)
            way = offices[way].parent
        if office.id in CUT:
            found[office.id] = "down"
        elif set(above) & set(CUT):
            found[office.id] = "unreachable"
    return found


def _not_up(watched: Watched) -> dict[str, str]:
    return {office: state for office, state in watched.states("office").items() if state != "up"}


def test_everything_is_up_at_first(watched: Watched) -> None:
    assert set(watched.states("office").values()) == {"up"}
    assert len(watched.states("office")) == len(watched.province.offices)
    assert set(watched.states("service").values()) == {"up"}


def test_cuts_show_within_30_seconds_and_so_does_recovery(watched: Watched) -> None:
    expected = _expected(watched)
    assert "unreachable" in expected.values()
    watched.lab.cut(CUT)
    try:
        waited = wait_for(lambda: _not_up(watched) == expected, 30)
        print(f"the cuts showed after {waited:.1f} s")
        checked = watched.run("check", "--format", "json")
    finally:
        watched.lab.restore()
    assert checked.returncode == 1
    items = json.loads(checked.stdout)["items"]
    told = {item["office"]: item["state"] for item in items if item["is"] == "office" and item["state"] != "up"}
    assert told == expected
    waited = wait_for(lambda: not _not_up(watched), 30)
    print(f"the recovery showed after {waited:.1f} s")
    assert watched.run("check").returncode == 0


def test_one_device_that_is_gone_makes_its_office_degraded(watched: Watched) -> None:
    watched.lab.cut(["box.dong-yen"])
    try:
        wait_for(lambda: watched.states("device")["box.dong-yen"] == "down", 30)
        assert _not_up(watched) == {"dong-yen": "degraded"}
        checked = json.loads(watched.run("check", "box.dong-yen", "--format", "json").stdout)["items"]
        told = {item["is"]: item["state"] for item in checked if "state" in item}
        assert told == {"office": "degraded", "device": "down"}
        assert watched.states("device")["router.dong-yen"] == "up"
    finally:
        watched.lab.restore()
    wait_for(lambda: not _not_up(watched), 30)


def test_a_check_of_one_office_tells_a_dead_way_from_a_dead_office(watched: Watched) -> None:
    watched.lab.cut(["an-minh"])
    try:
        checked = watched.run("check", "dong-hoa")
    finally:
        watched.lab.restore()
    assert checked.returncode == 1
    assert "unreachable" in checked.stdout
    assert "behind an-minh" in checked.stdout
    wait_for(lambda: not _not_up(watched), 30)


def test_promtool_finds_nothing_to_complain_of(watched: Watched) -> None:
    page = watched.get("/metrics")
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=page, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    families = {family.name: family for family in text_string_to_metric_families(page)}
    info = next(s for s in families["tuyen_device_info"].samples if s.labels["device"] == "router.dong-yen")
    assert info.labels["district"] == "an-bien"
    for name, family in families.items():
        if name.endswith("_info") or name.startswith(("python_", "process_")):
            continue
        for sample in family.samples:
            assert not {"district", "tier", "address"} & sample.labels.keys(), name


def test_probe_answers_as_blackbox_exporter_does(watched: Watched) -> None:
    address = watched.province.devices["router.dong-yen"].address
    for target in (address, "router.dong-yen", "router.dong-yen.kiengiang.example"):
        assert "\nprobe_success 1.0\n" in watched.get(f"/probe?module=icmp&target={target}")
    page = watched.get("/probe?module=https&target=" + quote("https://motcua.kiengiang.example/dang-nhap"))
    assert "probe_http_status_code 200.0" in page
    assert 'probe_http_duration_seconds{phase="tls"}' in page
    undeclared = "10.91.255.250"
    assert undeclared not in {device.address for device in watched.province.devices.values()}
    assert "probe_success 0.0" in watched.get(f"/probe?module=icmp&target={undeclared}")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("module=icmpp&target=router.dong-yen", "'icmp'"),
        ("module=icmp&target=192.0.2.1", "no device of the province"),
        ("module=icmp&target=router.dong-yem", "no device of the province"),
        ("module=icmp", "no device of the province"),
        ("module=tcp&target=" + quote("http://[broken"), ""),
    ],
)
def test_probe_refuses_what_is_not_the_provinces(watched: Watched, query: str, said: str) -> None:
    page = watched.get(f"/probe?{query}")
    assert "probe_success" not in page
    assert said in page


@pytest.fixture
def prometheus(watched: Watched, tmp_path: Path) -> Iterator[str]:
    """Debian's Prometheus, scraping the watch and, by http_sd, probing the commune An Biên's routers through it."""
    selector = quote("under=an-bien,role=router")
    host = watched.base.removeprefix("http://")
    (tmp_path / "prometheus.yml").write_text(
        f"""
global: {{scrape_interval: 2s, scrape_timeout: 2s}}
scrape_configs:
- job_name: tuyen
  static_configs: [{{targets: ["{host}"]}}]
- job_name: probe
  http_sd_configs: [{{url: "{watched.base}/sd?selector={selector}", refresh_interval: 5s}}]
"""
    )
    options = ["--config.file=prometheus.yml", "--storage.tsdb.path=data", "--web.listen-address=127.0.0.1:19090"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(["prometheus", *options], cwd=tmp_path, stdout=log, stderr=log)
    try:
        yield "http://127.0.0.1:19090"
    finally:
        process.terminate()
        process.wait(30)


def _query(base: str, expression: str, label: str) -> dict[str, str]:
    """Return the answer to an instant query: its values by a label."""
    with urllib.request.urlopen(f"{base}/api/v1/query?query={quote(expression)}", timeout=5) as answer:
        results = json.load(answer)["data"]["result"]
    return {result["metric"].get(label, ""): result["value"][1] for result in results}


def test_real_prometheus_scrapes_and_its_series_are_right(watched: Watched, prometheus: str) -> None:
    def scraped() -> bool:
        try:
            return set(_query(prometheus, 'up{job="tuyen"}', "instance").values()) == {"1"}
        except OSError:
            return False

    wait_for(scraped, 40)
    routers = {d.id for d in watched.province.devices.values() if d.role == "router"}
    under = {d for d in routers if watched.province.devices[d].office in _under(watched, "an-bien")}
    wait_for(lambda: set(_query(prometheus, 'probe_success{job="probe",module="icmp"} == 1', "instance")) == under, 40)
    assert set(_query(prometheus, 'probe_success{job="tuyen",module="icmp"} == 1', "device")) >= routers
    joined = "sum by (district) (tuyen_office_state{state='up'} * on (office) group_left (district) tuyen_office_info)"
    districts = {o.district for o in watched.province.offices.values()}
    assert set(_query(prometheus, f"{joined} > 0", "district")) == districts
    watched.lab.cut(["an-bien"])
    try:
        wait_for(
            lambda: set(_query(prometheus, 'probe_success{job="probe",module="icmp"} == 0', "instance")) == under, 40
        )
        down = 'tuyen_office_state{state="down"} == 1'
        wait_for(lambda: set(_query(prometheus, down, "office")) == {"an-bien"}, 40)
    finally:
        watched.lab.restore()
    wait_for(lambda: not _query(prometheus, 'tuyen_office_state{state="up"} == 0', "office"), 60)


def _under(watched: Watched, top: str) -> set[str]:
    found = {top}
    while more := {o.id for o in watched.province.offices.values() if o.parent in found} - found:
        found |= more
    return found


def test_the_watch_takes_over_changed_files_and_keeps_what_did_not_change(watched: Watched) -> None:
    file = watched.folder / "offices" / "an-bien.yaml"
    text = file.read_text()
    series = 'tuyen_probes_total{device="router.nam-yen",module="icmp"}'
    before = watched.samples()[series]
    try:
        file.write_text(text.replace("offices:", "offices: [", 1))
        wait_for(lambda: watched.samples()["tuyen_province_load_success"] == 0, 15)
        assert watched.samples()[series] >= before
        file.write_text(_without_box(text))
        wait_for(lambda: "box.nam-yen" not in watched.get("/metrics"), 15)
        assert watched.samples()["tuyen_province_load_success"] == 1
        assert watched.samples()[series] >= before
    finally:
        file.write_text(text)
    wait_for(lambda: watched.states("device").get("box.nam-yen") == "up", 30)


def _without_box(text: str) -> str:
    """Return the file with the box of Nam Yên taken away."""
    lines = text.splitlines(keepends=True)
    place = next(number for number, line in enumerate(lines) if line.startswith("  nam-yen:"))
    if lines[place].strip() == "nam-yen:":
        lines.insert(place + 1, "    devices: {box: {absent: true}}\n")
    else:
        lines[place] = lines[place].replace("{", "{devices: {box: {absent: true}}, ", 1)
    return "".join(lines)
