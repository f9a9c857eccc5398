"""A payment that a bank takes back days or months later, through HTTP and the clock ([REVERSE])."""

from datetime import timedelta
from typing import Any

import pytest

from infra.local.sandbox_faults import Fault, Operation
from infra.local.world import LocalWorld
from shared.domain.charge import Outcome, RefundState
from shared.domain.errors import Conflict
from shared.domain.invoice import Invoice, InvoiceState, PaymentKind, PaymentStatus
from shared.domain.message import Notice, NoticeKind
from shared.domain.pack import Pack, PackStatus
from shared.domain.reservation import ReservationState
from shared.operations.checkout import Checked
from shared.operations.paying_invoice import pay_invoice
from shared.operations.submissions import Press
from shared.store import accounts
from shared.store.engine import read
from tests.billing.conftest import Shop
from tests.console.office import Desk, customer, staff, told
from tests.portal.studio import class_of, put_on
from tests.shop_floor import (
    Wanted,
    asked_of,
    buy,
    charges_of,
    context_of,
    customer_with_card,
    entries_of,
    go_to,
    invoices_of,
    notices,
    packs_of,
    subscribed,
    subscription_of,
)

OPENING = "2026-03-02 14:00"
"""Nine in the morning of a Monday in New York."""

FIRST = class_of("2026-03-03 15:00", "First class")
SECOND = class_of("2026-03-20 14:00", "Second class")
THIRD = class_of("2026-03-21 14:00", "Third class")


def book(desk: Desk, activity_id: str, **fields: Any) -> Any:
    return desk.ask(
        "POST",
        "/reservations",
        {"activity": activity_id, **fields},
        Idempotency_Key=f"book-{activity_id}-{len(fields)}",
    )


def ten_with_two_in_use(world: LocalWorld) -> tuple[str, Desk]:
    """A ten-pack bought by card on 2 March; one class was taken the day after, one is booked for
    the 20th. It is the 10th."""
    put_on(FIRST, SECOND, THIRD)
    ada = customer_with_card(world)
    buy(world, ada, "ten")
    desk = customer(world, ada)
    for activity in (FIRST, SECOND):
        assert book(desk, activity.id).status == 201
    go_to(world, "2026-03-10 15:00")
    return ada, customer(world, ada)


def take_back(world: LocalWorld, customer_id: str, amount: int | None = None) -> None:
    """The bank takes the customer's last payment back, and its report is worked on."""
    world.sandbox.reverse_charge(asked_of(world, customer_id)[-1].id, amount)
    world.run_due()


def give_again(world: LocalWorld, customer_id: str) -> None:
    world.sandbox.reinstate_charge(asked_of(world, customer_id)[-1].id)
    world.run_due()


def only_pack(customer_id: str) -> Pack:
    (pack,) = packs_of(customer_id)
    return pack


def only_invoice(customer_id: str) -> Invoice:
    """Of what was bought: a class that was paid by a credit has one of its own, over nothing."""
    (invoice,) = [one for one in invoices_of(customer_id) if one.source is not None]
    return invoice


def money_on(invoice: Invoice) -> list[tuple[PaymentKind, int]]:
    return [(one.kind, one.amount.minor) for one in invoice.payments]


def taken_notices() -> list[Notice]:
    return notices(NoticeKind.PAYMENT_REVERSED)


# --- a ten-pack ----------------------------------------------------------------------------------


def test_the_unused_credits_are_frozen_and_the_ledger_stays_as_it_is(shop: Shop) -> None:
    world = shop(OPENING)
    ada, _ = ten_with_two_in_use(world)
    before = entries_of(only_pack(ada))
    take_back(world, ada)
    pack = only_pack(ada)
    assert (pack.left, pack.frozen_at) == (8, world.now())
    assert pack.status(world.now()) is PackStatus.FROZEN
    assert entries_of(pack) == before


