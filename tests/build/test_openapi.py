"""`/openapi.json` says what the routes do, and the template routes to all of them."""

import json
import re
from typing import Any

import pytest

from infra import openapi
from infra.local import template

PARAMETERS = {"PublicUrl": "http://127.0.0.1", "SenderAddress": "a@example.com"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi.document(openapi.apps())


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_the_functions_serve_exactly_what_the_template_routes_to_them() -> None:
    routed: dict[str, set[str]] = {}
    for route in template.load(PARAMETERS).routes:
        module = route.function.handler.split(".")[-2]
        routed.setdefault(module, set()).add(route.path)
    routed.pop("receive")
    served = {name: {route.path for route in app.routes} for name, app in openapi.apps().items()}
    assert served == routed


def test_what_is_written_is_what_the_routes_say() -> None:
    content = openapi.text(openapi.apps())
    for path in openapi.WRITTEN:
        assert path.read_text() == content, "run `python -m infra.openapi`"


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    referred = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert referred <= set(document["components"]["schemas"])


def test_every_operation_has_its_own_id_a_summary_and_an_answer(document: dict[str, Any]) -> None:
    listed = operations(document)
    ids = [operation["operationId"] for _, _, operation in listed]
    assert len(ids) == len(set(ids)) > 0
    for _, _, operation in listed:
        assert operation["summary"].endswith(".")
        assert any(status.startswith("2") for status in operation["responses"])


def test_every_name_in_a_path_is_a_parameter(document: dict[str, Any]) -> None:
    for path, _, operation in operations(document):
        named = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"}
        assert named == set(re.findall(r"\{(\w+)\}", path))


def test_a_body_is_told_once_for_forms_and_json(document: dict[str, Any]) -> None:
    body = document["paths"]["/sign-in"]["post"]["requestBody"]["content"]
    assert set(body) == {"application/json", "application/x-www-form-urlencoded"}
    assert len({json.dumps(one) for one in body.values()}) == 1


def test_what_needs_somebody_says_so(document: dict[str, Any]) -> None:
    for _, _, operation in operations(document):
        assert ("401" in operation["responses"]) == bool(operation["security"])
