"""Cards and charges to come, in an email's words."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from shared.domain.collected_by import CollectedBy
from shared.domain.subscription import SubscriptionState
from shared.messages.facts.card import CardShown
from shared.messages.facts.next_charge import NextCharge

if TYPE_CHECKING:
    from shared.domain.card import Card
    from shared.domain.customer import Customer
    from shared.domain.money import Money
    from shared.domain.subscription import Subscription


def shown(card: Card | None) -> CardShown | None:
    return None if card is None else CardShown(brand=card.brand, last4=card.last4)


def next_charge_of(
    subscription: Subscription, customer: Customer, total_with_tax: Money
) -> NextCharge | None:
    """The charge of `subscription.next_period`; None when there will be none, and while it is
    paused."""
    period = subscription.next_period
    if subscription.over or subscription.ends_next:
        return None
    if subscription.state is SubscriptionState.PAUSED:
        return None
    if not subscription.within_until(period):
        return None
    return planned_charge(subscription, customer, total_with_tax)


def planned_charge(
    subscription: Subscription, customer: Customer, total_with_tax: Money
) -> NextCharge | None:
    """The charge of `subscription.next_period`, whatever may still come between; None while nobody
    knows when it comes."""
    at = subscription.charged_at(subscription.next_period)
    if at is None:
        return None
    by_card = subscription.collected_by is CollectedBy.CARD
    return NextCharge(
        at=at.astimezone(UTC),
        amount=total_with_tax,
        tax=total_with_tax - subscription.terms.price,
        card=shown(customer.card_for(subscription.card_id)) if by_card else None,
    )