def test_the_invoice_is_open_again_and_keeps_its_number(shop: Shop) -> None:
    world = shop(OPENING)
    ada, _ = ten_with_two_in_use(world)
    number = only_invoice(ada).number
    assert number is not None
    take_back(world, ada)
    invoice = only_invoice(ada)
    assert (invoice.state, invoice.status) == (InvoiceState.OPEN, PaymentStatus.REVERSED)
    assert invoice.number == number
    # Worked example 12: 250.00 plus 8.25%.
    assert money_on(invoice) == [(PaymentKind.CARD, 27_063), (PaymentKind.REVERSAL, -27_063)]
    assert invoice.owed.minor == 27_063
    (charge,) = charges_of(ada)
    (attempt,) = charge.attempts
    assert attempt.reversed is not None
    assert (attempt.outcome, attempt.reversed.minor) == (Outcome.SUCCEEDED, 27_063)
    assert attempt.reversed_at == world.now()
    go_to(world, "2026-03-12 15:00")
    assert only_invoice(ada).number == number


def test_staff_are_told_who_how_much_and_which_credits_were_used(shop: Shop) -> None:
    world = shop(OPENING)
    ada, _ = ten_with_two_in_use(world)
    take_back(world, ada)
    (notice,) = taken_notices()
    assert (notice.customer_id, notice.location_id) == (ada, "ny")
    for said in (
        "Ada (ada@example.com)",
        "$270.63",
        "10 credits granted",
        "1 credit used: First class on March 3, 2026",
        "1 credit held for what is booked: Second class on March 20, 2026",
        "8 credits unused",
        "on hold",
    ):
        assert said in notice.detail, said
    assert "Third class" not in notice.detail


def test_nothing_of_it_can_be_booked_and_the_reason_is_said(shop: Shop) -> None:
    world = shop(OPENING)
    ada, desk = ten_with_two_in_use(world)
    take_back(world, ada)
    pack = only_pack(ada)
    refused = book(desk, THIRD.id)
    assert refused.status == 409
    assert "On hold" in refused.json()["detail"]
    named = book(desk, THIRD.id, pack=pack.id)
    assert (named.status, named.json()["code"]) == (409, "pack_frozen")
    assert only_pack(ada) == pack


def test_what_is_booked_stays_booked_until_somebody_cancels_it(shop: Shop) -> None:
    world = shop(OPENING)
    ada, desk = ten_with_two_in_use(world)
    take_back(world, ada)
    states = {row.value.name: row.value.state for row in accounts.reservations_of(ada).rows}
    assert states == {
        "First class": ReservationState.REDEEMED,
        "Second class": ReservationState.BOOKED,
    }
    (booked,) = [
        row.value
        for row in accounts.reservations_of(ada).rows
        if row.value.state is ReservationState.BOOKED
    ]
    done = desk.ask("POST", f"/reservations/{booked.id}/cancel", Idempotency_Key="cancel-1")
    assert done.status == 200, done.body
    # The credit comes back to its pack, which is frozen all the same.
    pack = only_pack(ada)
    assert (pack.left, pack.status(world.now())) == (9, PackStatus.FROZEN)


def test_the_expiry_goes_on_while_it_is_frozen(shop: Shop) -> None:
    world = shop(OPENING)
    ada, _ = ten_with_two_in_use(world)
    expires_at = only_pack(ada).expires_at
    take_back(world, ada)
    # 90 days, the first counted, to 23:59 in New York.
    go_to(world, "2026-05-31 03:58")
    assert only_pack(ada).status(world.now()) is PackStatus.FROZEN
    go_to(world, "2026-05-31 03:59")
    pack = only_pack(ada)
    assert pack.expires_at == expires_at
    assert (pack.left, pack.status(world.now())) == (0, PackStatus.EXPIRED)


def test_a_dispute_that_is_won_brings_everything_back(shop: Shop) -> None:
    world = shop(OPENING)
    ada, desk = ten_with_two_in_use(world)
    number = only_invoice(ada).number
    take_back(world, ada)
    world.advance(timedelta(days=2))
    give_again(world, ada)
    invoice = only_invoice(ada)
    assert (invoice.state, invoice.status) == (InvoiceState.CLOSED, PaymentStatus.PAID)
    assert invoice.number == number
    assert money_on(invoice)[-1] == (PaymentKind.REINSTATED, 27_063)
    assert only_pack(ada).frozen_at is None
    (notice,) = notices(NoticeKind.PAYMENT_REINSTATED)
    assert "$270.63" in notice.detail
    desk = customer(world, ada)
    assert book(desk, THIRD.id).status == 201
    assert only_pack(ada).left == 7


