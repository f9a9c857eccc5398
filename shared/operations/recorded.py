"""Cash and transfers that staff record ([PAY]): for an invoice that is open, or for the next period
of a subscription, paid ahead.

Everybody who works at the location may: clerks take the cash. It is written down with who and when,
in the transaction that it settles. While a card's outcome is open nothing is recorded ([ONCE]).
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, NamedTuple

from dateutil.relativedelta import relativedelta

from shared.domain.calendar import local_date, start_of_day
from shared.domain.errors import Conflict, Invalid, Missing
from shared.domain.invoice import Invoice, InvoiceState, Payment, PaymentKind
from shared.domain.money import Money
from shared.domain.outcome import OPEN_OUTCOMES
from shared.domain.subscription import Subscription, SubscriptionState
from shared.operations import invoices, tell
from shared.operations.books import Books, location_of, open_books
from shared.operations.next_pack import cart_without
from shared.operations.opening import new_period
from shared.operations.settle_period import Recorded, write_paid_period
from shared.operations.staff import written_down
from shared.operations.submissions import Press, once
from shared.store import accounts, invoicing
from shared.store.bookings import Besides
from shared.store.items import Lost, Ref, Row
from shared.store.reading import Found, read

if TYPE_CHECKING:
    from shared.domain.charge import Charge
    from shared.domain.customer import Customer
    from shared.operations.context import Context
    from shared.store.records import Submission
    from shared.store.staff import StaffMember

AHEAD_AT_MOST = relativedelta(years=1)
"""How long before its charge's moment a period may be paid."""


class Recording(NamedTuple):
    """Money that came in by `kind` (cash or a transfer) on the local day `received_on` (None:
    today). `amount` is in minor units of the location's currency."""

    kind: PaymentKind
    amount: int
    received_on: date | None = None
    note: str = ""


# --- what is asked ---------------------------------------------------------------------------


def invoice_refs(customer_id: str, invoice_id: str) -> tuple[Ref[Customer], Ref[Invoice]]:
    """What `record_for_invoice` has to have read, beside the press."""
    return accounts.head(customer_id), accounts.invoice(customer_id, invoice_id)


def their_invoice(staff: StaffMember, row: Row[Invoice] | None) -> Row[Invoice]:
    """`Missing` for what is not there or belongs to another location ([OWN])."""
    if row is None or not staff.works_at(row.value.location_id):
        raise Missing("There is no such invoice.")
    return row


def record_for_invoice(
    context: Context,
    staff: StaffMember,
    recording: Recording,
    press: Press,
    found: Found,
    invoice_id: str,
) -> Invoice:
    """An open invoice is paid: a period's as a card's success would pay it, whole; any other with
    what waited for it, also in parts. Returns it as it then stands. `Invalid` names `amount` when
    that is not what is owed (or a part of it), `received_on` when it is to come; `Conflict` when
    nothing is owed, and while a card payment of it is under way."""
    head_ref, ref = invoice_refs(press.customer_id, invoice_id)
    their_invoice(staff, found.get(ref))

    def do(record: tuple[str, Submission]) -> None:
        fresh = read(head_ref, ref)
        head, invoice = fresh.get(head_ref), fresh.get(ref)
        if head is None or invoice is None:
            raise Missing("There is no such invoice.")
        if invoice.value.state is not InvoiceState.OPEN or invoice.value.owed.minor <= 0:
            raise Conflict("Nothing is owed on this invoice.", code="nothing_owed")
        books = _being_collected(invoice.value)
        payment = _payment(context, staff, recording, invoice.value, whole=books is not None)
        if books is not None:
            _pay_period(context, staff, books, payment, record)
        else:
            _pay_invoice(context, staff, head.value, invoice, payment, record)

    once(press, found.get(press.ref), context.now(), do)
    row = read(ref).get(ref)
    assert row is not None, "an invoice is never removed"
    return row.value


