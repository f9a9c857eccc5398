"""Choosing, ending and pausing what recurs, and what happens at the same time ([RECUR], [COMMIT]).

In New York clocks go forward on 8 March 2026: 23:59 there is 04:59 UTC before, 03:59 UTC after.
"""

from typing import Any

import pytest

from infra.local.world import LocalWorld
from shared.domain.ending import EndReason
from shared.domain.message import MessageKind
from shared.domain.self_cancel import SelfCancel
from shared.domain.subscription import SubscriptionState
from shared.store import catalogue as catalogues
from shared.store.staff import Role
from tests.billing.conftest import Shop
from tests.billing.recurring import (
    CARTED,
    THIRTY_MINOR,
    ada,
    buys,
    cart_lines,
    press_of,
    problem,
    window,
)
from tests.console import office
from tests.portal.customers import confirm
from tests.scenario.person import header
from tests.shop_floor import (
    NEEDS_AUTHENTICATION,
    card_of,
    catalogue_of,
    charged_at,
    go_to,
    head,
    invoices_of,
    messages_of,
    packs_of,
    subscription_of,
    text,
    told_at,
)

# --- the end of it -------------------------------------------------------------------------------


def test_taking_it_out_of_the_cart_stops_the_recurring(shop: Shop) -> None:
    world = shop("2026-03-01 15:00")
    customer_id, person = buys(world, "thirty", "by_hand")
    go_to(world, "2026-03-29 12:00")
    person.sign_in()
    assert "Taking it out ends" in person.page("/cart")
    (line,) = cart_lines(person)
    person.go("POST", f"/cart/lines/{line['id']}/remove")
    over = subscription_of(customer_id)
    assert (over.state, over.end_reason) == (SubscriptionState.CANCELLED, EndReason.BY_CUSTOMER)
    assert cart_lines(person) == []
    world.run_due()
    assert told_at(customer_id, MessageKind.CANCELLED_BY_CUSTOMER) == ["2026-03-29 12:00"]
    go_to(world, "2026-06-01 12:00")
    assert len(packs_of(customer_id)) == 1
    assert len(charged_at(world, customer_id)) == 1


def test_while_a_commitment_runs_it_stays_in_the_cart(shop: Shop) -> None:
    world = shop("2026-03-01 15:00")
    customer_id, person = buys(world, "agreed", "by_hand")
    go_to(world, "2026-03-29 12:00")
    person.sign_in()
    (line,) = cart_lines(person)
    assert "once the 3 payments you agreed to are made" in person.page("/cart")
    status, told = problem(person, "POST", f"/cart/lines/{line['id']}/remove", {})
    assert (status, told["code"]) == (409, "commitment_runs")
    assert len(cart_lines(person)) == 1
    assert subscription_of(customer_id).state is SubscriptionState.ACTIVE
    person.pay()
    go_to(world, "2026-04-28 12:00")
    person.sign_in()
    person.pay()
    world.run_due()
    assert subscription_of(customer_id).payments_remaining == 0
    go_to(world, "2026-05-28 12:00")
    person.sign_in()
    (line,) = cart_lines(person)
    person.go("POST", f"/cart/lines/{line['id']}/remove")
    assert subscription_of(customer_id).state is SubscriptionState.CANCELLED


def test_a_commitment_counts_debits_and_a_request_ends_it_after_the_last(shop: Shop) -> None:
    world = shop("2026-03-01 15:00", self_cancel=SelfCancel.PERIOD_END)
    customer_id, person = buys(world, "agreed", "debit")
    subscription = subscription_of(customer_id).id
    page = person.data(f"/subscriptions/{subscription}")
    assert page["commitment"] == {"minimum_payments": 3, "made": 1, "remaining": 2}
    status, told = problem(
        person,
        "POST",
        f"/subscriptions/{subscription}/cancel",
        {"when": "period_end", "idempotency_key": "too-early"},
    )
    assert (status, told["code"]) == (403, "cancel_not_allowed")
    person.go(
        "POST",
        f"/subscriptions/{subscription}/cancel",
        {"when": "request", "idempotency_key": "a-request"},
    )
    go_to(world, "2026-08-01 12:00")
    assert len(charged_at(world, customer_id)) == 3
    assert subscription_of(customer_id).state is SubscriptionState.CANCELLED


