"""What the merchant's policy makes of a charge that goes on failing, and of time that ran on."""

from datetime import date, timedelta

import pytest

from infra.local.sandbox_faults import Fault, Operation
from shared.domain.by import By
from shared.domain.dunning import RetryPolicy, Then
from shared.domain.message import MessageKind, NoticeKind
from shared.domain.subscription import SubscriptionState
from shared.operations import past_due
from shared.operations.collect import renew, retry
from tests.billing.conftest import Shop
from tests.shop_floor import (
    FAILS_LATER,
    LOST_CARD,
    WORKS,
    asked_of,
    buy,
    card_of,
    charge_of_period,
    charged_at,
    context_of,
    customer_with_card,
    go_to,
    head,
    invoices_of,
    messages_of,
    moment,
    new_card,
    notices,
    packs_of,
    subscribed,
    subscription_of,
    text,
    told_at,
    tried_at,
)

FAILED = NoticeKind.SUBSCRIPTION_FAILED_PAYMENT
LEAVE_OPEN = RetryPolicy(then=Then.LEAVE_OPEN)
PAUSE = RetryPolicy(then=Then.PAUSE)


def test_other_days_between_tries_and_another_number_of_them(shop: Shop) -> None:
    world = shop("2026-01-31 15:00", retry=RetryPolicy(days_between=2, tries=3))
    ada = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, "2026-04-01 12:00")
    assert tried_at(world, ada, "failed") == [
        "2026-02-28 04:59",
        "2026-03-02 04:59",
        "2026-03-04 04:59",
    ]
    assert subscription_of(ada).state is SubscriptionState.CANCELLED


def test_a_single_try_that_fails_ends_it_at_once(shop: Shop) -> None:
    world = shop("2026-01-31 15:00", retry=RetryPolicy(tries=1))
    ada = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, "2026-02-28 04:59")
    assert subscription_of(ada).state is SubscriptionState.CANCELLED
    assert messages_of(ada, MessageKind.CHARGE_FAILED) == []
    assert len(messages_of(ada, MessageKind.CANCELLED_AFTER_FAILURES)) == 1


@pytest.mark.parametrize("number", [FAILS_LATER, LOST_CARD])
def test_left_open_the_next_renewal_waits_and_what_is_owed_stays_owed(
    shop: Shop, number: str
) -> None:
    world = shop("2026-01-31 15:00", retry=LEAVE_OPEN)
    ada = subscribed(world, "month", number=number)
    go_to(world, "2026-04-15 12:00")
    tries = tried_at(world, ada, "failed")
    assert len(tries) == (6 if number == FAILS_LATER else 1)
    subscription = subscription_of(ada)
    assert subscription.state is SubscriptionState.PAST_DUE
    assert subscription.next_period == 1
    assert len(notices(FAILED)) == 1
    (owed,) = head(ada).value.past_due
    assert (owed.owed.minor, owed.next_try_at) == (5304, None)
    assert [one.owed.minor for one in invoices_of(ada)] == [0, 5304]


def test_paid_late_the_waiting_renewal_comes_at_once_when_its_period_still_runs(
    shop: Shop,
) -> None:
    world = shop("2026-01-31 15:00", retry=LEAVE_OPEN)
    ada = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, "2026-04-15 12:00")
    new_card(world, ada)
    world.run_due()
    # The period of 31 March runs until 29 April: it is charged as soon as it need not wait.
    assert charged_at(world, ada) == ["2026-01-31 15:00", "2026-04-15 12:00", "2026-04-15 12:00"]
    assert notices(NoticeKind.PERIOD_SKIPPED) == []
    go_to(world, "2026-05-01 12:00")
    assert charged_at(world, ada)[3:] == ["2026-04-30 03:59"]


