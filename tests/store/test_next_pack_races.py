"""Next packs that many come to at the same moment, on Amazon's own engine: never two of one, and no
cart that knows what its subscription does not ([RECUR], [ONCE])."""

from collections import Counter
from functools import partial
from typing import Any

import pytest

from infra.local.world import LocalWorld
from shared.domain.by import By
from shared.domain.cart import Cart
from shared.domain.errors import PunchcardError
from shared.domain.next_payment import NextPayment
from shared.operations import cancel, next_pack, recur
from shared.operations.cancel import When
from shared.operations.collect import Renewed
from shared.operations.context import Context
from shared.store import accounts
from shared.store.items import Lost
from shared.store.reading import read
from tests.shop_floor import (
    Wanted,
    buy,
    context_of,
    customer_with_card,
    go_to,
    messages_of,
    moment,
    packs_of,
    press_pay,
    subscription_of,
)
from tests.simulation.holding import violations
from tests.store.at_once import at_once
from tests.store.conftest import Shop

pytestmark = pytest.mark.xdist_group("dynamodb-local")

BOUGHT = "2026-03-01 15:00"
BEFORE = "2026-03-29 03:58"
CARTED = "2026-03-29 03:59"


def has_thirty(world: LocalWorld, payment: NextPayment) -> str:
    ada = customer_with_card(world)
    buy(world, ada, Wanted("thirty", next_payment=payment))
    return ada


def then(world: LocalWorld) -> Context:
    """As a worker sees it whose clock already stands at the moment."""
    return context_of(world)._replace(now=lambda: moment(CARTED))


def cart_of(customer_id: str) -> Cart:
    ref = accounts.cart(accounts.customer_pk(customer_id), "ny")
    row = read(ref).get(ref)
    assert row is not None
    return row.value


@pytest.mark.parametrize("payment", NextPayment)
def test_twelve_events_of_one_moment_bring_one_next_pack(shop: Shop, payment: NextPayment) -> None:
    world = shop(BOUGHT)
    ada = has_thirty(world, payment)
    go_to(world, BEFORE)
    (first,) = packs_of(ada)
    context = then(world)
    came = Counter(at_once([partial(recur.turn, context, ada, first.id)] * 12))
    go_to(world, CARTED)
    by_hand = payment is NextPayment.BY_HAND
    assert came[Renewed.CARTED if by_hand else Renewed.COLLECTED] <= 1
    assert len(packs_of(ada)) == (1 if by_hand else 2)
    assert len(cart_of(ada).lines) == by_hand
    assert violations(world) == []


def said(call: Any) -> str:
    """What a press came to: its answer, or the code of its refusal."""
    try:
        answered = call()
    except PunchcardError as refused:
        return refused.code
    except Lost:
        return "lost"
    return str(getattr(answered, "state", "done"))


def test_paying_taking_out_and_ending_at_once_agree(shop: Shop) -> None:
    """The pack is paid, or nothing more comes: whoever was first, and the cart never disagrees."""
    world = shop(BOUGHT)
    ends: Counter[tuple[str, int]] = Counter()
    for number in range(12):
        ada = customer_with_card(world, email=f"ada{number}@example.com")
        buy(world, ada, Wanted("thirty", next_payment=NextPayment.BY_HAND))
    people = [row.value.customer_id for row in accounts.customers_by_address("").rows]
    go_to(world, CARTED)
    for ada in people:
        cart, context = cart_of(ada), context_of(world)
        own = subscription_of(ada).id
        (line,) = cart.lines
        pay = press_pay(world, ada, cart)
        take_out = partial(next_pack.take_out, context, ada, "ny", line.id)
        end = partial(cancel.cancel, context, ada, own, When.NOW, by=By.STAFF)
        at_once(
            [
                partial(said, partial(pay.carry_out, context)),
                partial(said, take_out),
                partial(said, end),
            ]
        )
        world.run_due()
        one = subscription_of(ada)
        ends[one.state.value, len(packs_of(ada))] += 1
        assert one.over, "staff ended it, at the latest"
        assert cart_of(ada).lines == ()
        assert len([m for m in messages_of(ada) if m.kind.value.startswith("cancelled")]) == 1
    assert set(ends) <= {("cancelled", 1), ("cancelled", 2)}
    assert violations(world) == []
