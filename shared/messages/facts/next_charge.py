"""A charge to come, as emails tell of it."""

from pydantic import AwareDatetime

from shared.domain.money import Money
from shared.domain.record import Record
from shared.messages.facts.card import CardShown


class NextCharge(Record):
    """A charge to come: when (UTC), how much with tax, and on which card as things stand."""

    at: AwareDatetime
    amount: Money
    tax: Money
    card: CardShown | None = None
