"""The sweep reads what is due and nothing else, however much is stored."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest

from infra.local.dynamodb_local import DynamoDBLocal
from infra.local.world import LocalWorld
from shared.domain.calendar import Frequency
from shared.domain.money import Money
from shared.domain.subscription import Subscription, SubscriptionState
from shared.domain.terms import Terms
from shared.operations.sweep import Swept, sweep
from shared.store import accounts
from shared.store.items import item_of
from tests.round_trips import consumed_units
from tests.shop_floor import moment, open_shop
from tests.store.conftest import Lent

pytestmark = pytest.mark.xdist_group("dynamodb-local")

DUE = 50
ITEMS_PER_CALL = 25
WRITERS = 4
NOW = "2026-02-28 04:59"


@pytest.fixture
def world(dynamodb_local: DynamoDBLocal) -> Iterator[LocalWorld]:
    opened = open_shop(NOW, engine=Lent(dynamodb_local))
    yield opened
    opened.close()


def stored(world: LocalWorld, first: int, count: int, anchor: date) -> None:
    """Subscriptions as they lie in the table: one is made, the others are its likes."""
    table = world.wiring.environment.accounts_table
    one = json.dumps({"PutRequest": {"Item": _raw(0, anchor)}})
    puts = [one.replace("000000", f"{at:06d}") for at in range(first, first + count)]

    def put(at: int) -> None:
        listed = ",".join(puts[at : at + ITEMS_PER_CALL])
        body = f'{{"RequestItems": {{"{table}": [{listed}]}}}}'
        answer = world.engine.call("BatchWriteItem", body.encode())
        assert answer.status == 200
        assert not json.loads(answer.body)["UnprocessedItems"]

    with ThreadPoolExecutor(max_workers=WRITERS) as pool:
        list(pool.map(put, range(0, count, ITEMS_PER_CALL)))


def _raw(at: int, anchor: date) -> dict[str, Any]:
    subscription = Subscription(
        id=f"s{at:06d}",
        customer_id=f"c{at:06d}",
        location_id="ny",
        zone="America/New_York",
        state=SubscriptionState.ACTIVE,
        terms=Terms(
            product_id="month",
            name="Month",
            price=Money(minor=4900, currency="USD"),
            credits=8,
        ),
        frequency=Frequency.MONTHLY,
        anchor=anchor,
        created_at=moment("2026-01-28 15:00"),
        first_invoice_id="i",
        next_period=1,
        reminded_for=1,
    )
    ref = accounts.subscription(subscription.customer_id, subscription.id)
    return item_of(ref, subscription, 1)


def swept(world: LocalWorld) -> tuple[Swept, float]:
    """One sweep, and the units that its queries consumed."""

    class Bus:
        def put_events(self, Entries: list[Any]) -> dict[str, Any]:  # noqa: N803 - as boto3 says
            return {"FailedEntryCount": 0, "Entries": Entries}

    with consumed_units() as units:
        found = sweep(
            now=world.now(), new_id=world.wiring.new_id, events=Bus(), bus="b", shards=1, limit=200
        )
    return found, sum(units)


def test_a_hundred_or_ten_thousand_stored_the_sweep_reads_the_same(world: LocalWorld) -> None:
    stored(world, 0, DUE, date(2026, 1, 28))
    stored(world, DUE, 50, date(2026, 2, 10))
    few, of_a_hundred = swept(world)
    # What was leased is due again after its lease; meanwhile 9,900 more have come.
    stored(world, 100, 9_900, date(2026, 2, 10))
    world.clock.move_to(world.now() + timedelta(minutes=6))
    many, of_ten_thousand = swept(world)
    assert few.leased == many.leased == {"renewals": DUE}
    assert of_a_hundred > 0
    assert abs(of_ten_thousand - of_a_hundred) < 0.05 * of_a_hundred


def test_with_nothing_due_it_reads_nothing_but_that(world: LocalWorld) -> None:
    stored(world, 0, 100, date(2026, 2, 10))
    found, units = swept(world)
    assert found.leased == {}
    # At most the least that a query costs, for each of the three lanes.
    assert units <= 3 * 0.5
