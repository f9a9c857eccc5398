"""What is told to customers and staff when something happens: messages and notices to be written
in the same transaction ([OUTBOX], [NOTICE])."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import TYPE_CHECKING

from shared.domain.message import Notice, NoticeKind
from shared.messages.builders.telling import Telling

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from shared.domain.charge import Attempt, Charge
    from shared.domain.customer import Customer
    from shared.domain.invoice import Invoice
    from shared.domain.message import Message
    from shared.domain.money import Money
    from shared.domain.pack import Pack
    from shared.domain.reservation import Reservation
    from shared.domain.subscription import Subscription
    from shared.operations.context import Context


def _telling(context: Context, customer: Customer) -> Telling:
    return Telling(customer=customer, business=context.business, now=context.now())


def period_amount(context: Context, subscription: Subscription) -> Money:
    """What the next period will cost with tax, by the same calculation that charges it."""
    from shared.domain import period_cost

    location = context.business.location(subscription.location_id)
    assert location is not None, f"location {subscription.location_id} is gone"
    return period_cost.owed_with_tax(
        period_cost.period_line(subscription.terms, location, context.business, "")
    )


# --- customers -----------------------------------------------------------------------------------


def order(
    context: Context,
    customer: Customer,
    invoice: Invoice | None,
    subscriptions: Sequence[Subscription],
) -> tuple[Message, ...]:
    from shared.messages.builders import purchases

    return purchases.purchase_mails(
        _telling(context, customer),
        invoice=invoice,
        subscriptions=[(one, period_amount(context, one)) for one in subscriptions],
    )


def invoice(context: Context, customer: Customer, made: Invoice) -> Message:
    """An invoice that asks for what is owed."""
    from shared.messages.builders import invoices

    return invoices.invoice_email(_telling(context, customer), invoice=made)


def invoice_paid(context: Context, customer: Customer, paid: Invoice) -> tuple[Message, ...]:
    """The receipt of an invoice that no subscription collects, and the invoice itself where it did
    not go out before."""
    from shared.messages.builders import invoices

    telling = _telling(context, customer)
    receipt = invoices.order_receipt(telling, invoice=paid)
    if paid.asked_at is not None or paid.times_reversed:
        return (receipt,)
    return receipt, invoices.invoice_email(telling, invoice=paid)


def period_paid(
    context: Context,
    customer: Customer,
    subscription: Subscription,
    invoice: Invoice,
    pack: Pack,
) -> tuple[Message, ...]:
    from shared.messages.builders import renewals

    return renewals.renewal_mails(
        _telling(context, customer),
        subscription=subscription,
        invoice=invoice,
        pack=pack,
        total_with_tax=period_amount(context, subscription),
    )


def try_failed(
    context: Context,
    customer: Customer,
    subscription: Subscription,
    charge: Charge,
    attempt: Attempt | None,
) -> Message:
    """A try was declined, waits for the customer, or found no card to ask."""
    from shared.domain.outcome import Outcome
    from shared.domain.subscription import next_try_at
    from shared.messages.builders import collecting

    telling = _telling(context, customer)
    try_at = next_try_at(subscription)
    if attempt is None:
        return collecting.card_update(
            telling, request_id=charge.id, subscription=subscription, owed=charge.amount
        )
    if attempt.outcome is Outcome.AUTHENTICATION_REQUIRED and attempt.confirm_url:
        return collecting.confirm_payment(
            telling,
            charge=charge,
            attempt=attempt,
            confirm_url=attempt.confirm_url,
            subscription=subscription,
            next_try_at=try_at,
        )
    return collecting.charge_failed(
        telling,
        subscription=subscription,
        charge=charge,
        attempt=attempt,
        next_try_at=try_at,
    )


def payment_due(
    context: Context, customer: Customer, subscription: Subscription, invoice: Invoice
) -> Message:
    """A period that is collected by recording has come ([PAY])."""
    from shared.messages.builders import collecting

    return collecting.payment_due(
        _telling(context, customer), subscription=subscription, invoice=invoice
    )


def cancelled(
    context: Context,
    customer: Customer,
    subscription: Subscription,
    *,
    pack: Pack | None = None,
    waived: Money | None = None,
    refused: bool = False,
) -> Message:
    from shared.messages.builders import endings

    assert subscription.end_reason is not None
    return endings.cancelled(
        _telling(context, customer),
        subscription=subscription,
        reason=subscription.end_reason,
        pack=pack,
        waived=waived,
        refused=refused,
    )


def cancellation_scheduled(
    context: Context, customer: Customer, subscription: Subscription
) -> Message:
    from shared.messages.builders import endings

    return endings.cancellation_scheduled(_telling(context, customer), subscription=subscription)


def renewal_ahead(context: Context, customer: Customer, subscription: Subscription) -> Message:
    from shared.messages.builders import reminders

    telling = _telling(context, customer)
    amount = period_amount(context, subscription)
    if subscription.next_period == 0:
        return reminders.trial_ending(telling, subscription=subscription, total_with_tax=amount)
    return reminders.renewal_reminder(telling, subscription=subscription, total_with_tax=amount)


def next_pack_in_cart(context: Context, customer: Customer, subscription: Subscription) -> Message:
    """The next pack waits in the cart, to be paid by hand ([RECUR])."""
    from shared.messages.builders import next_packs

    return next_packs.next_pack_in_cart(
        _telling(context, customer),
        subscription=subscription,
        total_with_tax=period_amount(context, subscription),
    )


def pack_expiring(context: Context, customer: Customer, pack: Pack) -> Message:
    from shared.messages.builders import of_packs

    return of_packs.pack_expiring(_telling(context, customer), pack=pack)


def credits_low(context: Context, customer: Customer, pack: Pack) -> Message:
    from shared.messages.builders import of_packs

    return of_packs.credits_low(_telling(context, customer), pack=pack)


def card_update(
    context: Context,
    customer: Customer,
    *,
    request_id: str,
    subscription: Subscription | None,
    owed: Money | None,
) -> Message:
    """Staff send a link that leads only to updating a card ([CARDS])."""
    from shared.messages.builders import collecting

    return collecting.card_update(
        _telling(context, customer), request_id=request_id, subscription=subscription, owed=owed
    )


def reservation_confirmed(
    context: Context, customer: Customer, reservation: Reservation
) -> Message:
    from shared.messages.builders import bookings

    return bookings.reservation_confirmed(_telling(context, customer), reservation=reservation)


def reservation_changed(
    context: Context, customer: Customer, reservation: Reservation, *, from_start: datetime
) -> Message:
    from shared.messages.builders import bookings

    return bookings.reservation_changed(
        _telling(context, customer),
        reservation=reservation,
        from_start=from_start,
        move_id=context.new_id(),
    )


def reservation_cancelled(
    context: Context,
    customer: Customer,
    reservation: Reservation,
    *,
    before: Reservation,
    by_merchant: bool,
    not_paid: bool = False,
) -> Message:
    from shared.messages.builders import bookings

    return bookings.reservation_cancelled(
        _telling(context, customer),
        reservation=reservation,
        before=before,
        by_merchant=by_merchant,
        not_paid=not_paid,
    )


def place_offered(context: Context, customer: Customer, reservation: Reservation) -> Message:
    from shared.messages.builders import bookings

    return bookings.place_offered(_telling(context, customer), reservation=reservation)


def refunded(context: Context, customer: Customer, charge: Charge, attempt: Attempt) -> Message:
    """Money went back that came after nobody wanted it any more."""
    from shared.domain.invoice import Invoice, InvoiceLine, InvoiceState
    from shared.domain.money import Money
    from shared.domain.order import invoice_lines
    from shared.messages.builders import refunds
    from shared.messages.facts.card import CardShown

    nothing = Money.zero(charge.amount.currency)
    lines = invoice_lines(charge.order) or (
        InvoiceLine(name=charge.description, unit=charge.amount, amount=charge.amount, tax=nothing),
    )
    return refunds.refund(
        _telling(context, customer),
        invoice=Invoice(
            id=charge.invoice_id,
            customer_id=charge.customer_id,
            location_id=charge.location_id,
            state=InvoiceState.VOID,
            created_at=charge.created_at,
            lines=lines,
        ),
        refund_id=f"{attempt.id}-refund",
        amount=attempt.amount,
        card=CardShown(brand=attempt.card.brand, last4=attempt.card.last4),
    )


# --- staff ---------------------------------------------------------------------------------------


def _notice(
    context: Context,
    kind: NoticeKind,
    title: str,
    detail: str,
    *,
    customer_id: str | None = None,
    location_id: str | None = None,
) -> Notice:
    return Notice(
        id=context.new_id(),
        kind=kind,
        location_id=location_id,
        customer_id=customer_id,
        title=title,
        detail=detail,
        created_at=context.now(),
    )


def subscription_failed(
    context: Context, customer: Customer, subscription: Subscription, charge: Charge
) -> Notice:
    """[RETRY]: the last slot has failed."""
    last = charge.last
    why = f" The last answer was {last.decline_code}." if last and last.decline_code else ""
    from shared.domain.collected_by import CollectedBy

    by_recording = subscription.collected_by is CollectedBy.RECORDING
    failed = "it was not paid in time" if by_recording else "every try has failed"
    return _notice(
        context,
        NoticeKind.SUBSCRIPTION_FAILED_PAYMENT,
        "Subscription failed payment",
        f"{subscription.terms.name} of {customer.email}: {failed}.{why}",
        customer_id=customer.id,
        location_id=subscription.location_id,
    )


def cancel_requested(context: Context, customer: Customer, subscription: Subscription) -> Notice:
    return _notice(
        context,
        NoticeKind.CANCELLATION_REQUESTED,
        "Cancellation requested",
        f"{customer.email} asks to end {subscription.terms.name}.",
        customer_id=customer.id,
        location_id=subscription.location_id,
    )


def periods_skipped(context: Context, subscription: Subscription, skipped: int) -> Notice:
    return _notice(
        context,
        NoticeKind.PERIOD_SKIPPED,
        "Periods skipped",
        f"{subscription.terms.name}: {skipped} period(s) ended before they could be charged.",
        customer_id=subscription.customer_id,
        location_id=subscription.location_id,
    )


class NoWeekPlace(StrEnum):
    """Why a standing weekly place was not booked for a week ([WEEKLY])."""

    FULL = "full"
    NOT_FOUND = "not_found"


def no_week_place(context: Context, customer: Customer, pack: Pack, why: NoWeekPlace) -> Notice:
    """[WEEKLY]: the week is paid and there is no place."""
    assert pack.place is not None
    match why:
        case NoWeekPlace.FULL:
            said = "it is full. They are on the waiting list."
        case NoWeekPlace.NOT_FOUND:
            said = "it was not on the schedule in time. The credit can be used for something else."
    return _notice(
        context,
        NoticeKind.WEEKLY_PLACE,
        "No place for a weekly reservation",
        f"{pack.place.standing.name} ({pack.place.standing.words}) of {customer.email}: {said}",
        customer_id=customer.id,
        location_id=pack.location_id,
    )


def late_success(context: Context, charge: Charge) -> Notice:
    return _notice(
        context,
        NoticeKind.LATE_SUCCESS_REFUNDED,
        "A late payment is being refunded",
        f"The payment for {charge.description} succeeded after it had been given up.",
        customer_id=charge.customer_id,
        location_id=charge.location_id,
    )


def unexpected_charge(context: Context, charge: Charge, object_id: str) -> Notice:
    return _notice(
        context,
        NoticeKind.UNEXPECTED_CHARGE,
        "A payment that nobody asked for",
        f"The provider took money for {charge.description} that is none of our tries. "
        f"Look at {object_id} there, and refund it if it should not be.",
        customer_id=charge.customer_id,
        location_id=charge.location_id,
    )


def provider_refuses(context: Context, charge: Charge, attempt: Attempt) -> Notice:
    """A payment that the provider would not take, for reasons of the merchant's account there:
    the same reason is told once a day (UTC)."""
    code = attempt.decline_code or "no reason given"
    provider = attempt.card.provider
    return Notice(
        id=_of_the_day(context, provider, code),
        kind=NoticeKind.PROVIDER_REFUSES,
        title=f"{provider} does not take payments",
        detail=f"It refused {charge.description} ({charge.ref}): {code}. No money moved, and the "
        "customer's card is not to blame. Until it is put right, payments of this kind fail; "
        "docs/providers.md says what each reason means.",
        created_at=context.now(),
    )


def no_new_cards(context: Context, provider: str) -> Notice:
    """A customer could not add a card: told once a day (UTC)."""
    return Notice(
        id=_of_the_day(context, provider, "no new cards"),
        kind=NoticeKind.PROVIDER_REFUSES,
        title=f"A card could not be added at {provider}",
        detail="Its card page did not open when a customer asked for it. If that was not for a "
        "moment only, the page of payment providers says what is wrong.",
        created_at=context.now(),
    )


def _of_the_day(context: Context, *about: str) -> str:
    """A notice's id that is the same all day for the same thing."""
    midnight = context.now().replace(hour=0, minute=0, second=0, microsecond=0)
    digest = hashlib.sha256(" ".join(about).encode()).hexdigest().upper()
    from ulid import ULID

    return str(ULID.from_datetime(midnight))[:10] + digest[:16]


