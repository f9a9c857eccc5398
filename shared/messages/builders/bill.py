"""An invoice's money, in an email's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.messages.facts.bill import Bill, Line, Paid

if TYPE_CHECKING:
    from shared.domain.business import Location
    from shared.domain.invoice import Invoice


def bill_of(invoice: Invoice, place: Location) -> Bill:
    subtotal, tax = invoice.subtotal, invoice.tax
    return Bill(
        invoice_id=invoice.id,
        order_id=invoice.order_id,
        number=invoice.number,
        created_at=invoice.created_at,
        location=place.name,
        lines=tuple(
            Line(
                name=line.name,
                detail=line.detail,
                quantity=line.quantity,
                unit=line.unit,
                amount=line.amount,
            )
            for line in invoice.lines
        ),
        subtotal=subtotal,
        tax_name=invoice.tax_name,
        tax=tax,
        total=subtotal + tax,
        owed=invoice.owed,
        payments=tuple(
            Paid(
                kind=payment.kind,
                at=payment.at,
                amount=payment.amount,
                brand=payment.brand,
                last4=payment.last4,
            )
            for payment in invoice.payments
        ),
    )
