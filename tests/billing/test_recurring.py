"""Packages that recur without a calendar, through the pages and the clock ([RECUR], [COMMIT]).

In New York clocks go forward on 8 March 2026: 23:59 there is 04:59 UTC before, 03:59 UTC after.
"""

import json
from typing import Any

import pytest

from infra.local.world import LocalWorld
from shared.domain.invoice import InvoiceState
from shared.domain.message import MessageKind
from shared.domain.pack import Pack
from shared.domain.product import SelfCancel
from shared.domain.subscription import EndReason, SubscriptionState
from shared.store import accounts
from shared.store import catalogue as catalogues
from shared.store.catalogue import Role
from tests.billing.conftest import Shop
from tests.console import office
from tests.portal.customers import confirm
from tests.portal.studio import class_of, put_on
from tests.scenario.person import Person, header
from tests.shop_floor import (
    FAILS_LATER,
    NEEDS_AUTHENTICATION,
    WORKS,
    card_of,
    catalogue_of,
    charged_at,
    customer_with_card,
    go_to,
    head,
    invoices_of,
    messages_of,
    packs_of,
    subscription_of,
    text,
    told_at,
    tried_at,
)

THIRTY_MINOR = 9_743
"""90.00 with 8.25% tax, rounded half-up."""
TWO_MINOR = 4_330
CARTED = "2026-03-29 03:59"
"""23:59 of 28 March."""


class Ada(Person):
    """A customer with a card on file, who signs in without an email: those are counted."""

    def __init__(self, world: LocalWorld) -> None:
        super().__init__(world, "ada@example.com")
        self.id = customer_with_card(world, email=self.email)
        self.sign_in()

    def sign_in(self, *, at: str = "/sign-in") -> None:
        assert at == "/sign-in"
        self.cookies.update(office.customer(self.world, self.id).cookies)


def ada(world: LocalWorld) -> tuple[str, Person]:
    person = Ada(world)
    return person.id, person


def buys(world: LocalWorld, product: str, next_payment: str) -> tuple[str, Person]:
    customer_id, person = ada(world)
    person.add(product, next_payment=next_payment)
    assert person.pay().status == 200
    world.run_due()
    return customer_id, person


def window(pack: Pack) -> tuple[str, str]:
    return text(pack.usable_from), text(pack.expires_at)


def cart_lines(person: Person) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = person.data("/cart")["lines"]
    return found


def book(person: Person, activity_id: str, key: str) -> str:
    answer = person.ask(
        "POST",
        "/reservations",
        {"activity": activity_id, "idempotency_key": key},
        accept="application/json",
    )
    assert answer.status == 201, answer.body
    found: str = json.loads(answer.body)["reservation"]["id"]
    return found


def problem(person: Person, method: str, path: str, fields: dict[str, Any]) -> tuple[int, Any]:
    answer = person.ask(method, path, fields, accept="application/json")
    return answer.status, json.loads(answer.body)


# --- by its expiry -------------------------------------------------------------------------------


def test_a_pack_that_recurs_by_its_expiry_is_debited_two_days_before_it(shop: Shop) -> None:
    world = shop("2026-03-01 15:00")
    customer_id, _ = buys(world, "thirty", "debit")
    (first,) = packs_of(customer_id)
    assert window(first) == ("2026-03-01 05:00", "2026-03-31 03:59")
    go_to(world, "2026-03-29 03:58")
    assert charged_at(world, customer_id) == ["2026-03-01 15:00"]
    go_to(world, CARTED)
    assert charged_at(world, customer_id) == ["2026-03-01 15:00", CARTED]
    first, second = packs_of(customer_id)
    assert window(second) == ("2026-03-31 04:00", "2026-04-30 03:59")
    assert told_at(customer_id, MessageKind.NEXT_PACK_DEBITED) == [CARTED]
    assert told_at(customer_id, MessageKind.RENEWAL_RECEIPT) == []
    go_to(world, "2026-04-28 03:58")
    assert len(packs_of(customer_id)) == 2
    go_to(world, "2026-04-28 03:59")
    assert window(packs_of(customer_id)[2]) == ("2026-04-30 04:00", "2026-05-30 03:59")
    assert [one.total.minor for one in invoices_of(customer_id)] == [THIRTY_MINOR] * 3