def _payment(
    context: Context,
    staff: StaffMember,
    recording: Recording,
    invoice: Invoice,
    *,
    whole: bool = True,
) -> Payment:
    """What the invoice says of it: all that is owed, or, unless it has to be `whole`, a part."""
    zone = location_of(context, invoice.location_id).zone
    now = context.now()
    today = local_date(now, zone)
    received_on = recording.received_on or today
    faults: dict[str, str] = {}
    if received_on > today:
        faults["received_on"] = "Choose today or an earlier day."
    if whole and recording.amount != invoice.owed.minor:
        faults["amount"] = "This has to be exactly what is owed."
    elif not 0 < recording.amount <= invoice.owed.minor:
        faults["amount"] = "This has to be what is owed, or a part of it."
    if faults:
        raise Invalid("Please check what is marked.", fields=faults)
    return Payment(
        kind=recording.kind,
        at=now if received_on == today else start_of_day(received_on, zone),
        amount=Money(minor=recording.amount, currency=invoice.currency),
        by=staff.email,
        note=recording.note.strip(),
    )


def _recorded(
    context: Context,
    staff: StaffMember,
    invoice: Invoice,
    payment: Payment,
    record: tuple[str, Submission],
) -> Recorded:
    event = written_down(
        context,
        staff,
        f"payment:{payment.kind.value}",
        about=invoice.id,
        subscription_id=invoice.subscription_id,
        before="open",
        after=payment.note,
    )
    return Recorded(payment=payment, event=event, submission=record)


# --- a period --------------------------------------------------------------------------------


def _being_collected(invoice: Invoice) -> Books | None:
    """What is read of the period that an invoice is of, while that is being collected; None for
    any other invoice."""
    if invoice.period is None or invoice.source is None:
        return None
    books = open_books(invoice.customer_id, invoice.source)
    if books is None or books.subscription is None or books.invoice is None:
        return None
    collection = books.subscription.value.collection
    if collection is None or collection.invoice_id != invoice.id:
        return None
    if books.invoice.value != invoice:
        raise Lost([0])
    return books


def _pay_period(
    context: Context,
    staff: StaffMember,
    books: Books,
    payment: Payment,
    record: tuple[str, Submission],
) -> None:
    """Settle the period that is being collected."""
    assert books.subscription is not None and books.invoice is not None
    charge, invoice = books.charge.value, books.invoice.value
    _refuse_open(charge)
    write_paid_period(
        context,
        charge=books.charge,
        settled=_settled(charge, context.now()),
        subscription=books.subscription,
        invoice=books.invoice,
        customer=books.customer,
        attempt=None,
        recorded=_recorded(context, staff, invoice, _of_charge(payment, charge), record),
    )


def _refuse_open(charge: Charge) -> None:
    if charge.outcome in OPEN_OUTCOMES:
        raise Conflict(
            "A card payment of this is under way; wait for its outcome.",
            code="payment_under_way",
        )


def _settled(charge: Charge, now: datetime) -> Charge:
    return charge.model_copy(update={"settled_at": now, "recorded": True})


def _of_charge(payment: Payment, charge: Charge) -> Payment:
    return payment.model_copy(update={"charge_id": charge.id})


def record_ahead(
    context: Context,
    staff: StaffMember,
    recording: Recording,
    press: Press,
    found: Found,
    subscription_id: str,
) -> Invoice:
    """The next period of a subscription is paid before its moment: it is opened and settled at
    once, and the clock goes on with the one after it. Returns its invoice. `Invalid` as for an
    invoice; `Conflict` while a period is being collected (its invoice is what is to be paid), and
    where no further one is to be charged. A next pack that waits in the cart leaves it, unless that
    is being paid; one whose moment has not come can't be paid ahead ([RECUR])."""
    ref = accounts.subscription(press.customer_id, subscription_id)
    head_ref = accounts.head(press.customer_id)
    row = found.get(ref)
    if row is None or not staff.works_at(row.value.location_id):
        raise Missing("There is no such subscription.")

    def do(record: tuple[str, Submission]) -> None:
        fresh = read(ref, head_ref)
        subscription, head = fresh.get(ref), fresh.get(head_ref)
        assert subscription is not None and head is not None
        _refuse_ahead(subscription.value, context.now())
        _pay_ahead(context, staff, recording, subscription, head, record)

    earlier = once(press, found.get(press.ref), context.now(), do)
    answer = press.answer if earlier is None else earlier.value.answer
    invoice_ref = accounts.invoice(press.customer_id, answer)
    invoice = read(invoice_ref).get(invoice_ref)
    assert invoice is not None, "an invoice is never removed"
    return invoice.value


