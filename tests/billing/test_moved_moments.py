"""Moments move by themselves: a country changes the rules of its time zone, and what was stored
before knows nothing of it. Nothing is done too early, set aside, or lost."""

from datetime import timedelta
from typing import Any

import boto3
import pytest

from infra.local.world import LocalWorld
from shared.domain.due import Lane, Moment, Worker, due_moment, due_text
from shared.domain.message import NoticeKind
from shared.store import accounts
from shared.store.due import due, lease, put_back
from shared.store.reading import read
from tests.billing.conftest import Shop
from tests.shop_floor import charged_at, go_to, moment, notices, subscribed, subscription_of, text

RENEWAL = "2026-02-28 04:59"


def store_moment(world: LocalWorld, pk: str, sk: str, at: str, worker: Worker) -> None:
    """The item is due at `at`, as a version of the code with other rules would have it."""
    boto3.client("dynamodb").update_item(
        TableName=world.wiring.environment.accounts_table,
        Key={"pk": {"S": pk}, "sk": {"S": sk}},
        UpdateExpression="SET due_at = :at",
        ExpressionAttributeValues={
            ":at": {"S": due_text(Moment(at=moment(at), worker=worker), f"{pk}/{sk}")}
        },
    )


def due_of(customer_id: str) -> Any:
    ref = accounts.subscription(customer_id, subscription_of(customer_id).id)
    row = read(ref).get(ref)
    assert row is not None and row.due_at is not None
    return row


@pytest.mark.parametrize("early", ["2026-02-28 03:59", "2026-02-27 04:59"])
def test_a_renewal_that_is_due_later_than_was_thought_is_charged_at_its_own_moment(
    shop: Shop, early: str
) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    go_to(world, "2026-02-26 12:00")
    keys = f"customer#{ada}", f"subscription#{subscription_of(ada).id}"
    store_moment(world, *keys, early, Worker.RENEWALS)
    world.advance_to(moment(early) + timedelta(minutes=1))
    row = due_of(ada)
    assert text(due_moment(row.due_at)[0]) == RENEWAL
    assert row.due_for is None, "it waits, and nobody has it on lease"
    go_to(world, "2026-03-01 12:00")
    assert charged_at(world, ada) == ["2026-01-31 15:00", RENEWAL]
    assert notices(NoticeKind.PARKED) == []


def test_what_is_on_lease_and_due_stays_with_whoever_has_it(shop: Shop) -> None:
    """An event that comes twice finds nothing to do while the first is still at work: the lease of
    an item whose moment has come is not taken away."""
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    go_to(world, "2026-02-28 04:58")
    world.clock.move_to(moment(RENEWAL))
    (entry,) = due(Lane.MONEY, 0, world.now(), limit=10)
    assert lease(entry, world.now()) is not None
    before = due_of(ada)
    assert not put_back(entry.pk, entry.sk, world.now())
    assert due_of(ada) == before
    world.advance(timedelta(minutes=6))
    assert charged_at(world, ada) == ["2026-01-31 15:00", "2026-02-28 05:04"]


def test_what_is_not_on_lease_is_left_as_it_is(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    before = due_of(ada)
    assert not put_back(before.ref.pk, before.ref.sk, world.now())
    assert not put_back(before.ref.pk, "subscription#nobodys", world.now())
    assert due_of(ada) == before
