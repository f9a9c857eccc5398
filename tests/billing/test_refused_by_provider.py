"""A provider that won't take payments for reasons of the merchant's: no card is to blame, nothing
is half done, staff are told, and it goes on when that is put right."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from infra.local.http_api import Response
from infra.local.sandbox_faults import Fault, Operation
from infra.local.world import LocalWorld
from shared.domain.invoice import InvoiceState
from shared.domain.message import NoticeKind
from shared.domain.outcome import Outcome
from shared.domain.subscription import SubscriptionState
from tests.billing.conftest import Shop
from tests.console import office
from tests.portal.customers import Customer
from tests.portal.places_for_sale import PLACE, WORKSHOP, free, selling
from tests.shop_floor import (
    asked_of,
    charge_of_period,
    charged_at,
    charges_of,
    customer_with_card,
    fill_cart,
    go_to,
    head,
    invoices_of,
    messages_of,
    notices,
    packs_of,
    subscribed,
    subscription_of,
)

REFUSES = NoticeKind.PROVIDER_REFUSES
SECOND_SLOT, THIRD_SLOT = "2026-03-01 04:59", "2026-03-02 04:59"


def revoke_key(world: LocalWorld, operation: Operation = Operation.ANY) -> None:
    world.sandbox.misbehave(operation, Fault.KEY_REFUSED, times=10_000)


@pytest.fixture
def world(shop: Shop) -> LocalWorld:
    return shop("2026-01-31 15:00")


# --- checkout --------------------------------------------------------------------------------


def pay(customer: Customer, key: str) -> Response:
    review = customer.read("/checkout")
    wanted = {name: review[name] for name in ("cart", "card", "expected_total")}
    return customer.post("/checkout", wanted, key=key)


@pytest.fixture
def ada(world: LocalWorld) -> Customer:
    """She has a card, and ten classes in her cart."""
    made = Customer(world, customer_with_card(world))
    fill_cart(world, made.id, "ten")
    return made


def test_a_checkout_creates_nothing_keeps_the_cart_and_blames_no_card(
    world: LocalWorld, ada: Customer
) -> None:
    revoke_key(world)
    answer = pay(ada, "key-0001")
    problem = answer.json()
    assert (answer.status, problem["code"]) == (402, "payment_refused")
    assert problem["facts"]["reason"] == "refused"
    assert "not to blame" in problem["detail"]
    assert "another card" not in problem["detail"]
    assert "wrong_key" not in answer.text, "what troubles the merchant is for staff"
    assert len(ada.read("/cart")["lines"]) == 1
    assert (packs_of(ada.id), invoices_of(ada.id)) == ([], [])
    assert messages_of(ada.id) == []
    assert world.sandbox.charges() == []


def test_the_same_press_answers_the_same_and_a_new_one_pays_when_it_is_put_right(
    world: LocalWorld, ada: Customer
) -> None:
    revoke_key(world)
    first = pay(ada, "key-0001")
    world.sandbox.behave()
    again = pay(ada, "key-0001")
    assert (again.status, again.json()) == (first.status, first.json())
    assert pay(ada, "key-0002").status == 201
    assert len(packs_of(ada.id)) == 1
    assert len(charged_at(world, ada.id)) == 1


def test_people_are_told_to_try_later_and_not_to_use_another_card(
    world: LocalWorld, ada: Customer
) -> None:
    revoke_key(world)
    review = ada.read("/checkout")
    fields = {name: review[name] for name in ("cart", "card", "expected_total", "idempotency_key")}
    page = ada.press("/checkout", **fields)
    assert page.status == 402
    assert "is not to blame, and we have been told" in page.text
    assert "Please try again later" in page.text
    assert "Choose another card, or add one" not in page.text
    order = ada.see(f"/orders/{review['cart']}").text
    assert "is not to blame" in order
    assert "Try another card" not in order


# --- staff -----------------------------------------------------------------------------------


def test_staff_are_told_the_reason_once_a_day(world: LocalWorld, ada: Customer) -> None:
    revoke_key(world)
    for number in range(3):
        pay(ada, f"key-000{number}")
    (notice,) = notices(REFUSES)
    assert "wrong_key" in notice.detail
    assert (notice.location_id, notice.customer_id) == (None, None)
    world.advance(timedelta(days=1))
    ada.sign_in()
    pay(ada, "key-0009")
    assert len(notices(REFUSES)) == 2


def test_a_notice_that_is_marked_done_stays_so_that_day(world: LocalWorld, ada: Customer) -> None:
    revoke_key(world)
    pay(ada, "key-0001")
    (notice,) = notices(REFUSES)
    olga = office.staff(world)
    assert olga.post(f"/console/notices/{notice.id}/done").status == 200
    pay(ada, "key-0002")
    assert notices(REFUSES) == []
    world.advance(timedelta(days=1))
    ada.sign_in()
    pay(ada, "key-0003")
    (again,) = notices(REFUSES)
    assert office.staff(world).post(f"/console/notices/{again.id}/done").status == 200
    assert notices(REFUSES) == []


def test_starting_a_subscription_at_the_desk_says_why_it_was_not_taken(
    world: LocalWorld, ada: Customer
) -> None:
    revoke_key(world)
    fields = {
        "product": "month", "location": "ny", "collected_by": "card",
        "idempotency_key": "key-of-olga",
    }  # fmt: skip
    answer = office.staff(world).post(f"/console/customers/{ada.id}/subscriptions", **fields)
    assert (answer.status, office.code_of(answer)) == (402, "payment_refused")
    assert "it refused our key (wrong_key)" in answer.text
    assert ada.read("/subscriptions")["subscriptions"] == []


def test_a_card_that_can_not_be_added_is_told_to_staff_once_a_day(
    world: LocalWorld, ada: Customer
) -> None:
    revoke_key(world)
    for _ in range(2):
        answer = ada.post("/cards")
        assert (answer.status, answer.json()["code"]) == (503, "unavailable")
    (notice,) = notices(REFUSES)
    assert notice.title == "A card could not be added at sandbox"
    assert len(head(ada.id).value.cards) == 1
    world.sandbox.behave()
    assert ada.post("/cards").status == 201


# --- renewals --------------------------------------------------------------------------------


def test_slots_pass_and_count_and_the_next_one_collects_when_it_is_put_right(
    world: LocalWorld,
) -> None:
    ada = subscribed(world, "month")
    revoke_key(world)
    go_to(world, SECOND_SLOT)
    charge = charge_of_period(ada, 1)
    assert [one.outcome for one in charge.attempts] == [Outcome.REFUSED, Outcome.REFUSED]
    assert subscription_of(ada).state is SubscriptionState.PAST_DUE
    collection = subscription_of(ada).collection
    assert collection is not None
    assert collection.slots_used == 2
    world.sandbox.behave()
    go_to(world, THIRD_SLOT)
    assert charged_at(world, ada) == ["2026-01-31 15:00", THIRD_SLOT]
    assert subscription_of(ada).state is SubscriptionState.ACTIVE
    assert head(ada).value.past_due == ()


def test_the_email_does_not_say_that_the_card_was_declined(world: LocalWorld) -> None:
    subscribed(world, "month")
    revoke_key(world)
    go_to(world, "2026-02-28 05:00")
    mail = office.mails_to(world, "ada@example.com")[0]
    for text in (mail.text, mail.html):
        told = " ".join(text.split())
        assert "Your card is not to blame" in told
        assert "declined" not in told
        assert "another card" not in told
        assert "wrong_key" not in told


def test_the_portal_asks_for_no_other_card_and_says_nothing_of_the_merchants_key(
    world: LocalWorld,
) -> None:
    ada = Customer(world, subscribed(world, "month"))
    revoke_key(world)
    go_to(world, "2026-02-28 05:00")
    ada.sign_in()
    (late,) = ada.read("/account")["past_due"]
    assert late["needs"] == "merchant"
    banner = ada.see("/shop").text
    assert "Your card is not to blame, and we have been told" in banner
    assert "Pay or change card" not in banner
    path = f"/subscriptions/{subscription_of(ada.id).id}"
    assert ada.read(path)["failing"]["needs"] == "merchant"
    (tried,) = [one for one in ada.read(path)["charges"] if one["period"] == 1]
    assert [(one["outcome"], one["decline_code"]) for one in tried["attempts"]] == [
        ("refused", None)
    ]
    page = ada.see(path).text
    assert "our payment provider did not take it" in page
    invoice = next(one for one in ada.read("/invoices")["invoices"] if one["state"] == "open")
    shown = ada.see(f"/invoices/{invoice['id']}").text
    for text in (page, shown, ada.get(path).text, ada.get(f"/invoices/{invoice['id']}").text):
        assert "wrong" not in text


def test_staff_find_the_reason_in_what_happened(world: LocalWorld) -> None:
    ada = subscribed(world, "month")
    revoke_key(world)
    go_to(world, "2026-02-28 05:00")
    desk = office.staff(world)
    tries = [one for one in office.told(desk, ada) if one["kind"] == "attempt" and one["failed"]]
    assert len(tries) == 1
    assert "it refused our key (wrong_key)" in str(tries[0])
    assert "the card is not to blame" in desk.page(f"/console/customers/{ada}")


def test_after_the_last_slot_it_ends_and_still_no_card_is_blamed(world: LocalWorld) -> None:
    ada = subscribed(world, "month")
    revoke_key(world)
    go_to(world, "2026-03-05 05:00")
    assert len(charge_of_period(ada, 1).attempts) == 6
    assert subscription_of(ada).state is SubscriptionState.CANCELLED
    assert invoices_of(ada)[-1].state is InvoiceState.VOID
    mail = office.mails_to(world, "ada@example.com")[0]
    told = " ".join(mail.text.split())
    assert "cancelled" in mail.subject
    assert "Your card is not to blame" in told
    assert "Add a card that works" not in told
    assert charged_at(world, ada) == ["2026-01-31 15:00"]


def test_paying_by_hand_says_the_same_and_works_when_it_is_put_right(world: LocalWorld) -> None:
    ada = Customer(world, subscribed(world, "month"))
    revoke_key(world)
    go_to(world, "2026-02-28 05:00")
    ada.sign_in()
    path = f"/subscriptions/{subscription_of(ada.id).id}/pay"
    answer = ada.post(path, {}, key="key-0001")
    assert (answer.status, answer.json()["code"]) == (402, "payment_refused")
    fields = {"idempotency_key": "key-0002", "card": head(ada.id).value.cards[0].id}
    page = ada.press(path, **fields)
    assert page.status == 402
    assert "Your card is not to blame, and we have been told. Nothing was charged." in page.text
    assert "with a new key" not in page.text
    world.sandbox.behave()
    assert ada.post(path, {}, key="key-0003").status == 200
    assert subscription_of(ada.id).state is SubscriptionState.ACTIVE


def test_a_decline_after_a_refusal_asks_for_a_card_again(world: LocalWorld) -> None:
    ada = subscribed(world, "month")
    revoke_key(world)
    go_to(world, "2026-02-28 05:00")
    world.sandbox.behave()
    world.sandbox.misbehave(Operation.CHARGE, Fault.DECLINE)
    go_to(world, SECOND_SLOT)
    (late,) = head(ada).value.past_due
    assert late.needs == "card"


# --- places ----------------------------------------------------------------------------------


@pytest.fixture
def studio() -> Iterator[LocalWorld]:
    with selling(WORKSHOP) as opened:
        yield opened


def test_a_place_that_had_to_be_paid_is_given_back(studio: LocalWorld) -> None:
    ada = Customer(studio, customer_with_card(studio))
    places = free(ada, WORKSHOP)
    revoke_key(studio)
    wanted = {"activity": WORKSHOP.id, "pay": "now", "expected_total_minor": PLACE}
    answer = ada.post("/reservations", wanted, key="key-0001")
    assert (answer.status, answer.json()["code"]) == (402, "payment_refused")
    assert free(ada, WORKSHOP) == places
    (given_back,) = ada.read("/reservations")["reservations"]
    assert given_back["state"] == "cancelled"
    assert [one.state for one in invoices_of(ada.id)] in ([], [InvoiceState.VOID])
    assert len(notices(REFUSES)) == 1
    studio.sandbox.behave()
    assert ada.post("/reservations", wanted, key="key-0002").status == 201
    assert free(ada, WORKSHOP) == places - 1


# --- what nobody knows -----------------------------------------------------------------------


def test_an_unknown_outcome_stays_open_while_the_key_is_wrong(
    world: LocalWorld, ada: Customer
) -> None:
    world.sandbox.webhooks(hold=True)
    world.sandbox.misbehave(Operation.CHARGE, Fault.TIMEOUT_AFTER)
    assert pay(ada, "key-0001").status == 202
    revoke_key(world)
    world.advance(timedelta(days=3))
    (charge,) = charges_of(ada.id)
    assert charge.outcome is Outcome.UNKNOWN, "also past the time when 'not found' is final"
    assert len(notices(NoticeKind.OUTCOME_UNKNOWN)) == 1
    assert packs_of(ada.id) == []
    world.sandbox.discard_webhooks()
    world.sandbox.behave()
    world.advance(timedelta(days=1))
    assert len(packs_of(ada.id)) == 1
    assert len(charged_at(world, ada.id)) == 1


def test_a_repeat_that_is_refused_says_nothing_of_the_request_before_it(
    world: LocalWorld, ada: Customer
) -> None:
    """The look-up finds nothing yet, and only the repeat meets the revoked key: the first request
    may still be on its way."""
    world.sandbox.misbehave(Operation.CHARGE, Fault.TIMEOUT_BEFORE)
    assert pay(ada, "key-0001").status == 202
    revoke_key(world, Operation.CHARGE)
    world.advance(timedelta(hours=2))
    (charge,) = charges_of(ada.id)
    assert charge.outcome is Outcome.UNKNOWN
    assert ada.world.sandbox.charges() == []
    world.sandbox.behave()
    world.advance(timedelta(hours=12))
    assert len(packs_of(ada.id)) == 1
    assert len(charged_at(world, ada.id)) == 1


def test_settings_that_nobody_can_read_leave_an_attempt_open_until_they_can(
    shop: Shop,
) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    adapters = dict(world.wiring.provider_overrides)
    world.wiring.provider_overrides.clear()
    world.parameters.gone = True
    go_to(world, "2026-02-28 05:00")
    assert charge_of_period(ada, 1).outcome is Outcome.UNKNOWN
    assert len(asked_of(world, ada)) == 1, "only the purchase"
    world.wiring.provider_overrides.update(adapters)
    go_to(world, "2026-02-28 12:00")
    assert subscription_of(ada).state is SubscriptionState.ACTIVE
    assert len(charged_at(world, ada)) == 2


def test_a_refund_that_is_owed_waits_for_the_key(world: LocalWorld) -> None:
    ada = Customer(world, subscribed(world, "month"))
    world.sandbox.webhooks(hold=True)
    world.sandbox.misbehave(Operation.CHARGE, Fault.TIMEOUT_AFTER)
    world.sandbox.misbehave(Operation.LOOK_UP, Fault.TIMEOUT_BEFORE, times=3)
    go_to(world, "2026-02-28 05:00")
    ada.sign_in()
    path = f"/subscriptions/{subscription_of(ada.id).id}/cancel"
    assert ada.post(path, {"when": "now"}, key="key-cancel").status == 200
    revoke_key(world, Operation.REFUND)
    world.advance(timedelta(days=1))
    owed: Any = charge_of_period(ada.id, 1)
    assert owed.refund == "due"
    world.sandbox.discard_webhooks()
    world.sandbox.behave()
    world.advance(timedelta(days=2))
    assert charge_of_period(ada.id, 1).refund == "done"
