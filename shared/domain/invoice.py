"""Invoices: lines, tax, payments ([MONEY], [TAX], [NUMBER], [HISTORY])."""

from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime

from shared.domain.due import Moment, Worker
from shared.domain.money import Money, total
from shared.domain.record import Record


class InvoiceState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    VOID = "void"


class LineKind(StrEnum):
    PRODUCT = "product"
    SERVICE = "service"
    """Places in an activity, before credits ([HISTORY])."""
    CREDIT = "credit"
    """What credits pay of them: negative ([VOUCHER])."""
    COUPON = "coupon"


class InvoiceLine(Record):
    """Amounts are frozen at sale. `tax` is on top of `amount` (exclusive rates)."""

    kind: LineKind = LineKind.PRODUCT
    product_id: str | None = None
    name: str
    detail: str = ""
    quantity: int = 1
    unit: Money
    amount: Money
    tax: Money
    account_code: str = ""


class PaymentKind(StrEnum):
    CARD = "card"
    CASH = "cash"
    TRANSFER = "transfer"
    """Recorded by staff, as cash is ([PAY])."""
    NOTHING_DUE = "nothing_due"
    REFUND = "refund"
    REVERSAL = "reversal"
    """Taken back by a bank: negative ([REVERSE])."""
    REINSTATED = "reinstated"
    """Given again by the bank that had taken it back: a dispute was won."""


class Payment(Record):
    """Money that moved; a refund is negative."""

    kind: PaymentKind
    at: AwareDatetime
    amount: Money
    charge_id: str | None = None
    brand: str = ""
    last4: str = ""
    by: str = ""
    """The address of the staff member who recorded it ([ACCESS])."""
    note: str = ""


RECORDED = frozenset({PaymentKind.CASH, PaymentKind.TRANSFER})
"""Payments that staff record ([PAY])."""


class PaymentStatus(StrEnum):
    """A row of the payment history in one word ([HISTORY])."""

    PAID = "paid"
    UNPAID = "unpaid"
    """Open, for a place or a pack that was bought with one, or since its email asked for it: it is
    paid when its customer does."""
    PROCESSING = "processing"
    FAILED = "failed"
    REFUNDED = "refunded"
    REVERSED = "reversed"
    """A bank took back what had paid it ([REVERSE])."""
    VOID = "void"


class Invoice(Record):
    """`number` is given after settlement; until then the order id names it ([NUMBER]). `source`
    is its charge's."""

    id: str
    customer_id: str
    location_id: str
    state: InvoiceState
    created_at: AwareDatetime
    lines: tuple[InvoiceLine, ...]
    tax_name: str = "Tax"
    payments: tuple[Payment, ...] = ()
    number: str | None = None
    subscription_id: str | None = None
    period: int | None = None
    source: str | None = None
    reservation_id: str | None = None
    """The reservation that it charges, or whose place the pack on it was bought for."""
    pack_id: str | None = None
    """The pack that waits for it to be paid ([BOOK])."""
    closed_at: AwareDatetime | None = None
    asked_at: AwareDatetime | None = None
    """When its email asked for what it says, where it went out before it was paid."""
    failed_at: AwareDatetime | None = None
    """When its last try was declined, while it is open."""
    void_at: AwareDatetime | None = None
    """Since when nobody is asked for it any more."""

    @property
    def charged_under(self) -> str:
        """The source of the charge that collects what it asks now: another one after each time
        its payment was reversed ([ONCE], [REVERSE])."""
        return charge_source(self.id, self.times_reversed)

    @property
    def times_reversed(self) -> int:
        return sum(one.kind is PaymentKind.REVERSAL for one in self.payments)

    @property
    def order_id(self) -> str:
        return order_id(self.id)

    @property
    def currency(self) -> str:
        return self.lines[0].amount.currency

    @property
    def subtotal(self) -> Money:
        return total([line.amount for line in self.lines], self.currency)

    @property
    def tax(self) -> Money:
        return total([line.tax for line in self.lines], self.currency)

    @property
    def total(self) -> Money:
        return self.subtotal + self.tax

    @property
    def paid(self) -> Money:
        return total([payment.amount for payment in self.payments], self.currency)

    @property
    def owed(self) -> Money:
        if self.state is InvoiceState.VOID:
            return Money.zero(self.currency)
        return self.total - self.paid

    @property
    def reversed(self) -> bool:
        """Whether a bank took back what had paid it, and it has not been paid since."""
        taken = any(one.kind is PaymentKind.REVERSAL for one in self.payments)
        return taken and self.state is InvoiceState.OPEN and self.owed.minor > 0

    @property
    def status(self) -> PaymentStatus:
        if self.state is InvoiceState.VOID:
            return PaymentStatus.VOID
        if self.reversed:
            return PaymentStatus.REVERSED
        if any(payment.kind is PaymentKind.REFUND for payment in self.payments):
            return PaymentStatus.REFUNDED
        if self.state is InvoiceState.CLOSED:
            return PaymentStatus.PAID
        if self.failed_at:
            return PaymentStatus.FAILED
        of_place = self.reservation_id is not None or self.pack_id is not None
        unpaid = of_place or self.asked_at is not None
        return PaymentStatus.UNPAID if unpaid else PaymentStatus.PROCESSING


def charge_source(invoice_id: str, times_reversed: int = 0) -> str:
    """The source of the charge that collects an invoice whose payment was reversed so often."""
    return f"{invoice_id}.{times_reversed:05d}"


def order_id(invoice_id: str) -> str:
    """What customers and staff call an order: short, and unique within a merchant's books."""
    return f"{invoice_id[-8:-4]}-{invoice_id[-4:]}"


def close(invoice: Invoice, payment: Payment, now: datetime) -> Invoice:
    """The invoice with its last payment."""
    return invoice.model_copy(
        update={
            "state": InvoiceState.CLOSED,
            "payments": (*invoice.payments, payment),
            "closed_at": now,
            "failed_at": None,
        }
    )


def stays_open(invoice: Invoice) -> bool:
    """Whether it is open and was not simply asked for a moment ago: it failed, waits for its
    customer, was paid in part or taken back. However old it is, it is part of what is owed."""
    waits = invoice.failed_at or invoice.asked_at or invoice.reservation_id or invoice.pack_id
    return invoice.state is InvoiceState.OPEN and bool(waits or invoice.payments)


def by_credits_alone(invoice: Invoice) -> bool:
    """Whether credits paid all of it: such an invoice is no row of the payment history, while a
    payment of 0 of something that was bought is ([HISTORY])."""
    if invoice.lines[-1].kind is not LineKind.CREDIT:
        return False
    return not any(one.amount for one in invoice.payments) and not invoice.total


def next_moment(invoice: Invoice) -> Moment | None:
    """A closed invoice waits for its number."""
    if invoice.state is InvoiceState.CLOSED and invoice.number is None and invoice.closed_at:
        return Moment(at=invoice.closed_at, worker=Worker.NUMBER)
    return None


def void(invoice: Invoice, now: datetime) -> Invoice:
    """Nobody is asked for it any more."""
    return invoice.model_copy(
        update={"state": InvoiceState.VOID, "failed_at": None, "void_at": now}
    )


def touched_at(invoice: Invoice) -> datetime:
    """When something last happened to it that is told of it: asked, paid, taken back, let go."""
    happened = [invoice.created_at, *(one.at for one in invoice.payments)]
    return max([*happened, *filter(None, [invoice.closed_at, invoice.void_at])])