# --- paid again ----------------------------------------------------------------------------------


def pay(world: LocalWorld, invoice: Invoice, key: str = "pay-once") -> Checked:
    """The customer pays what an invoice asks with the card on file."""
    press = Press(
        customer_id=invoice.customer_id,
        key=key,
        operation="pay_invoice",
        content=(invoice.id, None),
    )
    earlier = read(press.ref).get(press.ref)
    answered = pay_invoice(
        context_of(world), invoice.id, card_id=None, press=press, earlier=earlier
    )
    world.run_due()
    return answered.state


def test_when_the_invoice_is_paid_again_its_credits_can_be_used(shop: Shop) -> None:
    world = shop(OPENING)
    ada, desk = ten_with_two_in_use(world)
    number = only_invoice(ada).number
    take_back(world, ada)
    for _ in range(2):
        assert pay(world, only_invoice(ada)) is Checked.PAID
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
    assert pay(world, only_invoice(ada)) is Checked.DECLINED
    assert only_pack(ada).frozen_at is not None
    assert only_invoice(ada).status is PaymentStatus.REVERSED
    assert pay(world, only_invoice(ada), "pay-twice") is Checked.PAID
    assert only_pack(ada).frozen_at is None


def test_what_was_paid_again_may_be_taken_back_again(shop: Shop) -> None:
    world = shop(OPENING)
    ada, _ = ten_with_two_in_use(world)
    for key in ("pay-once", "pay-twice"):
        take_back(world, ada)
        assert only_pack(ada).frozen_at is not None
        assert pay(world, only_invoice(ada), key) is Checked.PAID
    assert only_invoice(ada).state is InvoiceState.CLOSED
    assert len(asked_of(world, ada)) == 3
    assert len(taken_notices()) == 2


def test_won_after_it_was_paid_again_the_invoice_is_open_and_staff_hear_of_it(shop: Shop) -> None:
    world = shop(OPENING)
    ada, desk = ten_with_two_in_use(world)
    take_back(world, ada)
    assert pay(world, only_invoice(ada)) is Checked.PAID
    world.sandbox.reinstate_charge(asked_of(world, ada)[0].id)
    world.run_due()
    invoice = only_invoice(ada)
    assert (invoice.state, invoice.owed.minor) == (InvoiceState.OPEN, -27_063)
    assert only_pack(ada).frozen_at is None
    (notice,) = notices(NoticeKind.PAYMENT_REINSTATED)
    assert "$270.63 too much" in notice.detail
    with pytest.raises(Conflict):
        pay(world, invoice, "pay-twice")
    page = desk.page(f"/invoices/{invoice.id}")
    assert "to pay</h2>" not in page


