"""One builder per email ([MAILS]): from entities to a message that is written with what it tells.

Every builder is pure. Give it the entities **as they are after the change**, and write what it
returns in the same transaction, under `accounts.message(customer.id, customer.email, message.key)`
([OUTBOX]). The key is derived from what is told, so that the same thing is told once.

`total_with_tax` is what one period of a subscription costs with tax. A location that the catalogue
no longer has is replaced by the first one: no email is worth a failed payment. Which emails belong
to a purchase or a renewal is decided by `purchase_mails` and `renewal_mails`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.calendar import local_date
from shared.domain.charge import Attempt, Charge, Outcome
from shared.domain.customer import Customer
from shared.domain.invoice import Invoice, LineKind, order_id
from shared.domain.message import KIND_OF_END, Message, MessageKind, message_key
from shared.domain.money import Money
from shared.domain.pack import Pack
from shared.domain.product import Catalogue
from shared.domain.subscription import EndReason, Subscription, pay_by
from shared.messages.facts import (
    Agreement,
    CancellationFacts,
    CancelledFacts,
    CardShown,
    CardUpdateFacts,
    ChargeFailedFacts,
    ConfirmFacts,
    InvoiceFacts,
    NextPackDebitedFacts,
    NextPackInCartFacts,
    OrderFacts,
    PackFacts,
    PaymentDueFacts,
    PurchasedFacts,
    RefundFacts,
    ReminderFacts,
    RenewalFacts,
    TrialFacts,
)
from shared.messages.opening import Facts
from shared.messages.parts import (
    agreement_of,
    bill_of,
    calendar_days,
    last_slot,
    next_charge_of,
    pack_shown,
    place_of,
    planned_charge,
    reason_in_words,
    shown,
)


@dataclass(frozen=True)
class Telling:
    """To whom, by which settings, and when a message is written (UTC)."""

    customer: Customer
    catalogue: Catalogue
    now: datetime

    def message(
        self,
        kind: MessageKind,
        told: str,
        facts: Facts,
        *,
        only_while: str | None = None,
        period: int | None = None,
    ) -> Message:
        """The message of `kind` that tells of `told`: both make its key."""
        return Message(
            key=message_key(kind, told),
            kind=kind,
            to=self.customer.email,
            customer_id=self.customer.id,
            locale=self.customer.locale or self.catalogue.settings.locale,
            created_at=self.now,
            facts=facts.model_dump(mode="json", exclude_defaults=True),
            only_while=only_while,
            period=period,
        )


def _running(telling: Telling, subscription: Subscription | None) -> Agreement | None:
    """What an email that is not about the subscription itself tells of it: nothing of one that is
    over, since there is nothing left to cancel."""
    if subscription is None or subscription.over:
        return None
    return agreement_of(subscription, telling.catalogue)


# --- paid ------------------------------------------------------------------------------------


def order_receipt(telling: Telling, *, invoice: Invoice) -> Message:
    """Sent when a checkout that holds anything besides subscriptions was paid, or came to nothing
    to pay; and when an invoice of places was. Once per invoice, and once more for each time that
    it was paid anew after its payment had been reversed."""
    place = place_of(telling.catalogue, invoice.location_id)
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
    place = place_of(telling.catalogue, invoice.location_id)
    agreement = starts = ends = None
    if subscription is not None:
        agreement = _running(telling, subscription)
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
    place = place_of(telling.catalogue, subscription.location_id)
    facts = PurchasedFacts(
        greeting=telling.customer.name,
        zone=subscription.zone,
        agreement=agreement_of(subscription, telling.catalogue),
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
        agreement=agreement_of(subscription, telling.catalogue),
        trial_ends=subscription.anchor - timedelta(days=1),
        first_charge=next_charge_of(subscription, telling.customer, total_with_tax),
    )
    return telling.message(MessageKind.TRIAL_STARTED, subscription.id, facts)


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
        agreement=agreement_of(subscription, telling.catalogue),
        bill=bill_of(invoice, place_of(telling.catalogue, invoice.location_id)),
        first_day=first_day,
        last_day=last_day,
        next_charge=next_charge_of(subscription, telling.customer, total_with_tax),
    )
    return telling.message(MessageKind.RENEWAL_RECEIPT, invoice.id, facts)


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
    receipt = (
        renewal_receipt(
            telling, subscription=subscription, invoice=invoice, total_with_tax=total_with_tax
        )
        if subscription.recurring is None
        else next_pack_debited(telling, subscription=subscription, invoice=invoice, pack=pack)
    )
    return receipt, invoice_email(telling, invoice=invoice, subscription=subscription)


def next_pack_debited(
    telling: Telling, *, subscription: Subscription, invoice: Invoice, pack: Pack
) -> Message:
    """Sent when the next pack was paid by automatic debit, with how to cancel ([RECUR]). Once per
    invoice."""
    facts = NextPackDebitedFacts(
        greeting=telling.customer.name,
        zone=subscription.zone,
        agreement=agreement_of(subscription, telling.catalogue),
        bill=bill_of(invoice, place_of(telling.catalogue, invoice.location_id)),
        pack=pack_shown(pack, telling.catalogue),
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
        agreement=agreement_of(subscription, telling.catalogue),
        amount=total_with_tax,
        starts_on=subscription.starts(period),
        location=place_of(telling.catalogue, subscription.location_id).name,
    )
    return telling.message(MessageKind.NEXT_PACK_IN_CART, f"{subscription.id}:{period}", facts)


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
        zone=place_of(telling.catalogue, invoice.location_id).zone,
        amount=amount,
        refunded_at=telling.now,
        card=card,
        order_id=invoice.order_id,
        invoice_id=invoice.id,
        names=tuple(dict.fromkeys(line.name for line in invoice.lines)),
        agreement=_running(telling, subscription),
    )
    return telling.message(MessageKind.REFUND, refund_id, facts)


# --- to be charged ---------------------------------------------------------------------------


def renewal_reminder(
    telling: Telling, *, subscription: Subscription, total_with_tax: Money
) -> Message:
    """Sent at 23:59 seven days before the charge of `subscription.next_period`, with how to
    cancel ([REMIND]). Dropped at sending unless that charge is still to come. Once per period."""
    return _reminder(MessageKind.RENEWAL_REMINDER, telling, subscription, total_with_tax)


def trial_ending(telling: Telling, *, subscription: Subscription, total_with_tax: Money) -> Message:
    """Sent at 23:59 seven days before the first charge after a trial, or at its start when it is
    shorter ([REMIND]). Dropped at sending unless that charge is still to come. Once per trial."""
    return _reminder(MessageKind.TRIAL_ENDING, telling, subscription, total_with_tax)


def _reminder(
    kind: MessageKind, telling: Telling, subscription: Subscription, total_with_tax: Money
) -> Message:
    period = subscription.next_period
    first_day, last_day = calendar_days(subscription, period)
    charge = planned_charge(subscription, telling.customer, total_with_tax)
    assert charge is not None, "what a calendar drives has a moment"
    facts = ReminderFacts(
        greeting=telling.customer.name,
        zone=subscription.zone,
        agreement=agreement_of(subscription, telling.catalogue),
        charge=charge,
        first_day=first_day,
        last_day=last_day,
    )
    return telling.message(
        kind, f"{subscription.id}:{period}", facts, only_while=subscription.id, period=period
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
    retry = telling.catalogue.settings.retry if collection is None else collection.policy
    facts = ChargeFailedFacts(
        greeting=telling.customer.name,
        zone=subscription.zone,
        agreement=agreement_of(subscription, telling.catalogue),
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
    retry = telling.catalogue.settings.retry if collection is None else collection.policy
    facts = PaymentDueFacts(
        greeting=telling.customer.name,
        zone=subscription.zone,
        agreement=agreement_of(subscription, telling.catalogue),
        bill=bill_of(invoice, place_of(telling.catalogue, invoice.location_id)),
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
        zone=place_of(telling.catalogue, charge.location_id).zone,
        agreement=_running(telling, subscription),
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
        agreement=_running(telling, subscription),
        owed=owed,
        card=shown(customer.card_for(None if subscription is None else subscription.card_id)),
    )
    return telling.message(MessageKind.CARD_UPDATE, request_id, facts)


# --- ended -----------------------------------------------------------------------------------


def cancelled(
    telling: Telling,
    *,
    subscription: Subscription,
    reason: EndReason,
    pack: Pack | None = None,
    waived: Money | None = None,
    refused: bool = False,
) -> Message:
    """Sent when a subscription ended, for whatever reason ([CANCEL], [RETRY], [UNTIL]). `pack` is
    its last one, of which the email says what becomes; `waived` is what was owed and is not any
    more; `refused` says that the last try failed by no fault of the card. Once per subscription."""
    facts = CancelledFacts(
        greeting=telling.customer.name,
        zone=subscription.zone,
        agreement=agreement_of(subscription, telling.catalogue),
        reason=reason,
        refused=refused,
        ended_at=subscription.ended_at or telling.now,
        waived=waived,
        pack=None if pack is None else pack_shown(pack, telling.catalogue),
    )
    return telling.message(KIND_OF_END[reason], subscription.id, facts)


def cancellation_scheduled(telling: Telling, *, subscription: Subscription) -> Message:
    """Sent when the customer asked for the end of the period: the last day, and until when it can
    be undone ([CANCEL]). Once per request: undone and asked again is told again."""
    asked_at = subscription.cancel_requested_at or telling.now
    facts = CancellationFacts(
        greeting=telling.customer.name,
        zone=subscription.zone,
        agreement=agreement_of(subscription, telling.catalogue),
        last_day=subscription.ends(subscription.next_period - 1),
        undo_before=subscription.charged_at(subscription.next_period),
    )
    told = f"{subscription.id}:{asked_at.isoformat()}"
    return telling.message(MessageKind.CANCELLATION_SCHEDULED, told, facts)


# --- packs -----------------------------------------------------------------------------------


def pack_expiring(
    telling: Telling, *, pack: Pack, subscription: Subscription | None = None
) -> Message:
    """Sent so many days before a pack's expiry as its product says ([PACKMAIL]). Once per pack, and
    once more each time that staff moved its expiry to a later day."""
    told = f"{pack.id}:{pack.expiry_moves}" if pack.expiry_moves else pack.id
    return _of_pack(MessageKind.PACK_EXPIRING, telling, told, pack, subscription)


def credits_low(
    telling: Telling, *, pack: Pack, subscription: Subscription | None = None
) -> Message:
    """Sent when a pack's credits fell to the number that its product names ([PACKMAIL]). Once per
    pack."""
    return _of_pack(MessageKind.CREDITS_LOW, telling, pack.id, pack, subscription)


def _of_pack(
    kind: MessageKind, telling: Telling, told: str, pack: Pack, subscription: Subscription | None
) -> Message:
    facts = PackFacts(
        greeting=telling.customer.name,
        zone=pack.zone,
        pack=pack_shown(pack, telling.catalogue),
        agreement=_running(telling, subscription),
    )
    return telling.message(kind, told, facts)