def test_worked_example_10_paid_by_hand(shop: Shop) -> None:
    world = shop("2026-03-01 15:00")
    customer_id, person = buys(world, "thirty", "by_hand")
    go_to(world, "2026-03-29 03:58")
    person.sign_in()
    assert cart_lines(person) == []
    go_to(world, CARTED)
    (line,) = cart_lines(person)
    assert line["next_of"] == subscription_of(customer_id).id
    assert line["unit"]["minor"] == 9_000
    assert head(customer_id).value.cart_counts["ny"] == 1
    assert told_at(customer_id, MessageKind.NEXT_PACK_IN_CART) == [CARTED]
    assert charged_at(world, customer_id) == ["2026-03-01 15:00"], "nothing is charged by itself"
    go_to(world, "2026-03-30 16:00")
    person.sign_in()
    person.pay()
    world.run_due()
    assert charged_at(world, customer_id) == ["2026-03-01 15:00", "2026-03-30 16:00"]
    first, second = packs_of(customer_id)
    assert text(first.expires_at) == "2026-03-31 03:59"
    assert window(second) == ("2026-03-31 04:00", "2026-04-30 03:59")
    assert second.subscription_id == subscription_of(customer_id).id, "no new subscription"
    assert cart_lines(person) == []
    go_to(world, "2026-04-28 03:59")
    person.sign_in()
    assert len(cart_lines(person)) == 1, "and again two days before the next expiry"
    assert subscription_of(customer_id).payments_made == 2


def test_a_next_pack_that_is_paid_late_starts_on_the_day_of_payment(shop: Shop) -> None:
    world = shop("2026-03-01 15:00")
    customer_id, person = buys(world, "thirty", "by_hand")
    go_to(world, "2026-04-05 12:00")
    person.sign_in()
    person.pay()
    world.run_due()
    assert window(packs_of(customer_id)[1]) == ("2026-04-05 04:00", "2026-05-05 03:59")


def test_paid_in_the_last_minute_of_a_day_it_starts_on_the_next(shop: Shop) -> None:
    world = shop("2026-03-01 15:00")
    customer_id, person = buys(world, "thirty", "by_hand")
    go_to(world, "2026-04-06 03:59")
    person.sign_in()
    person.pay()
    world.run_due()
    assert window(packs_of(customer_id)[1]) == ("2026-04-06 04:00", "2026-05-06 03:59")


# --- when the credits are gone ---------------------------------------------------------------


def used_up(world: LocalWorld, next_payment: str) -> tuple[str, Person]:
    """Both credits of a pack are held: for 4 March at 15:00 and 10 March at 15:00 UTC."""
    put_on(class_of("2026-03-04 15:00"), class_of("2026-03-10 15:00"))
    customer_id, person = buys(world, "two", next_payment)
    book(person, class_of("2026-03-04 15:00").id, "book-one")
    book(person, class_of("2026-03-10 15:00").id, "book-two")
    return customer_id, person


DAY_AFTER = "2026-03-11 16:00"
"""24 hours after the end of the last class."""


def test_a_pack_that_recurs_without_credits_is_debited_a_day_after_the_last_activity(
    shop: Shop,
) -> None:
    world = shop("2026-03-01 15:00")
    customer_id, person = used_up(world, "debit")
    page = person.data(f"/subscriptions/{subscription_of(customer_id).id}")
    assert page["subscription"]["next_pack_at"] == "2026-03-11T16:00:00Z"
    go_to(world, "2026-03-11 15:59")
    assert charged_at(world, customer_id) == ["2026-03-01 15:00"]
    go_to(world, DAY_AFTER)
    assert charged_at(world, customer_id) == ["2026-03-01 15:00", DAY_AFTER]
    first, second = packs_of(customer_id)
    assert (first.left, second.left) == (0, 2)
    assert window(second) == ("2026-03-11 04:00", ""), "it starts at payment and never expires"
    assert told_at(customer_id, MessageKind.NEXT_PACK_DEBITED) == [DAY_AFTER]


