"""When the next pack of what recurs without a calendar comes, and how it is paid ([RECUR]).

In New York clocks go forward on 8 March 2026: 23:59 there is 04:59 UTC before, 03:59 UTC after.
"""

from infra.local.world import LocalWorld
from shared.domain.ending import EndReason
from shared.domain.invoice import InvoiceState
from shared.domain.message import MessageKind
from shared.domain.subscription import SubscriptionState
from shared.store import accounts
from tests.billing.conftest import Shop
from tests.billing.recurring import (
    CARTED,
    THIRTY_MINOR,
    TWO_MINOR,
    book,
    buys,
    cart_lines,
    window,
)
from tests.portal.studio import class_of, put_on
from tests.scenario.person import Person
from tests.shop_floor import (
    FAILS_LATER,
    NEEDS_AUTHENTICATION,
    WORKS,
    card_of,
    charged_at,
    go_to,
    head,
    invoices_of,
    packs_of,
    subscription_of,
    text,
    told_at,
    tried_at,
)

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