def _refuse_ahead(value: Subscription, now: datetime) -> None:
    at = value.charged_at(value.next_period)
    if value.over:
        raise Conflict("This subscription has already ended.", code="already_ended")
    if value.collection is not None:
        raise Conflict("A period is due: record the payment of its invoice.", code="period_is_due")
    if value.state is SubscriptionState.PAUSED:
        raise Conflict("This subscription is paused. Resume it first.", code="paused")
    if value.ends_next or not value.within_until(value.next_period):
        raise Conflict("No further period is to be paid.", code="nothing_owed")
    if value.in_cart:
        return
    if value.frequency is None or at is None:
        raise Conflict("Its next pack is paid when it comes.", code="nothing_owed")
    if at > now + AHEAD_AT_MOST:
        raise Conflict("That is more than a year ahead.", code="too_far_ahead")


def _pay_ahead(
    context: Context,
    staff: StaffMember,
    recording: Recording,
    subscription: Row[Subscription],
    head: Row[Customer],
    record: tuple[str, Submission],
) -> None:
    books = new_period(context, subscription, head, invoice_id=record[1].answer)
    assert books.subscription is not None and books.invoice is not None
    charge, invoice = books.charge.value, books.invoice.value
    payment = _of_charge(_payment(context, staff, recording, invoice), charge)
    cart = cart_without(context, subscription.value)
    if cart is not None and cart[0].value.claimed_by is not None:
        raise Conflict(
            "The cart that holds it is being paid; wait for the outcome.", code="payment_under_way"
        )
    write_paid_period(
        context,
        charge=books.charge,
        settled=_settled(charge, context.now()),
        subscription=books.subscription,
        invoice=books.invoice,
        customer=head,
        attempt=None,
        recorded=_recorded(context, staff, invoice, payment, record),
        cart=cart,
    )


# --- any other invoice -----------------------------------------------------------------------


def _pay_invoice(
    context: Context,
    staff: StaffMember,
    customer: Customer,
    invoice: Row[Invoice],
    payment: Payment,
    record: tuple[str, Submission],
) -> None:
    """A place, a pack that waited, or what a bank took back. A card that was declined before is
    given up, or, after a part, is to pay the rest: should its try succeed late, it is refunded."""
    value = invoice.value
    ref = accounts.charge(value.customer_id, value.charged_under)
    charge = read(ref).get(ref)
    if charge is not None:
        _refuse_open(charge.value)
    paid = invoices.pay_in(context, invoice, invoices.behind(value), payment, by=staff.email)
    whole = paid.invoice.state is InvoiceState.CLOSED
    recorded = _recorded(context, staff, value, payment, record)
    invoicing.change_invoice(
        invoice=invoice,
        changed=paid.invoice,
        reserved=paid.reserved,
        credits_=paid.credits,
        besides=Besides(
            messages=tell.invoice_paid(context, customer, paid.invoice) if whole else (),
            customer_id=value.customer_id,
            events=[recorded.event],
            submission=record,
            charge=_no_more(charge, paid.invoice),
        ),
        subscriptions=paid.subscriptions,
    )


def _no_more(charge: Row[Charge] | None, paid: Invoice) -> tuple[Row[Charge], Charge] | None:
    """The charge of an invoice that was paid otherwise: nobody waits for it any more, or only for
    what is still owed."""
    if charge is None or charge.value.settled_at is not None:
        return None
    if paid.state is InvoiceState.CLOSED:
        return charge, charge.value.model_copy(update={"given_up": True})
    return charge, charge.value.model_copy(update={"amount": paid.owed})
