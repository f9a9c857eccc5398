"""A card, as emails show it."""

from shared.domain.record import Record
from shared.messages.opening import Words


class CardShown(Record):
    """A card as a customer knows it."""

    brand: Words
    last4: Words
