"""The devices as one JSON object, for scripts: {"schema": 1, "items": [...]}; see `inventory.export.items`."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from inventory.export.items import device_item
from inventory.model import Device, Province

SCHEMA = 1  # goes up when a key goes away or changes its meaning; new keys do not count


def envelope(items: Iterable[dict[str, Any]]) -> str:
    """Return `items` as the one JSON object that every command answers with, ending in a line break."""
    return json.dumps({"schema": SCHEMA, "items": list(items)}, ensure_ascii=False, indent=2) + "\n"


def write_json(province: Province, devices: Sequence[Device]) -> str:
    """Return the devices as JSON, in the order given."""
    return envelope(device_item(province, device) for device in devices)
