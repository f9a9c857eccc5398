"""What a period of a subscription costs ([PRICE] [TAX])."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from shared.domain.invoice import InvoiceLine

if TYPE_CHECKING:
    from shared.domain.business import Business, Location
    from shared.domain.money import Money
    from shared.domain.terms import Terms


def period_line(terms: Terms, location: Location, business: Business, detail: str) -> InvoiceLine:
    """What one period costs, with the location's tax as it is now: fixed when its charge is
    created ([PRICE], [TAX])."""
    taxed = terms.taxed and business.settings.taxes_packages
    rate = location.tax_rate if taxed else Decimal(0)
    return InvoiceLine(
        product_id=terms.product_id,
        name=terms.name,
        detail=detail,
        unit=terms.price,
        amount=terms.price,
        tax=terms.price.share(rate),
        account_code=terms.account_code,
    )


def owed_with_tax(line: InvoiceLine) -> Money:
    return line.amount + line.tax