def test_a_pack_that_recurs_without_credits_is_put_into_the_cart(shop: Shop) -> None:
    world = shop("2026-03-01 15:00")
    customer_id, person = used_up(world, "by_hand")
    go_to(world, DAY_AFTER)
    assert told_at(customer_id, MessageKind.NEXT_PACK_IN_CART) == [DAY_AFTER]
    go_to(world, "2026-03-20 14:00")
    person.sign_in()
    person.pay()
    world.run_due()
    assert window(packs_of(customer_id)[1]) == ("2026-03-20 04:00", "")
    paid = [one.total.minor for one in invoices_of(customer_id) if one.total]
    assert paid == [TWO_MINOR] * 2


def test_a_credit_that_comes_back_before_the_moment_puts_the_next_pack_off(shop: Shop) -> None:
    world = shop("2026-03-01 15:00")
    put_on(class_of("2026-03-04 15:00"), class_of("2026-03-10 15:00"))
    customer_id, person = buys(world, "two", "debit")
    book(person, class_of("2026-03-04 15:00").id, "book-one")
    second = book(person, class_of("2026-03-10 15:00").id, "book-two")
    person.go("POST", f"/reservations/{second}/cancel", {"idempotency_key": "take-back"})
    assert [one.left for one in packs_of(customer_id)] == [1]
    go_to(world, "2026-04-10 12:00")
    assert charged_at(world, customer_id) == ["2026-03-01 15:00"]
    assert len(packs_of(customer_id)) == 1


def test_a_pack_that_recurs_without_credits_comes_by_its_expiry_if_that_is_first(
    shop: Shop,
) -> None:
    world = shop("2026-03-01 15:00")
    customer_id, _ = buys(world, "two_by", "debit")
    (first,) = packs_of(customer_id)
    assert text(first.expires_at) == "2026-03-21 03:59"
    go_to(world, "2026-03-19 03:58")
    assert len(packs_of(customer_id)) == 1
    go_to(world, "2026-03-19 03:59")
    assert window(packs_of(customer_id)[1]) == ("2026-03-21 04:00", "2026-04-10 03:59")


# --- what fails, and what races --------------------------------------------------------------


def test_a_debit_that_is_declined_follows_the_policy_and_starts_when_it_is_settled(
    shop: Shop,
) -> None:
    world = shop("2026-03-01 15:00")
    customer_id, person = buys(world, "thirty", "debit")
    token = card_of(customer_id).token
    world.sandbox.let_card_behave_as(token, FAILS_LATER)
    go_to(world, "2026-03-31 12:00")
    assert tried_at(world, customer_id, "failed") == [
        CARTED,
        "2026-03-30 03:59",
        "2026-03-31 03:59",
    ]
    person.sign_in()
    assert "Payment failed" in person.page(f"/subscriptions/{subscription_of(customer_id).id}")
    assert subscription_of(customer_id).state is SubscriptionState.PAST_DUE
    world.sandbox.let_card_behave_as(token, WORKS)
    go_to(world, "2026-04-01 03:59")
    assert charged_at(world, customer_id)[1:] == ["2026-04-01 03:59"]
    second = packs_of(customer_id)[1]
    assert window(second) == ("2026-04-01 04:00", "2026-05-01 03:59")
    assert subscription_of(customer_id).state is SubscriptionState.ACTIVE
    go_to(world, "2026-04-29 03:59")
    assert len(packs_of(customer_id)) == 3, "the next moment follows from the new expiry"


def test_a_debit_that_fails_six_times_cancels(shop: Shop) -> None:
    world = shop("2026-03-01 15:00")
    customer_id, _ = buys(world, "thirty", "debit")
    world.sandbox.let_card_behave_as(card_of(customer_id).token, FAILS_LATER)
    go_to(world, "2026-04-20 12:00")
    assert len(tried_at(world, customer_id, "failed")) == 6
    over = subscription_of(customer_id)
    assert (over.state, over.end_reason) == (
        SubscriptionState.CANCELLED,
        EndReason.PAYMENT_FAILED,
    )
    assert invoices_of(customer_id)[-1].state is InvoiceState.VOID


