"""A function may do here what its policy in the template grants, and nothing else."""

import json
from typing import Any

import pytest

from infra.local.permissions import allows, needs
from infra.local.template import arn_of
from infra.local.world import LocalWorld, outside
from tests.local import stand_ins

KEY = {"pk": {"S": "a"}}
ACCOUNT = {"pk": {"S": "a"}, "sk": {"S": "b"}}
MAIL = {
    "Destination": {"ToAddresses": ["a@example.com"]},
    "Content": {"Simple": {"Subject": {"Data": "x"}, "Body": {"Text": {"Data": "x"}}}},
}
DUE = {
    "KeyConditionExpression": "due_shard = :s",
    "ExpressionAttributeValues": {":s": {"S": "later#0"}},
}


def _ask(world: LocalWorld, service: str, call: str, arguments: dict[str, Any]) -> int:
    body = json.dumps({"service": service, "call": call, "arguments": arguments})
    headers = {"Content-Type": "application/json"}
    return world.request("POST", "/curious", headers, body).status


@pytest.mark.parametrize(
    ("service", "call", "arguments"),
    [
        ("dynamodb", "put_item", {"TableName": "tested-catalogue", "Item": KEY}),
        ("dynamodb", "query", {"TableName": "tested-accounts", "IndexName": "due", **DUE}),
        (
            "dynamodb",
            "transact_write_items",
            {"TransactItems": [{"Put": {"TableName": "tested-catalogue", "Item": KEY}}]},
        ),
        ("sesv2", "send_email", {"FromEmailAddress": "shop@example.com", **MAIL}),
    ],
)
def test_what_a_policy_grants_is_done(
    world: LocalWorld, service: str, call: str, arguments: dict[str, Any]
) -> None:
    assert _ask(world, service, call, arguments) == 204, world.errors


@pytest.mark.parametrize(
    ("service", "call", "arguments", "action"),
    [
        (
            "dynamodb",
            "get_item",
            {"TableName": "tested-accounts", "Key": ACCOUNT},
            "dynamodb:GetItem",
        ),
        (
            "dynamodb",
            "delete_item",
            {"TableName": "tested-catalogue", "Key": KEY},
            "dynamodb:DeleteItem",
        ),
        (
            "dynamodb",
            "batch_get_item",
            {"RequestItems": {"tested-catalogue": {"Keys": [KEY]}}},
            "dynamodb:BatchGetItem",
        ),
        (
            "dynamodb",
            "transact_write_items",
            {
                "TransactItems": [
                    {"Put": {"TableName": "tested-catalogue", "Item": KEY}},
                    {"Put": {"TableName": "tested-accounts", "Item": ACCOUNT}},
                ]
            },
            "dynamodb:PutItem",
        ),
        (
            "events",
            "put_events",
            {"Entries": [{"Source": "a", "DetailType": "b", "Detail": "{}"}]},
            "events:PutEvents",
        ),
        ("ssm", "get_parameter", {"Name": "/tested/providers"}, "ssm:GetParameter"),
        (
            "sesv2",
            "send_email",
            {"FromEmailAddress": "somebody@else.example", **MAIL},
            "ses:SendEmail",
        ),
    ],
)
def test_what_a_policy_does_not_grant_is_refused_and_named(
    world: LocalWorld, service: str, call: str, arguments: dict[str, Any], action: str
) -> None:
    assert _ask(world, service, call, arguments) == 500
    assert f"Curious is not authorized to perform {action}" in world.errors[0]
    assert len(world.mailbox) == 0
    client = world.client("dynamodb")
    assert client.scan(TableName="tested-catalogue")["Items"] == []


def test_what_was_asked_is_remembered(world: LocalWorld) -> None:
    _ask(world, "dynamodb", "put_item", {"TableName": "tested-catalogue", "Item": KEY})
    asked = {(handler, need.action) for handler, need in world.used_permissions}
    assert asked == {
        ("tests.local.stand_ins.curious", "dynamodb:GetItem"),
        ("tests.local.stand_ins.curious", "dynamodb:PutItem"),
    }


def test_what_somebody_else_does_meanwhile_is_not_held_against_the_function(
    world: LocalWorld,
) -> None:
    def meddle() -> None:
        world.client("dynamodb").delete_item(TableName="tested-catalogue", Key=KEY)

    def meddle_from_outside() -> None:
        with outside():
            meddle()

    arguments = {"TableName": "tested-catalogue", "Item": KEY}
    stand_ins.meanwhile.append(meddle_from_outside)
    assert _ask(world, "dynamodb", "put_item", arguments) == 204, world.errors
    stand_ins.meanwhile[:] = [meddle]
    assert _ask(world, "dynamodb", "put_item", arguments) == 500
    assert "dynamodb:DeleteItem" in world.errors[0]


TURNS_ALONE = {
    "Effect": "Allow",
    "Action": "dynamodb:UpdateItem",
    "Resource": arn_of("access"),
    "Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": "rate#pace#*"}},
}


@pytest.mark.parametrize(
    ("pk", "granted"), [("rate#pace#stripe", True), ("session#abc", False), ("rate#link#a", False)]
)
def test_a_policy_may_grant_some_keys_of_a_table_alone(pk: str, granted: bool) -> None:
    key = {"pk": {"S": pk}, "sk": {"S": "line"}}
    alone = {"TableName": "access", "Key": key}
    for operation, asked in (
        ("UpdateItem", alone),
        ("TransactWriteItems", {"TransactItems": [{"Update": alone}]}),
    ):
        (need,) = needs("dynamodb", operation, json.dumps(asked).encode())
        assert allows((TURNS_ALONE,), need) is granted, operation
