"""What the pages about cards show: from the domain to the pages. Pure."""

from collections.abc import Collection, Sequence
from datetime import datetime

from functions.portal.pages.card_models import (
    CardEnterPage,
    CardOnFile,
    CardsPage,
    CardUpdatePage,
    CardUpdateState,
    Owed,
    UsedBy,
    WhyCardStays,
)
from shared.domain.business import Business
from shared.domain.customer import MAX_CARDS, Attention, Customer
from shared.domain.subscription import Subscription
from shared.operations.card_removal import Why, why_it_stays
from shared.web.pages.cards import card_view
from shared.web.pages.names import zone_of

YEARS_AHEAD = 20
"""How far ahead a card can expire."""

WHY = {
    Why.LAST_NEEDED: WhyCardStays.LAST_NEEDED,
    Why.CHARGE_UNKNOWN: WhyCardStays.CHARGE_UNKNOWN,
}


def _being_charged(customer: Customer, subscriptions: Sequence[Subscription]) -> set[str]:
    """The cards with a charge under way, as far as the subscriptions say: a first try without an
    answer, or one that waits for the customer. Removing asks the charges themselves."""
    confirming = {
        one.subscription_id for one in customer.past_due if one.needs is Attention.AUTHENTICATION
    }
    cards = [
        customer.card_for(one.card_id)
        for one in subscriptions
        if one.collection is not None and (not one.collection.failing or one.id in confirming)
    ]
    return {card.id for card in cards if card is not None}


def cards_page(
    customer: Customer,
    subscriptions: Sequence[Subscription],
    now: datetime,
    *,
    provider_ready: bool,
    set_up: Collection[str] | None,
) -> CardsPage:
    """Every card, what it pays for, and why it stays if it can't be removed ([CARDS]). `set_up` are
    the providers that there are, as `card_view` takes them."""
    alive = [one for one in subscriptions if not one.over]
    busy = _being_charged(customer, alive)
    shown = []
    for card in customer.cards:
        why = why_it_stays(customer, card, alive, busy)
        shown.append(
            CardOnFile(
                card=card_view(card, customer, now, set_up),
                used_by=tuple(
                    UsedBy(subscription_id=one.id, name=one.terms.name)
                    for one in alive
                    if customer.card_for(one.card_id) is card
                ),
                removable=why is None,
                why_not=WHY[why] if why else None,
            )
        )
    return CardsPage(
        cards=tuple(shown),
        can_add=provider_ready and len(customer.cards) < MAX_CARDS,
        max_cards=MAX_CARDS,
    )


def card_update_page(
    customer: Customer,
    subscription: Subscription | None,
    business: Business,
    now: datetime,
    *,
    of_subscription: str | None,
) -> CardUpdatePage:
    """What a link shows that leads only to updating a card: what it was sent for and no more.
    `of_subscription` is the one it was sent for; None: for the default card, whatever is owed."""
    owed = tuple(
        one
        for one in customer.past_due
        if of_subscription is None or one.subscription_id == of_subscription
    )
    if of_subscription is not None and not owed:
        return CardUpdatePage(state=CardUpdateState.SETTLED)
    card = customer.card_for(subscription.card_id if subscription else None)
    zone = (
        subscription.zone
        if subscription
        else zone_of(business, customer.location or business.locations[0].id)
    )
    return CardUpdatePage(
        state=CardUpdateState.OPEN,
        owed=tuple(
            Owed(name=one.name, owed=one.owed, next_try_at=one.next_try_at, zone=zone)
            for one in owed
        ),
        card=card_view(card, customer, now) if card else None,
    )


def enter_page(
    provider: str, frame_url: str, wanted: str, now: datetime, *, owed: tuple[Owed, ...]
) -> CardEnterPage:
    """The page with the provider's card field."""
    return CardEnterPage(
        provider=provider,
        frame_url=frame_url,
        next=wanted,
        years=tuple(range(now.year, now.year + YEARS_AHEAD + 1)),
        owed=owed,
    )
