"""Many customers who stand where one of them stands: a race is run with each.

The first got there by real operations and the clock. The others are copies of all that is stored
of them, in our books and the provider's and among the sent emails, under ids of their own.
Getting two hundred there one by one would take longer than the races.
"""

import json
import re
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ulid import ULID

from infra.local.world import LocalWorld
from shared.store import accounts
from shared.store.items import fitted, plain
from tests.shop_floor import head

BATCH = 25
_OURS = re.compile(r"\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b")
_THEIRS = re.compile(r"\b(cus|card|ch|re)_[0-9a-f]{32}\b")


class _Renamed:
    """Ids of one customer's things, each with the one that a copy has instead."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def ours(self, found: "re.Match[str]") -> str:
        return self._names.setdefault(found[0], str(ULID()))

    def theirs(self, found: "re.Match[str]") -> str:
        return self._names.setdefault(found[0], f"{found[1]}_{secrets.token_hex(16)}")

    def in_text(self, text: str) -> str:
        return _THEIRS.sub(self.theirs, _OURS.sub(self.ours, text))


def crowd(world: LocalWorld, first: str, size: int) -> list[str]:
    """`first` and copies of them, `size` customers in all: their ids. Nothing may be under way."""
    database = world.client("dynamodb")
    table = world.wiring.environment.accounts_table
    email = head(first).value.email
    stored = _collection(database, table, accounts.customer_pk(first))
    for ref in (accounts.address(email), accounts.directory(head(first).value)):
        key = {"pk": {"S": ref.pk}, "sk": {"S": ref.sk}}
        stored.append(database.get_item(TableName=table, Key=key)["Item"])
    text = json.dumps([plain(one) for one in stored])
    mails = world.mailbox.sent(email)
    people = [first]
    for at in range(1, size):
        renamed = _Renamed()
        address = f"{at}-{email}"
        copied = json.loads(renamed.in_text(text).replace(email, address))
        for item in copied:
            if item["sk"]["S"] == "address":
                item["pk"]["S"] = accounts.address(address).pk
        _write(database, table, [fitted(one) for one in copied])
        _copy_at_provider(world, head(first).value.provider_customers["sandbox"], renamed.in_text)
        world.mailbox._mails += [replace(mail, to=(address,)) for mail in mails]
        people.append(renamed.in_text(first))
    return people


def _collection(database: Any, table: str, pk: str) -> list[dict[str, Any]]:
    answer = database.query(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": pk}},
        ConsistentRead=True,
    )
    assert "LastEvaluatedKey" not in answer
    found: list[dict[str, Any]] = answer["Items"]
    return found


def _write(database: Any, table: str, items: list[dict[str, Any]]) -> None:
    for at in range(0, len(items), BATCH):
        asked = {table: [{"PutRequest": {"Item": one}} for one in items[at : at + BATCH]]}
        answer = database.batch_write_item(RequestItems=asked)
        assert not answer.get("UnprocessedItems")


def _copy_at_provider(world: LocalWorld, customer: str, renamed: Callable[[str], str]) -> None:
    books = world.sandbox._books
    other = renamed(customer)
    books._customers[other] = books._customers[customer]
    for card in [one for one in books._cards.values() if one.customer == customer]:
        copied = replace(card, id=renamed(card.id), customer=other)
        books._cards[copied.id] = copied
    books._charges_of[other] = [renamed(one) for one in books._charges_of[customer]]
    for charge_id in books._charges_of[customer]:
        charge = books._charges[charge_id]
        assert not charge.refunds, "nothing went back yet"
        books._charges[renamed(charge_id)] = replace(
            charge,
            id=renamed(charge_id),
            customer=other,
            card=renamed(charge.card),
            metadata={name: renamed(value) for name, value in charge.metadata.items()},
            refunds=[],
        )
