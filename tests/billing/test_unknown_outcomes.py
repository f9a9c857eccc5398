"""Answers that do not come, come late, twice, or of something else: one charge, and the truth."""

from datetime import timedelta
from typing import Any

import pytest

from infra.local.sandbox_faults import Fault, Operation
from infra.local.world import LocalWorld, outside
from shared.domain.by import By
from shared.domain.charge import RefundState
from shared.domain.invoice import InvoiceState
from shared.domain.message import MessageKind, NoticeKind
from shared.domain.outcome import Outcome
from shared.domain.subscription import SubscriptionState
from shared.operations import cancel
from shared.operations.answered import Checked
from shared.store import accounts
from shared.store.reading import read
from shared.store.writing import commit, replace
from tests.billing.conftest import Shop
from tests.shop_floor import (
    NEEDS_AUTHENTICATION,
    asked_of,
    buy,
    card_of,
    charge_of_period,
    charged_at,
    charges_of,
    context_of,
    customer_with_card,
    fill_cart,
    go_to,
    head,
    invoices_of,
    messages_of,
    moment,
    notices,
    packs_of,
    press_pay,
    subscribed,
    subscription_of,
)

RENEWAL = "2026-02-28 04:59"

BLIND = [Fault.TIMEOUT_BEFORE, Fault.TIMEOUT_AFTER, Fault.RATE_LIMIT, Fault.ERROR_AFTER]


# --- a checkout ----------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", BLIND)
def test_a_checkout_without_an_answer_is_processing_and_is_found_out(
    shop: Shop, fault: Fault
) -> None:
    world = shop("2026-01-31 15:00")
    ada = customer_with_card(world)
    world.sandbox.webhooks(hold=True)
    world.sandbox.misbehave(Operation.CHARGE, fault)
    answered = buy(world, ada, "ten", "month")
    assert answered.state is Checked.PROCESSING
    assert packs_of(ada) == []
    world.advance(timedelta(minutes=10))
    assert len(charged_at(world, ada)) == 1
    assert len(packs_of(ada)) == 2
    assert len(asked_of(world, ada)) == 1


def test_a_checkout_that_the_provider_broke_before_doing_anything_fails_after_a_day(
    shop: Shop,
) -> None:
    world = shop("2026-01-31 15:00")
    ada = customer_with_card(world)
    world.sandbox.misbehave(Operation.CHARGE, Fault.ERROR_BEFORE)
    answered = buy(world, ada, "ten")
    assert answered.state is Checked.PROCESSING
    go_to(world, "2026-02-01 14:59")
    assert charges_of(ada)[0].outcome is Outcome.UNKNOWN
    go_to(world, "2026-02-01 15:00")
    assert charges_of(ada)[0].outcome is Outcome.DECLINED
    assert asked_of(world, ada) == []
    # The cart is the customer's again, and another key tries the same charge once more.
    again = buy(world, ada, "ten")
    assert again.state is Checked.PAID


def test_while_unknown_another_submission_gets_the_same_answer_and_no_second_key(
    shop: Shop,
) -> None:
    world = shop("2026-01-31 15:00")
    ada = customer_with_card(world)
    cart = fill_cart(world, ada, "ten")
    world.sandbox.misbehave(Operation.ANY, Fault.TIMEOUT_BEFORE, times=10_000)
    presses = [press_pay(world, ada, cart) for _ in range(3)]
    states = [press.carry_out(context_of(world)).state for press in presses]
    assert states == [Checked.PROCESSING] * 3
    go_to(world, "2026-02-02 15:00")
    assert len(charges_of(ada)[0].attempts) == 1
    world.sandbox.behave()
    go_to(world, "2026-02-04 15:00")
    assert charges_of(ada)[0].outcome is Outcome.DECLINED
    assert presses[0].carry_out(context_of(world)).state is Checked.DECLINED


