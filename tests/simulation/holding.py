"""What is wrong in a whole world, item by item: the invariants, on everything that is stored."""

import json
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from infra.local.sandbox import ChargeSeen
from infra.local.world import LocalWorld
from shared.domain.activity import Activity
from shared.domain.customer import Customer
from shared.domain.due import Lane
from shared.domain.invariants import (
    Breach,
    CustomerBooks,
    Queued,
    Rule,
    breaches,
    places_breaches,
    provider_breaches,
    queue_breaches,
)
from shared.domain.invoice import PaymentKind
from shared.domain.money import Money
from shared.domain.provider_charge import ProviderCharge
from shared.domain.reservation import Seat
from shared.store.items import document, model_of
from shared.store.reading import moment_of
from tests import banking

Item = dict[str, Any]
"""One stored item, as DynamoDB's JSON."""

MAX_PAGES = 200


def violations(world: LocalWorld) -> list[str]:
    """Everything that does not hold now. Nothing may be under way, and the due index not behind."""
    items = scan(world, world.wiring.environment.accounts_table)
    found = [str(one) for one in of_items(world, items)]
    return found + [str(one) for one in _index_breaches(world, items)]


def of_items(world: LocalWorld, items: list[Item]) -> Iterator[Breach]:
    """What the items themselves say, beside the provider's books."""
    seen = [_as_the_audit_sees_it(one) for one in banking.charges(world)]
    by_customer: dict[str, list[ProviderCharge]] = {}
    for one in seen:
        by_customer.setdefault(one.charge_ref.partition("/")[0], []).append(one)
    for customer_id, books in read_books(items).items():
        yield from breaches(books, world.now())
        own = by_customer.pop(customer_id, [])
        yield from provider_breaches(books.charges, own, since=None, now=world.now())
        yield from _packs_match(books)
    for customer_id, strangers in by_customer.items():
        yield Breach(Rule.PROVIDER_AGREES, customer_id, f"{len(strangers)} charges of nobody")
    yield from _places(items)
    others = [queued(one) for one in items if not one["pk"]["S"].startswith("customer#")]
    yield from queue_breaches(others, world.now())


def _places(items: list[Item]) -> Iterator[Breach]:
    """Every activity, beside the seats that lie with it."""
    seats: dict[str, list[Seat]] = {}
    for item in items:
        if item["kind"]["S"] == "seat":
            seat = Seat.model_validate_json(document(item))
            seats.setdefault(item["pk"]["S"].removeprefix("seats#"), []).append(seat)
    for item in items:
        if item["kind"]["S"] == "activity":
            activity = Activity.model_validate_json(document(item))
            yield from places_breaches(activity, seats.get(activity.id, []))


def read_books(items: list[Item]) -> dict[str, CustomerBooks]:
    """Every customer's collection. What has no head yet is left out."""
    by_pk: dict[str, list[Item]] = {}
    for item in items:
        by_pk.setdefault(item["pk"]["S"], []).append(item)
    found: dict[str, CustomerBooks] = {}
    for pk, own in by_pk.items():
        head = next((one for one in own if one["sk"]["S"] == "head"), None)
        if head is None or not pk.startswith("customer#"):
            continue
        customer = Customer.model_validate_json(document(head))
        books = CustomerBooks(customer=customer)
        for item in own:
            books.queue.append(queued(item))
            books.add(parsed(item["kind"]["S"], document(item)))
        found[customer.id] = books
    return found


@lru_cache(maxsize=4000)
def parsed(kind: str, body: str) -> BaseModel:
    """What an item holds. The same text is read again and again."""
    model = model_of(kind)
    assert model is not None, kind
    return model.model_validate_json(body)


def queued(item: Item) -> Queued:
    return Queued(
        item=f"{item['pk']['S']}/{item['sk']['S']}",
        moment=moment_of(parsed(item["kind"]["S"], document(item))),
        due_at=item.get("due_at", {}).get("S"),
        due_for=item.get("due_for", {}).get("S"),
    )


def _as_the_audit_sees_it(one: ChargeSeen) -> ProviderCharge:
    return ProviderCharge(
        id=one.id,
        charge_ref=one.charge_ref or "",
        amount=Money(minor=one.amount, currency=one.currency),
        succeeded=one.state == "succeeded",
        refunded_minor=sum(one.refunds),
        reversed_minor=one.reversed,
        created_at=one.created_at,
    )


def _packs_match(books: CustomerBooks) -> Iterator[Breach]:
    """Each paid period has its one pack, and nothing that was not paid has any, but for the pack
    that waits for it."""
    of_invoice = Counter(pack.invoice_id for pack in books.packs if pack.invoice_id)
    for invoice in books.invoices:
        # What a bank took back was paid, and its packs are frozen (`REVERSED_IS_FROZEN`).
        taken_back = any(one.kind is PaymentKind.REVERSAL for one in invoice.payments)
        paid = invoice.state.value == "closed" or taken_back
        if (invoice.period is not None and of_invoice[invoice.id] != paid) or (
            not paid and of_invoice[invoice.id] != (invoice.pack_id is not None)
        ):
            detail = f"{invoice.state.value} with {of_invoice[invoice.id]} packs"
            yield Breach(Rule.SETTLED_HAS_INVOICE, invoice.id, detail)


def _index_breaches(world: LocalWorld, items: list[Item]) -> Iterator[Breach]:
    stand = {
        (one["due_shard"]["S"], one["due_at"]["S"], one["pk"]["S"], one["sk"]["S"])
        for one in items
        if "due_at" in one
    }
    listed = set(_index(world))
    for shard, due_at, pk, sk in listed ^ stand:
        where = "only in the index" if (shard, due_at, pk, sk) in listed else "not in the index"
        yield Breach(Rule.INDEX_HAS_ITEM, f"{pk}/{sk}", f"{due_at} in {shard} is {where}")


def _index(world: LocalWorld) -> Iterator[tuple[str, str, str, str]]:
    for lane in Lane:
        for shard in range(world.wiring.environment.due_shards):
            asked = {
                "TableName": world.wiring.environment.accounts_table,
                "IndexName": "due",
                "KeyConditionExpression": "due_shard = :shard",
                "ExpressionAttributeValues": {":shard": {"S": f"{lane.value}#{shard}"}},
            }
            for raw in _pages(world, "Query", asked):
                yield raw["due_shard"]["S"], raw["due_at"]["S"], raw["pk"]["S"], raw["sk"]["S"]


def scan(world: LocalWorld, table: str) -> list[Item]:
    """Every item of a table, past any line."""
    return list(_pages(world, "Scan", {"TableName": table, "ConsistentRead": True}))


def _pages(world: LocalWorld, operation: str, asked: dict[str, Any]) -> Iterator[Item]:
    start: dict[str, Any] = {}
    for _ in range(MAX_PAGES):
        answer = world.engine.call(operation, json.dumps({**asked, **start}).encode())
        assert answer.status == 200, answer.body
        yield from answer.content["Items"]
        last = answer.content.get("LastEvaluatedKey")
        if last is None:
            return
        start = {"ExclusiveStartKey": last}
    raise AssertionError(f"more than {MAX_PAGES} pages")
