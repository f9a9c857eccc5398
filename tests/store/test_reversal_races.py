"""Reports of a bank at the same moment as each other and as bookings, on Amazon's own engine
([REVERSE], [LEDGER])."""

from collections import Counter
from functools import partial

import pytest

from infra.local.sandbox_books import Refused
from infra.local.world import LocalWorld
from shared.domain.message import NoticeKind
from shared.operations import reversing
from shared.operations.reversing import Reversed
from tests.billing.test_places import offer_class, with_ten
from tests.shop_floor import (
    asked_of,
    charges_of,
    context_of,
    entries_of,
    invoices_of,
    notices,
    packs_of,
)
from tests.simulation.holding import violations
from tests.store.at_once import at_once
from tests.store.conftest import Shop
from tests.store.test_places_races import OPENING, press

pytestmark = pytest.mark.xdist_group("dynamodb-local")

ROUNDS = 25


def look(world: LocalWorld, customer_id: str) -> Reversed:
    (charge,) = charges_of(customer_id)
    seen = asked_of(world, customer_id)[-1].id
    return reversing.look(context_of(world), customer_id, charge.source, seen)


def turn_and_look(world: LocalWorld, customer_id: str) -> Reversed:
    """The bank takes the payment, or gives it again, and the report is applied."""
    seen = asked_of(world, customer_id)[-1].id
    for change in (world.sandbox.reverse_charge, world.sandbox.reinstate_charge):
        try:
            change(seen)
        except Refused:
            continue
        break
    return look(world, customer_id)


def test_one_report_twenty_times_at_once_is_written_once(shop: Shop) -> None:
    world = shop(OPENING)
    ada = with_ten(world)
    world.sandbox.webhooks(hold=True)
    world.sandbox.reverse_charge(asked_of(world, ada)[-1].id)
    results = Counter(at_once([partial(look, world, ada)] * 20))
    assert results == {Reversed.RECORDED: 1, Reversed.NOTHING_NEW: 19}
    (invoice,) = invoices_of(ada)
    assert [one.amount.minor for one in invoice.payments] == [27_063, -27_063]
    assert len(notices(NoticeKind.PAYMENT_REVERSED)) == 1
    assert violations(world) == []
    world.sandbox.behave()


def test_two_reports_at_once_never_leave_the_older_one_s_word(shop: Shop) -> None:
    world = shop(OPENING)
    ada = with_ten(world)
    world.sandbox.webhooks(hold=True)
    for _ in range(ROUNDS):
        results = at_once([partial(turn_and_look, world, ada)] * 3)
        assert Reversed.UNANSWERED not in results
        held = asked_of(world, ada)[-1].reversed > 0
        (pack,) = packs_of(ada)
        assert (pack.frozen_at is not None) == held
        assert violations(world) == []
    world.sandbox.discard_webhooks()
    world.sandbox.behave()


def test_beside_bookings_every_credit_is_held_or_frozen_and_none_is_both(shop: Shop) -> None:
    world = shop(OPENING)
    ada, yoga = with_ten(world), offer_class(world, places=100)
    world.sandbox.webhooks(hold=True)
    world.sandbox.reverse_charge(asked_of(world, ada)[-1].id)
    bookings = [partial(press, world, ada, yoga)] * 15
    first, *booked = at_once([partial(look, world, ada), *bookings])
    if first is Reversed.UNANSWERED:
        assert look(world, ada) is Reversed.RECORDED
    held = booked.count("booked")
    assert Counter(booked) == Counter({"booked": held, "no_credits": 15 - held})
    (pack,) = packs_of(ada)
    assert pack.frozen_at is not None
    assert pack.left == 10 - held == sum(one.delta for one in entries_of(pack))
    assert press(world, ada, yoga) == "no_credits"
    assert violations(world) == []
    world.sandbox.behave()