def test_cancelled_at_period_end_no_further_pack_comes_and_it_can_be_undone(shop: Shop) -> None:
    world = shop("2026-03-01 15:00", self_cancel=SelfCancel.PERIOD_END)
    customer_id, person = buys(world, "thirty", "debit")
    path = f"/subscriptions/{subscription_of(customer_id).id}"
    ends = {"when": "period_end", "idempotency_key": "it-ends-so"}
    person.go("POST", f"{path}/cancel", ends)
    person.go("POST", f"{path}/cancel/undo", {"idempotency_key": "it-is-undone"})
    go_to(world, CARTED)
    assert len(packs_of(customer_id)) == 2
    person.sign_in()
    person.go("POST", f"{path}/cancel", ends | {"idempotency_key": "ends-again"})
    go_to(world, "2026-04-28 03:59")
    assert len(packs_of(customer_id)) == 2
    over = subscription_of(customer_id)
    assert (over.state, text(over.ended_at)) == (SubscriptionState.CANCELLED, "2026-04-28 03:59")


def test_cancelled_at_once_it_leaves_the_cart(shop: Shop) -> None:
    world = shop("2026-03-01 15:00", self_cancel=SelfCancel.IMMEDIATE)
    customer_id, person = buys(world, "thirty", "by_hand")
    go_to(world, "2026-03-29 12:00")
    person.sign_in()
    path = f"/subscriptions/{subscription_of(customer_id).id}/cancel"
    person.go("POST", path, {"when": "now", "idempotency_key": "end-it-now"})
    assert cart_lines(person) == []
    assert head(customer_id).value.cart_counts["ny"] == 0
    assert subscription_of(customer_id).state is SubscriptionState.CANCELLED


# --- choosing, seeing, buying ------------------------------------------------------------------


def test_how_the_next_one_is_paid_can_be_changed_at_any_time(shop: Shop) -> None:
    world = shop("2026-03-01 15:00")
    customer_id, person = buys(world, "thirty", "debit")
    path = f"/subscriptions/{subscription_of(customer_id).id}"
    person.go("POST", f"{path}/next-payment", {"next_payment": "by_hand"})
    go_to(world, CARTED)
    person.sign_in()
    assert len(cart_lines(person)) == 1
    assert len(charged_at(world, customer_id)) == 1
    person.go("POST", f"{path}/next-payment", {"next_payment": "debit"})
    assert len(cart_lines(person)) == 1, "what is in the cart stays there"
    person.pay()
    go_to(world, "2026-04-28 03:59")
    assert len(charged_at(world, customer_id)) == 3
    person.sign_in()
    status, told = problem(person, "POST", f"{path}/next-payment", {"next_payment": "gold"})
    assert (status, list(told["fields"])) == (422, ["next_payment"])


def test_the_forecast_says_the_debits_that_a_calendar_knows(shop: Shop) -> None:
    world = shop("2026-03-01 15:00")
    customer_id, person = buys(world, "thirty", "debit")
    page = person.data(f"/subscriptions/{subscription_of(customer_id).id}")
    shown = [line["at"] for line in page["forecast"]]
    assert shown[:2] == ["2026-03-29T03:59:00Z", "2026-04-28T03:59:00Z"]
    assert page["forecast"][0]["total"]["minor"] == THIRTY_MINOR
    for at in shown[:3]:
        go_to(world, at.replace("T", " ").removesuffix(":00Z"))
    debited = [f"{at[:10]} {at[11:16]}" for at in shown[:3]]
    assert charged_at(world, customer_id)[1:] == debited


