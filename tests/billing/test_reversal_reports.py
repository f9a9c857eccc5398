"""What a bank took back, reported twice, late, lost or in any order; and paid again ([REVERSE])."""

from datetime import timedelta

import pytest

from infra.local.sandbox_faults import Fault, Operation
from shared.domain.invoice import InvoiceState, PaymentKind, PaymentStatus
from shared.domain.message import NoticeKind
from shared.domain.pack import PackStatus
from tests.billing.conftest import Shop
from tests.billing.reversed_payments import (
    OPENING,
    THIRD,
    book,
    give_again,
    money_on,
    only_invoice,
    only_pack,
    pay,
    take_back,
    taken_notices,
    ten_with_two_in_use,
)
from tests.console.office import staff
from tests.shop_floor import (
    Wanted,
    asked_of,
    buy,
    customer_with_card,
    go_to,
    invoices_of,
    notices,
    packs_of,
    subscribed,
    subscription_of,
)

# --- reports, as they come -----------------------------------------------------------------------


def test_the_same_report_twice_is_one_reversal(shop: Shop) -> None:
    world = shop(OPENING)
    world.sandbox.webhooks(repeat=3, shuffle=True)
    ada, _ = ten_with_two_in_use(world)
    take_back(world, ada)
    world.advance(timedelta(minutes=2))
    assert len(only_invoice(ada).payments) == 2
    assert len(taken_notices()) == 1


@pytest.mark.parametrize("won", [False, True])
def test_reports_in_any_order_end_at_what_the_provider_says(shop: Shop, won: bool) -> None:
    world = shop(OPENING)
    ada, _ = ten_with_two_in_use(world)
    charge_id = asked_of(world, ada)[-1].id
    world.sandbox.webhooks(hold=True, repeat=2, shuffle=True)
    for _ in range(2):
        world.sandbox.reverse_charge(charge_id)
        world.sandbox.reinstate_charge(charge_id)
    if not won:
        world.sandbox.reverse_charge(charge_id)
    world.sandbox.release_webhooks()
    world.advance(timedelta(minutes=2))
    assert (only_pack(ada).frozen_at is None) == won
    assert only_invoice(ada).state is (InvoiceState.CLOSED if won else InvoiceState.OPEN)
    # What came and went between two looks was never seen, and is nobody's news.
    assert len(only_invoice(ada).payments) == (1 if won else 2)


def test_a_reversal_may_be_the_first_that_is_heard_of_the_payment(shop: Shop) -> None:
    world = shop(OPENING)
    ada = customer_with_card(world)
    world.sandbox.webhooks(hold=True)
    world.sandbox.misbehave(Operation.CHARGE, Fault.ERROR_AFTER)
    buy(world, ada, "ten")
    assert packs_of(ada) == []
    world.sandbox.discard_webhooks()
    world.sandbox.behave()
    take_back(world, ada)
    assert only_pack(ada).status(world.now()) is PackStatus.FROZEN
    assert len(taken_notices()) == 1


def test_a_report_that_cant_be_looked_at_waits_until_it_can(shop: Shop) -> None:
    world = shop(OPENING, errors=True)
    ada, _ = ten_with_two_in_use(world)
    world.sandbox.misbehave(Operation.LOOK_UP, Fault.TIMEOUT_BEFORE, times=2)
    take_back(world, ada)
    assert only_pack(ada).frozen_at is None
    world.advance(timedelta(hours=2))
    assert only_pack(ada).frozen_at is not None
    assert len(taken_notices()) == 1


@pytest.mark.parametrize("days", [10, 150])
def test_a_reversal_whose_report_was_lost_is_found_by_the_daily_audit(
    shop: Shop, days: int
) -> None:
    world = shop(OPENING)
    ada, _ = ten_with_two_in_use(world)
    (function,) = [
        one for one in world.template.functions if one.handler == "functions.billing.audit.handler"
    ]
    assert world.invoke(function, {})["breaches"] == []
    world.advance(timedelta(days=days))
    world.sandbox.webhooks(hold=True)
    world.sandbox.reverse_charge(asked_of(world, ada)[-1].id)
    assert world.sandbox.discard_webhooks() == 1
    for _ in range(2):
        assert world.invoke(function, {})["breaches"] == []
    assert only_invoice(ada).status is PaymentStatus.REVERSED
    assert len(taken_notices()) == 1
    world.sandbox.webhooks(hold=False)
    world.run_due()


def test_a_part_that_is_taken_back_is_owed_and_freezes_all_the_same(shop: Shop) -> None:
    world = shop(OPENING)
    ada, _ = ten_with_two_in_use(world)
    take_back(world, ada, 10_000)
    assert only_invoice(ada).owed.minor == 10_000
    take_back(world, ada)
    assert [minor for _, minor in money_on(only_invoice(ada))] == [27_063, -10_000, -17_063]
    assert only_invoice(ada).owed.minor == 27_063
    give_again(world, ada)
    assert only_invoice(ada).state is InvoiceState.CLOSED
    assert only_pack(ada).frozen_at is None


