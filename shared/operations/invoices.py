"""Invoices of places, and of packs that were bought with one ([BOOK], [VOUCHER], [HISTORY]).

What a place costs is an estimate until it is charged: the lines that `place_lines.invoice_lines`
makes. It becomes an invoice when it is paid beforehand, when staff ask for what began unpaid, or,
with nothing left to pay, when its credits are redeemed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from shared.domain import bought_place
from shared.domain.charge import Attempt, Charge, Purpose
from shared.domain.invoice import Invoice, Payment, PaymentKind
from shared.domain.reservation import Reservation, ReservationState
from shared.domain.reversal import with_payment
from shared.operations import tell
from shared.operations.reversing import follows
from shared.store import accounts, invoicing
from shared.store.bookings import Besides, Credits
from shared.store.invoicing import Reserved
from shared.store.items import Row
from shared.store.reading import read

if TYPE_CHECKING:
    from shared.domain.customer import Customer
    from shared.domain.message import Message
    from shared.domain.pack import Pack
    from shared.domain.subscription import Subscription
    from shared.operations.context import Context

# --- paid ------------------------------------------------------------------------------------


class Behind(NamedTuple):
    """What an invoice stands for, as it was read."""

    reservation: Row[Reservation] | None = None
    pack: Row[Pack] | None = None


def behind(invoice: Invoice) -> Behind:
    """What the invoice stands for: one round trip when there is something."""
    reservation_ref = accounts.reservation(invoice.customer_id, invoice.reservation_id or "none")
    pack_ref = accounts.pack(invoice.customer_id, invoice.pack_id or "none")
    if invoice.reservation_id is None and invoice.pack_id is None:
        return Behind()
    found = read(reservation_ref, pack_ref)
    return Behind(found.get(reservation_ref), found.get(pack_ref))


class Paid(NamedTuple):
    """What a payment of an invoice brings."""

    invoice: Invoice
    reserved: Reserved | None
    credits: Credits
    subscriptions: Sequence[tuple[Row[Subscription], Subscription]] = ()
    """Those whose payment counts again, when a bank had taken it back ([COMMIT])."""


def pay_in(
    context: Context, invoice: Row[Invoice], standing: Behind, payment: Payment, *, by: str = ""
) -> Paid:
    """The invoice with a payment. When nothing is owed any more, the pack that waited for it
    becomes usable, and those that a reversal froze are again; the reservation owes that much less
    ([BOOK], [REVERSE])."""
    now = context.now()
    changed = with_payment(invoice.value, payment, now)
    whole = changed.owed.minor <= 0
    following = follows(changed.customer_id, invoice.value, changed, now)
    reserved = None
    if standing.reservation is not None:
        value = standing.reservation.value
        after = value.model_copy(
            update={
                "invoiced": None if whole else changed.owed,
                "outstanding": value.outstanding and not whole,
                "offered_until": None if whole else value.offered_until,
            }
        )
        reserved = Reserved(standing.reservation, after)
    if not whole or standing.pack is None or not standing.pack.value.unpaid:
        return Paid(changed, reserved, Credits(packs=following.packs), following.subscriptions)
    pack, entry = bought_place.activate(
        standing.pack.value, entry_id=context.new_id(), now=now, reason="Paid", by=by
    )
    return Paid(changed, reserved, Credits(packs=((standing.pack, pack),), entries=(entry,)))


def complete(
    context: Context,
    *,
    charge: Row[Charge],
    settled: Charge,
    attempt: Attempt,
    invoice: Row[Invoice],
    customer: Customer,
) -> None:
    """An invoice's charge has succeeded: it is closed, once, with all that this brings."""
    payment = Payment(
        kind=PaymentKind.CARD,
        at=context.now(),
        amount=settled.amount,
        charge_id=settled.id,
        brand=attempt.card.brand,
        last4=attempt.card.last4,
    )
    standing = behind(invoice.value)
    paid = pay_in(context, invoice, standing, payment)
    invoicing.change_invoice(
        invoice=invoice,
        changed=paid.invoice,
        reserved=paid.reserved,
        credits_=paid.credits,
        besides=Besides(
            messages=[
                *tell.invoice_paid(context, customer, paid.invoice),
                *_confirmed(context, customer, settled, paid.reserved),
            ],
            customer_id=settled.customer_id,
            charge=(charge, settled),
        ),
        subscriptions=paid.subscriptions,
    )


def _confirmed(
    context: Context, customer: Customer, charge: Charge, reserved: Reserved | None
) -> list[Message]:
    """A place that was booked on the condition of this payment is confirmed with it."""
    if not charge.holds_place or reserved is None:
        return []
    booked = reserved.changed.state is ReservationState.BOOKED
    return [tell.reservation_confirmed(context, customer, reserved.changed)] if booked else []


def new_charge(context: Context, invoice: Invoice, *, holds_place: bool = False) -> Charge:
    """The charge that collects what an invoice still asks."""
    return Charge(
        id=context.new_id(),
        source=invoice.charged_under,
        purpose=Purpose.INVOICE,
        customer_id=invoice.customer_id,
        location_id=invoice.location_id,
        amount=invoice.owed,
        description=f"{context.business.settings.merchant_name}: {invoice.lines[0].name}",
        invoice_id=invoice.id,
        created_at=context.now(),
        reservation_id=invoice.reservation_id,
        pack_id=invoice.pack_id,
        holds_place=holds_place,
        tax_name=invoice.tax_name,
    )
