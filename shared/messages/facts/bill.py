"""An invoice's money, as emails show it."""

from pydantic import AwareDatetime

from shared.domain.invoice import PaymentKind
from shared.domain.money import Money
from shared.domain.record import Record
from shared.messages.opening import Words


class Line(Record):
    name: Words
    detail: Words = ""
    quantity: int = 1
    unit: Money
    amount: Money


class Paid(Record):
    """One payment on an invoice; a refund is negative."""

    kind: PaymentKind
    at: AwareDatetime
    amount: Money
    brand: Words = ""
    last4: Words = ""


class Bill(Record):
    """An invoice's money, line by line. `number` is None until it was given ([NUMBER])."""

    invoice_id: str
    order_id: str
    number: str | None = None
    created_at: AwareDatetime
    location: Words
    lines: tuple[Line, ...]
    subtotal: Money
    tax_name: Words
    tax: Money
    total: Money
    owed: Money
    payments: tuple[Paid, ...] = ()
