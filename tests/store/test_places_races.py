"""Many who book at the same moment, on Amazon's own engine: no place and no credit is had twice."""

from collections import Counter
from functools import partial
from typing import Any

import pytest

from infra.local.world import LocalWorld
from shared.domain.activity import Activity
from shared.domain.errors import PunchcardError
from shared.domain.reservation import ReservationState
from shared.operations import booking, giving_back
from shared.operations.booking import Wish
from shared.store import accounts
from shared.store.reading import read
from tests.billing.test_places import cancel, of, offer_class, stored, with_ten
from tests.shop_floor import context_of, entries_of, head, packs_of, reservation_rows
from tests.simulation.holding import violations
from tests.store.at_once import at_once
from tests.store.conftest import Shop
from tests.store.crowd import crowd

pytestmark = pytest.mark.xdist_group("dynamodb-local")

OPENING = "2026-03-02 15:00"
MAX_PRESSES = 20


def press(world: LocalWorld, customer_id: str, activity: Activity, **wish: Any) -> str:
    """What one press of "book" comes to. Whoever is told to try again does."""
    wanted = Wish(customer_id, activity.id, **wish)
    pressed = wanted.press(world.wiring.new_id(), world.wiring.new_id())
    for _ in range(MAX_PRESSES):
        found = read(accounts.head(customer_id), *wanted.refs(pressed))
        try:
            made = booking.book(context_of(world), wanted, pressed, head(customer_id), found)
        except PunchcardError as refused:
            if refused.code != "unavailable":
                return refused.code
        else:
            return made.state.value
    return "gave up"


def test_fifty_bookings_on_ten_credits_hold_exactly_ten(shop: Shop) -> None:
    world = shop(OPENING)
    ada = with_ten(world)
    yoga = offer_class(world, places=100)
    results = Counter(at_once([partial(press, world, ada, yoga)] * 50))
    assert results == {"booked": 10, "no_credits": 40}
    (pack,) = packs_of(ada)
    assert pack.left == 0
    assert sum(one.delta for one in entries_of(pack)) == 0
    assert stored(yoga).taken == 10
    assert violations(world) == []


def test_fifty_customers_on_eight_places_are_eight(shop: Shop) -> None:
    world = shop(OPENING)
    people = crowd(world, with_ten(world), 50)
    yoga = offer_class(world, places=8)
    results = Counter(at_once([partial(press, world, one, yoga) for one in people]))
    assert results == {"booked": 8, "activity_full": 42}
    assert stored(yoga).taken == 8
    assert sum(10 - (packs_of(one)[0].left or 0) for one in people) == 8
    assert violations(world) == []


def test_the_last_place_two_hundred_times(shop: Shop) -> None:
    """Two want the last place, one of those who have one cancels: it is never given twice."""
    world = shop(OPENING)
    people = crowd(world, with_ten(world), 3)
    for number in range(200):
        yoga = offer_class(world, f"2026-03-1{number % 8} 1{number % 9}:00", places=1)
        first, second = at_once([partial(press, world, one, yoga) for one in people[:2]])
        assert Counter([first, second]) == {"booked": 1, "activity_full": 1}
        winner = people[0] if first == "booked" else people[1]
        made = next(
            row.value for row in reservation_rows(winner) if row.value.activity_id == yoga.id
        )
        at_once(
            [
                partial(giving_back.cancel, context_of(world), winner, made.id),
                partial(press, world, people[2], yoga, wait=True),
            ]
        )
        assert of(made).state is ReservationState.CANCELLED
        assert stored(yoga).taken == 1, "the third has it, or it is offered to them"
        theirs = next(
            row.value for row in reservation_rows(people[2]) if row.value.activity_id == yoga.id
        )
        cancel(world, theirs)
        assert stored(yoga).taken == 0
    assert violations(world) == []
