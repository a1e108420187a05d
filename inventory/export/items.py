"""Flat items: one device or office as plain values, under the words that commands, JSON and tables share.

Text that is not there is "", a day that is not there is None, days are ISO ("2026-10-31"), bandwidths are bit/s.
"""

from datetime import date
from typing import Any

from inventory.model import Device, Link, Office, Province


def device_item(province: Province, device: Device) -> dict[str, Any]:
    """Return a device with what follows from its office and type. `probes` is a list, `labels` a mapping."""
    office = province.offices[device.office]
    device_type = province.device_types[device.type]
    return {
        "id": device.id,
        "name": device.name,
        "office": office.id,
        "office_name": office.name,
        "unit": office.unit,
        "tier": office.tier,
        "district": office.district,
        "kind": office.kind,
        "role": device.role,
        "type": device_type.id,
        "manufacturer": device_type.manufacturer,
        "model": device_type.model,
        "address": device.address,
        "host_name": province.host_name(device),
        "gateway": device.gateway,
        "platform": device.platform,
        "driver": device.driver,
        "serial": device.serial,
        "mac": device.mac,
        "bought": _iso(device.bought),
        "warranty": _iso(device.warranty),
        "end_of_support": _iso(device_type.end_of_support),
        "owner": device.owner,
        "provider": office.uplink.provider if office.uplink else "",
        "medium": office.uplink.medium if office.uplink else "",
        "island": office.island,
        "probes": list(device.probes),
        "labels": dict(device.labels),
    }


def office_item(province: Province, office: Office) -> dict[str, Any]:
    """Return an office with its unit as on the province's day; `devices` is how many it has."""
    unit = province.units[office.unit]
    return {
        "id": office.id,
        "name": office.name,
        "unit": unit.id,
        "unit_code": unit.code.on(province.as_of),
        "unit_name": unit.name.on(province.as_of),
        "unit_type": unit.type.on(province.as_of),
        "tier": office.tier,
        "district": office.district,
        "kind": office.kind,
        "prefix": office.prefix,
        "parent": office.parent,
        **_link_item(office.uplink, ""),
        "backup_parent": office.backup.parent if office.backup else "",
        **_link_item(office.backup, "backup_"),
        "island": office.island,
        "devices": len(province.devices_of[office.id]),
        "labels": dict(office.labels),
    }


def _link_item(link: Link | None, before: str) -> dict[str, Any]:
    return {
        f"{before}provider": link.provider if link else "",
        f"{before}medium": link.medium if link else "",
        f"{before}bandwidth": link.bandwidth if link else None,
    }


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