def test_only_what_the_payment_bought_is_frozen(shop: Shop) -> None:
    world = shop(OPENING)
    ada = customer_with_card(world)
    buy(world, ada, "ten")
    world.advance(timedelta(days=1))
    buy(world, ada, Wanted("ten", 2))
    take_back(world, ada)
    assert [pack.frozen_at is None for pack in packs_of(ada)] == [True, False, False]
    take_back_first = asked_of(world, ada)[0].id
    world.sandbox.reverse_charge(take_back_first)
    world.run_due()
    assert all(pack.frozen_at is not None for pack in packs_of(ada))
    assert len(taken_notices()) == 2


# --- paid again ----------------------------------------------------------------------------------


def test_when_the_invoice_is_paid_again_its_credits_can_be_used(shop: Shop) -> None:
    world = shop(OPENING)
    ada, desk = ten_with_two_in_use(world)
    number = only_invoice(ada).number
    take_back(world, ada)
    for _ in range(2):
        assert pay(world, only_invoice(ada)) == 200
    invoice = only_invoice(ada)
    assert (invoice.state, invoice.number) == (InvoiceState.CLOSED, number)
    assert money_on(invoice)[-1] == (PaymentKind.CARD, 27_063)
    assert (only_pack(ada).left, only_pack(ada).frozen_at) == (8, None)
    assert book(desk, THIRD.id).status == 201
    assert [one.kept for one in asked_of(world, ada)] == [False, True]


def test_a_decline_leaves_it_frozen(shop: Shop) -> None:
    world = shop(OPENING)
    ada, _ = ten_with_two_in_use(world)
    take_back(world, ada)
    world.sandbox.misbehave(Operation.CHARGE, Fault.DECLINE)
    assert pay(world, only_invoice(ada)) == 402
    assert only_pack(ada).frozen_at is not None
    assert only_invoice(ada).status is PaymentStatus.REVERSED
    assert pay(world, only_invoice(ada), "pay-twice") == 200
    assert only_pack(ada).frozen_at is None


def test_what_was_paid_again_may_be_taken_back_again(shop: Shop) -> None:
    world = shop(OPENING)
    ada, _ = ten_with_two_in_use(world)
    for key in ("pay-once", "pay-twice"):
        take_back(world, ada)
        assert only_pack(ada).frozen_at is not None
        assert pay(world, only_invoice(ada), key) == 200
    assert only_invoice(ada).state is InvoiceState.CLOSED
    assert len(asked_of(world, ada)) == 3
    assert len(taken_notices()) == 2


def test_won_after_it_was_paid_again_the_invoice_is_open_and_staff_hear_of_it(shop: Shop) -> None:
    world = shop(OPENING)
    ada, desk = ten_with_two_in_use(world)
    take_back(world, ada)
    assert pay(world, only_invoice(ada)) == 200
    world.sandbox.reinstate_charge(asked_of(world, ada)[0].id)
    world.run_due()
    invoice = only_invoice(ada)
    assert (invoice.state, invoice.owed.minor) == (InvoiceState.OPEN, -27_063)
    assert only_pack(ada).frozen_at is None
    (notice,) = notices(NoticeKind.PAYMENT_REINSTATED)
    assert "$270.63 too much" in notice.detail
    assert pay(world, invoice, "pay-twice") == 409
    page = desk.page(f"/invoices/{invoice.id}")
    assert "to pay</h2>" not in page


def test_a_period_that_is_paid_again_counts_again(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    go_to(world, "2026-03-05 12:00")
    take_back(world, ada)
    assert subscription_of(ada).payments_made == 1
    assert pay(world, invoices_of(ada)[-1]) == 200
    assert subscription_of(ada).payments_made == 2
    assert packs_of(ada)[-1].frozen_at is None
    go_to(world, "2026-04-05 12:00")
    assert subscription_of(ada).payments_made == 3


@pytest.mark.parametrize("kind", ["cash", "transfer"])
def test_cash_and_transfers_that_staff_record_pay_it_again(shop: Shop, kind: str) -> None:
    world = shop(OPENING)
    ada, desk = ten_with_two_in_use(world)
    take_back(world, ada)
    path = f"/console/customers/{ada}/invoices/{only_invoice(ada).id}/payments"
    part = {"kind": kind, "amount": "200.00", "idempotency_key": "recorded-a-part"}
    assert staff(world).post(path, **part).status == 201
    assert only_invoice(ada).owed.minor == 7_063
    assert only_pack(ada).frozen_at is not None, "it is not paid yet"
    for _ in range(2):
        rest = {"kind": kind, "amount": "70.63", "idempotency_key": "recorded-the-rest"}
        assert staff(world).post(path, **rest).status == 201
    invoice = only_invoice(ada)
    assert invoice.state is InvoiceState.CLOSED
    assert money_on(invoice)[-2:] == [(PaymentKind(kind), 20_000), (PaymentKind(kind), 7_063)]
    assert only_pack(ada).frozen_at is None
    assert book(desk, THIRD.id).status == 201


def test_a_period_that_is_paid_in_cash_counts_again(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    go_to(world, "2026-03-05 12:00")
    take_back(world, ada)
    path = f"/console/customers/{ada}/invoices/{invoices_of(ada)[-1].id}/payments"
    sent = {"kind": "cash", "amount": "53.04", "idempotency_key": "recorded-once"}
    assert staff(world).post(path, **sent).status == 201
    assert subscription_of(ada).payments_made == 2
    assert packs_of(ada)[-1].frozen_at is None
    go_to(world, "2026-04-05 12:00")
    assert subscription_of(ada).payments_made == 3
