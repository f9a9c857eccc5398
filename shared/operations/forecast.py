"""What customers see of the charges to come, from the calculation that charges ([FORECAST])."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from shared.domain import period_cost
from shared.domain.collected_by import CollectedBy
from shared.domain.forecast import FORECAST_LINES_MAX, Expected, forecast

if TYPE_CHECKING:
    from shared.domain.business import Business
    from shared.domain.card import Card
    from shared.domain.customer import Customer
    from shared.domain.subscription import Subscription

MERGED_LINES_MAX = 200
"""How many lines are shown of all of a customer's subscriptions together."""


class Ahead(NamedTuple):
    """One charge to come of one subscription; `card` None: there is none on file, or it is
    collected by recording."""

    subscription: Subscription
    expected: Expected
    card: Card | None


def ahead(
    business: Business,
    customer: Customer,
    subscription: Subscription,
    now: datetime,
    *,
    limit: int = FORECAST_LINES_MAX,
) -> tuple[Ahead, ...]:
    """The charges of the next 12 months, with today's tax, on the card that would be asked.
    Nothing for a location that is gone."""
    location = business.location(subscription.location_id)
    if location is None:
        return ()
    past_due = next(
        (one for one in customer.past_due if one.subscription_id == subscription.id), None
    )
    expected = forecast(
        subscription,
        period_cost.period_line(subscription.terms, location, business, ""),
        now,
        past_due=past_due,
        limit=limit,
    )
    by_card = subscription.collected_by is CollectedBy.CARD
    card = customer.card_for(subscription.card_id) if by_card else None
    return tuple(Ahead(subscription, one, card) for one in expected)


def next_ahead(
    business: Business, customer: Customer, subscription: Subscription, now: datetime
) -> Ahead | None:
    """The next charge of a subscription; None when none is to come within 12 months."""
    return next(iter(ahead(business, customer, subscription, now, limit=1)), None)


def merged(
    business: Business,
    customer: Customer,
    subscriptions: Iterable[Subscription],
    now: datetime,
) -> tuple[Ahead, ...]:
    """The charges of all `subscriptions` by their moments, at most `MERGED_LINES_MAX`."""
    lines = [line for one in subscriptions for line in ahead(business, customer, one, now)]
    lines.sort(key=lambda line: (line.expected.at, line.subscription.id))
    return tuple(lines[:MERGED_LINES_MAX])
