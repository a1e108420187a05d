"""What the cells of a device, an office or a device type say: text, days as ISO, bandwidths as people write them."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from inventory.export.items import device_item, office_item
from inventory.model import Device, DeviceType, Office, Province
from inventory.spreadsheet.columns import DEVICE_TYPES, DEVICES, OFFICES, Sheet

_BANDWIDTHS = ((1_000_000_000, "Gbit/s"), (1_000_000, "Mbit/s"), (1_000, "kbit/s"))


def device_values(province: Province, device: Device) -> dict[str, str]:
    """Return the cells of a device, by the key of their column."""
    return _values(DEVICES, device_item(province, device))


def office_values(province: Province, office: Office) -> dict[str, str]:
    """Return the cells of an office, by the key of their column."""
    item = office_item(province, office)
    speeds = {key: bandwidth_text(item[key]) for key in ("bandwidth", "backup_bandwidth")}
    return _values(OFFICES, item | speeds)


def device_type_values(device_type: DeviceType, devices: int) -> dict[str, str]:
    """Return the cells of a device type, of which the province has `devices`."""
    item = {column.key: getattr(device_type, column.key, "") for column in DEVICE_TYPES.columns}
    return _values(DEVICE_TYPES, item | {"devices": devices, "warranty_years": device_type.warranty_years or ""})


def bandwidth_text(bits: int | None) -> str:
    """Return bit/s as the files have it: "20 Mbit/s", "2.5 Gbit/s"; always exact."""
    if not bits:
        return ""
    for factor, unit in _BANDWIDTHS:
        if bits >= factor and bits * 1000 % factor == 0:
            return f"{bits / factor:.3f}".rstrip("0").rstrip(".") + f" {unit}"
    return f"{bits / 1000:.3f} kbit/s"


def _values(sheet: Sheet, item: Mapping[str, Any]) -> dict[str, str]:
    return {column.key: _text(item[column.key]) for column in sheet.columns}


def _text(value: object) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, date) else str(value)
