"""What its worker claims itself is handed over without a lease once, and leased when that was in
vain ([OUTBOX], [NUMBER])."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from infra.local.world import LocalWorld
from shared.domain.due import Lane
from shared.operations.sweep import Swept, sweep
from shared.store import due
from tests.shop_floor import (
    books_hold,
    context_of,
    customer_with_card,
    fill_cart,
    open_shop,
    press_pay,
)

MINUTE = timedelta(minutes=1)
BOUGHT = {"deliver": 1, "number": 1}
"""Of a paid checkout: its emails are one item."""


@pytest.fixture
def world() -> Iterator[LocalWorld]:
    """Somebody has just paid, and nobody was told yet."""
    with open_shop("2026-01-31 15:00") as opened:
        ada = customer_with_card(opened)
        press_pay(opened, ada, fill_cart(opened, ada, "ten")).carry_out(context_of(opened))
        yield opened


class LostEvents:
    """A bus that takes everything and delivers nothing."""

    def put_events(self, Entries: list[Any]) -> dict[str, Any]:  # noqa: N803 - as boto3 says
        return {"FailedEntryCount": 0, "Entries": Entries}


def tick(world: LocalWorld) -> Swept:
    return sweep(
        now=world.now(),
        new_id=world.wiring.new_id,
        events=LostEvents(),
        bus="b",
        shards=1,
        limit=200,
    )


def waiting(world: LocalWorld) -> list[due.Entry]:
    return [one for lane in Lane for one in due.due(lane, 0, world.now(), 100)]


def test_in_its_first_minute_it_is_handed_over_as_it_is(world: LocalWorld) -> None:
    before = waiting(world)
    assert tick(world).leased == BOUGHT
    assert waiting(world) == before, "nothing was written"
    world.run_due()
    assert waiting(world) == []
    books_hold(world)


def test_when_that_was_in_vain_the_next_tick_leases_it(world: LocalWorld) -> None:
    tick(world)
    world.clock.move_to(world.now() + MINUTE)
    assert tick(world).leased == BOUGHT
    assert waiting(world) == [], "it is on lease"
    assert tick(world).leased == {}
    world.clock.move_to(world.now() + due.LEASE)
    world.run_due()
    assert waiting(world) == []
    books_hold(world)
