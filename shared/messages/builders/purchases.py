"""What a settled checkout sends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from shared.domain.invoice import LineKind
from shared.domain.message import Message, MessageKind
from shared.messages.builders.agreement import agreement_of
from shared.messages.builders.bill import bill_of
from shared.messages.builders.charge import next_charge_of
from shared.messages.builders.invoices import invoice_email, order_receipt
from shared.messages.builders.parts import place_of
from shared.messages.builders.telling import Telling
from shared.messages.facts.purchases import PurchasedFacts, TrialFacts

if TYPE_CHECKING:
    from shared.domain.invoice import Invoice
    from shared.domain.money import Money
    from shared.domain.subscription import Subscription


def subscription_purchased(
    telling: Telling,
    *,
    subscription: Subscription,
    invoice: Invoice | None,
    total_with_tax: Money,
) -> Message:
    """The receipt that every purchase of a subscription sends, with how to cancel; it can't be
    turned off ([REMIND]). `invoice` is None for a later start, which is charged then. A trial has
    `trial_started` instead. Once per subscription."""
    place = place_of(telling.business, subscription.location_id)
    facts = PurchasedFacts(
        greeting=telling.customer.name,
        zone=subscription.zone,
        agreement=agreement_of(subscription, telling.business),
        bill=None if invoice is None else bill_of(invoice, place),
        starts_on=subscription.anchor,
        next_charge=next_charge_of(subscription, telling.customer, total_with_tax),
    )
    return telling.message(MessageKind.SUBSCRIPTION_PURCHASED, subscription.id, facts)


def trial_started(
    telling: Telling, *, subscription: Subscription, total_with_tax: Money
) -> Message:
    """The purchase receipt of a subscription that begins with a trial: when and how much its
    first charge will be, and how to cancel before ([TRIAL]). Once per subscription."""
    facts = TrialFacts(
        greeting=telling.customer.name,
        zone=subscription.zone,
        agreement=agreement_of(subscription, telling.business),
        trial_ends=subscription.anchor - timedelta(days=1),
        first_charge=next_charge_of(subscription, telling.customer, total_with_tax),
    )
    return telling.message(MessageKind.TRIAL_STARTED, subscription.id, facts)


def purchase_mails(
    telling: Telling,
    *,
    invoice: Invoice | None,
    subscriptions: Sequence[tuple[Subscription, Money]],
) -> tuple[Message, ...]:
    """Everything that a settled checkout sends: for each subscription (beside it `total_with_tax`)
    its purchase receipt or trial's start; an order receipt when anything else was bought; and the
    invoice. `invoice` is None when nothing was sold today: a trial or a later start alone."""
    mails: list[Message] = []
    if invoice is not None and _holds_more(invoice, [one for one, _ in subscriptions]):
        mails.append(order_receipt(telling, invoice=invoice))
    for subscription, amount in subscriptions:
        if subscription.trial_days is not None:
            mails.append(trial_started(telling, subscription=subscription, total_with_tax=amount))
            continue
        charged_today = subscription.first is None
        mails.append(
            subscription_purchased(
                telling,
                subscription=subscription,
                invoice=invoice if charged_today else None,
                total_with_tax=amount,
            )
        )
    if invoice is not None:
        mails.append(invoice_email(telling, invoice=invoice))
    return tuple(mails)


def _holds_more(invoice: Invoice, begun: Sequence[Subscription]) -> bool:
    """Whether anything besides what these subscriptions began with is on it: each that was charged
    with it has one line."""
    sold = [line for line in invoice.lines if line.kind is LineKind.PRODUCT]
    charged = [one for one in begun if one.trial_days is None and one.first is None]
    return len(sold) > len(charged)
