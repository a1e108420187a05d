"""alertmanager.yml: one cause gives one alert, told to those whose offices it concerns, in their language."""

from collections.abc import Iterator, Mapping
from typing import Any

from exporters.kit.alert import Scope
from exporters.kit.course_alerts import SERVICE_ALERTS
from exporters.kit.receivers import Receiver, matchers_of, receivers_of
from exporters.kit.settings import KitSettings, duration
from inventory.model import Province

NOBODY = "nobody"  # where an alert stays that concerns no receiver
TEMPLATES = "templates/*.tmpl"
GROUP_BY = ("alertname", "district", "cause")
_INSIDE = "|".join((Scope.LINK, Scope.DEVICE))


def alertmanager_config(province: Province, settings: KitSettings) -> dict[str, Any]:
    """Return Alertmanager's configuration."""
    receivers = receivers_of(province)
    return {
        "global": {
            "smtp_smarthost": province.alerts.relay,
            "smtp_from": province.alerts.sender,
            "smtp_require_tls": False,
        },
        "templates": [TEMPLATES],
        "route": {
            "receiver": NOBODY,
            "group_by": list(GROUP_BY),
            "group_wait": duration(2 * settings.interval),
            "group_interval": duration(4 * settings.interval),
            "repeat_interval": "12h",
            "routes": [_route(province, receiver) for receiver in receivers],
        },
        "inhibit_rules": inhibitions(province),
        "receivers": [{"name": NOBODY}, *(_receiver(receiver) for receiver in receivers)],
    }


def _route(province: Province, receiver: Receiver) -> dict[str, Any]:
    matchers = matchers_of(province, receiver.under)
    return {"receiver": receiver.name, **({"matchers": matchers} if matchers else {}), "continue": True}


def _receiver(receiver: Receiver) -> dict[str, Any]:
    said: dict[str, Any] = {"name": receiver.name}
    if receiver.emails:
        said["email_configs"] = [_email(address, receiver.language) for address in receiver.emails]
    if receiver.webhooks:
        said["webhook_configs"] = [{"url": url, "send_resolved": True} for url in receiver.webhooks]
    return said


def _email(address: str, language: str) -> dict[str, Any]:
    return {
        "to": address,
        "send_resolved": True,
        "headers": {"Subject": f'{{{{ template "tuyen.{language}.subject" . }}}}'},
        "text": f'{{{{ template "tuyen.{language}.text" . }}}}',
        "html": "",
    }


def inhibitions(province: Province) -> list[dict[str, Any]]:
    """Return which alerts mute which others, so that one cause gives one alert."""
    return list(_inhibitions(province))


def _inhibitions(province: Province) -> Iterator[dict[str, Any]]:
    yield _inhibition('alertname="OfficeDown"', 'alertname="OfficeUnreachable"', "cause")
    yield _inhibition('scope="office"', f'scope=~"{_INSIDE}"', "office")
    yield _inhibition('alertname="UpsBatteryLow"', 'alertname="UpsOnBattery"', "device")
    yield _inhibition('alertname="CertificateUntrusted"', 'alertname=~"CertificateEnds.*"', "device", "about")
    yield _inhibition('alertname="DiskReadOnly"', 'alertname=~"Disk(Full|Fills)"', "instance", "mountpoint")
    yield _inhibition('alertname="DiskFull"', 'alertname="DiskFills"', "instance", "mountpoint")
    fast, steady, slow = (f'alertname="{alert.name}"' for alert in SERVICE_ALERTS)
    yield _inhibition(fast, steady, "service")
    yield _inhibition(fast, slow, "service")
    yield _inhibition(steady, slow, "service")
    for needed, users in _needed(province).items():
        yield _inhibition([fast, f'service="{needed}"'], ['scope="service"', f'service=~"{"|".join(users)}"'])


def _inhibition(source: str | list[str], target: str | list[str], *equal: str) -> dict[str, Any]:
    return {
        "source_matchers": [source] if isinstance(source, str) else source,
        "target_matchers": [target] if isinstance(target, str) else target,
        **({"equal": list(equal)} if equal else {}),
    }


def _needed(province: Province) -> Mapping[str, list[str]]:
    """Return for each service that others need, directly or not, which those are."""
    found: dict[str, list[str]] = {}
    for service in province.services:
        for needed in sorted(_needs(province, service)):
            found.setdefault(needed, []).append(service)
    return {needed: sorted(found[needed]) for needed in province.services if needed in found}


def _needs(province: Province, service: str) -> set[str]:
    found: set[str] = set()
    waiting = [service]
    while waiting:
        more = {name for name in province.services[waiting.pop()].needs if name in province.services} - found
        found |= more
        waiting += more
    return found - {service}
