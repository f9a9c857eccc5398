"""A bank takes back what a place was paid with, or the pack that was bought with it ([REVERSE],
[BOOK])."""

import pytest

from infra.local.world import LocalWorld
from shared.domain.invoice import InvoiceState, PaymentStatus
from shared.domain.pack import PackStatus
from shared.domain.reservation import Reservation, ReservationState
from shared.store import accounts
from tests.billing.conftest import Shop
from tests.billing.reversed_payments import OPENING, give_again, take_back, taken_notices
from tests.buying import buy_place, class_in, total_of
from tests.shop_floor import (
    asked_of,
    customer_with_card,
    go_to,
    invoices_of,
    packs_of,
    reservation_rows,
)

PLACE = 2_000
"""20.00; a class is not taxed here."""


def reservation_of(customer_id: str) -> Reservation:
    (row,) = reservation_rows(customer_id)
    return row.value


def listed() -> list[tuple[str, int]]:
    """What began unpaid at the location, as staff see it."""
    return [(row.value.what, row.value.amount.minor) for row in accounts.outstanding_of("ny").rows]


def paid_place(world: LocalWorld) -> str:
    """A class on 5 March at 14:00 UTC that Ada has paid by itself; answers her id."""
    ada = customer_with_card(world)
    buy_place(world, ada, class_in(world), total=PLACE, pay_now=True)
    return ada


def test_a_place_whose_payment_is_taken_back_stays_and_is_outstanding_at_its_start(
    shop: Shop,
) -> None:
    world = shop(OPENING)
    ada = paid_place(world)
    assert not reservation_of(ada).owes
    take_back(world, ada)
    assert reservation_of(ada).state is ReservationState.BOOKED
    assert reservation_of(ada).owes.minor == PLACE
    assert listed() == []
    (invoice,) = invoices_of(ada)
    assert invoice.status is PaymentStatus.REVERSED
    go_to(world, "2026-03-05 14:00")
    assert listed() == [("Yoga", PLACE)]
    go_to(world, "2026-03-05 16:00")
    assert reservation_of(ada).state is ReservationState.REDEEMED
    assert listed() == [("Yoga", PLACE)]
    give_again(world, ada)
    assert listed() == []
    assert not reservation_of(ada).owes
    assert invoices_of(ada)[0].state is InvoiceState.CLOSED


def test_what_took_place_is_outstanding_at_once_when_it_is_taken_back(shop: Shop) -> None:
    world = shop(OPENING)
    ada = paid_place(world)
    go_to(world, "2026-03-20 12:00")
    take_back(world, ada)
    assert listed() == [("Yoga", PLACE)]


def test_a_pack_bought_with_a_place_is_frozen_and_the_place_stays(shop: Shop) -> None:
    world = shop(OPENING)
    ada, yoga = customer_with_card(world), class_in(world)
    total = total_of(world, ada, yoga, "ten")
    buy_place(world, ada, yoga, "ten", total=total, pay_now=True)
    take_back(world, ada)
    (pack,) = packs_of(ada)
    assert (pack.left, pack.status(world.now())) == (9, PackStatus.FROZEN)
    assert reservation_of(ada).state is ReservationState.BOOKED
    (notice,) = taken_notices()
    assert "1 credit held for what is booked: Yoga on March 5, 2026" in notice.detail
    go_to(world, "2026-03-06 12:00")
    assert reservation_of(ada).state is ReservationState.REDEEMED
    assert listed() == [("Yoga", total)]
    give_again(world, ada)
    assert (packs_of(ada)[0].frozen_at, listed()) == (None, [])


@pytest.mark.parametrize("won", [False, True])
def test_the_audit_finds_what_was_not_reported_of_a_place(shop: Shop, won: bool) -> None:
    world = shop(OPENING)
    ada = paid_place(world)
    go_to(world, "2026-03-20 12:00")
    (function,) = [
        one for one in world.template.functions if one.handler == "functions.billing.audit.handler"
    ]
    if won:
        take_back(world, ada)
    charge_id = asked_of(world, ada)[-1].id
    world.sandbox.webhooks(hold=True)
    change = world.sandbox.reinstate_charge if won else world.sandbox.reverse_charge
    change(charge_id)
    assert world.sandbox.discard_webhooks() == 1
    world.sandbox.behave()
    assert world.invoke(function, {})["breaches"] == []
    assert listed() == ([] if won else [("Yoga", PLACE)])
