"""Writes `/openapi.json` from the routes themselves: `python -m infra.openapi`, `--check` compares.

The functions are those that `template.yaml` routes to; what a route takes and answers comes from
the models that it is served with, so the document can't say anything else.
"""

import argparse
import importlib.util
import json
import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from infra.local import template
from shared.web.answer import SESSION_COOKIE, STAFF_COOKIE
from shared.web.app import App
from shared.web.body import FORM
from shared.web.problem import Problem
from shared.web.request import MAX_IDEMPOTENCY_KEY, MIN_IDEMPOTENCY_KEY, Route, Who

ROOT = Path(__file__).resolve().parents[1]
WRITTEN = (ROOT / "docs" / "openapi.json", ROOT / "functions" / "portal" / "openapi.json")
"""For readers, and for the function that serves it."""

SCHEMAS = "#/components/schemas/{model}"
Schema = dict[str, Any]
Schemas = Mapping[tuple[Any, JsonSchemaMode], Schema]

SECURITY: Mapping[Who, list[dict[str, list[str]]]] = {
    Who.ANYONE: [],
    Who.CUSTOMER: [{"customer": []}],
    Who.STAFF: [{"staff": []}],
}
WEBHOOK = {
    "post": {
        "operationId": "post_webhooks_provider",
        "summary": "An event of a payment provider, signed by it.",
        "tags": ["webhooks"],
        "security": [],
        "parameters": [
            {"name": "provider", "in": "path", "required": True, "schema": {"type": "string"}}
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"type": "object"}}},
        },
        "responses": {
            "200": {"description": "Stored, or it was before."},
            "400": {"description": "It does not verify. Nothing is stored."},
            "404": {"description": "There is no such provider here."},
        },
    }
}
"""The one path that is no page: its body is read as raw bytes, by no model."""

WEBHOOK_PATH = "/webhooks/{provider}"


@dataclass(frozen=True)
class Served:
    """A route, and the function that has it."""

    function: str
    route: Route


def apps() -> dict[str, App]:
    """Every `App` that the template routes to, by its module's last name."""
    parameters = {"PublicUrl": "http://127.0.0.1", "SenderAddress": "a@example.com"}
    routes = template.load(parameters).routes
    modules = dict.fromkeys(route.function.handler.rpartition(".")[0] for route in routes)
    found = {}
    for name in modules:
        if importlib.util.find_spec(name) is None:
            continue  # the test of the routes names it
        app = getattr(importlib.import_module(name), "app", None)
        if isinstance(app, App):
            found[name.rpartition(".")[2]] = app
    return found


def served(found: Mapping[str, App]) -> list[Served]:
    return [
        Served(function, route)
        for function, app in found.items()
        for route in app.routes
        if not route.hidden
    ]


def document(found: Mapping[str, App]) -> dict[str, Any]:
    """The whole of it, as OpenAPI 3.1."""
    listed = served(found)
    made, definitions = models_json_schema(sorted(_models(listed), key=str), ref_template=SCHEMAS)
    schemas: Schemas = {(model, mode): schema for (model, mode), schema in made.items()}
    paths: dict[str, Any] = {}
    for one in listed:
        paths.setdefault(one.route.path, {})[one.route.method.lower()] = _operation(one, schemas)
    paths[WEBHOOK_PATH] = WEBHOOK
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Punchcard",
            "version": project["version"],
            "description": (
                "Every route answers JSON to programs and pages to people, by `Accept`; a form and "
                "a JSON body are read by the same model. Where a page would follow, people get 303."
            ),
            "license": {"name": project["license"], "identifier": project["license"]},
        },
        "servers": [{"url": "/"}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {
                "customer": {"type": "apiKey", "in": "cookie", "name": SESSION_COOKIE},
                "staff": {"type": "apiKey", "in": "cookie", "name": STAFF_COOKIE},
            },
        },
    }


def _models(listed: Iterable[Served]) -> set[tuple[type[BaseModel], JsonSchemaMode]]:
    models: set[tuple[type[BaseModel], JsonSchemaMode]] = {(Problem, "serialization")}
    for one in listed:
        if one.route.answer is not None:
            models.add((one.route.answer, "serialization"))
        models |= {
            (model, "validation")
            for model in (one.route.body, one.route.query)
            if model is not None
        }
    return models


