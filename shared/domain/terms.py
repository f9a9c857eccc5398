"""The terms of a subscription: apart from what it is, since orders and carts keep them too."""

from typing import TYPE_CHECKING

from shared.domain.money import Money
from shared.domain.record import Record
from shared.domain.valid_from import ValidFrom
from shared.domain.weekly import Standing

if TYPE_CHECKING:
    from shared.domain.product import Product


class Terms(Record):
    """What was agreed when it was bought: frozen, whatever the product becomes ([PRICE]).
    `credits` None is unlimited. `price` is of one period, before tax."""

    product_id: str
    name: str
    price: Money
    service_id: str | None = None
    credits: int | None
    validity_days: int | None = None
    validity_months: int | None = None
    valid_from: ValidFrom = ValidFrom.PAYMENT
    hourly: bool = False
    use_pricing_rules: bool = False
    staff_members: tuple[str, ...] | None = None
    taxed: bool = False
    account_code: str = ""
    minimum_payments: int = 0
    standing: Standing | None = None
    """When the place is that is booked for each paid week ([WEEKLY])."""
    email_days_before_expiry: int | None = None
    email_credits_left: int | None = None


def terms_of(product: "Product", unit: Money) -> Terms:
    """What is agreed when `product` is bought for `unit`, frozen ([PRICE])."""
    return Terms(
        product_id=product.id,
        name=product.name,
        price=unit,
        service_id=product.service,
        credits=product.credits,
        validity_days=product.validity_days,
        validity_months=product.validity_months,
        valid_from=product.valid_from,
        hourly=product.hourly,
        use_pricing_rules=product.use_pricing_rules,
        staff_members=product.staff_members,
        taxed=product.taxed,
        account_code=product.account_code,
        minimum_payments=product.minimum_payments,
        email_days_before_expiry=product.email_days_before_expiry,
        email_credits_left=product.email_credits_left,
    )
