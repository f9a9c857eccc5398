"""The emails while a payment is wanted: a failed try, one to confirm or to make, a new card."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from shared.domain.dunning import slot_moment
from shared.domain.invoice import order_id
from shared.domain.message import Message, MessageKind
from shared.domain.outcome import NOT_SET_UP, Outcome
from shared.domain.subscription import pay_by
from shared.messages.builders.agreement import agreement_of, running
from shared.messages.builders.bill import bill_of
from shared.messages.builders.charge import shown
from shared.messages.builders.parts import place_of
from shared.messages.builders.telling import Telling
from shared.messages.facts.card import CardShown
from shared.messages.facts.collecting import (
    CardUpdateFacts,
    ChargeFailedFacts,
    ConfirmFacts,
    PaymentDueFacts,
)

if TYPE_CHECKING:
    from shared.domain.charge import Attempt, Charge
    from shared.domain.invoice import Invoice
    from shared.domain.money import Money
    from shared.domain.subscription import Collection, Subscription


_REASONS: Mapping[str, str] = {
    "insufficient_funds": "The bank says there wasn't enough money available.",
    "expired_card": "The card has expired.",
    "incorrect_cvc": "The card's security code didn't match.",
    "processing_error": "The bank had a problem while processing it.",
    NOT_SET_UP: "This card can't be charged any more.",
}
"""What a customer is told. Everything else, a lost or stolen card too, is the bank's "no": the
mailbox may be read by somebody who should not learn more."""

DECLINED = "The bank declined it."


def reason_in_words(decline_code: str | None) -> str:
    return _REASONS.get(decline_code or "", DECLINED)


def last_slot(subscription: Subscription, collection: Collection) -> datetime:
    """When the last try of the period that is being collected comes ([RETRY])."""
    return slot_moment(
        collection.first_day,
        collection.policy.tries - 1,
        collection.policy,
        subscription.zone,
        first=collection.first,
    )


def charge_failed(
    telling: Telling,
    *,
    subscription: Subscription,
    charge: Charge,
    attempt: Attempt,
    next_try_at: datetime | None,
) -> Message:
    """Sent when a try of a period's charge was declined: why, the next try, and where to fix it
    ([PASTDUE]). `next_try_at` None: no try is planned. The last slot's failure is told by
    `cancelled` instead. Once per attempt."""
    period = subscription.next_period if charge.period is None else charge.period
    collection = subscription.collection
    retry = telling.business.settings.retry if collection is None else collection.policy
    facts = ChargeFailedFacts(
        greeting=telling.customer.name,
        zone=subscription.zone,
        agreement=agreement_of(subscription, telling.business),
        amount=charge.amount,
        card=CardShown(brand=attempt.card.brand, last4=attempt.card.last4),
        failed_at=attempt.decided_at or telling.now,
        reason=reason_in_words(attempt.decline_code),
        final=attempt.outcome is Outcome.DECLINED_FINAL,
        refused=attempt.merchants_trouble,
        next_try_at=next_try_at,
        last_try_at=None if collection is None else last_slot(subscription, collection),
        then=retry.then,
        order_id=order_id(charge.invoice_id),
        invoice_id=charge.invoice_id,
        first_day=subscription.starts(period),
        last_day=subscription.ends(period),
    )
    return telling.message(MessageKind.CHARGE_FAILED, attempt.id, facts)


def payment_due(telling: Telling, *, subscription: Subscription, invoice: Invoice) -> Message:
    """Sent when a period comes whose payment staff record: what is to be paid, and until when
    ([PAY]). Once per invoice."""
    collection = subscription.collection
    period = subscription.next_period if invoice.period is None else invoice.period
    retry = telling.business.settings.retry if collection is None else collection.policy
    facts = PaymentDueFacts(
        greeting=telling.customer.name,
        zone=subscription.zone,
        agreement=agreement_of(subscription, telling.business),
        bill=bill_of(invoice, place_of(telling.business, invoice.location_id)),
        first_day=subscription.starts(period),
        last_day=subscription.ends(period),
        pay_by=pay_by(subscription),
        then=retry.then,
    )
    return telling.message(MessageKind.PAYMENT_DUE, invoice.id, facts)


def confirm_payment(
    telling: Telling,
    *,
    charge: Charge,
    attempt: Attempt,
    confirm_url: str,
    subscription: Subscription | None = None,
    next_try_at: datetime | None = None,
) -> Message:
    """Sent when the bank wants the customer to confirm a payment that the clock started ([HARD]):
    `confirm_url` is the provider's page. `next_try_at` is when its next slot comes, unless it is
    confirmed before. Once per attempt."""
    facts = ConfirmFacts(
        greeting=telling.customer.name,
        zone=place_of(telling.business, charge.location_id).zone,
        agreement=running(telling, subscription),
        what=charge.description,
        amount=charge.amount,
        card=CardShown(brand=attempt.card.brand, last4=attempt.card.last4),
        confirm_url=confirm_url,
        order_id=order_id(charge.invoice_id),
        next_try_at=next_try_at,
    )
    return telling.message(MessageKind.CONFIRM_PAYMENT, attempt.id, facts)


def card_update(
    telling: Telling,
    *,
    request_id: str,
    subscription: Subscription | None = None,
    owed: Money | None = None,
) -> Message:
    """Sent when staff or the portal send a link that leads only to updating a card ([CARDS]). The
    link is made at sending. `owed` is what the new card pays at once. Once per `request_id`."""
    customer = telling.customer
    facts = CardUpdateFacts(
        greeting=customer.name,
        agreement=running(telling, subscription),
        owed=owed,
        card=shown(customer.card_for(None if subscription is None else subscription.card_id)),
    )
    return telling.message(MessageKind.CARD_UPDATE, request_id, facts)
