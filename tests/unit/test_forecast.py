"""The forecast is what the clock will do ([FORECAST]). Instants are those of SPEC's examples."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from shared.domain.calendar import Frequency
from shared.domain.collecting import mark_failing, open_collection, use_slot
from shared.domain.customer import PastDue
from shared.domain.dunning import FirstSlot, RetryPolicy
from shared.domain.forecast import FORECAST_LINES_MAX, forecast, total_of
from shared.domain.invoice import InvoiceLine
from shared.domain.money import Money
from shared.domain.subscription import Subscription, SubscriptionState, next_slot_at
from shared.domain.terms import Terms

NOW = datetime(2026, 1, 31, 15, 0, tzinfo=UTC)


def dollars(minor: int) -> Money:
    return Money(minor=minor, currency="USD")


LINE = InvoiceLine(name="Month", unit=dollars(4_900), amount=dollars(4_900), tax=dollars(404))


def monthly(**changed: Any) -> Subscription:
    """Example 1: monthly, anchor 31 Jan 2026, New York, bought on that day."""
    values: dict[str, Any] = {
        "id": "s",
        "customer_id": "c",
        "location_id": "ny",
        "zone": "America/New_York",
        "state": SubscriptionState.ACTIVE,
        "terms": Terms(product_id="month", name="Month", price=dollars(4_900), credits=8),
        "frequency": Frequency.MONTHLY,
        "anchor": date(2026, 1, 31),
        "created_at": NOW,
        "first_invoice_id": "i",
        "next_period": 1,
        "payments_made": 1,
        **changed,
    }
    return Subscription(**values)


def collecting() -> Subscription:
    """Its second period has just begun to be collected."""
    subscription = monthly()
    due_at = subscription.charged_at(1)
    assert due_at is not None
    return open_collection(
        subscription,
        source="s.00001",
        invoice_id="i1",
        policy=RetryPolicy(),
        reminds=True,
        now=due_at,
    )


def failing(slots_used: int = 1) -> Subscription:
    found = collecting()
    for _ in range(slots_used - 1):
        slot_at = next_slot_at(found)
        assert slot_at is not None
        found = use_slot(found, slot_at)
    return mark_failing(found)


def moments(subscription: Subscription, now: datetime = NOW, **more: Any) -> list[str]:
    return [f"{one.at:%Y-%m-%d %H:%M}" for one in forecast(subscription, LINE, now, **more)]


def test_a_year_of_a_monthly_subscription_has_every_charge_at_its_moment() -> None:
    lines = forecast(monthly(), LINE, NOW)
    assert [f"{one.at:%Y-%m-%d %H:%M}" for one in lines][:4] == [
        "2026-02-28 04:59",
        "2026-03-31 03:59",
        "2026-04-30 03:59",
        "2026-05-31 03:59",
    ]
    assert [one.starts_on for one in lines][:3] == [
        date(2026, 2, 28),
        date(2026, 3, 31),
        date(2026, 4, 30),
    ]
    assert len(lines) == 12
    assert {one.total for one in lines} == {dollars(5_304)}
    assert total_of(lines, "USD") == dollars(12 * 5_304)


def test_what_is_charged_a_year_from_now_is_not_in_it() -> None:
    ends = datetime(2027, 1, 31, 4, 59, tzinfo=UTC)
    assert moments(monthly(), datetime(2026, 1, 31, 4, 59, tzinfo=UTC))[-1] < f"{ends:%Y-%m-%d}"
    assert moments(monthly(), datetime(2026, 1, 31, 5, 0, tzinfo=UTC))[-1] == "2027-01-31 04:59"


def test_a_weekly_subscription_has_each_week_and_no_more_lines_than_the_limit() -> None:
    weekly = monthly(frequency=Frequency.WEEKLY, anchor=date(2026, 1, 5))
    lines = moments(weekly)
    assert 52 <= len(lines) <= 56
    assert len(lines) <= FORECAST_LINES_MAX
    assert moments(weekly, limit=1) == lines[:1]


@pytest.mark.parametrize(("until", "count"), [(date(2026, 2, 28), 1), (date(2026, 2, 27), 0)])
def test_no_period_after_until_is_in_it(until: date, count: int) -> None:
    assert len(moments(monthly(until=until))) == count


def test_nothing_is_to_come_of_what_ends_pauses_or_is_over() -> None:
    assert moments(monthly(cancel_at_period_end=True)) == []
    assert moments(monthly(state=SubscriptionState.PAUSED)) == []
    assert moments(monthly(state=SubscriptionState.CANCELLED)) == []
    assert moments(monthly(state=SubscriptionState.ENDED)) == []


def test_an_end_after_the_commitment_comes_after_the_payments_agreed_on() -> None:
    terms = monthly().terms.model_copy(update={"minimum_payments": 3})
    assert len(moments(monthly(terms=terms, cancel_after_commitment=True))) == 2
    assert len(moments(monthly(terms=terms))) == 12


def test_a_later_start_and_a_trial_begin_with_their_first_charge() -> None:
    later = monthly(
        state=SubscriptionState.SCHEDULED,
        anchor=date(2026, 3, 1),
        next_period=0,
        payments_made=0,
        first=FirstSlot.AT_DAY_START,
    )
    assert moments(later)[:2] == ["2026-03-01 05:00", "2026-04-01 03:59"]
    trial = monthly(
        state=SubscriptionState.TRIALING,
        anchor=date(2026, 3, 24),
        next_period=0,
        payments_made=0,
        first=FirstSlot.AT_2359,
        trial_days=14,
        trial_from=date(2026, 3, 10),
    )
    assert moments(trial, datetime(2026, 3, 10, 15, tzinfo=UTC))[0] == "2026-03-24 03:59"


def test_what_is_owed_comes_first_at_its_next_try_with_the_amount_it_was_created_with() -> None:
    now = datetime(2026, 2, 28, 5, 0, tzinfo=UTC)
    owed = PastDue(subscription_id="s", name="Month", owed=dollars(5_000), next_try_at=None)
    lines = forecast(failing(), LINE, now, past_due=owed)
    assert f"{lines[0].at:%Y-%m-%d %H:%M}" == "2026-03-01 04:59"
    assert (lines[0].period, lines[0].total) == (1, dollars(5_000))
    assert (lines[1].period, f"{lines[1].at:%Y-%m-%d %H:%M}") == (2, "2026-03-31 03:59")
    assert lines[1].total == dollars(5_304)


def test_while_a_charge_waits_that_is_not_tried_any_more_nothing_is_charged() -> None:
    assert moments(failing(slots_used=6)) == []


def test_a_first_try_that_is_under_way_is_not_announced_again() -> None:
    assert moments(collecting())[0] == "2026-03-31 03:59"