def test_the_same_press_again_answers_the_same_and_moves_no_money(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = customer_with_card(world)
    cart = fill_cart(world, ada, "ten", "mat", "month")
    press = press_pay(world, ada, cart)
    first = press.carry_out(context_of(world))
    world.run_due()
    second = press.carry_out(context_of(world))
    assert (first.state, second.state) == (Checked.PAID, Checked.PAID)
    assert first.charge.id == second.charge.id
    assert len(charged_at(world, ada)) == 1


def test_a_decline_creates_nothing_and_keeps_the_cart_and_a_new_key_tries_again(
    shop: Shop,
) -> None:
    world = shop("2026-01-31 15:00")
    ada = customer_with_card(world)
    cart = fill_cart(world, ada, "ten")
    world.sandbox.misbehave(Operation.CHARGE, Fault.DECLINE)
    first = press_pay(world, ada, cart)
    assert first.carry_out(context_of(world)).state is Checked.DECLINED
    assert (packs_of(ada), invoices_of(ada), messages_of(ada)) == ([], [], [])
    assert first.carry_out(context_of(world)).state is Checked.DECLINED
    assert press_pay(world, ada, cart).carry_out(context_of(world)).state is Checked.PAID
    assert first.carry_out(context_of(world)).state is Checked.PAID
    world.run_due()
    assert len(charged_at(world, ada)) == 1


def test_a_debit_that_settles_later_is_processing_until_its_webhook(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = customer_with_card(world)
    world.sandbox.misbehave(Operation.CHARGE, Fault.LATE, seconds=3 * 86_400)
    assert buy(world, ada, "ten").state is Checked.PROCESSING
    go_to(world, "2026-02-03 14:59")
    assert packs_of(ada) == []
    go_to(world, "2026-02-03 15:00")
    (pack,) = packs_of(ada)
    assert pack.bought_at == moment("2026-02-03 15:00")


def test_a_debit_whose_webhook_is_lost_is_asked_about(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = customer_with_card(world)
    world.sandbox.webhooks(hold=True)
    world.sandbox.misbehave(Operation.CHARGE, Fault.LATE, seconds=3 * 86_400)
    buy(world, ada, "ten")
    world.sandbox.discard_webhooks()
    go_to(world, "2026-02-04 15:00")
    assert len(packs_of(ada)) == 1


def test_a_confirmation_that_nobody_gives_is_given_up_after_an_hour(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = customer_with_card(world, NEEDS_AUTHENTICATION)
    assert buy(world, ada, "ten").state is Checked.CONFIRM
    go_to(world, "2026-01-31 16:30")
    assert [one.state for one in asked_of(world, ada)] == ["cancelled"]
    world.sandbox.let_card_behave_as(card_of(ada).token, "4242424242424242")
    assert buy(world, ada, "ten").state is Checked.PAID


# --- a renewal -----------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", BLIND)
def test_a_renewal_without_an_answer_is_found_out_within_minutes(shop: Shop, fault: Fault) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    world.sandbox.webhooks(hold=True)
    world.sandbox.misbehave(Operation.CHARGE, fault)
    go_to(world, "2026-02-28 04:59")
    assert charge_of_period(ada, 1).outcome is Outcome.UNKNOWN
    assert subscription_of(ada).state is SubscriptionState.ACTIVE, "unknown is not failed"
    go_to(world, "2026-02-28 05:30")
    assert len(asked_of(world, ada)) == 2
    assert subscription_of(ada).next_period == 2
    assert len(charge_of_period(ada, 1).attempts) == 1
    assert messages_of(ada, MessageKind.CHARGE_FAILED) == []


def test_a_renewal_that_never_arrived_counts_a_slot_and_is_tried_in_the_next(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    world.sandbox.misbehave(Operation.CHARGE, Fault.ERROR_BEFORE)
    go_to(world, "2026-03-01 04:58")
    assert asked_of(world, ada)[1:] == []
    go_to(world, "2026-03-03 12:00")
    # "Not found" is final at 1 March 23:59, and that day's slot has passed; the next one tries.
    assert charged_at(world, ada)[1:] in (["2026-03-01 04:59"], ["2026-03-02 04:59"])
    assert len(charge_of_period(ada, 1).attempts) == 2


@pytest.mark.parametrize("fault", [Fault.TIMEOUT_AFTER, Fault.ERROR_AFTER])
def test_cancelled_while_unknown_the_late_success_is_refunded_once_and_grants_nothing(
    shop: Shop, fault: Fault
) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    world.sandbox.webhooks(hold=True)
    world.sandbox.misbehave(Operation.CHARGE, fault)
    world.sandbox.misbehave(Operation.LOOK_UP, Fault.TIMEOUT_BEFORE, times=2)
    go_to(world, RENEWAL)
    over = cancel.cancel(
        context_of(world), ada, subscription_of(ada).id, cancel.When.NOW, by=By.CUSTOMER
    )
    assert over.state is SubscriptionState.CANCELLED
    world.sandbox.webhooks(repeat=3, shuffle=True)
    world.sandbox.release_webhooks()
    go_to(world, "2026-03-10 12:00")
    (_, late) = asked_of(world, ada)
    assert late.refunds == (late.amount,)
    assert len(packs_of(ada)) == 1
    charge = charge_of_period(ada, 1)
    assert (charge.settled_at, charge.refund) == (None, RefundState.DONE)
    assert [one.state for one in invoices_of(ada)] == [InvoiceState.CLOSED, InvoiceState.VOID]
    assert len(notices(NoticeKind.LATE_SUCCESS_REFUNDED)) == 1
    assert len(messages_of(ada, MessageKind.REFUND)) == 1


@pytest.mark.parametrize("moved", [False, True])
def test_cancelled_in_the_very_middle_of_the_call_is_refunded_and_grants_nothing(
    shop: Shop, moved: bool
) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    provider = world.wiring.provider("sandbox")
    whole = provider.charge

    def cancels(request: Any) -> Any:
        provider.charge = whole  # type: ignore[method-assign]
        answer = whole(request) if moved else None
        with outside():
            what = subscription_of(ada).id
            cancel.cancel(context_of(world), ada, what, cancel.When.NOW, by=By.CUSTOMER)
        return answer or whole(request)

    provider.charge = cancels  # type: ignore[method-assign]
    go_to(world, "2026-02-28 12:00")
    assert subscription_of(ada).state is SubscriptionState.CANCELLED
    (_, late) = asked_of(world, ada)
    assert late.refunds == (late.amount,)
    assert len(packs_of(ada)) == 1
    assert messages_of(ada, MessageKind.RENEWAL_RECEIPT) == []


def test_cancelled_while_unknown_and_never_arrived_nothing_is_asked_again(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    world.sandbox.misbehave(Operation.CHARGE, Fault.TIMEOUT_BEFORE)
    go_to(world, RENEWAL)
    cancel.cancel(context_of(world), ada, subscription_of(ada).id, cancel.When.NOW, by=By.CUSTOMER)
    go_to(world, "2026-03-10 12:00")
    assert len(asked_of(world, ada)) == 1
    assert charge_of_period(ada, 1).outcome is Outcome.DECLINED


@pytest.mark.parametrize(
    "fault", [Fault.TIMEOUT_BEFORE, Fault.TIMEOUT_AFTER, Fault.ERROR_BEFORE, Fault.ERROR_AFTER]
)
def test_a_refund_without_an_answer_is_paid_back_once(shop: Shop, fault: Fault) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    world.sandbox.misbehave(Operation.CHARGE, Fault.TIMEOUT_AFTER)
    world.sandbox.misbehave(Operation.REFUND, fault)
    world.sandbox.misbehave(Operation.LOOK_UP, Fault.TIMEOUT_BEFORE)
    world.sandbox.webhooks(hold=True)
    go_to(world, RENEWAL)
    cancel.cancel(context_of(world), ada, subscription_of(ada).id, cancel.When.NOW, by=By.CUSTOMER)
    if fault in (Fault.ERROR_BEFORE, Fault.ERROR_AFTER):
        # The provider answers its key with the same 500 for a day.
        go_to(world, "2026-03-05 12:00")
    else:
        go_to(world, "2026-02-28 12:00")
    (_, late) = asked_of(world, ada)
    assert late.refunds == (late.amount,)
    assert charge_of_period(ada, 1).refund is RefundState.DONE
    assert notices(NoticeKind.REFUND_FAILED) == []
    assert len(messages_of(ada, MessageKind.REFUND)) == 1


def test_a_debit_under_way_holds_the_next_tries_and_settles_days_later(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    world.sandbox.misbehave(Operation.CHARGE, Fault.LATE, seconds=8 * 86_400)
    go_to(world, "2026-03-08 04:58")
    assert len(asked_of(world, ada)) == 2
    assert subscription_of(ada).state is SubscriptionState.ACTIVE
    assert head(ada).value.past_due == ()
    go_to(world, "2026-03-08 12:00")
    assert len(packs_of(ada)) == 2
    assert subscription_of(ada).next_period == 2


def test_a_debit_that_bounces_after_the_last_slot_ends_the_subscription(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month", number="4000000000000341")
    world.sandbox.misbehave(Operation.CHARGE, Fault.LATE, seconds=8 * 86_400)
    go_to(world, "2026-03-08 12:00")
    assert len(asked_of(world, ada)) == 2
    assert subscription_of(ada).state is SubscriptionState.CANCELLED
    assert len(notices(NoticeKind.SUBSCRIPTION_FAILED_PAYMENT)) == 1


# --- crashes -------------------------------------------------------------------------------------


class Died(BaseException):
    """The worker is gone, in the middle of everything."""


def let_die(world: LocalWorld, *, after: bool) -> None:
    """The next call of `charge` never returns: with `after`, the money has moved by then."""
    provider = world.wiring.provider("sandbox")
    whole = provider.charge

    def dies(request: object) -> object:
        provider.charge = whole  # type: ignore[method-assign]
        if after:
            whole(request)  # type: ignore[arg-type]
        raise Died

    provider.charge = dies  # type: ignore[method-assign, assignment]


@pytest.mark.parametrize("after", [False, True])
def test_a_checkout_whose_worker_dies_is_finished_by_the_clock(shop: Shop, after: bool) -> None:
    world = shop("2026-01-31 15:00")
    ada = customer_with_card(world)
    world.sandbox.webhooks(hold=True)
    let_die(world, after=after)
    with pytest.raises(Died):
        buy(world, ada, "ten")
    world.advance(timedelta(minutes=10))
    assert len(charged_at(world, ada)) == 1
    assert len(packs_of(ada)) == 1


@pytest.mark.parametrize("after", [False, True])
def test_a_renewal_whose_worker_dies_is_finished_by_the_clock(shop: Shop, after: bool) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    world.sandbox.webhooks(hold=True)
    let_die(world, after=after)
    with pytest.raises(Died):
        go_to(world, "2026-03-01 12:00")
    go_to(world, "2026-03-01 12:00")
    assert len(charged_at(world, ada)) == 2
    assert subscription_of(ada).next_period == 2


def test_a_retry_whose_worker_dies_is_finished_by_the_clock(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month", number="4000000000000341")
    go_to(world, "2026-02-28 12:00")
    world.sandbox.let_card_behave_as(card_of(ada).token, "4242424242424242")
    let_die(world, after=True)
    with pytest.raises(Died):
        go_to(world, "2026-03-02 12:00")
    go_to(world, "2026-03-02 12:00")
    assert len(charged_at(world, ada)) == 2
    assert subscription_of(ada).state is SubscriptionState.ACTIVE


def test_an_event_about_a_try_that_was_taken_for_lost_is_not_looked_up_as_a_later_one(
    shop: Shop,
) -> None:
    """The first try was never found and is taken for lost; the second waits for the customer. Then
    the provider reports that the first one did take money: the order is paid by it."""
    world = shop("2026-01-31 15:00")
    ada = customer_with_card(world)
    world.sandbox.webhooks(hold=True)
    world.sandbox.misbehave(Operation.CHARGE, Fault.TIMEOUT_AFTER)
    world.sandbox.misbehave(Operation.LOOK_UP, Fault.TIMEOUT_BEFORE, times=3)
    assert buy(world, ada, "ten").state is Checked.PROCESSING
    (charge,), (taken,) = charges_of(ada), asked_of(world, ada)
    lost = charge.attempts[0].model_copy(
        update={"outcome": Outcome.DECLINED, "decline_code": "never_reached_the_provider"}
    )
    waiting = lost.model_copy(
        update={
            "id": f"{charge.source}-2",
            "outcome": Outcome.AUTHENTICATION_REQUIRED,
            "decline_code": None,
            "provider_charge_id": "ch_that_waits",
            "confirm_url": "http://127.0.0.1:8000/confirm",
        }
    )
    ref = accounts.charge(ada, charge.source)
    row = read(ref).get(ref)
    assert row is not None
    commit([replace(row, row.value.model_copy(update={"attempts": (lost, waiting)}))])
    world.sandbox.behave()
    world.run_due()
    (settled,) = charges_of(ada)
    assert settled.attempts[0].outcome is Outcome.SUCCEEDED
    assert settled.attempts[0].provider_charge_id == taken.id
    assert settled.settled_at is not None or settled.refund is not RefundState.NONE
