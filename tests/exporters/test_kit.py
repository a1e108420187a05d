"""The Prometheus kit, judged by Debian's promtool and amtool: on the example and on a small province."""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporters.kit.alert import FIELDS, LANGUAGES
from exporters.kit.folder import write
from exporters.kit.receivers import left_out, matchers_of, receivers_of
from exporters.kit.recording import depth_of
from exporters.kit.rendering import render
from exporters.kit.rules import ALERTING_GROUPS, ALERTS
from exporters.kit.settings import KitSettings, duration
from exporters.metrics import OWN
from exporters.reading import METRICS
from inventory.load import load
from inventory.model import Person, Province
from tests.lab.small import PLACE, small_province

GOOD = Path(__file__).parents[1] / "provinces" / "good"
QUICK = KitSettings(interval=4)


@pytest.fixture(scope="module", params=["example", "good"])
def province(request: pytest.FixtureRequest, kien_giang: Path) -> Province:
    return load(kien_giang if request.param == "example" else GOOD)


@pytest.fixture(scope="module")
def kit(province: Province, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kit")
    files = render(province, KitSettings())
    write(folder, files, tuple(files))
    return folder


def _judged(*words: str, cwd: Path) -> str:
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_prometheus_takes_configuration_and_rules(kit: Path) -> None:
    said = _judged("promtool", "check", "config", "prometheus.yml", cwd=kit)
    assert f"{len(ALERTS)} rules found" in said
    _judged("promtool", "check", "rules", "rules/recording.yml", "rules/alerts.yml", cwd=kit)


def test_alertmanager_takes_its_configuration(kit: Path) -> None:
    said = _judged("amtool", "check-config", "alertmanager.yml", cwd=kit)
    assert "1 templates" in said


def test_the_rules_do_what_their_tests_say(kit: Path) -> None:
    assert "SUCCESS" in _judged("promtool", "test", "rules", "rules/tests.yml", cwd=kit)


def test_the_rules_do_what_their_tests_of_days_say(kien_giang: Path, tmp_path: Path) -> None:
    files = render(load(kien_giang), KitSettings())
    write(tmp_path, files, tuple(files))
    assert "SUCCESS" in _judged("promtool", "test", "rules", "rules/tests-long.yml", cwd=tmp_path)


@pytest.mark.parametrize("interval", [4, 60])
def test_the_tests_hold_at_other_intervals(interval: int, tmp_path: Path) -> None:
    files = render(small_province(), KitSettings(interval=interval))
    write(tmp_path, files, tuple(files))
    _judged("promtool", "test", "rules", "rules/tests.yml", cwd=tmp_path)


@pytest.mark.parametrize(
    ("rule", "broken", "found_by"),
    [
        ("tuyen:office_state:held unless on ()", "tuyen:office_state:absent unless on ()", "tests"),
        ("depth: '1'", "depth: '0'", "tests"),
        ("unless on (parent)", "unless on (office)", "tests-long"),
    ],
)
def test_the_rules_tests_find_a_broken_rule(rule: str, broken: str, found_by: str, tmp_path: Path) -> None:
    files = render(small_province(), KitSettings())
    changed = {name: text.replace(rule, broken) if "tests" not in name else text for name, text in files.items()}
    assert changed != files
    write(tmp_path, changed, tuple(changed))
    words = ("promtool", "test", "rules", f"rules/{found_by}.yml")
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert "FAILED" in done.stdout + done.stderr


def test_every_alert_is_told_in_both_languages_and_shows_only_what_it_knows(kit: Path) -> None:
    rules = [rule for group in _yaml(kit / "rules" / "alerts.yml")["groups"] for rule in group["rules"]]
    assert [rule["alert"] for rule in rules] == [alert.name for group in ALERTING_GROUPS.values() for alert in group]
    for rule in rules:
        assert {f"{key}_{language}" for key in ("summary", "description") for language in LANGUAGES} == set(
            rule["annotations"]
        )
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert not {"{", "}"} & set(_without_templates(" ".join(rule["annotations"].values())))


def _without_templates(text: str) -> str:
    for template in FIELDS.values():
        text = text.replace(template, "")
    return text


def _yaml(file: Path) -> Any:
    return yaml.safe_load(file.read_text())


def test_rules_and_dashboards_ask_only_for_metrics_that_are_served(kit: Path) -> None:
    served = {*OWN, *METRICS, *_OTHERS, *_recorded(kit)}
    files = [*kit.glob("rules/recording.yml"), *kit.glob("rules/alerts.yml"), *kit.glob("grafana/*/*.json")]
    for file in files:
        for expression in _expressions(_yaml(file)):
            assert _metrics_in(expression) <= served, (file.name, expression)


_OTHERS = {  # of the watch's own process, of rollouts, and of other exporters
    "tuyen_watch_questions",
    "tuyen_watch_running",
    "tuyen_watch_postponed_total",
    "tuyen_province_load_success",
    "tuyen_rollout_status",
    "tuyen_rollout_devices",
    "tuyen_rollouts_read_success",
}


def _recorded(kit: Path) -> set[str]:
    groups = _yaml(kit / "rules" / "recording.yml")["groups"]
    return {rule["record"] for group in groups for rule in group["rules"]}


def _expressions(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("expr"), str):
            yield value["expr"]
        for inner in value.values():
            yield from _expressions(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _expressions(inner)


def _metrics_in(expression: str) -> set[str]:
    bare = re.sub(r'"[^"]*"', '""', expression)
    return set(re.findall(r"\b(?:tuyen|probe)[_:][a-z0-9_:]+", bare))


def test_dashboards_are_what_grafana_imports(kit: Path) -> None:
    files = sorted(kit.glob("grafana/*/*.json"))
    assert len(files) == 8
    seen = set()
    for file in files:
        board = json.loads(file.read_text())
        seen.add(board["uid"])
        assert board["schemaVersion"] >= 36
        assert len(board["uid"]) <= 40
        assert [panel["id"] for panel in board["panels"]] == list(range(1, len(board["panels"]) + 1))
        assert board["templating"]["list"][0]["type"] == "datasource"
        _overlap_free(board["panels"])
    assert len(seen) == 8


def _overlap_free(panels: list[dict[str, Any]]) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        own = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not own & taken, panel["title"]
        taken |= own


def test_a_second_render_is_the_same_and_an_office_more_changes_no_rule() -> None:
    small = small_province()
    offices = dict(small.offices)
    offices["islet"] = replace(offices["island"], id="islet")
    grown = replace(small, offices=offices)
    assert render(small, KitSettings()) == render(small, KitSettings())
    assert render(small, KitSettings()) == render(grown, KitSettings())
    deeper = replace(small, offices={**offices, "islet": replace(offices["island"], id="islet", uplink=_below(small))})
    assert depth_of(deeper) == depth_of(small) + 1
    changed = {
        name for name, text in render(deeper, KitSettings()).items() if text != render(small, KitSettings())[name]
    }
    assert changed == {"rules/recording.yml"}


def _below(province: Province) -> Any:
    uplink = province.offices["island"].uplink
    assert uplink
    return replace(uplink, parent="island")


def test_durations_are_prometheus() -> None:
    assert [duration(s) for s in (0, 4, 60, 90, 3600, 5400, 86400)] == ["0s", "4s", "1m", "90s", "1h", "90m", "1d"]


def test_a_wait_is_never_shorter_than_a_round_of_pings() -> None:
    small = small_province()
    waits = [
        {rule["alert"]: rule["for"] for group in yaml.safe_load(text)["groups"] for rule in group["rules"]}
        for text in (render(small, KitSettings(interval=i))["rules/alerts.yml"] for i in (1, 15, 30))
    ]
    assert [wait["OfficeDown"] for wait in waits] == ["30s", "30s", "1m"]
    assert [wait["OfficeUnreachable"] for wait in waits] == ["1m", "1m", "2m"]


def _people(**notify: tuple[str, tuple[str, ...]]) -> Mapping[str, Person]:
    return {
        account: Person(account, account, ("operator",), under, (), addresses, PLACE)
        for account, (under, addresses) in notify.items()
    }


def test_receivers_go_by_subtree_and_language_and_hold_no_secret() -> None:
    province = replace(
        small_province(),
        people={
            **_people(
                lan=("hub", ("mailto:lan@small.example", "json://relay.example:8080/tuyen?lang=en")),
                nam=("north", ("jsons://hooks.example/north", "mailto:nam@small.example?lang=en")),
                tam=(
                    "north",
                    ("tgram://123456:SECRET/42", "json://user:SECRET@hooks.example/", "json://h/?token=SECRET"),
                ),
            ),
            "viewer": Person("viewer", "V", ("viewer",), "hub", (), ("mailto:v@small.example",), PLACE),
        },
    )
    found = {receiver.name: (receiver.emails, receiver.webhooks) for receiver in receivers_of(province)}
    assert found == {
        "hub-vi": (("lan@small.example",), ()),
        "hub-en": ((), ("http://relay.example:8080/tuyen",)),
        "north-vi": ((), ("https://hooks.example/north",)),
        "north-en": (("nam@small.example",), ()),
    }
    assert left_out(province) == (("tam", "tgram"), ("tam", "json"), ("tam", "json"))
    assert not [name for name, text in render(province, KitSettings()).items() if "SECRET" in text]
    assert matchers_of(province, "hub") == []
    assert matchers_of(province, "north") == ['office=~"lower|north|upper"']


def test_a_district_that_is_whole_is_matched_by_its_name(kien_giang: Path) -> None:
    province = load(kien_giang)
    assert matchers_of(province, "an-bien") == ['district=~"an-bien"']
    assert matchers_of(province, "dong-yen")[0].startswith("office=~")


def _route(kit: Path, *labels: str) -> list[str]:
    words = ("amtool", "config", "routes", "test", "--config.file=alertmanager.yml", *labels)
    done = subprocess.run(words, cwd=kit, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip().split(",")


def test_amtool_routes_alerts_to_their_districts(kien_giang: Path, tmp_path: Path) -> None:
    files = render(load(kien_giang), KitSettings())
    write(tmp_path, files, tuple(files))
    assert _route(tmp_path, "alertname=OfficeDown", "district=an-bien") == ["data-centre-vi", "an-bien-vi"]
    assert _route(tmp_path, "alertname=OfficeDown", "district=rach-gia") == ["data-centre-vi"]
    assert _route(tmp_path, "alertname=WatchSilent") == ["data-centre-vi"]


def test_a_province_without_people_tells_nobody(tmp_path: Path) -> None:
    files = render(small_province(), QUICK)
    write(tmp_path, files, tuple(files))
    _judged("amtool", "check-config", "alertmanager.yml", cwd=tmp_path)
    assert _route(tmp_path, "alertname=OfficeDown") == ["nobody"]


def test_what_other_services_need_mutes_their_alerts(kien_giang: Path) -> None:
    rules = yaml.safe_load(render(load(kien_giang), KitSettings())["alertmanager.yml"])["inhibit_rules"]
    muted = {
        rule["source_matchers"][1]: rule["target_matchers"][1] for rule in rules if len(rule["source_matchers"]) == 2
    }
    assert "directory" in muted['service="dns"']
    assert "portal" in muted['service="dns"']  # through one-stop
    assert all(f'"{source.split(chr(34))[1]}"' not in target for source, target in muted.items())


def test_a_hostile_name_is_only_text(tmp_path: Path) -> None:
    province = replace(small_province(), name='X {{ template "a" }} `"\n- evil: true')
    files = render(province, KitSettings())
    write(tmp_path, files, tuple(files))
    _judged("amtool", "check-config", "alertmanager.yml", cwd=tmp_path)
    _judged("promtool", "check", "config", "prometheus.yml", cwd=tmp_path)
