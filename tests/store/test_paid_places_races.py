"""The last places bought with cards at the same moment, on Amazon's own engine: whoever has one is
charged once, and nobody is charged for nothing ([PLACES], [ONCE])."""

from collections import Counter
from functools import partial
from typing import Any

import pytest

from infra.local.world import LocalWorld
from shared.domain.activity import Activity
from shared.domain.errors import PunchcardError
from shared.domain.invoice import InvoiceState
from shared.operations import buying_place
from shared.operations.answered import Checked
from shared.operations.booking import Wish
from shared.operations.buying_place import Buying
from shared.store import accounts
from shared.store.reading import read
from tests.billing.test_places import offer_class, stored
from tests.shop_floor import (
    FAILS_LATER,
    card_of,
    charged_at,
    context_of,
    customer_with_card,
    head,
    invoices_of,
    packs_of,
)
from tests.simulation.holding import violations
from tests.store.at_once import at_once
from tests.store.conftest import Shop
from tests.store.crowd import crowd

pytestmark = pytest.mark.xdist_group("dynamodb-local")

OPENING = "2026-03-02 15:00"
TEN = Buying(product_id="ten", pay_now=True, expected_total_minor=27_063)
PLACE = Buying(product_id=None, pay_now=True, expected_total_minor=2_000)
MAX_PRESSES = 20


def press(
    world: LocalWorld, customer_id: str, activity: Activity, buying: Buying, key: str = ""
) -> str:
    """What one press of "book and pay" comes to. Whoever is told to try again does."""
    wish = Wish(customer_id, activity.id)
    pressed = buying.press(wish, key or world.wiring.new_id(), world.wiring.new_id())
    for _ in range(MAX_PRESSES):
        found = read(accounts.head(customer_id), *wish.refs(pressed))
        try:
            bought = buying_place.buy_place(
                context_of(world), wish, buying, pressed, head(customer_id), found
            )
        except PunchcardError as refused:
            if refused.code != "unavailable":
                return refused.code
        else:
            assert bought.answered is not None
            return bought.answered.state.value
    return "gave up"


def paid(customer_ids: list[str]) -> int:
    states = [one.state for customer_id in customer_ids for one in invoices_of(customer_id)]
    assert set(states) <= {InvoiceState.CLOSED, InvoiceState.VOID}, "nothing is left open"
    return states.count(InvoiceState.CLOSED)


@pytest.mark.parametrize("buying", [TEN, PLACE], ids=["a pack", "the place"])
def test_of_twenty_who_buy_the_last_place_exactly_one_is_charged_and_has_it(
    shop: Shop, buying: Buying
) -> None:
    world = shop(OPENING)
    people = crowd(world, customer_with_card(world), 20)
    yoga = offer_class(world, places=1)
    results = Counter(at_once([partial(press, world, one, yoga, buying) for one in people]))
    assert results == {Checked.PAID.value: 1, "activity_full": 19}
    assert sum(len(charged_at(world, one)) for one in people) == 1
    assert paid(people) == 1
    assert stored(yoga).taken == 1
    assert violations(world) == []


def test_cards_that_are_declined_leave_the_places_to_others(shop: Shop) -> None:
    """A place that a declined card held for a moment may turn another away; it is never lost."""
    world = shop(OPENING)
    people = crowd(world, customer_with_card(world), 12)
    broke = people[::2]
    for one in broke:
        world.sandbox.let_card_behave_as(card_of(one).token, FAILS_LATER)
    yoga = offer_class(world, places=3)
    at_once([partial(press, world, one, yoga, TEN) for one in people])
    others = [one for one in people if one not in broke]
    for one in others:
        if stored(yoga).free:
            press(world, one, yoga, TEN)
    assert stored(yoga).taken == 3
    assert paid(people) == 3
    assert [len(charged_at(world, one)) for one in broke] == [0] * len(broke)
    assert sum(len(charged_at(world, one)) for one in people) == 3
    usable = [pack for one in people for pack in packs_of(one) if pack.ended_at is None]
    assert [pack.left for pack in usable] == [9, 9, 9]
    assert violations(world) == []


def test_ten_presses_of_one_key_buy_and_charge_once(shop: Shop) -> None:
    world = shop(OPENING)
    ada = customer_with_card(world)
    yoga = offer_class(world, places=8)
    calls: list[Any] = [partial(press, world, ada, yoga, TEN, "one-key-of-ada")] * 10
    results = Counter(at_once(calls))
    assert set(results) <= {Checked.PAID.value, Checked.PROCESSING.value}
    assert len(charged_at(world, ada)) == 1
    assert stored(yoga).taken == 1
    assert [pack.left for pack in packs_of(ada)] == [9]
    assert violations(world) == []
