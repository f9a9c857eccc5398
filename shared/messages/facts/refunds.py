"""What is told when money went back."""

from pydantic import AwareDatetime

from shared.domain.money import Money
from shared.messages.facts.agreement import Agreement
from shared.messages.facts.card import CardShown
from shared.messages.opening import Facts, Words


class RefundFacts(Facts):
    amount: Money
    refunded_at: AwareDatetime
    card: CardShown | None = None
    order_id: str
    invoice_id: str
    names: tuple[Words, ...]
    agreement: Agreement | None = None