def test_the_forecast_says_nothing_of_what_depends_on_the_customer(shop: Shop) -> None:
    world = shop("2026-03-01 15:00")
    customer_id, person = buys(world, "two", "debit")
    page = person.data(f"/subscriptions/{subscription_of(customer_id).id}")
    assert page["forecast"] == []
    shown = person.page(f"/subscriptions/{subscription_of(customer_id).id}")
    assert "When the credits are used up or about to expire" in shown


def test_shop_cart_and_checkout_say_how_it_recurs_and_is_paid(shop: Shop) -> None:
    world = shop("2026-03-01 15:00")
    _, person = ada(world)
    assert "The next pack comes before the pack expires" in person.page("/shop/thirty")
    person.add("thirty", next_payment="by_hand")
    cart = person.page("/cart")
    assert "Comes again before the pack expires" in cart
    assert "We put it into your cart, and you pay there" in cart
    assert "Taking it out ends the subscription" in person.page("/checkout")


def test_a_debit_needs_a_card_and_one_line_holds_one(shop: Shop) -> None:
    world = shop("2026-03-01 15:00")
    _, person = ada(world)
    for fields, field in (
        ({"product": "thirty", "quantity": 2}, "quantity"),
        ({"product": "thirty", "next_payment": "gold"}, "next_payment"),
        ({"product": "ten", "next_payment": "debit"}, "next_payment"),
        ({"product": "thirty", "until": "2026-12-01"}, "until"),
    ):
        status, told = problem(person, "POST", "/cart/lines", fields)
        assert (status, list(told["fields"])) == (422, [field]), fields
    assert cart_lines(person) == []


def test_the_purchase_receipt_says_how_it_recurs_and_how_to_cancel(shop: Shop) -> None:
    world = shop("2026-03-01 15:00")
    customer_id, person = buys(world, "thirty", "by_hand")
    kinds = {one.kind for one in messages_of(customer_id)}
    assert MessageKind.SUBSCRIPTION_PURCHASED in kinds
    assert MessageKind.ORDER_RECEIPT not in kinds
    receipt = next(one for one in person.mails() if "subscription" in one["subject"])
    assert "before a pack expires" in receipt["text"]
    assert "cancel" in receipt["text"].lower()


# --- what happens at the same time ---------------------------------------------------------------


def test_it_may_end_while_its_next_pack_is_being_paid_and_what_was_paid_for_is_granted(
    shop: Shop,
) -> None:
    world = shop("2026-03-01 15:00", self_cancel=SelfCancel.IMMEDIATE)
    customer_id, person = buys(world, "thirty", "by_hand")
    go_to(world, "2026-03-29 12:00")
    world.sandbox.let_card_behave_as(card_of(customer_id).token, NEEDS_AUTHENTICATION)
    person.sign_in()
    away = person.ask("POST", "/checkout", press_of(person))
    subscription = subscription_of(customer_id)
    path = f"/subscriptions/{subscription.id}/cancel"
    person.go("POST", path, {"when": "now", "idempotency_key": "end-it-now"})
    assert subscription_of(customer_id).state is SubscriptionState.CANCELLED
    confirm(world, header(away, "location"))
    world.run_due()
    assert [one.period for one in packs_of(customer_id)] == [0, 1]
    assert subscription_of(customer_id).state is SubscriptionState.CANCELLED
    assert cart_lines(person) == []
    go_to(world, "2026-06-01 12:00")
    assert len(packs_of(customer_id)) == 2, "nothing more comes"


def test_what_ended_while_it_was_not_paid_leaves_the_cart(shop: Shop) -> None:
    world = shop("2026-03-01 15:00", self_cancel=SelfCancel.IMMEDIATE)
    customer_id, person = buys(world, "thirty", "by_hand")
    go_to(world, "2026-03-29 12:00")
    world.sandbox.let_card_behave_as(card_of(customer_id).token, NEEDS_AUTHENTICATION)
    person.sign_in()
    person.add("mat", quantity=1)
    person.ask("POST", "/checkout", press_of(person))
    path = f"/subscriptions/{subscription_of(customer_id).id}/cancel"
    person.go("POST", path, {"when": "now", "idempotency_key": "end-it-now"})
    assert len(cart_lines(person)) == 2, "the cart rests while it is being paid"
    go_to(world, "2026-03-29 14:00")
    person.sign_in()
    assert [line["name"] for line in cart_lines(person)] == ["Mat"]
    assert head(customer_id).value.cart_counts["ny"] == 1


