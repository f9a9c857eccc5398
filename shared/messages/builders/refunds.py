"""The email when money went back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.domain.message import Message, MessageKind
from shared.messages.builders.agreement import running
from shared.messages.builders.parts import place_of
from shared.messages.builders.telling import Telling
from shared.messages.facts.refunds import RefundFacts

if TYPE_CHECKING:
    from shared.domain.invoice import Invoice
    from shared.domain.money import Money
    from shared.domain.subscription import Subscription
    from shared.messages.facts.card import CardShown


def refund(
    telling: Telling,
    *,
    invoice: Invoice,
    refund_id: str,
    amount: Money,
    card: CardShown | None = None,
    subscription: Subscription | None = None,
) -> Message:
    """Sent when money went back, by staff or because a success came too late ([CANCEL]).
    `amount` is positive. Once per `refund_id`."""
    facts = RefundFacts(
        greeting=telling.customer.name,
        zone=place_of(telling.business, invoice.location_id).zone,
        amount=amount,
        refunded_at=telling.now,
        card=card,
        order_id=invoice.order_id,
        invoice_id=invoice.id,
        names=tuple(dict.fromkeys(line.name for line in invoice.lines)),
        agreement=running(telling, subscription),
    )
    return telling.message(MessageKind.REFUND, refund_id, facts)
