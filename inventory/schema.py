"""JSON Schemas of a province's files, so that editors complete and check while one types."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from inventory.declared import DeviceTypeFile, KindsFile, OfficesFile, PeopleFile, ServicesFile, UnitsFile
from inventory.declared_holidays import HolidaysFile
from inventory.declared_province import ProvinceFile
from inventory.declared_rollouts import RolloutFile
from inventory.model import Province

FOLDER = ".schema"
SCHEMAS: Mapping[str, type[BaseModel]] = {
    "province": ProvinceFile,
    "units": UnitsFile,
    "kinds": KindsFile,
    "offices": OfficesFile,
    "services": ServicesFile,
    "people": PeopleFile,
    "device-type": DeviceTypeFile,
    "rollout": RolloutFile,
    "holidays": HolidaysFile,
}


def schemas(province: Province | None = None) -> Iterator[tuple[str, str]]:
    """Yield (file name, text) of each schema; with a province, its own names are offered where they fit."""
    known = _names(province) if province else {}
    for name, model in SCHEMAS.items():
        schema = model.model_json_schema()
        for shape in (schema, *schema.get("$defs", {}).values()):
            for key, values in known.items():
                _offer(shape.get("properties", {}), key, values)
            _allow_numbers(shape.get("properties", {}))
        yield f"{name}.json", json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def _names(province: Province) -> Mapping[str, list[str]]:
    """Return the values that a key may have, by key. Only what is closed: free texts are not offered."""
    return {
        "kind": list(province.kinds),
        "role": list(province.roles),
        "tier": list(province.tiers),
        "module": sorted(province.modules),
        "unit": sorted(province.units),
    }


def _offer(properties: dict[str, Any], key: str, values: list[str]) -> None:
    """Let an editor offer `values`; `examples` completes without refusing a name that is only being added."""
    if values and key in properties:
        properties[key]["examples"] = values


def _allow_numbers(properties: dict[str, Any]) -> None:
    """A serial such as 00123 or a code such as 91 is text to us without quotes too; let editors agree."""
    for key in ("serial", "code"):
        shape = properties.get(key, {})
        for option in shape.get("anyOf") or shape.get("oneOf") or [shape]:
            if option.get("type") == "string":
                option["type"] = ["string", "integer"]


def write_schemas(folder: Path, province: Province | None = None) -> tuple[Path, ...]:
    """Write every schema into `folder`/.schema and return the paths."""
    target = folder / FOLDER
    target.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in schemas(province):
        path = target / name
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return tuple(written)
