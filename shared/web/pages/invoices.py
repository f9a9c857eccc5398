"""Invoices and payments in rows, for people and programs ([HISTORY])."""

from pydantic import AwareDatetime

from shared.domain.business import Business
from shared.domain.invoice import Invoice, InvoiceState, LineKind, PaymentKind, PaymentStatus
from shared.domain.money import Money
from shared.web.answer import View
from shared.web.pages.names import place_name, zone_of


class InvoiceSummary(View):
    """An invoice in one row. `number` comes after settlement; the order id is there at once."""

    id: str
    order_id: str
    number: str | None = None
    state: InvoiceState
    status: PaymentStatus
    created_at: AwareDatetime
    zone: str
    location: str
    description: str
    total: Money
    owed: Money
    subscription_id: str | None = None


class PaymentView(View):
    """Money that moved on an invoice; a refund is negative."""

    kind: PaymentKind
    at: AwareDatetime
    amount: Money
    brand: str = ""
    last4: str = ""


class PaymentRow(View):
    """A row of the payment history ([HISTORY])."""

    at: AwareDatetime
    amount: Money
    order_id: str
    status: PaymentStatus
    description: str
    invoice_id: str
    brand: str = ""
    last4: str = ""
    zone: str


def described(invoice: Invoice) -> str:
    """What an invoice is for, in one line."""
    sold = (line.name for line in invoice.lines if line.kind is not LineKind.CREDIT)
    return ", ".join(dict.fromkeys(sold))


def invoice_summary(invoice: Invoice, business: Business) -> InvoiceSummary:
    return InvoiceSummary(
        id=invoice.id,
        order_id=invoice.order_id,
        number=invoice.number,
        state=invoice.state,
        status=invoice.status,
        created_at=invoice.created_at,
        zone=zone_of(business, invoice.location_id),
        location=place_name(business, invoice.location_id),
        description=described(invoice),
        total=invoice.total,
        owed=invoice.owed,
        subscription_id=invoice.subscription_id,
    )


def payment_views(invoice: Invoice) -> tuple[PaymentView, ...]:
    return tuple(
        PaymentView(kind=one.kind, at=one.at, amount=one.amount, brand=one.brand, last4=one.last4)
        for one in invoice.payments
    )


_WENT_BACK = frozenset({PaymentKind.REFUND, PaymentKind.REVERSAL})


def payment_row(invoice: Invoice, business: Business) -> PaymentRow:
    """An invoice as a row of the payment history: when it was paid, or made while it is not."""
    paid = [one for one in invoice.payments if one.kind not in _WENT_BACK]
    last = paid[-1] if paid else None
    return PaymentRow(
        at=last.at if last else invoice.created_at,
        amount=invoice.total,
        order_id=invoice.order_id,
        status=invoice.status,
        description=described(invoice),
        invoice_id=invoice.id,
        brand=last.brand if last else "",
        last4=last.last4 if last else "",
        zone=zone_of(business, invoice.location_id),
    )
