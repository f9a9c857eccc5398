"""One thing that always fails is set aside and told, and stops nothing else."""

import json
from datetime import timedelta
from typing import Any

import boto3
import pytest

from infra.local.bus import Delivery
from infra.local.sandbox_faults import Fault, Operation
from infra.local.world import LocalWorld
from shared.domain.due import Moment, Worker, due_text
from shared.domain.message import MessageKind, NoticeKind, Parked
from shared.operations.sweep import sweep
from shared.store import outbox
from tests.billing.conftest import Shop
from tests.console.office import staff
from tests.shop_floor import (
    buy,
    charged_at,
    context_of,
    customer_with_card,
    fill_cart,
    go_to,
    invoices_of,
    messages_of,
    notices,
    packs_of,
    press_pay,
    subscribed,
    subscription_of,
    told_at,
)


def spoil(world: LocalWorld, pk: str, sk: str, body: str = "{") -> str:
    """Make an item unreadable; answers what it said before."""
    client = boto3.client("dynamodb")
    table = world.wiring.environment.accounts_table
    key = {"pk": {"S": pk}, "sk": {"S": sk}}
    before: str = client.get_item(TableName=table, Key=key)["Item"]["body"]["S"]
    client.update_item(
        TableName=table,
        Key=key,
        UpdateExpression="SET #body = :body",
        ExpressionAttributeNames={"#body": "body"},
        ExpressionAttributeValues={":body": {"S": body}},
    )
    return before


def put_due(world: LocalWorld, pk: str, sk: str, due_at: str, lane: str = "money") -> None:
    """Something that the index says is due, whatever it is."""
    boto3.client("dynamodb").put_item(
        TableName=world.wiring.environment.accounts_table,
        Item={
            "pk": {"S": pk},
            "sk": {"S": sk},
            "kind": {"S": "unheard_of"},
            "version": {"N": "1"},
            "body": {"S": "{}"},
            "due_at": {"S": due_at},
            "due_shard": {"S": f"{lane}#0"},
        },
    )


def test_a_renewal_that_always_fails_is_parked_after_five_leases_and_told(shop: Shop) -> None:
    world = shop("2026-01-31 15:00", errors=True)
    ada = subscribed(world, "month")
    bob = subscribed(world, "month", email="bob@example.com")
    keys = f"customer#{ada}", f"subscription#{subscription_of(ada).id}"
    go_to(world, "2026-02-28 04:58")
    whole = spoil(world, *keys)
    go_to(world, "2026-02-28 04:59")
    # Bob's is due in the same event, after Ada's.
    assert charged_at(world, bob) == ["2026-01-31 15:00", "2026-02-28 04:59"]
    go_to(world, "2026-02-28 12:00")
    (notice,) = notices(NoticeKind.PARKED)
    assert notice.customer_id == ada
    assert notice.title == "A renewal was set aside"
    assert notice.parked == Parked(pk=keys[0], sk=keys[1], worker="renewals")
    go_to(world, "2026-03-05 12:00")
    assert len(notices(NoticeKind.PARKED)) == 1
    assert len(charged_at(world, ada)) == 1
    # Mended and tried again from the notice, it goes on where it was: nothing was lost.
    spoil(world, *keys, body=whole)
    assert staff(world).post(f"/console/notices/{notice.id}/release").status == 200
    world.run_due()
    assert charged_at(world, ada) == ["2026-01-31 15:00", "2026-03-05 12:00"]


def test_an_invoice_that_cant_be_read_keeps_no_other_from_its_number(shop: Shop) -> None:
    world = shop("2026-01-31 15:00", errors=True)
    first = customer_with_card(world)
    buy(world, first, "mat")
    put_due(
        world,
        "customer#nobody",
        "invoice#broken",
        due_text(Moment(at=world.now(), worker=Worker.NUMBER), "x"),
        lane="now",
    )
    second = customer_with_card(world, email="bob@example.com")
    buy(world, second, "mat")
    world.advance(timedelta(hours=6))
    assert [one.number for one in invoices_of(first) + invoices_of(second)] == [
        "NY-000001",
        "NY-000002",
    ]
    assert len(notices(NoticeKind.PARKED)) == 1


