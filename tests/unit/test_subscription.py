"""What a subscription does next, and when: the clock, the forecast and the pages ask the same."""

from datetime import date, timedelta
from typing import Any

import pytest

from shared.domain.calendar import Frequency
from shared.domain.due import Worker
from shared.domain.dunning import FirstSlot
from shared.domain.renewal import NextCharge, decide_renewal
from shared.domain.subscription import (
    SubscriptionState,
    next_moment,
    next_slot_at,
    paid_until,
    reminder_at,
)
from tests.unit.subscription_samples import collected, subscription_of, terms_of, utc

RENEWAL = utc("2026-02-28 04:59")
REMINDER = utc("2026-02-21 04:59")
OVER = [SubscriptionState.CANCELLED, SubscriptionState.ENDED]


def test_first_its_reminder_is_due_then_its_renewal() -> None:
    subscription = subscription_of()
    first = next_moment(subscription)
    assert first is not None
    assert (first.at, first.worker) == (REMINDER, Worker.REMINDERS)
    told = next_moment(subscription.model_copy(update={"reminded_for": 1}))
    assert told is not None
    assert (told.at, told.worker) == (RENEWAL, Worker.RENEWALS)


@pytest.mark.parametrize("state", [*OVER, SubscriptionState.PAUSED])
def test_nothing_is_due_for_what_is_over_or_paused(state: SubscriptionState) -> None:
    subscription = subscription_of(state=state)
    assert next_moment(subscription) is None
    assert next_moment(collected(subscription)) is None
    assert decide_renewal(subscription, RENEWAL) is NextCharge.NOT_YET


@pytest.mark.parametrize(
    ("now", "decision"),
    [
        (RENEWAL - timedelta(seconds=1), NextCharge.NOT_YET),
        (RENEWAL, NextCharge.CHARGE),
        # The period of 28 February ends when that of 31 March starts, in New York at 04:00Z.
        (utc("2026-03-31 03:59"), NextCharge.CHARGE),
        (utc("2026-03-31 04:00"), NextCharge.SKIP),
    ],
)
def test_a_period_is_charged_from_its_moment_until_it_has_ended(
    now: Any, decision: NextCharge
) -> None:
    assert decide_renewal(subscription_of(), now) is decision


def test_what_ends_with_its_period_ends_at_the_moment_of_the_charge_it_forestalls() -> None:
    subscription = subscription_of(cancel_at_period_end=True)
    due = next_moment(subscription)
    assert due is not None
    assert due.at == RENEWAL, "no reminder of a charge that does not come"
    assert decide_renewal(subscription, RENEWAL) is NextCharge.CANCEL


@pytest.mark.parametrize(
    ("until", "decision"),
    [
        (date(2026, 2, 27), NextCharge.END),
        (date(2026, 2, 28), NextCharge.CHARGE),
        (date(2026, 3, 1), NextCharge.CHARGE),
    ],
)
def test_a_period_is_charged_when_it_starts_by_until(until: date, decision: NextCharge) -> None:
    subscription = subscription_of(until=until)
    assert decide_renewal(subscription, RENEWAL) is decision
    announced = reminder_at(subscription)
    assert (announced is None) == (decision is NextCharge.END)


def test_while_a_period_is_collected_the_slots_are_due_and_nothing_else() -> None:
    collecting = collected(subscription_of())
    assert decide_renewal(collecting, RENEWAL + timedelta(days=60)) is NextCharge.NOT_YET
    due = next_moment(collecting)
    assert due is not None
    assert (due.at, due.worker) == (utc("2026-03-01 04:59"), Worker.RETRIES)


def test_after_its_last_slot_nothing_is_due() -> None:
    collecting = collected(subscription_of())
    assert collecting.collection is not None
    used_up = collecting.collection.model_copy(update={"slots_used": 6})
    waiting = collecting.model_copy(update={"collection": used_up})
    assert next_slot_at(waiting) is None
    assert next_moment(waiting) is None


def test_reminders_that_are_off_stay_away_except_the_annual_one() -> None:
    assert reminder_at(subscription_of(reminds=False)) is None
    annual = subscription_of(reminds=False, frequency=Frequency.ANNUAL)
    assert reminder_at(annual) == utc("2027-01-24 04:59")


@pytest.mark.parametrize("trial_days", [7, 8, 14])
def test_a_trial_s_end_is_announced_seven_days_before_its_charge_or_at_its_start(
    trial_days: int,
) -> None:
    begun = utc("2026-03-10 15:00")
    subscription = subscription_of(
        state=SubscriptionState.TRIALING,
        anchor=date(2026, 3, 10) + timedelta(days=trial_days),
        created_at=begun,
        first=FirstSlot.AT_2359,
        next_period=0,
        trial_days=trial_days,
        trial_from=date(2026, 3, 10),
    )
    expected = {7: begun, 8: begun, 14: utc("2026-03-17 03:59")}[trial_days]
    # 7 and 8 days: 23:59 seven days before lies before the start, or in its night.
    if trial_days == 8:
        expected = utc("2026-03-11 03:59")
    assert reminder_at(subscription) == expected


def test_a_later_start_is_charged_when_its_day_starts_and_not_announced() -> None:
    subscription = subscription_of(
        state=SubscriptionState.SCHEDULED,
        anchor=date(2026, 3, 8),
        first=FirstSlot.AT_DAY_START,
        next_period=0,
    )
    due = next_moment(subscription)
    assert due is not None
    assert (due.at, due.worker) == (utc("2026-03-08 05:00"), Worker.RENEWALS)


def test_paid_until_is_the_start_of_the_first_period_that_is_not() -> None:
    assert paid_until(subscription_of()) == utc("2026-02-28 05:00")


def test_a_commitment_counts_successful_payments() -> None:
    subscription = subscription_of(terms=terms_of(minimum_payments=3))
    assert subscription.payments_remaining == 2
    assert subscription.model_copy(update={"payments_made": 5}).payments_remaining == 0
    asked = subscription.model_copy(update={"cancel_after_commitment": True})
    assert decide_renewal(asked, RENEWAL) is NextCharge.CHARGE
    fulfilled = asked.model_copy(update={"payments_made": 3})
    assert decide_renewal(fulfilled, RENEWAL) is NextCharge.CANCEL
