"""Open invoices that no subscription collects, paid from their pages ([HISTORY] [KEY] [ONCE])."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from infra.local.http_api import Response
from infra.local.world import LocalWorld
from shared.domain.charge import RefundState
from shared.domain.invoice import InvoiceState
from shared.domain.message import MessageKind
from tests.portal.customers import Customer, confirm, hidden_fields
from tests.portal.places_for_sale import TEN, YOGA, selling
from tests.portal.studio import stored
from tests.shop_floor import (
    ALSO_WORKS,
    FAILS_LATER,
    NEEDS_AUTHENTICATION,
    WORKS,
    card_of,
    card_on_file,
    charged_at,
    charges_of,
    customer_with_card,
    invoices_of,
    messages_of,
    packs_of,
)


@pytest.fixture
def world() -> Iterator[LocalWorld]:
    with selling(YOGA) as opened:
        yield opened


@pytest.fixture
def ada(world: LocalWorld) -> Customer:
    """She has a card, and has bought ten classes with a place, to be paid later."""
    made = Customer(world, customer_with_card(world))
    wanted = {"activity": YOGA.id, "buy": "ten", "pay": "later", "expected_total_minor": TEN}
    answer = made.post("/reservations", wanted, key="key-0001")
    assert answer.status == 201, answer.text
    return made


def invoice_of(customer: Customer) -> str:
    (invoice,) = invoices_of(customer.id)
    return invoice.id


def pay(customer: Customer, key: str = "key-pay-1", **more: Any) -> Response:
    return customer.post(f"/invoices/{invoice_of(customer)}/pay", more, key=key)


def test_the_page_shows_what_it_is_for_and_takes_the_payment(
    world: LocalWorld, ada: Customer
) -> None:
    path = f"/invoices/{invoice_of(ada)}"
    page = ada.see(path)
    assert "$270.63 to pay" in page.text
    assert "See the pack behind it" in page.text
    paid = ada.press(f"{path}/pay", **hidden_fields(page, f"{path}/pay"), card=card_of(ada.id).id)
    assert (paid.status, (paid.header("location") or "").partition("?")[0]) == (303, path)
    assert "Card payment" in ada.see(path).text
    assert [one.left for one in packs_of(ada.id)] == [9]
    world.run_due()
    assert len(messages_of(ada.id, MessageKind.ORDER_RECEIPT)) == 1
    assert len(messages_of(ada.id, MessageKind.INVOICE)) == 1


def test_a_declined_card_leaves_it_open_and_another_pays(world: LocalWorld, ada: Customer) -> None:
    bad = card_on_file(world, ada.id, FAILS_LATER)
    refused = pay(ada, card=bad.id)
    assert (refused.status, refused.json()["code"]) == (402, "card_declined")
    page = ada.read(f"/invoices/{invoice_of(ada)}")
    assert (page["invoice"]["state"], page["pay"]["why_not"]) == ("open", None)
    assert [one["outcome"] for tries in page["attempts"] for one in tries["attempts"]] == [
        "declined"
    ]
    (made,) = ada.read("/reservations")["reservations"]
    assert made["state"] == "booked", "the place was not booked on the condition of this payment"
    again = pay(ada, card=bad.id)
    assert again.status == 402, "the same press answers the same"
    assert len(charges_of(ada.id)[0].attempts) == 1
    good = card_on_file(world, ada.id, ALSO_WORKS)
    assert pay(ada, "key-pay-2", card=good.id).status == 200
    assert len(charged_at(world, ada.id)) == 1


def test_the_page_says_a_decline_beside_the_cards(world: LocalWorld, ada: Customer) -> None:
    world.sandbox.let_card_behave_as(card_of(ada.id).token, FAILS_LATER)
    path = f"/invoices/{invoice_of(ada)}"
    fields = hidden_fields(ada.see(path), f"{path}/pay")
    again = ada.press(f"{path}/pay", **fields, card=card_of(ada.id).id)
    assert again.status == 402
    assert "The card was declined by the bank. Nothing was charged." in again.text
    assert hidden_fields(again, f"{path}/pay")["idempotency_key"] != fields["idempotency_key"]


def test_while_nobody_knows_no_other_try_begins(world: LocalWorld, ada: Customer) -> None:
    world.sandbox.webhooks(hold=True)
    world.sandbox.misbehave("charge", "timeout_after")
    assert pay(ada).status == 202
    assert ada.read(f"/invoices/{invoice_of(ada)}")["pay"]["why_not"] == "outcome_unknown"
    other = pay(ada, "key-pay-2")
    assert (other.status, other.json()["code"]) == (409, "payment_under_way")
    world.advance(timedelta(hours=1))
    ada.sign_in()
    assert ada.read(f"/invoices/{invoice_of(ada)}")["invoice"]["state"] == "closed"
    assert len(charged_at(world, ada.id)) == 1
    world.sandbox.webhooks(hold=False)


def test_who_is_to_confirm_does_that_first_and_sees_it_paid_at_once(
    world: LocalWorld, ada: Customer
) -> None:
    world.sandbox.let_card_behave_as(card_of(ada.id).token, NEEDS_AUTHENTICATION)
    world.sandbox.webhooks(hold=True)
    assert pay(ada).status == 202
    path = f"/invoices/{invoice_of(ada)}"
    asked = ada.read(path)["pay"]
    assert asked["why_not"] == "to_be_confirmed"
    assert "Confirm with your bank" in ada.see(path).text
    assert pay(ada, "key-pay-2").status == 409
    assert confirm(world, asked["confirm_url"]) == path
    assert ada.read(path)["invoice"]["state"] == "closed"
    world.sandbox.webhooks(hold=False)


def test_who_refuses_at_the_bank_keeps_the_place_and_may_pay_otherwise(
    world: LocalWorld, ada: Customer
) -> None:
    world.sandbox.let_card_behave_as(card_of(ada.id).token, NEEDS_AUTHENTICATION)
    assert pay(ada).status == 202
    path = f"/invoices/{invoice_of(ada)}"
    confirm(world, ada.read(path)["pay"]["confirm_url"], answer="decline")
    assert ada.read(path)["invoice"]["state"] == "open"
    assert ada.read("/reservations")["reservations"][0]["state"] == "booked"
    world.sandbox.let_card_behave_as(card_of(ada.id).token, WORKS)
    assert pay(ada, "key-pay-2").status == 200


def test_cancelled_while_it_is_being_paid_the_money_comes_back(
    world: LocalWorld, ada: Customer
) -> None:
    world.sandbox.webhooks(hold=True)
    world.sandbox.misbehave("charge", "timeout_after")
    assert pay(ada).status == 202
    (made,) = ada.read("/reservations")["reservations"]
    assert ada.post(f"/reservations/{made['id']}/cancel", key="key-cancel").status == 200
    world.advance(timedelta(hours=1))
    assert [one.refund for one in charges_of(ada.id)] == [RefundState.DONE]
    assert [one.state for one in invoices_of(ada.id)] == [InvoiceState.VOID]
    world.sandbox.webhooks(hold=False)


def test_another_customer_neither_sees_nor_pays_it(world: LocalWorld, ada: Customer) -> None:
    bea = Customer(world, customer_with_card(world, email="bea@example.com"))
    before = stored(world, ada.id, YOGA.id)
    path = f"/invoices/{invoice_of(ada)}"
    assert bea.get(path).status == 404
    assert bea.post(f"{path}/pay", {}, key="key-pay-1").status == 404
    assert stored(world, ada.id, YOGA.id) == before
    assert charged_at(world, bea.id) == []
    foreign = pay(ada, card=card_of(bea.id).id)
    assert foreign.json()["fields"] == {"card": "This card is not on file."}


def test_the_balance_counts_what_is_open(ada: Customer) -> None:
    page = ada.read("/invoices")
    assert page["owed"] == [{"minor": TEN, "currency": "USD"}]
    (row,) = ada.read("/payments")["payments"]
    assert (row["status"], row["amount"]["minor"]) == ("unpaid", TEN)
    assert pay(ada).status == 200
    assert ada.read("/invoices")["owed"] == []
    assert ada.read("/payments")["payments"][0]["status"] == "paid"