def refund_failed(context: Context, charge: Charge) -> Notice:
    return _notice(
        context,
        NoticeKind.REFUND_FAILED,
        "A refund did not go through",
        f"Refund {charge.description} by hand at the payment provider.",
        customer_id=charge.customer_id,
        location_id=charge.location_id,
    )


def payment_reversed(
    context: Context,
    customer: Customer,
    charge: Charge,
    attempt: Attempt,
    taken: Money,
    credits_used: Sequence[str],
) -> Notice:
    """[REVERSE]: a bank took a payment back. `credits_used` says of each pack where its credits
    went."""
    then = ""
    if credits_used:
        then = (
            f" {' '.join(credits_used)} What is unused is on hold until it is paid again."
            " What is booked stays booked: cancel it if it should not be used."
        )
    return _notice(
        context,
        NoticeKind.PAYMENT_REVERSED,
        "A payment was taken back",
        f"{_of(customer)}: the bank took back {_paid_with(context, charge, attempt, taken)}.{then}",
        customer_id=charge.customer_id,
        location_id=charge.location_id,
    )


def payment_reinstated(
    context: Context,
    customer: Customer,
    charge: Charge,
    attempt: Attempt,
    again: Money,
    too_much: Money | None = None,
) -> Notice:
    """A bank gave again what it had taken back. `too_much` is what has now been paid twice."""
    then = ""
    if too_much is not None:
        then = f" It had been paid otherwise meanwhile: {_money(context, too_much)} too much."
    return _notice(
        context,
        NoticeKind.PAYMENT_REINSTATED,
        "A payment that was taken back came again",
        f"{_of(customer)}: the bank gave again"
        f" {_paid_with(context, charge, attempt, again)}.{then}",
        customer_id=charge.customer_id,
        location_id=charge.location_id,
    )


