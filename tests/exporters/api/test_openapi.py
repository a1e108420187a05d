"""The OpenAPI document: whole, right in itself, and the one that is served."""

import json
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from exporters.api.endpoints import ENDPOINTS
from exporters.api.openapi import document
from tests.exporters.access.serving import Browser


def walk(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from walk(inner)
    if isinstance(value, list):
        for inner in value:
            yield from walk(inner)


def test_every_reference_leads_somewhere() -> None:
    made = document()
    references = {str(found["$ref"]) for found in walk(made) if "$ref" in found}
    assert references
    for reference in references:
        here: Any = made
        for step in reference.removeprefix("#/").split("/"):
            here = here[step]
    defined = {f"#/components/{kind}/{name}" for kind in ("schemas", "responses") for name in made["components"][kind]}
    assert defined - references == set()  # nor is anything defined that nobody needs


def test_every_schema_is_one() -> None:
    made = document()
    for schema in made["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for path in made["paths"].values():
        for parameter in path["get"]["parameters"]:
            assert {"name", "in", "required", "description", "schema"} == set(parameter)
            assert (parameter["in"], parameter["description"] != "") == ("query", True)
            Draft202012Validator.check_schema(parameter["schema"])


def test_it_has_the_form_of_openapi() -> None:
    made = document()
    assert made["openapi"].startswith("3.1.")
    assert {"title", "version"} <= set(made["info"])
    names = [path["get"]["operationId"] for path in made["paths"].values()]
    assert names == [endpoint.name for endpoint in ENDPOINTS]
    for path, operations in made["paths"].items():
        assert path.startswith("/api/v1/")
        responses = operations["get"]["responses"]
        assert {"200", "400", "401", "503"} == set(responses)
        assert all("description" in one or "$ref" in one for one in responses.values())
    assert all("description" in one for one in made["components"]["responses"].values())
    schemes = made["components"]["securitySchemes"]
    assert {name for one in made["security"] for name in one} == set(schemes)


def test_it_is_served_to_everybody(port: int) -> None:
    answer = Browser(port).get("/api/v1/openapi.json")
    assert (answer.status, json.loads(answer.text)) == (200, document())
