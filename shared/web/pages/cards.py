"""Cards on file, for people and programs."""

from collections.abc import Collection
from datetime import datetime

from shared.domain.card import Card
from shared.domain.customer import Customer
from shared.web.answer import View


class CardView(View):
    """A card on file, as much of it as we know and show."""

    id: str
    brand: str
    last4: str
    exp_month: int | None
    exp_year: int | None
    """Both None: a bank account."""
    default: bool = False
    expired: bool = False
    chargeable: bool = True
    """False: the provider that keeps it is not set up any more ([MANY])."""


def card_view(
    card: Card, customer: Customer, now: datetime, set_up: Collection[str] | None = None
) -> CardView:
    """A card is good through the last day of its month. `set_up` are the providers that there are;
    None: nobody can say now, or it does not matter."""
    return CardView(
        id=card.id,
        brand=card.brand,
        last4=card.last4,
        exp_month=card.exp_month,
        exp_year=card.exp_year,
        default=card.id == customer.default_card,
        expired=card.expired(now),
        chargeable=set_up is None or card.provider in set_up,
    )


def card_views(
    customer: Customer, now: datetime, set_up: Collection[str] | None = None
) -> tuple[CardView, ...]:
    return tuple(card_view(card, customer, now, set_up) for card in customer.cards)