def _of(customer: Customer) -> str:
    return f"{customer.name} ({customer.email})" if customer.name else customer.email


def _money(context: Context, amount: Money) -> str:
    from shared.messages import formats

    locale = formats.locale_of(context.business.settings.locale)
    return formats.Formats(locale, "UTC", marked=False).money(amount)


def _paid_with(context: Context, charge: Charge, attempt: Attempt, amount: Money) -> str:
    """`$270.63 of Visa ending in 4242 for Ten classes, order 4K2P-9Q7M`."""
    from shared.domain.invoice import order_id
    from shared.messages import formats

    money, order = _money(context, amount), order_id(charge.invoice_id)
    return f"{money} of {formats.card(attempt.card)} for {charge.description}, order {order}"


def outcome_unknown(context: Context, charge: Charge) -> Notice:
    return _notice(
        context,
        NoticeKind.OUTCOME_UNKNOWN,
        "A payment's outcome is still unknown",
        f"The provider has not said what became of {charge.description}. It goes on being asked.",
        customer_id=charge.customer_id,
        location_id=charge.location_id,
    )


def paid_place_given_back(context: Context, reservation: Reservation) -> Notice:
    """[PLACES]: money that was paid for a place; whole places came back as credits."""
    return _notice(
        context,
        NoticeKind.PAID_PLACE_GIVEN_BACK,
        "A paid place was given back",
        f"{reservation.customer_name} paid money for {reservation.name} and gave it back in time. "
        "Whole places came back as credits; look whether anything is left to refund.",
        customer_id=reservation.customer_id,
        location_id=reservation.location_id,
    )
