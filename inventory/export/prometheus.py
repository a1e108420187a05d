"""Targets for Prometheus: the list that file_sd files and http_sd answers share.

Each device gives one group for every probe module it has, labelled as blackbox_exporter's users know it:
`__param_module` and `__param_target` become `/probe?module=&target=`. A Linux machine, on which the job `baseline`
installs node_exporter, and a device with the module `node` give one more group, the node exporter itself. Of the two
kinds only the first has `__param_target`, so one scrape job takes both:

    relabel_configs:
      - {source_labels: [__param_target], regex: .+, target_label: __address__, replacement: "watch:9115"}
"""

import json
from collections.abc import Sequence
from typing import TypedDict

from inventory.model import Device, Province

NODE_MODULE, NODE_PLATFORM = "node", "linux"
NODE_PORT = 9100


class TargetGroup(TypedDict):
    """One group of Prometheus' service discovery; every value is text."""

    targets: list[str]
    labels: dict[str, str]


def target_groups(province: Province, devices: Sequence[Device], prober: str = "") -> list[TargetGroup]:
    """Return the groups of all devices that have an address, in the order given.

    `prober` is the "host:port" that answers /probe; with it nothing has to be relabelled. Without it a target is
    the device's own address, as in a file that is written before anyone knows where the watch runs.
    """
    groups: list[TargetGroup] = []
    for device in devices:
        if not device.address:
            continue
        labels = _labels(province, device)
        groups += (_probe_group(device, module, labels, prober) for module in dict.fromkeys(device.probes))
        if NODE_MODULE in device.probes or device.platform == NODE_PLATFORM:
            groups.append({"targets": [f"{device.address}:{NODE_PORT}"], "labels": {**labels, "job": "node"}})
    return groups


def _probe_group(device: Device, module: str, labels: dict[str, str], prober: str) -> TargetGroup:
    asked = {
        "__metrics_path__": "/probe",
        "__param_module": module,
        "__param_target": device.address,
        "job": "probe",
        "module": module,
    }
    return {"targets": [prober or device.address], "labels": {**labels, **asked}}


def _labels(province: Province, device: Device) -> dict[str, str]:
    """Return the labels of all series of a device. An empty label is the same as none, so none is written."""
    office = province.offices[device.office]
    labels = {
        "instance": device.id,
        "office": office.id,
        "district": office.district,
        "tier": office.tier,
        "role": device.role,
    }
    return {name: value for name, value in labels.items() if value}


def write_prometheus(province: Province, devices: Sequence[Device]) -> str:
    """Return the groups as the text of a file_sd file."""
    return json.dumps(target_groups(province, devices), ensure_ascii=False, indent=2) + "\n"
