"""Lines of orders and invoices, and what they come to."""

from collections.abc import Iterable

from shared.domain.invoice import InvoiceLine, LineKind
from shared.domain.money import Money
from shared.web.answer import View


class LineView(View):
    """A line of an order or invoice. `tax` is on top of `amount`."""

    kind: LineKind = LineKind.PRODUCT
    name: str
    detail: str = ""
    quantity: int = 1
    unit: Money
    amount: Money
    tax: Money


class Totals(View):
    subtotal: Money
    tax_name: str = "Tax"
    tax: Money
    total: Money


def line_view(line: InvoiceLine) -> LineView:
    return LineView(
        kind=line.kind,
        name=line.name,
        detail=line.detail,
        quantity=line.quantity,
        unit=line.unit,
        amount=line.amount,
        tax=line.tax,
    )


def totals_of(lines: Iterable[InvoiceLine], currency: str, tax_name: str) -> Totals:
    """The sums of `lines`; zeros of `currency` when there are none."""
    subtotal = tax = Money.zero(currency)
    for line in lines:
        subtotal, tax = subtotal + line.amount, tax + line.tax
    return Totals(subtotal=subtotal, tax_name=tax_name, tax=tax, total=subtotal + tax)
