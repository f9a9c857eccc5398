"""What a settled charge of a period sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.domain.message import Message, MessageKind
from shared.messages.builders.agreement import agreement_of
from shared.messages.builders.bill import bill_of
from shared.messages.builders.charge import next_charge_of
from shared.messages.builders.invoices import invoice_email
from shared.messages.builders.parts import calendar_days, place_of
from shared.messages.builders.telling import Telling
from shared.messages.facts.renewals import RenewalFacts

if TYPE_CHECKING:
    from shared.domain.invoice import Invoice
    from shared.domain.money import Money
    from shared.domain.pack import Pack
    from shared.domain.subscription import Subscription


def renewal_receipt(
    telling: Telling, *, subscription: Subscription, invoice: Invoice, total_with_tax: Money
) -> Message:
    """Sent when the clock's charge of a period succeeded: a renewal, the first charge of a later
    start or after a trial. `invoice.period` says which; `subscription` already stands at the next
    one. Once per invoice."""
    period = subscription.next_period - 1 if invoice.period is None else invoice.period
    first_day, last_day = calendar_days(subscription, period)
    facts = RenewalFacts(
        greeting=telling.customer.name,
        zone=subscription.zone,
        agreement=agreement_of(subscription, telling.business),
        bill=bill_of(invoice, place_of(telling.business, invoice.location_id)),
        first_day=first_day,
        last_day=last_day,
        next_charge=next_charge_of(subscription, telling.customer, total_with_tax),
    )
    return telling.message(MessageKind.RENEWAL_RECEIPT, invoice.id, facts)


def renewal_mails(
    telling: Telling,
    *,
    subscription: Subscription,
    invoice: Invoice,
    pack: Pack,
    total_with_tax: Money,
) -> tuple[Message, ...]:
    """Everything that a settled charge of a period, with its `pack`, sends: its receipt and its
    invoice. The receipt of a pack that recurs by itself says that it was debited ([RECUR])."""
    if subscription.recurring is None:
        receipt = renewal_receipt(
            telling, subscription=subscription, invoice=invoice, total_with_tax=total_with_tax
        )
    else:
        from shared.messages.builders.next_packs import next_pack_debited

        receipt = next_pack_debited(telling, subscription=subscription, invoice=invoice, pack=pack)
    return receipt, invoice_email(telling, invoice=invoice, subscription=subscription)
