"""Holds every function to the policy that the template gives it.

What a function may not do in a deployment it may not do here either, so a permission that was
forgotten fails in the first test that needs it.
"""

import json
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from infra.local.aws import Answer
from infra.local.template import ACCOUNT_ID, REGION, Function, arn_of

LEADING_KEY = "pk"
TRANSACTION_ACTIONS = {
    "ConditionCheck": "ConditionCheckItem",
    "Delete": "DeleteItem",
    "Get": "GetItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
}


class Need(NamedTuple):
    """What one call asks of a policy; `context` are the condition keys that it comes with."""

    action: str
    resource: str
    context: tuple[tuple[str, str], ...] = ()


def needs(service: str, operation: str, body: bytes) -> Iterator[Need]:
    """Every permission that a call needs, by botocore's name of the service."""
    asked: dict[str, Any] = json.loads(body or b"{}")
    match service:
        case "dynamodb":
            yield from _of_dynamodb(operation, asked)
        case "eventbridge":
            for entry in asked.get("Entries", []):
                yield Need(f"events:{operation}", arn_of(entry.get("EventBusName", "default")))
        case "ssm":
            name = asked.get("Name", "")
            yield Need(f"ssm:{operation}", f"arn:aws:ssm:{REGION}:{ACCOUNT_ID}:parameter{name}")
        case "sesv2":
            sender = asked.get("FromEmailAddress", "")
            context = (("ses:FromAddress", sender),)
            identity = f"arn:aws:ses:{REGION}:{ACCOUNT_ID}:identity/{sender}"
            yield Need(f"ses:{operation}", identity, context)
            if "Raw" in asked.get("Content", {}):
                yield Need("ses:SendRawEmail", identity, context)
        case _:
            yield Need(f"{service}:{operation}", "*")


def _of_dynamodb(operation: str, asked: Mapping[str, Any]) -> Iterator[Need]:
    if operation in ("TransactWriteItems", "TransactGetItems"):
        for item in asked["TransactItems"]:
            for kind, content in item.items():
                action = f"dynamodb:{TRANSACTION_ACTIONS[kind]}"
                yield Need(action, arn_of(content["TableName"]), _leading_key(content))
    elif operation in ("BatchGetItem", "BatchWriteItem"):
        for table in asked["RequestItems"]:
            yield Need(f"dynamodb:{operation}", arn_of(table))
    else:
        resource = arn_of(asked.get("TableName", "*"))
        index = asked.get("IndexName")
        arn = f"{resource}/index/{index}" if index else resource
        yield Need(f"dynamodb:{operation}", arn, _leading_key(asked))


def _leading_key(asked: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The hash key of the one item that is asked for."""
    key = (asked.get("Key") or asked.get("Item") or {}).get(LEADING_KEY, {}).get("S")
    return () if key is None else (("dynamodb:LeadingKeys", key),)


def allows(statements: tuple[Mapping[str, Any], ...], need: Need) -> bool:
    """Whether a policy grants what is needed. Conditions are those that the template has."""
    return any(
        statement["Effect"] == "Allow"
        and any(fnmatchcase(need.action, action) for action in _listed(statement["Action"]))
        and any(fnmatchcase(need.resource, each) for each in _listed(statement["Resource"]))
        and _fulfils(statement.get("Condition", {}), dict(need.context))
        for statement in statements
    )


def _listed(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


def _fulfils(condition: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    return all(
        _matches(operator, context.get(key), value)
        for operator, wanted in condition.items()
        for key, value in wanted.items()
    )


def _matches(operator: str, found: str | None, wanted: str) -> bool:
    match operator:
        case "StringEquals":
            return found == wanted
        case "ForAllValues:StringLike":
            # Of a key that the request does not have, AWS says yes.
            return found is None or fnmatchcase(found, wanted)
        case _:
            raise NotImplementedError(f"the condition {operator} is not served here")


def refusal(function: Function, needed: list[Need]) -> Answer | None:
    """The answer to a call that the function's policy does not grant; None when it does."""
    if function.statements is None:
        return None
    for need in needed:
        if not allows(function.statements, need):
            message = (
                f"{function.name} is not authorized to perform {need.action} on {need.resource}"
            )
            told = {"__type": "AccessDeniedException", "message": message}
            return Answer(400, json.dumps(told).encode())
    return None
