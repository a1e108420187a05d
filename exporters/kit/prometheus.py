"""prometheus.yml: the watch, and by its /sd the node_exporters and what snmp_exporter reads of network gear."""

from collections.abc import Iterator
from typing import Any

from exporters.kit.settings import KitSettings, duration
from inventory.model import Province

RULE_FILES = ("rules/recording.yml", "rules/alerts.yml")
SNMP_MODULE, SNMP_AUTH = "if_mib", "tuyen"  # of snmp_exporter: the second is to be set up there, with the community
_SLOWER = 4  # times slower than the watch: exporters at the ends of weak links
_MOST_PATIENCE = 10  # seconds


def prometheus_config(province: Province, settings: KitSettings) -> dict[str, Any]:
    """Return Prometheus' configuration."""
    every = duration(settings.interval)
    return {
        "global": {
            "scrape_interval": every,
            "scrape_timeout": duration(min(settings.interval, _MOST_PATIENCE)),
            "evaluation_interval": every,
            "external_labels": {"province": province.id},
        },
        "rule_files": list(RULE_FILES),
        "alerting": {"alertmanagers": [_at(settings.alertmanager)]},
        "scrape_configs": list(_jobs(province, settings)),
    }


def _jobs(province: Province, settings: KitSettings) -> Iterator[dict[str, Any]]:
    yield {"job_name": "tuyen", **_at(settings.watch)}
    yield {**_discovered("node", settings), "relabel_configs": [_keep("job", "node")]}
    modules = _snmp_modules(province)
    if settings.snmp_exporter and modules:
        yield {**_discovered("snmp", settings), "relabel_configs": _through_snmp_exporter(modules, settings)}
    yield {"job_name": "prometheus", **_at(settings.prometheus)}
    yield {"job_name": "alertmanager", **_at(settings.alertmanager)}


def _at(address: str) -> dict[str, Any]:
    return {"static_configs": [{"targets": [address]}]}


def _discovered(job: str, settings: KitSettings) -> dict[str, Any]:
    slow = duration(_SLOWER * settings.interval)
    return {
        "job_name": job,
        "scrape_interval": slow,
        "scrape_timeout": duration(min(_SLOWER * settings.interval, _MOST_PATIENCE)),
        "http_sd_configs": [{"url": f"http://{settings.watch}/sd", "refresh_interval": slow}],
    }


def _snmp_modules(province: Province) -> tuple[str, ...]:
    """Return the modules that tell that a device speaks SNMP of its interfaces."""
    named = {name for device in province.devices.values() for name in device.probes}
    found = (province.modules[name] for name in sorted(named & province.modules.keys()))
    return tuple(m.name for m in found if m.probe == "snmp" and m.options.get("mib", "system") != "ups")


def _through_snmp_exporter(modules: tuple[str, ...], settings: KitSettings) -> list[dict[str, Any]]:
    """Turn what the watch would probe into one target a device of snmp_exporter."""
    said = {
        "__address__": settings.snmp_exporter,
        "__metrics_path__": "/snmp",
        "__param_module": SNMP_MODULE,
        "__param_auth": SNMP_AUTH,
        "module": SNMP_MODULE,
        "job": "snmp",
    }
    return [
        _keep("module", "|".join(modules)),
        *({"target_label": label, "replacement": value} for label, value in said.items()),
    ]


def _keep(label: str, regex: str) -> dict[str, Any]:
    return {"source_labels": [label], "regex": regex, "action": "keep"}
