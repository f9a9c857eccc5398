"""Receipts and invoices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.domain.message import Message, MessageKind
from shared.messages.builders.agreement import running
from shared.messages.builders.bill import bill_of
from shared.messages.builders.parts import place_of
from shared.messages.builders.telling import Telling
from shared.messages.facts.invoices import InvoiceFacts, OrderFacts

if TYPE_CHECKING:
    from shared.domain.invoice import Invoice
    from shared.domain.subscription import Subscription


def order_receipt(telling: Telling, *, invoice: Invoice) -> Message:
    """Sent when a checkout that holds anything besides subscriptions was paid, or came to nothing
    to pay; and when an invoice of places was. Once per invoice, and once more for each time that
    it was paid anew after its payment had been reversed."""
    place = place_of(telling.business, invoice.location_id)
    facts = OrderFacts(
        greeting=telling.customer.name, zone=place.zone, bill=bill_of(invoice, place)
    )
    told = invoice.charged_under if invoice.times_reversed else invoice.id
    return telling.message(MessageKind.ORDER_RECEIPT, told, facts)


def invoice_email(
    telling: Telling, *, invoice: Invoice, subscription: Subscription | None = None
) -> Message:
    """Sent with every receipt that has an invoice. `subscription` is named when the invoice is of
    one period of it. Once per invoice."""
    place = place_of(telling.business, invoice.location_id)
    agreement = starts = ends = None
    if subscription is not None:
        agreement = running(telling, subscription)
        if invoice.period is not None:
            starts = subscription.starts(invoice.period)
            ends = subscription.ends(invoice.period)
    facts = InvoiceFacts(
        greeting=telling.customer.name,
        zone=place.zone,
        bill=bill_of(invoice, place),
        agreement=agreement,
        first_day=starts,
        last_day=ends,
    )
    return telling.message(MessageKind.INVOICE, invoice.id, facts)
