"""Reduces botocore's descriptions of AWS to the calls that the functions make.

botocore reads JSON to learn what a service's calls look like and where it is reached. That of
DynamoDB alone describes 57 calls with all their documentation; the list of endpoints names every
service in every region. A client is made at every cold start, and reading them is half of its cost.
What is left out here is gone for the artefact only; tests hold the list against the template.
"""

import gzip
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

KEPT_CALLS: Mapping[str, frozenset[str]] = {
    "dynamodb": frozenset(
        {"BatchGetItem", "DeleteItem", "PutItem", "Query", "TransactWriteItems", "UpdateItem"}
    ),
    "events": frozenset({"PutEvents"}),
    "sesv2": frozenset({"SendEmail"}),
    "ssm": frozenset({"GetParameter"}),
}
"""The services that the functions call, by botocore's name, and the calls."""

READ_FOR_A_CLIENT = ("service-2.json", "endpoint-rule-set-1.json")
"""What botocore reads of a service to make a client. The rest is for paginators, waiters and
documentation, which we don't use."""


def reduce(data: Path) -> frozenset[str]:
    """Leave in botocore's `data` directory what clients of `KEPT_CALLS` read. Returns those
    services as botocore's events name them."""
    prefixes, named = set(), set()
    for service in sorted(path for path in data.iterdir() if path.is_dir()):
        if service.name not in KEPT_CALLS:
            shutil.rmtree(service)
            continue
        model = _reduce_service(service)
        prefixes.add(model["metadata"]["endpointPrefix"])
        named.add(model["metadata"]["serviceId"].replace(" ", "-").lower())
    endpoints = json.loads((data / "endpoints.json").read_text())
    for partition in endpoints["partitions"]:
        services = partition["services"]
        partition["services"] = {name: services[name] for name in services if name in prefixes}
    _write(data / "endpoints.json", endpoints)
    return frozenset(named)


def _reduce_service(service: Path) -> dict[str, Any]:
    *older, version = sorted(path for path in service.iterdir() if path.is_dir())
    for path in older:
        shutil.rmtree(path)
    model = only_calls(_read(version / "service-2.json.gz"), KEPT_CALLS[service.name])
    rules = _read(version / "endpoint-rule-set-1.json.gz")
    for path in version.iterdir():
        path.unlink()
    for name, content in zip(READ_FOR_A_CLIENT, (model, rules), strict=True):
        _write(version / name, without_documentation(content))
    return model


def only_calls(model: dict[str, Any], calls: frozenset[str]) -> dict[str, Any]:
    """A service's description with those calls and the shapes that they mention, directly or not.
    Raises `KeyError` for a call that the service does not have."""
    operations = {name: model["operations"][name] for name in sorted(calls)}
    wanted = set(_shapes_in(operations))
    found: set[str] = set()
    while wanted:
        name = wanted.pop()
        found.add(name)
        wanted |= set(_shapes_in(model["shapes"][name])) - found
    shapes = {name: shape for name, shape in model["shapes"].items() if name in found}
    return {**model, "operations": operations, "shapes": shapes}


def _shapes_in(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        shape = part.get("shape")
        if isinstance(shape, str):
            yield shape
        for inner in part.values():
            yield from _shapes_in(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _shapes_in(inner)


def without_documentation(part: Any) -> Any:
    """The same without its texts for people. A member that is called `documentation` stays."""
    if isinstance(part, dict):
        return {
            name: without_documentation(inner)
            for name, inner in part.items()
            if not (name == "documentation" and isinstance(inner, str))
        }
    if isinstance(part, list):
        return [without_documentation(inner) for inner in part]
    return part


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(gzip.decompress(path.read_bytes()))
    return content


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, separators=(",", ":"), ensure_ascii=False))