def test_staff_end_it_and_it_leaves_the_cart(shop: Shop) -> None:
    world = shop("2026-03-01 15:00")
    customer_id, person = buys(world, "agreed", "by_hand")
    go_to(world, "2026-03-29 12:00")
    desk = office.staff(world)
    path = f"/console/customers/{customer_id}/subscriptions/{subscription_of(customer_id).id}"
    assert "The next pack waits in the cart" in desk.page(f"/console/customers/{customer_id}")
    answer = desk.ask("POST", f"{path}/cancel", {"when": "now"}, idempotency_key="staff-end-it")
    assert answer.status in (200, 303), answer.body
    over = subscription_of(customer_id)
    assert (over.state, over.end_reason) == (SubscriptionState.CANCELLED, EndReason.BY_STAFF)
    person.sign_in()
    assert cart_lines(person) == []
    assert "paid by hand" in desk.page(f"/console/customers/{customer_id}")


def test_a_next_pack_keeps_the_price_that_was_agreed(shop: Shop) -> None:
    world = shop("2026-03-01 15:00")
    customer_id, person = buys(world, "thirty", "by_hand")
    dearer = tuple(
        one.model_copy(update={"prices": {"USD": 99_000}, "enabled": False})
        if one.id == "thirty"
        else one
        for one in catalogue_of().products
    )
    catalogues.publish(catalogue_of().model_copy(update={"products": dearer}))
    go_to(world, "2026-03-29 12:00")
    person.sign_in()
    (line,) = cart_lines(person)
    assert (line["unit"]["minor"], line["notice"]) == (9_000, None)
    person.pay()
    world.run_due()
    assert [one.total.minor for one in invoices_of(customer_id)] == [THIRTY_MINOR] * 2


def test_a_full_cart_takes_the_next_pack_once_there_is_room(shop: Shop) -> None:
    world = shop("2026-03-01 15:00")
    customer_id, person = buys(world, "thirty", "by_hand")
    go_to(world, "2026-03-29 03:50")
    person.sign_in()
    person.add("ten", quantity=20)
    (line,) = cart_lines(person)
    go_to(world, "2026-03-29 05:00")
    assert len(messages_of(customer_id, MessageKind.NEXT_PACK_IN_CART)) == 0
    person.sign_in()
    person.go("POST", f"/cart/lines/{line['id']}", {"quantity": 19})
    go_to(world, "2026-03-29 05:20")
    person.sign_in()
    assert len(cart_lines(person)) == 2


def test_a_card_may_go_when_nothing_is_debited_and_stays_when_something_is(shop: Shop) -> None:
    world = shop("2026-03-01 15:00")
    customer_id, person = buys(world, "thirty", "debit")
    card = card_of(customer_id).id
    status, told = problem(person, "POST", f"/cards/{card}/remove", {})
    assert (status, told["code"]) == (409, "card_needed")
    path = f"/subscriptions/{subscription_of(customer_id).id}/next-payment"
    person.go("POST", path, {"next_payment": "by_hand"})
    assert person.go("POST", f"/cards/{card}/remove").status == 200
    assert head(customer_id).value.cards == ()
    status, told = problem(person, "POST", path, {"next_payment": "debit"})
    assert (status, list(told["fields"])) == (422, ["next_payment"])


# --- paused ----------------------------------------------------------------------------------


