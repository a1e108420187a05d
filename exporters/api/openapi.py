"""The OpenAPI 3.1 document, made from the table of endpoints and the models, so that it says what is done."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from exporters.api.endpoints import ENDPOINTS, Endpoint
from exporters.api.problems import KINDS, MEDIA_TYPE, Problem

_REF = "#/components/schemas/{model}"
_ELSEWHERE = {404, 405}  # problems of other paths and methods than those of the document


@cache
def document() -> dict[str, Any]:
    """Return the document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "tuyen",
            "version": "1",
            "description": "The state of a province's e-government network. Everything can be read, nothing changed.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {"session": []}],
        "paths": {endpoint.path: {"get": _operation(endpoint)} for endpoint in ENDPOINTS},
        "components": {
            "schemas": _schemas(),
            "responses": dict(_problem_responses()),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "tuyen account token create"},
                "session": {"type": "apiKey", "in": "cookie", "name": "__Host-tuyen-session"},
            },
        },
    }


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": _REF.format(model=_page_name(endpoint))}}}
    problems = {status: {"$ref": f"#/components/responses/{status}"} for status, _response in _problem_responses()}
    return {
        "operationId": endpoint.name,
        "summary": endpoint.about,
        "parameters": list(parameters(endpoint)),
        "responses": {"200": {"description": "The items, in the order of their keys.", "content": content}, **problems},
    }


def parameters(endpoint: Endpoint) -> Iterator[dict[str, Any]]:
    """Yield the parameters of an endpoint as OpenAPI has them."""
    schema = endpoint.query.model_json_schema(ref_template=_REF)
    for name, told in schema["properties"].items():
        kept = {key: value for key, value in told.items() if key not in ("title", "description")}
        yield {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "description": told.get("description", ""),
            "schema": _without_null(kept),
        }


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of what is written in an address, where nothing is simply not there."""
    if "anyOf" not in schema:
        return schema
    (only,) = (one for one in schema["anyOf"] if one.get("type") != "null")
    return dict(only)


def _schemas() -> dict[str, Any]:
    models: list[type[BaseModel]] = [Problem]
    for endpoint in ENDPOINTS:
        models += [endpoint.item, endpoint.query]
    _named, made = models_json_schema([(model, "serialization") for model in models], ref_template=_REF)
    queries = {endpoint.query.__name__ for endpoint in ENDPOINTS}
    schemas = {name: schema for name, schema in made["$defs"].items() if name not in queries}
    return {**schemas, **{_page_name(endpoint): _page_schema(endpoint) for endpoint in ENDPOINTS}}


def _page_name(endpoint: Endpoint) -> str:
    return f"{endpoint.item.__name__.removesuffix('Item')}Page"


def _page_schema(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["schema", "items", "next"],
        "additionalProperties": False,
        "properties": {
            "schema": {"const": 1, "description": "The version of this form."},
            "items": {"type": "array", "items": {"$ref": _REF.format(model=endpoint.item.__name__)}},
            "next": {"type": ["string", "null"], "description": "The 'after' of the next page; null on the last."},
        },
    }


def _problem_responses() -> Iterator[tuple[str, Any]]:
    for status in sorted({kind.status for kind in KINDS.values()} - _ELSEWHERE):
        titles = "; ".join(kind.title for kind in KINDS.values() if kind.status == status)
        yield (
            str(status),
            {"description": titles, "content": {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="Problem")}}}},
        )
