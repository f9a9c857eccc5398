"""Cash and transfers for places and for packs bought with one: whole, in parts, beside cards
([PAY], [BOOK], [ONCE])."""

import json

import pytest

from infra.local.http_api import Response
from infra.local.world import LocalWorld
from shared.domain.activity import Activity
from shared.domain.charge import RefundState
from shared.domain.invoice import InvoiceState, PaymentKind, void
from shared.domain.message import MessageKind
from shared.domain.outcome import Outcome
from shared.domain.reservation import Reservation
from shared.operations.answered import Checked
from shared.store import accounts, invoicing
from shared.store.bookings import Besides, Credits
from shared.store.items import Lost
from shared.store.reading import read
from shared.store.staff import Role
from tests.billing.conftest import Shop
from tests.buying import (
    buy_place,
    class_in,
    invoice_now,
    pack_now,
    pay_invoice,
    reservation_now,
    total_of,
)
from tests.console.office import code_of, staff, told
from tests.shop_floor import (
    FAILS_LATER,
    WORKS,
    asked_of,
    books_hold,
    card_of,
    charges_of,
    customer_with_card,
    go_to,
    messages_of,
    packs_of,
)

OPENING = "2026-03-02 15:00"
TEN = 27_063
"""A pack of ten for 250.00 plus 8.25% tax (example 12)."""


def bought(world: LocalWorld) -> tuple[Reservation, Activity]:
    """Ada has booked a class by buying ten, to pay later."""
    ada = customer_with_card(world)
    yoga = class_in(world, 2)
    total = total_of(world, ada, yoga, "ten")
    assert total == TEN
    return buy_place(world, ada, yoga, "ten", total=total).reservation, yoga


def record(
    world: LocalWorld, one: Reservation, amount: str, *, kind: str = "cash", key: str = ""
) -> Response:
    """A clerk records it for the invoice that asks for a reservation."""
    invoice = invoice_now(one)
    answer = staff(world, Role.CLERK).post(
        f"/console/customers/{one.customer_id}/invoices/{invoice.id}/payments",
        kind=kind,
        amount=amount,
        idempotency_key=key or f"key-of-{amount}-{kind}",
    )
    world.run_due()
    return answer


def paid(one: Reservation) -> list[tuple[PaymentKind, int]]:
    return [(each.kind, each.amount.minor) for each in invoice_now(one).payments]


def test_cash_pays_for_a_pack_that_was_bought_with_a_place(shop: Shop) -> None:
    world = shop(OPENING)
    one, _ = bought(world)
    (pack,) = packs_of(one.customer_id)
    assert (pack.left, pack.unpaid) == (0, True)
    assert record(world, one, "270.63").status == 201
    assert invoice_now(one).state is InvoiceState.CLOSED
    assert (pack_now(pack).left, pack_now(pack).unpaid) == (9, False)
    assert reservation_now(one).invoiced is None
    assert len(messages_of(one.customer_id, MessageKind.ORDER_RECEIPT)) == 1
    assert charges_of(one.customer_id) == []
    (line,) = [line for line in told(staff(world), one.customer_id) if line["kind"] == "payment"]
    assert line["what"].endswith("paid in cash: $270.63")
    assert line["by"] == "clerk@happypaws.example"
    books_hold(world)


def test_a_part_in_cash_leaves_the_rest_to_the_card(shop: Shop) -> None:
    world = shop(OPENING)
    one, _ = bought(world)
    (pack,) = packs_of(one.customer_id)
    assert record(world, one, "100").status == 201
    assert invoice_now(one).owed.minor == TEN - 10_000
    assert reservation_now(one).owes.minor == TEN - 10_000
    assert pack_now(pack).unpaid, "a part is not all of it"
    assert messages_of(one.customer_id, MessageKind.ORDER_RECEIPT) == []
    books_hold(world)
    go_to(world, "2026-03-04 15:10")
    (row,) = staff(world).data("/console/outstanding?location=ny")["outstanding"]
    assert row["amount"]["minor"] == TEN - 10_000
    assert pay_invoice(world, invoice_now(one)).state is Checked.PAID
    assert paid(one) == [(PaymentKind.CASH, 10_000), (PaymentKind.CARD, TEN - 10_000)]
    assert [each.amount for each in asked_of(world, one.customer_id)] == [TEN - 10_000]
    assert (pack_now(pack).left, pack_now(pack).unpaid) == (9, False)
    assert len(messages_of(one.customer_id, MessageKind.ORDER_RECEIPT)) == 1
    books_hold(world)


