"""Check a document against its declared shape; every complaint carries its line and the nearest right spelling."""

from collections.abc import Mapping, Sequence
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from inventory.finding import Finding, finding
from inventory.language import N_, _
from inventory.nearest import nearest
from inventory.rules import RULES
from inventory.yamlfile import Document

ShapeT = TypeVar("ShapeT", bound=BaseModel)

EXPECTED: Mapping[str, str] = {
    "string_type": N_("text"),
    "string_too_short": N_("text that is not empty"),
    "string_pattern_mismatch": N_("letters, digits, - and _ only"),
    "string_too_long": N_("a shorter text"),
    "int_type": N_("a whole number"),
    "int_parsing": N_("a whole number"),
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
    try:
        return model.model_validate(document.data), []
    except ValidationError as error:
        found: dict[Any, Finding] = {}
        for item in error.errors(include_url=False):
            complaint = _complain(document, model, item)
            found.setdefault(complaint.place, complaint)  # a union complains once for each of its branches
        return None, sorted(found.values(), key=lambda complaint: complaint.place)


def _complain(document: Document, model: type[BaseModel], item: ErrorDetails) -> Finding:
    path, kind = item["loc"], item["type"]
    where = ".".join(str(step) for step in path if step != "[key]") or _("the file")
    place = document.place(*path)
    if kind == "extra_forbidden":
        fields = known_keys(model, path[:-1])
        what = ".".join(map(str, path[:-1])) or document.file
        return finding(place, "unknown-key", key=path[-1], what=what, near=nearest(str(path[-1]), fields))
    if kind == "missing":
        return finding(place, "missing-key", key=path[-1], what=".".join(map(str, path[:-1])) or document.file)
    if kind in RULES:
        return finding(place, kind, value=item["msg"], what=where)
    context = item.get("ctx", {})
    if kind == "literal_error":
        allowed = [word.strip("'") for word in str(context["expected"]).replace(" or ", ", ").split(", ")]
        near = nearest(str(item["input"]), [word for word in allowed if word])
        return finding(place, "unknown-value", value=_shown(item["input"]), what=where, near=near)
    expected = _(EXPECTED[kind]).format_map(context) if kind in EXPECTED else item["msg"]
    return finding(place, "wrong-type", what=where, expected=expected, value=_shown(item["input"]))


def _shown(value: object) -> str:
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
    if shape is not None:
        for name, field in shape.model_fields.items():
            if step in (name, field.alias):
                return field.annotation
        return None
    for option in _options(annotation):
        if get_origin(option) in (dict, list):
            return get_args(option)[-1]
    return None


def _options(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)


def _shape_in(annotation: Any) -> type[BaseModel] | None:
    shapes = [option for option in _options(annotation) if isinstance(option, type) and get_origin(option) is None]
    return next((shape for shape in shapes if issubclass(shape, BaseModel)), None)
