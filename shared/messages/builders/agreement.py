"""What a subscription is, in an email's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.domain.collected_by import CollectedBy
from shared.domain.subscription import SubscriptionState
from shared.messages.facts.agreement import Agreement

if TYPE_CHECKING:
    from shared.domain.business import Business
    from shared.domain.subscription import Subscription
    from shared.messages.builders.telling import Telling


def agreement_of(subscription: Subscription, business: Business) -> Agreement:
    terms = subscription.terms
    service = business.service(terms.service_id)
    recurring = subscription.recurring
    name = f"{terms.name}, {terms.standing.words}" if terms.standing else terms.name
    return Agreement(
        id=subscription.id,
        name=name,
        frequency=subscription.frequency,
        recurs=recurring.when if recurring else None,
        by_hand=recurring is not None and recurring.by_hand,
        expected_at=recurring.expected_at if recurring else None,
        goes_on=not subscription.over and not subscription.ends_next,
        price=terms.price,
        credits=terms.credits,
        service="" if service is None else service.name,
        until=subscription.until,
        minimum_payments=terms.minimum_payments,
        payments_remaining=subscription.payments_remaining,
        paused=subscription.state is SubscriptionState.PAUSED,
        by_recording=subscription.collected_by is CollectedBy.RECORDING,
    )


def running(telling: Telling, subscription: Subscription | None) -> Agreement | None:
    """What an email that is not about the subscription itself tells of it: nothing of one that is
    over, since there is nothing left to cancel."""
    if subscription is None or subscription.over:
        return None
    return agreement_of(subscription, telling.business)
