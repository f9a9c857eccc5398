"""Trials, and how a subscription ends: at once, with its period, or not after all."""

from datetime import date

import pytest

from infra.local.world import LocalWorld
from shared.domain.by import By
from shared.domain.calendar import Frequency
from shared.domain.ending import EndReason
from shared.domain.errors import Conflict, Forbidden
from shared.domain.message import MessageKind, NoticeKind
from shared.domain.self_cancel import SelfCancel
from shared.domain.subscription import SubscriptionState
from shared.operations import cancel, card_removal, cards
from shared.operations.answered import Checked
from shared.store.writing import commit, replace
from tests.billing.conftest import Shop
from tests.shop_floor import (
    FAILS_LATER,
    LOST_CARD,
    Wanted,
    asked_of,
    buy,
    card_of,
    card_on_file,
    charged_at,
    context_of,
    customer_with_card,
    entries_of,
    go_to,
    head,
    invoices_of,
    messages_of,
    new_card,
    notices,
    packs_of,
    subscribed,
    subscription_of,
    text,
    told_at,
)

NOW, PERIOD_END = cancel.When.NOW, cancel.When.PERIOD_END


# --- trials --------------------------------------------------------------------------------------


def test_a_trial_of_fourteen_days_is_announced_charged_and_anchored_by_the_rule(
    shop: Shop,
) -> None:
    world = shop("2026-03-10 15:00")
    ada = subscribed(world, "trial")
    assert asked_of(world, ada) == []
    assert invoices_of(ada) == []
    (free,) = packs_of(ada)
    assert (text(free.usable_from), text(free.expires_at)) == (
        "2026-03-10 04:00",
        "2026-03-24 03:59",
    )
    assert subscription_of(ada).state is SubscriptionState.TRIALING
    go_to(world, "2026-05-01 12:00")
    # 16 March and 23 March at 23:59, and from then on by the anchor, 24 March.
    assert told_at(ada, MessageKind.TRIAL_ENDING) == ["2026-03-17 03:59"]
    assert charged_at(world, ada) == ["2026-03-24 03:59", "2026-04-24 03:59"]
    assert subscription_of(ada).anchor == date(2026, 3, 24)
    assert [text(pack.usable_from) for pack in packs_of(ada)] == [
        "2026-03-10 04:00",
        "2026-03-24 04:00",
        "2026-04-24 04:00",
    ]


def test_a_trial_shorter_than_a_week_is_announced_at_its_start(shop: Shop) -> None:
    world = shop("2026-03-10 15:00")
    ada = subscribed(world, "short_trial")
    assert told_at(ada, MessageKind.TRIAL_ENDING) == ["2026-03-10 15:00"]
    go_to(world, "2026-03-20 12:00")
    assert charged_at(world, ada) == ["2026-03-15 03:59"]


def test_a_trial_is_given_once_and_the_second_time_it_costs(shop: Shop) -> None:
    world = shop("2026-03-10 15:00")
    ada = subscribed(world, "trial")
    what = subscription_of(ada).id
    cancel.cancel(context_of(world), ada, what, NOW, by=By.CUSTOMER)
    assert buy(world, ada, "trial").state is Checked.PAID
    assert len(asked_of(world, ada)) == 1


def test_a_trial_that_is_cancelled_in_time_is_never_charged(shop: Shop) -> None:
    world = shop("2026-03-10 15:00")
    ada = subscribed(world, "trial")
    cancel.cancel(context_of(world), ada, subscription_of(ada).id, PERIOD_END, by=By.CUSTOMER)
    go_to(world, "2026-05-01 12:00")
    assert asked_of(world, ada) == []
    assert told_at(ada, MessageKind.TRIAL_ENDING) == []
    over = subscription_of(ada)
    assert over.state is SubscriptionState.CANCELLED
    assert text(over.ended_at) == "2026-03-24 03:59"


def test_the_first_charge_after_a_trial_has_its_six_slots(shop: Shop) -> None:
    world = shop("2026-03-10 15:00")
    ada = subscribed(world, "trial", number=FAILS_LATER)
    go_to(world, "2026-05-01 12:00")
    assert [text(one.created_at) for one in asked_of(world, ada)] == [
        f"2026-03-{day} 03:59" for day in range(24, 30)
    ]
    assert subscription_of(ada).end_reason is EndReason.PAYMENT_FAILED