def test_an_email_that_cant_be_made_holds_up_no_other_and_staff_are_told(shop: Shop) -> None:
    world = shop("2026-01-31 15:00", errors=True)
    ada = customer_with_card(world)
    bob = customer_with_card(world, email="bob@example.com")
    for one in (ada, bob):
        press_pay(world, one, fill_cart(world, one, "ten")).carry_out(context_of(world))
    (receipt,) = messages_of(ada, MessageKind.ORDER_RECEIPT)
    # Receipt and invoice are one item; only the one is bad.
    (invoice,) = messages_of(ada, MessageKind.INVOICE)
    bad = receipt.model_copy(update={"facts": {"nothing": "of use"}, "also": (invoice,)})
    ref = outbox.message(ada, receipt.to, receipt.key)
    spoil(world, ref.pk, ref.sk, bad.model_dump_json())
    world.run_due()
    assert len(told_at(bob, MessageKind.ORDER_RECEIPT)) == 1
    assert len(told_at(ada, MessageKind.INVOICE)) == 1
    world.advance(timedelta(days=5))
    assert len(notices(NoticeKind.PARKED)) == 1
    assert told_at(ada, MessageKind.ORDER_RECEIPT) == []


def test_a_worker_that_this_version_does_not_know_stops_no_sweep(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    put_due(world, "a", "b", "2026-01-01T00:00:00Z#teleports#a/b")
    put_due(world, "a", "c", "2026-01-01T00:00:00Z")
    ada = customer_with_card(world)
    buy(world, ada, "ten")
    world.run_due()
    assert len(told_at(ada, MessageKind.ORDER_RECEIPT)) == 1
    parked = [one.parked for one in notices(NoticeKind.PARKED) if one.parked]
    assert sorted(one.worker for one in parked) == ["", "teleports"]
    assert {one.known_worker for one in parked} == {None}


def test_a_malformed_event_ends_in_the_dead_letters_and_stops_nothing(shop: Shop) -> None:
    world = shop("2026-01-31 15:00", errors=True)
    details: list[Any] = [
        {"due": [{"pk": 7}]},
        {"due": "everything"},
        {"due": [None]},
        ["due"],
        {"due": [{"pk": "customer#x", "sk": "subscription#y", "due_at": ""}]},
        {},
    ]
    bus = world.wiring.environment.event_bus
    for worker in Worker:
        for detail in details:
            world.client("events").put_events(
                Entries=[
                    {
                        "Source": "punchcard",
                        "DetailType": worker.value,
                        "EventBusName": bus,
                        "Detail": json.dumps(detail),
                    }
                ]
            )
    world.run_due()
    ada = customer_with_card(world)
    buy(world, ada, "ten")
    assert len(packs_of(ada)) == 1
    world.advance(timedelta(minutes=10))
    dead = {one.function.name for one in world.dead_letters if isinstance(one, Delivery)}
    assert len(dead) == len(Worker), "of every worker something could not be done"
    assert len(told_at(ada, MessageKind.ORDER_RECEIPT)) == 1


def test_what_was_leased_is_handed_over_although_the_sweep_then_breaks(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    go_to(world, "2026-02-28 04:58")
    world.clock.move_to(world.now() + timedelta(minutes=1))
    put: list[Any] = []

    class Bus:
        def put_events(self, Entries: list[Any]) -> dict[str, Any]:  # noqa: N803 - as boto3 names it
            put.extend(Entries)
            raise RuntimeError("the bus is away")

    with pytest.raises(RuntimeError, match="away"):
        sweep(now=world.now(), new_id=world.wiring.new_id, events=Bus(), bus="b", shards=1, limit=9)
    assert [one["DetailType"] for one in put] == ["renewals"]
    # The lease brings it back five minutes later.
    go_to(world, "2026-02-28 05:05")
    assert charged_at(world, ada)[1:] == ["2026-02-28 05:04"]


def test_a_webhook_whose_object_cant_be_looked_at_waits_for_the_provider(shop: Shop) -> None:
    world = shop("2026-01-31 15:00", errors=True)
    ada = customer_with_card(world)
    world.sandbox.webhooks(hold=True)
    world.sandbox.misbehave(Operation.CHARGE, Fault.ERROR_AFTER)
    world.sandbox.misbehave(Operation.LOOK_UP, Fault.TIMEOUT_BEFORE, times=1000)
    buy(world, ada, "ten")
    world.sandbox.release_webhooks()
    world.advance(timedelta(hours=1))
    assert packs_of(ada) == []
    world.sandbox.behave()
    world.advance(timedelta(hours=4))
    assert len(packs_of(ada)) == 1
    assert messages_of(ada, MessageKind.ORDER_RECEIPT)
    assert context_of(world).preferred_provider == "sandbox"
