"""The floor: what a page, a checkout and a renewal ask of DynamoDB, written by hand on boto3.

No models, no checks, no prices, no pages: the requests of our functions, with the same items, and
nothing else. What is written was worked out before; here it only becomes JSON. So no program that
does what ours does can cost less than this, and `overhead.*` is how much more ours costs.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]
Keys = Mapping[str, Sequence[Mapping[str, Any]]]
"""What to read: by table, the keys."""


@dataclass(frozen=True)
class Written:
    """An item to put: its attributes as DynamoDB's JSON, its document (as text where that is stored
    packed), and the version that it replaces (None: there is none yet)."""

    table: str
    attributes: Mapping[str, Any]
    document: Document | str
    replaces: int | None


def read(client: Any, keys: Keys) -> list[Document]:
    """Several items of any table, consistently, in one round trip."""
    answer = client.batch_get_item(
        RequestItems={
            table: {"Keys": list(wanted), "ConsistentRead": True} for table, wanted in keys.items()
        }
    )
    return [_content(item) for items in answer["Responses"].values() for item in items]


def query(client: Any, asked: Mapping[str, Any]) -> list[Document]:
    """A page of one collection."""
    answer = client.query(**asked)
    return [_content(item) for item in answer["Items"]]


def _content(item: Mapping[str, Any]) -> Document:
    """The entity; of one whose document is packed, the packed text, since by hand one would not."""
    body: str = item["body"]["S"]
    return json.loads(body) if body.startswith("{") else {"packed": body}


def write(client: Any, items: Sequence[Written]) -> None:
    """All of them or none."""
    client.transact_write_items(TransactItems=[_put(one) for one in items])


def _put(one: Written) -> Document:
    told = one.document
    body = told if isinstance(told, str) else json.dumps(told, separators=(",", ":"))
    item = {**one.attributes, "body": {"S": body}}
    if one.replaces is None:
        return {
            "Put": {
                "TableName": one.table,
                "Item": item,
                "ConditionExpression": "attribute_not_exists(pk)",
            }
        }
    return {
        "Put": {
            "TableName": one.table,
            "Item": item,
            "ConditionExpression": "#v = :v",
            "ExpressionAttributeNames": {"#v": "version"},
            "ExpressionAttributeValues": {":v": {"N": str(one.replaces)}},
        }
    }


def page(client: Any, keys: Keys, asked: Sequence[Mapping[str, Any]]) -> int:
    """Session, customer and what the page needs by key; then its lists. How much was read."""
    found = read(client, keys)
    return len(found) + sum(len(query(client, one)) for one in asked)


def checkout(
    client: Any, keys: Keys, intent: Sequence[Written], settled: Sequence[Written]
) -> None:
    """Session, customer and cart; the intent; what the payment brought."""
    read(client, keys)
    write(client, intent)
    write(client, settled)


def renewal(client: Any, keys: Keys, intent: Sequence[Written], settled: Sequence[Written]) -> None:
    """Subscription and customer; the intent; what the payment brought."""
    read(client, keys)
    write(client, intent)
    write(client, settled)
