"""The emails about the next packs of what recurs ([RECUR])."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.domain.calendar import local_date
from shared.domain.message import Message, MessageKind
from shared.messages.builders.agreement import agreement_of
from shared.messages.builders.bill import bill_of
from shared.messages.builders.pack import pack_shown
from shared.messages.builders.parts import place_of
from shared.messages.builders.telling import Telling
from shared.messages.facts.next_packs import NextPackDebitedFacts, NextPackInCartFacts

if TYPE_CHECKING:
    from shared.domain.invoice import Invoice
    from shared.domain.money import Money
    from shared.domain.pack import Pack
    from shared.domain.subscription import Subscription


def next_pack_debited(
    telling: Telling, *, subscription: Subscription, invoice: Invoice, pack: Pack
) -> Message:
    """Sent when the next pack was paid by automatic debit, with how to cancel ([RECUR]). Once per
    invoice."""
    facts = NextPackDebitedFacts(
        greeting=telling.customer.name,
        zone=subscription.zone,
        agreement=agreement_of(subscription, telling.business),
        bill=bill_of(invoice, place_of(telling.business, invoice.location_id)),
        pack=pack_shown(pack, telling.business),
        first_day=local_date(pack.usable_from, pack.zone),
    )
    return telling.message(MessageKind.NEXT_PACK_DEBITED, invoice.id, facts)


def next_pack_in_cart(
    telling: Telling, *, subscription: Subscription, total_with_tax: Money
) -> Message:
    """Sent when the next pack was put into the cart, where it is to be paid by hand ([RECUR]). Once
    per period."""
    period = subscription.next_period
    facts = NextPackInCartFacts(
        greeting=telling.customer.name,
        zone=subscription.zone,
        agreement=agreement_of(subscription, telling.business),
        amount=total_with_tax,
        starts_on=subscription.starts(period),
        location=place_of(telling.business, subscription.location_id).name,
    )
    return telling.message(MessageKind.NEXT_PACK_IN_CART, f"{subscription.id}:{period}", facts)