def _operation(one: Served, schemas: Schemas) -> dict[str, Any]:
    route = one.route
    operation: dict[str, Any] = {
        "operationId": _operation_id(route),
        "summary": route.summary,
        "tags": [one.function],
        "security": SECURITY[route.who],
        "responses": _responses(route, schemas),
    }
    parameters = [*_path_parameters(route), *_query_parameters(route)]
    if route.idempotency_key:
        parameters.append(IDEMPOTENCY_KEY)
    if parameters:
        operation["parameters"] = parameters
    if route.body is not None:
        schema = {"schema": schemas[route.body, "validation"]}
        operation["requestBody"] = {
            "required": any(field.is_required() for field in route.body.model_fields.values()),
            "content": {"application/json": schema, FORM: schema},
        }
    return operation


IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "New for each submission; the same again answers the same. A form sends it as "
    "the field `idempotency_key`.",
    "schema": {
        "type": "string",
        "minLength": MIN_IDEMPOTENCY_KEY,
        "maxLength": MAX_IDEMPOTENCY_KEY,
    },
}


def _operation_id(route: Route) -> str:
    words = [
        segment.strip("{}").replace("-", "_").replace(".", "_")
        for segment in route.path.split("/")
        if segment
    ]
    return "_".join([route.method.lower(), *words])


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {"name": segment[1:-1], "in": "path", "required": True, "schema": {"type": "string"}}
        for segment in route.path.split("/")
        if segment.startswith("{")
    ]


def _query_parameters(route: Route) -> list[dict[str, Any]]:
    """A query's fields, each a parameter; what they refer to stands beside the other schemas."""
    if route.query is None:
        return []
    schema = route.query.model_json_schema(ref_template=SCHEMAS)
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "schema": field,
        }
        for name, field in schema.get("properties", {}).items()
    ]


def _responses(route: Route, schemas: Schemas) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if route.answer is not None:
        content["application/json"] = {"schema": schemas[route.answer, "serialization"]}
    if route.page is not None:
        content["text/html"] = {"schema": {"type": "string"}}
    responses: dict[str, Any] = {
        str(route.status): {
            "description": HTTPStatus(route.status).phrase,
            **({"content": content} if content else {}),
        }
    }
    for status in _failures(route):
        responses[str(status.value)] = _problem(status.phrase, schemas)
    responses["default"] = _problem("Anything else that went wrong.", schemas)
    return responses


def _failures(route: Route) -> Iterable[HTTPStatus]:
    """What the route may answer by what it is; others come under `default`."""
    if route.who is not Who.ANYONE:
        yield HTTPStatus.UNAUTHORIZED
    if route.method != "GET":
        yield HTTPStatus.FORBIDDEN
    if "{" in route.path:
        yield HTTPStatus.NOT_FOUND
    if route.idempotency_key:
        yield HTTPStatus.CONFLICT
    if route.body is not None:
        yield HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        yield HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    if route.body is not None or route.query is not None or route.idempotency_key:
        yield HTTPStatus.UNPROCESSABLE_ENTITY


def _problem(description: str, schemas: Schemas) -> dict[str, Any]:
    schema = schemas[Problem, "serialization"]
    return {
        "description": description,
        "content": {"application/problem+json": {"schema": schema}},
    }


def text(found: Mapping[str, App]) -> str:
    return json.dumps(document(found), indent=1, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write the document, or with `--check` say whether what is there is up to date."""
    parser = argparse.ArgumentParser(prog="python -m infra.openapi", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    check = parser.parse_args(arguments).check
    content = text(apps())
    stale = [path for path in WRITTEN if not path.exists() or path.read_text() != content]
    if check and stale:
        names = ", ".join(str(path.relative_to(ROOT)) for path in stale)
        print(f"{names}: not what the routes say. Run `python -m infra.openapi`.")
        return 1
    for path in stale:
        path.write_text(content)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
