"""Check a document against its declared shape; every complaint carries its line and the nearest right spelling."""

import copy
from collections.abc import Callable, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from inventory.declared_province import ProvinceFile
from inventory.finding import Finding, finding
from inventory.gaps import Gaps
from inventory.language import N_, _
from inventory.nearest import nearest
from inventory.rules import RULES
from inventory.yamlfile import Document

ShapeT = TypeVar("ShapeT", bound=BaseModel)

EXPECTED: Mapping[str, str] = {
    "string_type": N_("text"),
    "string_too_short": N_("text that is not empty"),
    "string_pattern_mismatch": N_("text of the form {pattern}"),
    "string_too_long": N_("a shorter text"),
    "int_type": N_("a whole number"),
    "int_parsing": N_("a whole number"),
    "int_parsing_size": N_("a smaller number"),
    "int_from_float": N_("a whole number"),
    "float_type": N_("a number"),
    "float_parsing": N_("a number"),
    "bool_type": N_("true or false"),
    "bool_parsing": N_("true or false"),
    "date_type": N_("a date such as 2026-10-31"),
    "list_type": N_("a list"),
    "dict_type": N_("a mapping of keys to values"),
    "model_type": N_("a mapping of keys to values"),
    "too_short": N_("at least one entry"),
    "greater_than_equal": N_("a number of {ge} or more"),
    "less_than_equal": N_("a number of {le} or less"),
    "greater_than": N_("a number above {gt}"),
}


def validate(document: Document, model: type[ShapeT]) -> tuple[ShapeT | None, list[Finding]]:
    """Return the document as `model`, or None and every reason why not, in the order of the file."""
    shape, items, _data = _attempt(document, model)
    found: dict[Any, Finding] = {}
    for item in items:
        complaint = _complain(document, model, item)
        found.setdefault(complaint.place, complaint)  # a union complains once for each of its branches
    return shape, sorted(found.values(), key=lambda complaint: complaint.place)


def _attempt(document: Document, model: type[ShapeT]) -> tuple[ShapeT | None, list[ErrorDetails], Any]:
    """Return the shape or what is wrong, and the data: a key with nothing behind it is as good as no key."""
    try:
        return model.model_validate(document.data), [], document.data
    except ValidationError as error:
        items = error.errors(include_url=False)
    if not any(item["input"] is None for item in items):
        return None, items, document.data
    data = copy.deepcopy(document.data)
    for item in items:
        if item["input"] is None:
            _fill(data, item, model)
    try:
        return model.model_validate(data), [], data
    except ValidationError as error:
        return None, error.errors(include_url=False), data


_NOTHING: Mapping[str, Callable[[], Any]] = {"model_type": dict, "dict_type": dict, "list_type": list}


def _fill(data: Any, item: ErrorDetails, model: type[BaseModel]) -> None:
    """Put what `key:` without a value means in the place of None: an empty mapping or list, or no key at all."""
    path, here = _written(item), data
    for depth, step in enumerate(path):
        if here[step] is None:
            if item["type"] in _NOTHING:
                here[step] = _NOTHING[item["type"]]()
            elif step in known_keys(model, path[:depth]):
                del here[step]
            return
        here = here[step]


HEADINGS = ("units", "roles", "kinds", "offices", "services", "people", "modules")
# Of these keys any value will do for the other checks: what depends on them is checked with them.
_STAND_INS: Mapping[str, Any] = {
    "id": "x",
    "name": "x",
    "domain": "x",
    "time_zone": "UTC",
    "contacts": [],
    "working_hours": {},
    "database": "x",
    "page": None,
    "alerts": None,
    "maintenance": [],
    "schedule": {},
}


def salvage(document: Document, model: type[ShapeT]) -> tuple[ShapeT | None, Gaps]:
    """Return what can be used of a document with faults, and the names of the entries that cannot.

    Without an entry that is wrong in itself the rest can still be checked; None when the fault is not in an entry.
    """
    _shape, items, data = _attempt(document, model)
    data, gaps = copy.deepcopy(data), Gaps()
    for path in (item["loc"] for item in items):
        if len(path) > 1 and path[0] in HEADINGS:
            data[path[0]].pop(path[1], None)
            gaps = gaps.plus(str(path[0]), [str(path[1])])
        elif path and path[0] in _STAND_INS and model is ProvinceFile:
            data[path[0]] = _STAND_INS[str(path[0])]
    try:
        return model.model_validate(data), gaps
    except ValidationError:
        return None, names_in(document.data, model)