def test_two_events_of_one_moment_make_one_next_pack(shop: Shop) -> None:
    world = shop("2026-03-01 15:00")
    customer_id, _ = buys(world, "thirty", "debit")
    go_to(world, CARTED)
    (first, _) = packs_of(customer_id)
    ref = accounts.pack(customer_id, first.id)
    event = {
        "detail-type": "renewals",
        "detail": {"due": [{"pk": ref.pk, "sk": ref.sk, "due_at": ""}] * 2},
    }
    (function,) = [
        one
        for one in world.template.functions
        if one.handler == "functions.billing.renewals.handler"
    ]
    world.invoke(function, event)
    world.run_due()
    assert len(packs_of(customer_id)) == 2
    assert len(charged_at(world, customer_id)) == 2


def test_while_the_cart_is_being_paid_the_next_pack_waits_a_quarter_of_an_hour(
    shop: Shop,
) -> None:
    world = shop("2026-03-01 15:00")
    customer_id, person = buys(world, "thirty", "by_hand")
    go_to(world, "2026-03-29 03:50")
    world.sandbox.let_card_behave_as(card_of(customer_id).token, NEEDS_AUTHENTICATION)
    person.sign_in()
    person.add("mat", quantity=1)
    person.pay()
    go_to(world, "2026-03-29 04:00")
    assert told_at(customer_id, MessageKind.NEXT_PACK_IN_CART) == []
    go_to(world, "2026-03-29 06:00")
    # The payment was given up after an hour; the next look found the cart free.
    assert len(told_at(customer_id, MessageKind.NEXT_PACK_IN_CART)) == 1
    person.sign_in()
    names = [line["name"] for line in cart_lines(person)]
    assert names == ["Mat", "Thirty"]


def test_a_decline_in_the_cart_leaves_the_next_pack_there(shop: Shop) -> None:
    world = shop("2026-03-01 15:00")
    customer_id, person = buys(world, "thirty", "by_hand")
    go_to(world, "2026-03-29 12:00")
    token = card_of(customer_id).token
    world.sandbox.let_card_behave_as(token, FAILS_LATER)
    person.sign_in()
    person.pay()
    world.run_due()
    assert len(cart_lines(person)) == 1
    assert len(packs_of(customer_id)) == 1
    world.sandbox.let_card_behave_as(token, WORKS)
    person.pay()
    world.run_due()
    assert len(packs_of(customer_id)) == 2


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
    away = person.ask("POST", "/checkout", _press_of(person))
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
    person.ask("POST", "/checkout", _press_of(person))
    path = f"/subscriptions/{subscription_of(customer_id).id}/cancel"
    person.go("POST", path, {"when": "now", "idempotency_key": "end-it-now"})
    assert len(cart_lines(person)) == 2, "the cart rests while it is being paid"
    go_to(world, "2026-03-29 14:00")
    person.sign_in()
    assert [line["name"] for line in cart_lines(person)] == ["Mat"]
    assert head(customer_id).value.cart_counts["ny"] == 1


def _press_of(person: Person) -> dict[str, Any]:
    review = person.data("/checkout")
    return {name: review[name] for name in ("cart", "card", "expected_total", "idempotency_key")}


def test_staff_end_it_and_it_leaves_the_cart(shop: Shop) -> None:
    world = shop("2026-03-01 15:00")
    customer_id, person = buys(world, "agreed", "by_hand")
    go_to(world, "2026-03-29 12:00")
    desk = office.staff(world)
    path = f"/console/customers/{customer_id}/subscriptions/{subscription_of(customer_id).id}"
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
    person.ask("POST", "/checkout", _press_of(person))
    answer = pays_cash(world, customer_id, "cash-as-well")
    assert (answer.status, office.code_of(answer)) == (409, "payment_under_way")
    assert len(packs_of(customer_id)) == 1