def test_a_period_that_ended_while_an_earlier_one_was_owed_is_skipped_with_a_notice(
    shop: Shop,
) -> None:
    world = shop("2026-01-31 15:00", retry=LEAVE_OPEN)
    ada = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, "2026-05-10 12:00")
    new_card(world, ada)
    world.run_due()
    # That of 31 March ended on 29 April, that of 30 April still runs.
    assert len(notices(NoticeKind.PERIOD_SKIPPED)) == 1
    paid = [one.period for one in invoices_of(ada) if not one.owed]
    assert paid == [None, 1, 3]
    go_to(world, "2026-06-01 12:00")
    assert charged_at(world, ada)[3:] == ["2026-05-31 03:59"]


def test_a_waiting_renewal_that_fails_is_tried_on_the_days_after_not_all_at_once(
    shop: Shop,
) -> None:
    world = shop("2026-01-31 15:00", retry=LEAVE_OPEN)
    ada = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, "2026-04-15 12:00")
    new_card(world, ada)
    world.sandbox.let_card_behave_as(card_of(ada).token, FAILS_LATER)
    world.run_due()
    go_to(world, "2026-04-25 12:00")
    assert tried_at(world, ada, "failed")[6:] == [
        "2026-04-15 12:00",
        "2026-04-17 03:59",
        "2026-04-18 03:59",
        "2026-04-19 03:59",
        "2026-04-20 03:59",
        "2026-04-21 03:59",
    ]


def test_tries_by_hand_after_the_last_slot_don_t_tell_staff_again(shop: Shop) -> None:
    world = shop("2026-01-31 15:00", retry=LEAVE_OPEN)
    ada = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, "2026-03-10 12:00")
    for _ in range(2):
        past_due.pay_subscription(context_of(world), ada, subscription_of(ada).id, card_id=None)
        world.run_due()
    assert len(notices(FAILED)) == 1
    assert subscription_of(ada).state is SubscriptionState.PAST_DUE
    assert [one.by for one in charge_of_period(ada, 1).attempts].count(By.CUSTOMER) == 2


def test_paused_by_the_policy_nothing_more_is_charged_until_it_is_paid(shop: Shop) -> None:
    world = shop("2026-01-31 15:00", retry=PAUSE)
    ada = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, "2026-06-10 12:00")
    assert subscription_of(ada).state is SubscriptionState.PAUSED
    assert len(tried_at(world, ada, "failed")) == 6
    assert len(notices(FAILED)) == 1
    past_due.pay_subscription(context_of(world), ada, subscription_of(ada).id, card_id=None)
    world.run_due()
    assert subscription_of(ada).state is SubscriptionState.PAUSED
    new_card(world, ada)
    world.run_due()
    assert subscription_of(ada).state is SubscriptionState.ACTIVE


def test_slots_that_came_while_nothing_ran_are_one_try_not_many(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, "2026-02-28 05:00")
    # Nobody sweeps for three days.
    world.clock.move_to(moment("2026-03-03 12:00"))
    subscription = subscription_of(ada)
    retry(context_of(world), ada, subscription.id)
    world.run_due()
    assert tried_at(world, ada, "failed") == ["2026-02-28 04:59", "2026-03-03 12:00"]
    go_to(world, "2026-03-10 12:00")
    assert tried_at(world, ada, "failed")[2:] == ["2026-03-04 04:59", "2026-03-05 04:59"]
    assert subscription_of(ada).state is SubscriptionState.CANCELLED