def test_a_period_that_is_paid_again_counts_again(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    go_to(world, "2026-03-05 12:00")
    take_back(world, ada)
    assert subscription_of(ada).payments_made == 1
    assert pay(world, invoices_of(ada)[-1]) is Checked.PAID
    assert subscription_of(ada).payments_made == 2
    assert packs_of(ada)[-1].frozen_at is None
    go_to(world, "2026-04-05 12:00")
    assert subscription_of(ada).payments_made == 3


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


# --- subscriptions -------------------------------------------------------------------------------


def test_a_period_that_is_taken_back_does_not_count_and_the_subscription_goes_on(
    shop: Shop,
) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    go_to(world, "2026-03-05 12:00")
    assert subscription_of(ada).payments_made == 2
    take_back(world, ada)
    assert subscription_of(ada).payments_made == 1
    assert packs_of(ada)[-1].frozen_at is not None
    go_to(world, "2026-04-05 12:00")
    # Charged at 23:59 of 30 March as ever; its credits are its own and not frozen.
    assert subscription_of(ada).payments_made == 2
    assert packs_of(ada)[-1].frozen_at is None
    assert [one.status for one in invoices_of(ada)] == [
        PaymentStatus.PAID,
        PaymentStatus.REVERSED,
        PaymentStatus.PAID,
    ]


def test_the_first_payment_of_a_subscription_counts_again_when_it_comes_again(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    take_back(world, ada)
    assert subscription_of(ada).payments_made == 0
    give_again(world, ada)
    assert subscription_of(ada).payments_made == 1


def test_of_money_that_nobody_wanted_staff_are_told_and_nothing_is_refunded(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = customer_with_card(world)
    world.sandbox.webhooks(hold=True)
    world.sandbox.misbehave(Operation.CHARGE, Fault.ERROR_AFTER)
    buy(world, ada, "ten")
    provider = world.wiring.provider("sandbox")
    whole = provider.look_up
    provider.look_up = lambda **_: None  # type: ignore[method-assign]
    go_to(world, "2026-02-02 12:00")
    provider.look_up = whole  # type: ignore[method-assign]
    # Taken for lost; it had succeeded, and the bank has taken it back before we heard of it.
    take_back(world, ada)
    world.sandbox.release_webhooks()
    world.advance(timedelta(hours=2))
    (charge,) = charges_of(ada)
    (seen,) = asked_of(world, ada)
    assert (charge.refund, seen.refunds, seen.kept) == (RefundState.DONE, (), False)
    assert packs_of(ada) == []


# --- what people see -----------------------------------------------------------------------------


def test_the_customer_sees_what_was_taken_back_and_what_is_on_hold(shop: Shop) -> None:
    world = shop(OPENING)
    ada, desk = ten_with_two_in_use(world)
    take_back(world, ada)
    statuses = {one["invoice_id"]: one["status"] for one in desk.data("/payments")["payments"]}
    assert statuses[only_invoice(ada).id] == "reversed"
    shown = desk.data(f"/invoices/{only_invoice(ada).id}")
    assert [one["kind"] for one in shown["payments"]] == ["card", "reversal"]
    page = desk.page(f"/invoices/{only_invoice(ada).id}")
    assert "took this payment back" in page
    assert "Taken back by the bank" in page
    (summary,) = desk.data("/packs")["packs"]
    assert (summary["status"], summary["left"]) == ("frozen", 8)
    assert summary["frozen_at"] == "2026-03-10T15:00:00Z"
    page = desk.page(f"/packs/{only_pack(ada).id}")
    assert "On hold" in page
    assert "took back what paid for it" in page
    assert "On hold" in desk.page("/packs?status=frozen")
    assert "on hold" in desk.page(f"/schedule/{THIRD.id}")


def test_staff_see_the_reversal_and_where_each_credit_went(shop: Shop) -> None:
    world = shop(OPENING)
    ada, _ = ten_with_two_in_use(world)
    take_back(world, ada)
    owner = staff(world)
    sentences = [line["what"] for line in told(owner, ada)]
    number = only_invoice(ada).number
    assert f"Invoice {number} is unpaid again: the bank took back $270.63 of Visa 4242" in sentences
    page = owner.data(f"/console/customers/{ada}")
    (shown,) = page["frozen"]
    assert shown["pack_id"] == only_pack(ada).id
    assert [(one["name"], one["over"]) for one in shown["uses"]] == [
        ("First class", True),
        ("Second class", False),
    ]
    html = owner.page(f"/console/customers/{ada}")
    assert "First class" in html
    assert "On hold since" in html
    assert "A payment was taken back" in owner.page("/console")


def test_staff_elsewhere_see_nothing_of_it(shop: Shop) -> None:
    world = shop(OPENING)
    ada, _ = ten_with_two_in_use(world)
    take_back(world, ada)
    berlin = staff(world, email="be@happypaws.example", locations=("be",))
    assert berlin.ask("GET", f"/console/customers/{ada}").status == 404
    assert berlin.data("/console")["notices"] == []
    ref = accounts.notice(taken_notices()[0])
    assert read(ref).get(ref) is not None
