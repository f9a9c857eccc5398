"""How the next pack is paid for: carts, orders and subscriptions keep it."""

from enum import StrEnum


class NextPayment(StrEnum):
    """How the customer pays for the next pack."""

    DEBIT = "debit"
    """The card is debited when the next pack is due."""
    BY_HAND = "by_hand"
    """It is put into the cart, and an email says that payment is due."""
