"""The whole kit: every file of it by its name, in the order in which people look at it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import ceil

from exporters.kit.alert import LANGUAGES
from exporters.kit.alertmanager import alertmanager_config
from exporters.kit.courses import courses, long_courses
from exporters.kit.dashboards import DASHBOARDS
from exporters.kit.panels import dashboard_json
from exporters.kit.prometheus import SNMP_AUTH, prometheus_config
from exporters.kit.recording import recording_groups
from exporters.kit.rules import alerting_groups
from exporters.kit.scenarios import rule_tests
from exporters.kit.settings import KitSettings
from exporters.kit.templates import template_text
from exporters.kit.writing import json_text, yaml_text
from inventory.model import Province

_README = f"""\
Written by `tuyen monitoring render`. Prometheus runs on prometheus.yml, Alertmanager on alertmanager.yml, as they are.
Prove it: `promtool check config prometheus.yml`, `promtool test rules rules/tests*.yml`, `amtool check-config alertmanager.yml`.
Grafana imports grafana/vi or grafana/en. snmp_exporter needs an auth `{SNMP_AUTH}` with the community, a secret kept there
(before version 0.23 the community stands in its module `if_mib`). The job `node` reads every Linux machine on port 9100.
"""  # noqa: E501  (lines of Markdown)
_SELDOM = 60  # seconds between evaluations in tests that last for days


def render(province: Province, settings: KitSettings) -> Mapping[str, str]:
    """Return the text of every file of the kit by its name within the folder."""
    return dict(_files(province, replace(settings, ping=ceil(province.modules["icmp"].interval))))


def _files(province: Province, settings: KitSettings) -> Iterator[tuple[str, str]]:
    name = " ".join(province.name.split())
    yield "README.md", _README
    yield "prometheus.yml", yaml_text(prometheus_config(province, settings), f"Prometheus: {name}")
    yield "rules/recording.yml", yaml_text(recording_groups(province, settings), f"Recording rules: {name}")
    yield "rules/alerts.yml", yaml_text(alerting_groups(settings), f"Alerts: {name}")
    every, about = settings.interval, "Tests of the rules, for promtool test rules"
    yield "rules/tests.yml", yaml_text(rule_tests(courses(settings.round), every), about)
    yield "rules/tests-long.yml", yaml_text(rule_tests(long_courses(), _SELDOM), about)
    yield "alertmanager.yml", yaml_text(alertmanager_config(province, settings), f"Alertmanager: {name}")
    for language in LANGUAGES:
        yield f"templates/{language}.tmpl", template_text(language, name)
    for language in LANGUAGES:
        for dashboard in DASHBOARDS:
            yield f"grafana/{language}/{dashboard.name}.json", json_text(dashboard_json(dashboard, name, language))
