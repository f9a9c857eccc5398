"""What will be charged over the next months, by the decisions that charge ([FORECAST]).

Nothing here knows a rule of its own: when a period is due, and whether it is charged at all, is
asked of the subscription, as the clock asks it.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING

from dateutil.relativedelta import relativedelta
from pydantic import AwareDatetime

from shared.domain.collected_by import CollectedBy
from shared.domain.customer import PastDue
from shared.domain.granting import expiry_by_terms
from shared.domain.money import Money
from shared.domain.record import Record
from shared.domain.recurring import Recurring, turn_at, turn_by_expiry
from shared.domain.recurs_when import RecursWhen
from shared.domain.renewal import NextCharge, decide_renewal
from shared.domain.subscription import Subscription, SubscriptionState, next_slot_at, pay_by

if TYPE_CHECKING:
    from shared.domain.invoice import InvoiceLine

FORECAST_SPAN = relativedelta(months=12)
FORECAST_LINES_MAX = 60
"""A year has 53 weekly charges at most; one more may be failing."""


class Expected(Record):
    """A charge to come: `at` (UTC), for the period that starts on `starts_on` (local); None: with
    its payment."""

    period: int
    at: AwareDatetime
    starts_on: date | None
    amount: Money
    tax: Money

    @property
    def total(self) -> Money:
        return self.amount + self.tax


def forecast(
    subscription: Subscription,
    line: "InvoiceLine",
    now: datetime,
    *,
    past_due: PastDue | None = None,
    limit: int = FORECAST_LINES_MAX,
) -> tuple[Expected, ...]:
    """The charges of the 12 months from `now`, if nothing changes and every one succeeds, at most
    `limit`.

    `line` is what one period costs today (`period_cost.period_line`), `past_due` what is owed
    already: it comes first, at its next automatic try, or when it is to be paid at the latest.
    While a charge fails that is not tried by itself any more, nothing else is charged either. Of
    what recurs by itself only what is debited, and what a calendar says of it, is known ([RECUR]).
    """
    coming = subscription
    expected: list[Expected] = []
    collection = subscription.collection
    if collection is not None:
        if subscription.over or subscription.state is SubscriptionState.PAUSED:
            return ()
        by_card = subscription.collected_by is CollectedBy.CARD
        at = next_slot_at(subscription) if by_card else pay_by(subscription)
        if collection.failing:
            if at is None:
                return ()
            expected.append(_owed(subscription, collection.period, at, line, past_due))
        if subscription.recurring is not None:
            return tuple(expected)
        coming = subscription.model_copy(
            update={
                "state": SubscriptionState.ACTIVE,
                "collection": None,
                "next_period": subscription.not_passed_over(collection.period + 1),
                "payments_made": subscription.payments_made + 1,
            }
        )
    ends = now + FORECAST_SPAN
    if coming.recurring is not None:
        return _next_packs(coming, coming.recurring, line, ends, limit)
    while len(expected) < limit:
        period = coming.next_period
        at = coming.charged_at(period)
        if at is None or at >= ends or decide_renewal(coming, at) is not NextCharge.CHARGE:
            break
        expected.append(_line(coming, period, at, line))
        following = coming.not_passed_over(period + 1)
        paid = {"next_period": following, "payments_made": coming.payments_made + 1}
        coming = coming.model_copy(update=paid)
    return tuple(expected[:limit])


def _next_packs(
    subscription: Subscription,
    recurring: Recurring,
    line: "InvoiceLine",
    ends: datetime,
    limit: int,
) -> tuple[Expected, ...]:
    """The packs to come that recur by their expiry, each after the last day of the one before."""
    zone, terms = subscription.zone, subscription.terms
    idle = subscription.over or subscription.state is SubscriptionState.PAUSED
    if idle or recurring.by_hand:
        return ()
    turn = recurring.turn
    if turn is None and recurring.when is RecursWhen.PACK_EXPIRES and recurring.expected_at:
        turn = turn_at(recurring.expected_at, zone)
    found: list[Expected] = []
    coming = subscription
    while turn is not None and turn.at < ends and len(found) < limit and not coming.ends_next:
        found.append(
            Expected(
                period=coming.next_period,
                at=turn.at,
                starts_on=turn.starts_on,
                amount=line.amount,
                tax=line.tax,
            )
        )
        paid = {"next_period": coming.next_period + 1, "payments_made": coming.payments_made + 1}
        coming = coming.model_copy(update=paid)
        if recurring.when is not RecursWhen.PACK_EXPIRES or turn.starts_on is None:
            break
        expires_at = expiry_by_terms(terms, turn.starts_on, zone)
        turn = None if expires_at is None else turn_by_expiry(expires_at, zone)
    return tuple(found)


def _line(subscription: Subscription, period: int, at: datetime, line: "InvoiceLine") -> Expected:
    return Expected(
        period=period,
        at=at,
        starts_on=subscription.starts(period),
        amount=line.amount,
        tax=line.tax,
    )


def _owed(
    subscription: Subscription,
    period: int,
    at: datetime,
    line: "InvoiceLine",
    past_due: PastDue | None,
) -> Expected:
    """A charge that was created before: its amount stays, whatever the tax is today ([PRICE])."""
    found = _line(subscription, period, at, line)
    if past_due is None or past_due.owed == found.total:
        return found
    return found.model_copy(update={"amount": past_due.owed - line.tax})


def total_of(expected: Iterable[Expected], currency: str) -> Money:
    """What all of `expected` come to, tax included."""
    result = Money.zero(currency)
    for one in expected:
        result = result + one.total
    return result