def names_in(data: Mapping[str, Any] | None, model: type[BaseModel]) -> Gaps:
    """Return all that a file declares, as far as it can be told, as missing."""
    gaps = Gaps()
    for heading in HEADINGS:
        if heading in model.model_fields:
            entries = data.get(heading) if data else None
            gaps = gaps.plus(heading, entries if isinstance(entries, Mapping) else None)
    if "slug" in model.model_fields:
        slug = data.get("slug") if data else None
        gaps = gaps.plus("device-types", [slug] if isinstance(slug, str) else None)
    return gaps


def _complain(document: Document, model: type[BaseModel], item: ErrorDetails) -> Finding:
    path, kind = _written(item), item["type"]
    where = ".".join(map(str, path)) or _("the file")
    place = document.place(*path)
    if kind == "extra_forbidden":
        fields = known_keys(model, path[:-1])
        what = ".".join(map(str, path[:-1])) or document.file
        return finding(place, "unknown-key", key=path[-1], what=what, near=nearest(str(path[-1]), fields))
    if kind == "missing" and path[-1] in _at(document.data, path[:-1]):
        return finding(place, "wrong-type", what=where, value=shown(None), expected=_("a value"))
    if kind == "missing":
        return finding(place, "missing-key", key=path[-1], what=".".join(map(str, path[:-1])) or document.file)
    if kind in RULES:
        return finding(place, kind, what=where, **item["ctx"])
    if kind == "literal_error":
        allowed = [word.strip("'") for word in str(item["ctx"]["expected"]).replace(" or ", ", ").split(", ")]
        near = nearest(str(item["input"]), [word for word in allowed if word])
        return finding(place, "unknown-value", value=shown(item["input"]), what=where, near=near)
    return finding(place, "wrong-type", what=where, expected=expectation(item), value=shown(item["input"]))


def _written(item: ErrorDetails) -> tuple[str | int, ...]:
    """Return where it is, without the steps of pydantic's own that no file has."""
    return tuple(step for step in item["loc"] if step not in ("[key]", "[text]", "[dates]", "[one]", "[list]"))


def _at(data: Any, path: Sequence[str | int]) -> Any:
    for step in path:
        data = data[step]
    return data or {}


def expectation(item: ErrorDetails) -> str:
    """Return what would have been right, in the chosen language as far as pydantic's complaint is known here."""
    if item["type"] in EXPECTED:
        limits = item.get("ctx", {}).items()
        return _(EXPECTED[item["type"]]).format_map(
            {name: f"{limit:g}" if isinstance(limit, float) else limit for name, limit in limits}
        )
    return item["msg"].removeprefix("Value error, ")


def shown(value: object) -> str:
    """Return a value that somebody wrote as it can stand in a sentence."""
    if value is None:
        return _("nothing")
    if isinstance(value, Mapping):
        return _("a mapping")
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _("a list")
    return f"'{str(value)[:60]}'"


def known_keys(model: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    """Return the keys that the mapping at `path` below `model` may have."""
    here: Any = model
    for step in path:
        here = _descend(here, step)
    shape = _shape_in(here)
    return [field.alias or name for name, field in shape.model_fields.items()] if shape else []


def _descend(annotation: Any, step: str | int) -> Any:
    shape = _shape_in(annotation)
    if shape is not None and isinstance(step, str):
        for name, field in shape.model_fields.items():
            if step in (name, field.alias):
                return field.annotation
        return None
    for option in _options(annotation):
        if get_origin(option) in (dict, list):
            return get_args(option)[-1]
    return None


def _options(annotation: Any) -> tuple[Any, ...]:
    options = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    return tuple(get_args(option)[0] if get_origin(option) is Annotated else option for option in options)


def _shape_in(annotation: Any) -> type[BaseModel] | None:
    shapes = [option for option in _options(annotation) if isinstance(option, type) and get_origin(option) is None]
    return next((shape for shape in shapes if issubclass(shape, BaseModel)), None)