def test_a_weekly_renewal_after_a_trial_is_announced_since_the_purchase_lies_back(
    shop: Shop,
) -> None:
    world = shop("2026-03-10 15:00")
    ada = subscribed(world, "trial", frequency=Frequency.WEEKLY)
    go_to(world, "2026-04-02 12:00")
    assert charged_at(world, ada) == ["2026-03-24 03:59", "2026-03-31 03:59"]
    assert told_at(ada, MessageKind.RENEWAL_REMINDER) == ["2026-03-24 03:59", "2026-03-31 03:59"]


# --- at the end of the period --------------------------------------------------------------------


def test_at_the_period_s_end_it_acts_just_before_the_next_charge(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    cancel.cancel(context_of(world), ada, subscription_of(ada).id, PERIOD_END, by=By.CUSTOMER)
    go_to(world, "2026-02-28 04:58")
    assert subscription_of(ada).state is SubscriptionState.ACTIVE
    go_to(world, "2026-06-01 12:00")
    over = subscription_of(ada)
    assert (over.state, over.end_reason) == (SubscriptionState.CANCELLED, EndReason.BY_CUSTOMER)
    assert text(over.ended_at) == "2026-02-28 04:59"
    assert charged_at(world, ada) == ["2026-01-31 15:00"]
    assert told_at(ada, MessageKind.RENEWAL_REMINDER) == []
    assert told_at(ada, MessageKind.CANCELLED_BY_CUSTOMER) == ["2026-02-28 04:59"]


def test_until_then_it_can_be_undone_and_the_charge_comes_as_ever(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    what = subscription_of(ada).id
    cancel.cancel(context_of(world), ada, what, PERIOD_END, by=By.CUSTOMER)
    go_to(world, "2026-02-28 04:58")
    cancel.undo(context_of(world), ada, what, by=By.CUSTOMER)
    go_to(world, "2026-04-01 12:00")
    assert charged_at(world, ada) == ["2026-01-31 15:00", "2026-02-28 04:59", "2026-03-31 03:59"]


def test_afterwards_it_can_t(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    what = subscription_of(ada).id
    cancel.cancel(context_of(world), ada, what, PERIOD_END, by=By.CUSTOMER)
    go_to(world, "2026-02-28 04:59")
    with pytest.raises(Conflict):
        cancel.undo(context_of(world), ada, what, by=By.CUSTOMER)


# --- at once -------------------------------------------------------------------------------------


def test_at_once_nothing_more_is_charged_and_repeating_it_answers_the_same(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    what = subscription_of(ada).id
    first = cancel.cancel(context_of(world), ada, what, NOW, by=By.CUSTOMER)
    go_to(world, "2026-03-01 12:00")
    second = cancel.cancel(context_of(world), ada, what, NOW, by=By.CUSTOMER)
    assert first == second
    assert charged_at(world, ada) == ["2026-01-31 15:00"]
    assert len(messages_of(ada, MessageKind.CANCELLED_BY_CUSTOMER)) == 1
    assert told_at(ada, MessageKind.RENEWAL_REMINDER) == []


def test_a_counted_pack_then_never_expires_and_an_unlimited_one_ends_with_the_period(
    shop: Shop,
) -> None:
    world = shop("2026-01-31 15:00")
    counted = subscribed(world, "month")
    unlimited = subscribed(world, "open", email="bob@example.com")
    for one in (counted, unlimited):
        cancel.cancel(context_of(world), one, subscription_of(one).id, NOW, by=By.CUSTOMER)
    go_to(world, "2026-02-28 04:59")
    assert packs_of(unlimited)[0].status(world.now()).value == "active"
    go_to(world, "2026-02-28 05:00")
    assert packs_of(unlimited)[0].status(world.now()).value == "expired"
    go_to(world, "2029-01-01 12:00")
    (pack,) = packs_of(counted)
    assert (pack.left, pack.expires_at) == (8, None)


def test_a_pack_with_a_validity_of_its_own_keeps_it(shop: Shop) -> None:
    world = shop("2026-01-05 15:00")
    ada = subscribed(world, "five_days")
    cancel.cancel(context_of(world), ada, subscription_of(ada).id, NOW, by=By.CUSTOMER)
    go_to(world, "2026-02-01 12:00")
    (pack,) = packs_of(ada)
    assert text(pack.expires_at) == "2026-01-10 04:59"
    assert [(entry.kind.value, entry.delta) for entry in entries_of(pack)] == [
        ("grant", 5),
        ("expire", -5),
    ]


def test_cancelled_after_the_renewal_and_before_its_credits_both_packs_are_right(
    shop: Shop,
) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "open")
    go_to(world, "2026-02-28 04:59")
    cancel.cancel(context_of(world), ada, subscription_of(ada).id, NOW, by=By.CUSTOMER)
    go_to(world, "2026-04-15 12:00")
    assert [text(pack.expires_at) for pack in packs_of(ada)] == [
        "2026-02-28 05:00",
        "2026-03-31 04:00",
    ]
    assert len(charged_at(world, ada)) == 2


def test_a_later_start_that_is_cancelled_before_is_never_charged(shop: Shop) -> None:
    world = shop("2026-01-05 15:00")
    ada = subscribed(world, "month", starts_on=date(2026, 2, 1))
    cancel.cancel(context_of(world), ada, subscription_of(ada).id, NOW, by=By.CUSTOMER)
    go_to(world, "2026-04-01 12:00")
    assert asked_of(world, ada) == []


def test_only_what_the_setting_allows_is_open_to_customers(shop: Shop) -> None:
    world = shop("2026-01-31 15:00", self_cancel=SelfCancel.OFF)
    ada = subscribed(world, "month")
    what = subscription_of(ada).id
    for when in (NOW, PERIOD_END):
        with pytest.raises(Forbidden):
            cancel.cancel(context_of(world), ada, what, when, by=By.CUSTOMER)
    for _ in range(2):
        cancel.cancel(context_of(world), ada, what, cancel.When.REQUEST, by=By.CUSTOMER)
    assert len(notices(NoticeKind.CANCELLATION_REQUESTED)) == 1
    go_to(world, "2026-03-01 12:00")
    assert len(charged_at(world, ada)) == 2, "a request ends nothing by itself"


# --- cards ---------------------------------------------------------------------------------------


def test_a_card_named_default_is_tried_on_what_is_past_due_at_once(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month", number=LOST_CARD)
    go_to(world, "2026-03-01 12:00")
    other = card_on_file(world, ada, default=False)
    _, tried = cards.make_default(context_of(world), ada, other.id)
    assert [result.value for _, result in tried] == ["collected"]
    world.run_due()
    assert charged_at(world, ada) == ["2026-01-31 15:00", "2026-03-01 12:00"]


def test_a_new_card_whose_worker_died_before_trying_it_is_tried_by_the_webhook(
    shop: Shop,
) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, "2026-03-01 12:00")
    # The card came on file, and that was the last that its worker did.
    world.sandbox.webhooks(hold=True)
    card_before_trying(world, ada)
    assert len(charged_at(world, ada)) == 1
    world.sandbox.webhooks(repeat=3)
    world.sandbox.release_webhooks()
    world.run_due()
    assert charged_at(world, ada) == ["2026-01-31 15:00", "2026-03-01 12:00"]


def card_before_trying(world: LocalWorld, customer_id: str) -> None:
    """The hosted page is done and the card on file; nothing was tried on it."""
    row = head(customer_id)
    failing = row.value.past_due
    commit([replace(row, row.value.model_copy(update={"past_due": ()}))])
    new_card(world, customer_id)
    row = head(customer_id)
    on_file = {"past_due": failing, "default_card": row.value.cards[-1].id}
    commit([replace(row, row.value.model_copy(update=on_file))])


def test_a_removed_card_does_not_come_back_with_its_late_webhook(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    world.sandbox.webhooks(hold=True)
    saved = new_card(world, ada)
    assert saved.card is not None
    card_removal.remove(context_of(world), ada, saved.card.id)
    go_to(world, "2026-02-03 12:00")
    world.sandbox.release_webhooks()
    world.run_due()
    assert [one.last4 for one in head(ada).value.cards] == ["4242"]
    assert saved.card.id not in [one.id for one in head(ada).value.cards]


def test_a_declined_new_card_is_not_tried_again_by_its_own_webhook(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, "2026-03-01 12:00")
    world.sandbox.webhooks(repeat=3)
    new_card(world, ada, FAILS_LATER)
    world.run_due()
    assert len(asked_of(world, ada)) == 1 + 2 + 1


def test_a_card_that_a_subscription_needs_stays(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    with pytest.raises(Conflict):
        card_removal.remove(context_of(world), ada, card_of(ada).id)


def test_two_subscriptions_past_due_are_both_tried_on_a_new_card(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = customer_with_card(world)
    buy(world, ada, Wanted("month"), Wanted("open"))
    world.sandbox.let_card_behave_as(card_of(ada).token, FAILS_LATER)
    go_to(world, "2026-03-01 12:00")
    assert len(head(ada).value.past_due) == 2
    saved = new_card(world, ada)
    world.run_due()
    assert [result.value for _, result in saved.tried] == ["collected", "collected"]
    assert head(ada).value.past_due == ()
