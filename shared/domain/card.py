"""A card on file, as far as we ever know it."""

from datetime import datetime

from shared.domain.record import Record


class Card(Record):
    """A card on file, as the provider describes it, or a bank account, which has no expiry. The
    number never reaches us."""

    id: str
    provider: str
    token: str
    brand: str
    last4: str
    exp_month: int | None = None
    exp_year: int | None = None
    provider_customer: str | None = None
    """Whose card it is there, in the provider's words, since it was put on file ([MANY]). None in
    what adapters make, and in cards that were put on file before this was kept."""

    def expired(self, now: datetime) -> bool:
        """A card is good through the last day of its month."""
        if self.exp_month is None or self.exp_year is None:
            return False
        return (self.exp_year, self.exp_month) < (now.year, now.month)


def named(card: Card | None) -> str:
    """A card as the timeline keeps it: brand and last four, whatever becomes of it."""
    return f"{card.brand} {card.last4}" if card else ""