def test_a_renewal_that_comes_a_week_late_gets_its_tries_on_the_days_after(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month", number=FAILS_LATER)
    world.clock.move_to(moment("2026-03-07 12:00"))
    renew(context_of(world), ada, subscription_of(ada).id)
    world.run_due()
    go_to(world, "2026-03-20 12:00")
    assert tried_at(world, ada, "failed") == [
        "2026-03-07 12:00",
        # 23:59 of 8 March, which is the day the clocks go forward.
        "2026-03-09 03:59",
        "2026-03-10 03:59",
        "2026-03-11 03:59",
        "2026-03-12 03:59",
        "2026-03-13 03:59",
    ]


def test_periods_that_ended_while_nothing_ran_are_skipped_and_not_caught_up(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    world.clock.move_to(moment("2026-05-10 12:00"))
    world.run_due()
    # Those of 28 February and 31 March are over; that of 30 April runs.
    assert charged_at(world, ada) == ["2026-01-31 15:00", "2026-05-10 12:00"]
    assert [one.period for one in invoices_of(ada)] == [None, 3]
    (notice,) = notices(NoticeKind.PERIOD_SKIPPED)
    assert "2 period(s)" in notice.detail
    go_to(world, "2026-06-01 12:00")
    assert charged_at(world, ada)[2:] == ["2026-05-31 03:59"]


def test_a_purchase_that_settles_weeks_later_skips_what_ended_meanwhile(shop: Shop) -> None:
    world = shop("2026-01-05 15:00")
    ada = customer_with_card(world)
    world.sandbox.misbehave(Operation.CHARGE, Fault.LATE, seconds=16 * 86_400)
    buy(world, ada, "five_days")
    go_to(world, "2026-01-27 12:00")
    # Settled on Wed 21: the week of the 12th is over, that of the 19th runs.
    assert len(notices(NoticeKind.PERIOD_SKIPPED)) == 1
    assert subscription_of(ada).anchor == date(2026, 1, 5)
    assert [text(pack.usable_from) for pack in packs_of(ada)] == [
        "2026-01-21 05:00",
        "2026-01-21 05:00",
        "2026-01-26 05:00",
    ]


def test_the_policy_of_the_first_try_holds_for_all_of_its_slots(shop: Shop) -> None:
    world = shop("2026-01-31 15:00", retry=RetryPolicy(tries=2))
    ada = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, "2026-02-28 05:00")
    collection = subscription_of(ada).collection
    assert collection is not None
    assert collection.policy.tries == 2
    go_to(world, "2026-03-10 12:00")
    assert len(tried_at(world, ada, "failed")) == 2


def test_a_free_period_is_paid_in_one_step_that_no_crash_can_part(shop: Shop) -> None:
    world = shop("2026-01-10 15:00")
    ada = subscribed(world, "gift")
    go_to(world, "2026-02-10 04:58")
    world.clock.move_to(moment("2026-02-10 04:59"))
    before = subscription_of(ada)
    renew(context_of(world), ada, before.id)
    after = subscription_of(ada)
    assert (after.collection, after.next_period) == (None, before.next_period + 1)
    # Written once: nothing stood open in between for a later slot to collect.
    rows = [one for one in invoices_of(ada) if one.period == 1]
    assert [one.payments[0].kind.value for one in rows] == ["nothing_due"]
    world.advance(timedelta(days=1))
    assert world.sandbox.charges() == []


def test_an_unknown_last_try_is_waited_for_and_only_then_given_up(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, "2026-03-05 04:00")
    world.sandbox.misbehave(Operation.CHARGE, Fault.ERROR_BEFORE)
    go_to(world, "2026-03-05 12:00")
    assert subscription_of(ada).state is SubscriptionState.PAST_DUE
    go_to(world, "2026-03-06 12:00")
    assert subscription_of(ada).state is SubscriptionState.CANCELLED
    assert len(notices(FAILED)) == 1


def test_an_unknown_last_try_that_had_succeeded_pays(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, "2026-03-05 04:00")
    world.sandbox.let_card_behave_as(card_of(ada).token, WORKS)
    world.sandbox.webhooks(hold=True)
    world.sandbox.misbehave(Operation.CHARGE, Fault.ERROR_AFTER)
    go_to(world, "2026-03-05 12:00")
    assert subscription_of(ada).state is SubscriptionState.ACTIVE
    assert text(packs_of(ada)[1].usable_from) == "2026-03-05 05:00"
    assert told_at(ada, MessageKind.CANCELLED_AFTER_FAILURES) == []
    assert len(asked_of(world, ada)) == 7
