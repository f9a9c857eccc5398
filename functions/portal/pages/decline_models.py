"""What is said of a card that said no."""

from enum import StrEnum

from shared.web.answer import View


class WhyDeclined(StrEnum):
    """What to tell who paid, and no more."""

    DECLINED = "declined"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    EXPIRED_CARD = "expired_card"
    FINAL = "final"
    """This card will not work again."""
    REFUSED = "refused"
    """The payment provider would not take the request: the merchant's trouble, not the card's."""
    NOT_CHARGEABLE = "not_chargeable"
    """The merchant has left the provider that keeps this card; another card works."""


class Decline(View):
    reason: WhyDeclined
    brand: str = ""
    last4: str = ""