def test_never_more_than_is_owed_nor_nothing(shop: Shop) -> None:
    world = shop(OPENING)
    one, _ = bought(world)
    assert record(world, one, "200").status == 201
    for amount in ("70.64", "0", "0.00", "270.63"):
        answer = record(world, one, amount)
        assert answer.status == 422, amount
        assert set(json.loads(answer.body)["fields"]) == {"amount"}
    assert paid(one) == [(PaymentKind.CASH, 20_000)]
    assert record(world, one, "70.63", kind="transfer").status == 201
    assert invoice_now(one).state is InvoiceState.CLOSED
    again = record(world, one, "70.63", key="another-key-of-it")
    assert (again.status, code_of(again)) == (409, "nothing_owed")
    books_hold(world)


def test_the_same_press_takes_a_part_once(shop: Shop) -> None:
    world = shop(OPENING)
    one, _ = bought(world)
    first, again = record(world, one, "100"), record(world, one, "100")
    assert first.status == again.status == 201
    assert paid(one) == [(PaymentKind.CASH, 10_000)]


def test_while_a_card_is_being_asked_no_cash_is_taken(shop: Shop) -> None:
    world = shop(OPENING)
    one, _ = bought(world)
    world.sandbox.webhooks(hold=True)
    world.sandbox.misbehave("charge", "timeout_after")
    pay_invoice(world, invoice_now(one))
    refused = record(world, one, "270.63")
    assert (refused.status, code_of(refused)) == (409, "payment_under_way")
    world.sandbox.release_webhooks()
    world.run_due()
    assert paid(one) == [(PaymentKind.CARD, TEN)]
    books_hold(world)


def declined(world: LocalWorld, one: Reservation) -> None:
    """The card says no once, and works from then on."""
    world.sandbox.let_card_behave_as(card_of(one.customer_id).token, FAILS_LATER)
    assert pay_invoice(world, invoice_now(one)).state is not Checked.PAID
    world.sandbox.let_card_behave_as(card_of(one.customer_id).token, WORKS)


def test_cash_after_a_decline_closes_the_charge_for_good(shop: Shop) -> None:
    world = shop(OPENING)
    one, _ = bought(world)
    declined(world, one)
    assert record(world, one, "270.63").status == 201
    (charge,) = charges_of(one.customer_id)
    assert (charge.outcome, charge.given_up, charge.refund) == (
        Outcome.DECLINED,
        True,
        RefundState.NONE,
    )
    books_hold(world)


def test_a_part_after_a_decline_leaves_the_rest_to_the_card(shop: Shop) -> None:
    world = shop(OPENING)
    one, _ = bought(world)
    declined(world, one)
    assert record(world, one, "100").status == 201
    assert pay_invoice(world, invoice_now(one)).state is Checked.PAID
    assert [each.amount for each in asked_of(world, one.customer_id)] == [TEN, TEN - 10_000]
    assert invoice_now(one).state is InvoiceState.CLOSED
    books_hold(world)


def test_who_read_an_invoice_before_a_payment_of_it_began_can_do_nothing_to_it(shop: Shop) -> None:
    """Else a place could be let go, or paid in cash, while its card is being asked."""
    world = shop(OPENING)
    one, _ = bought(world)
    ref = accounts.invoice(one.customer_id, invoice_now(one).id)
    row = read(ref).get(ref)
    assert row is not None
    world.sandbox.webhooks(hold=True)
    world.sandbox.misbehave("charge", "timeout_after")
    pay_invoice(world, invoice_now(one))
    with pytest.raises(Lost):
        invoicing.change_invoice(
            invoice=row, changed=void(row.value, world.now()), reserved=None,
            credits_=Credits(), besides=Besides(),
        )  # fmt: skip
    assert invoice_now(one).state is InvoiceState.OPEN
    world.sandbox.release_webhooks()
    world.run_due()
    assert paid(one) == [(PaymentKind.CARD, TEN)]
    books_hold(world)