@pytest.mark.parametrize("next_payment", ["debit", "by_hand"])
def test_a_moment_that_passed_in_a_pause_comes_when_it_is_resumed(
    shop: Shop, next_payment: str
) -> None:
    world = shop("2026-03-01 15:00")
    customer_id, person = buys(world, "thirty", next_payment)
    path = f"/console/customers/{customer_id}/subscriptions/{subscription_of(customer_id).id}"
    assert office.staff(world).post(f"{path}/pause").status in (200, 303)
    go_to(world, "2026-04-10 12:00")
    assert len(packs_of(customer_id)) == 1
    person.sign_in()
    assert cart_lines(person) == []
    assert office.staff(world).post(f"{path}/resume").status in (200, 303)
    world.run_due()
    if next_payment == "by_hand":
        assert told_at(customer_id, MessageKind.NEXT_PACK_IN_CART) == ["2026-04-10 12:00"]
        person.pay()
        world.run_due()
    assert charged_at(world, customer_id)[1:] == ["2026-04-10 12:00"]
    assert window(packs_of(customer_id)[1]) == ("2026-04-10 04:00", "2026-05-10 03:59")


# --- cash ------------------------------------------------------------------------------------


def pays_cash(world: LocalWorld, customer_id: str, key: str) -> Any:
    """A clerk records cash for the next pack."""
    own = subscription_of(customer_id).id
    path = f"/console/customers/{customer_id}/subscriptions/{own}/payments"
    fields = {"kind": "cash", "amount": "97.43", "idempotency_key": key}
    answer = office.staff(world, Role.CLERK).post(path, **fields)
    world.run_due()
    return answer


def test_cash_for_a_next_pack_takes_it_out_of_the_cart_and_counts(shop: Shop) -> None:
    world = shop("2026-03-01 15:00")
    customer_id, person = buys(world, "agreed", "by_hand")
    early = pays_cash(world, customer_id, "too-early-1")
    assert (early.status, office.code_of(early)) == (409, "nothing_owed")
    go_to(world, "2026-03-29 12:00")
    person.sign_in()
    person.add("mat", quantity=1)
    assert pays_cash(world, customer_id, "cash-in-march").status == 201
    assert [line["name"] for line in cart_lines(person)] == ["Mat"]
    assert window(packs_of(customer_id)[1]) == ("2026-03-31 04:00", "2026-04-30 03:59")
    assert subscription_of(customer_id).payments_made == 2
    assert pays_cash(world, customer_id, "cash-in-march").status == 201
    assert len(packs_of(customer_id)) == 2, "pressed twice, paid once"
    assert len(charged_at(world, customer_id)) == 1, "no card was asked"
    go_to(world, "2026-04-28 03:59")
    assert subscription_of(customer_id).in_cart


def test_no_cash_is_taken_for_a_cart_that_is_being_paid(shop: Shop) -> None:
    world = shop("2026-03-01 15:00")
    customer_id, person = buys(world, "agreed", "by_hand")
    go_to(world, "2026-03-29 12:00")
    world.sandbox.let_card_behave_as(card_of(customer_id).token, NEEDS_AUTHENTICATION)
    person.sign_in()
    person.ask("POST", "/checkout", press_of(person))
    answer = pays_cash(world, customer_id, "cash-as-well")
    assert (answer.status, office.code_of(answer)) == (409, "payment_under_way")
    assert len(packs_of(customer_id)) == 1


def test_whoever_follows_the_email_finds_the_right_cart(shop: Shop) -> None:
    """Each location has its own cart, and another one may be chosen at the moment."""
    world = shop("2026-03-01 15:00")
    customer_id, person = buys(world, "thirty", "by_hand")
    go_to(world, "2026-03-29 12:00")
    path = f"/subscriptions/{subscription_of(customer_id).id}"
    assert path in person.mails()[0]["text"]
    person.sign_in()
    person.go("POST", "/cart/location", {"location": "be", "next": "/shop"})
    assert cart_lines(person) == []
    assert 'name="location" value="ny"' in person.page(path)
    person.go("POST", "/cart/location", {"location": "ny", "next": "/cart"})
    assert len(cart_lines(person)) == 1
