"""Invoices of places ([VOUCHER], [HISTORY]).

What a place costs is an estimate until it is charged: the lines that `place_lines.invoice_lines`
makes. It becomes an invoice when it is paid beforehand, when staff ask for what began unpaid, or,
with nothing left to pay, when its credits are used up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.domain import invoice as invoices
from shared.domain.invoice import Invoice, InvoiceState, Payment, PaymentKind
from shared.domain.place_lines import invoice_lines

if TYPE_CHECKING:
    from shared.domain.reservation import Reservation
    from shared.operations.context import Context


def of_place(context: Context, reservation: Reservation, invoice_id: str) -> Invoice:
    """The open invoice of a place: the charge, and what credits pay of it ([VOUCHER])."""
    return Invoice(
        id=invoice_id,
        customer_id=reservation.customer_id,
        location_id=reservation.location_id,
        state=InvoiceState.OPEN,
        created_at=context.now(),
        lines=invoice_lines(reservation),
        tax_name=reservation.taxed.name,
        reservation_id=reservation.id,
    )


def of_visit(context: Context, redeemed: Reservation) -> tuple[Reservation, Invoice | None]:
    """A reservation whose credits are used up, with the closed invoice that shows the charge and
    the credits ([VOUCHER]); None where there is something to pay, or nothing was charged."""
    if redeemed.due or not redeemed.charge or redeemed.visit_invoice_id is not None:
        return redeemed, None
    now = context.now()
    made = of_place(context, redeemed, context.new_id())
    if made.owed:
        return redeemed, None
    nothing = Payment(kind=PaymentKind.NOTHING_DUE, at=now, amount=made.owed)
    seen = redeemed.model_copy(update={"visit_invoice_id": made.id})
    return seen, invoices.close(made, nothing, now)
