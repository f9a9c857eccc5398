"""What a pack that is bought with a place would cost, and how it would pay for it ([BOOK])."""

from collections.abc import Sequence
from typing import NamedTuple

from shared.domain import spending
from shared.domain.activity import Activity
from shared.domain.granting import Granted, grant_bought_pack
from shared.domain.money import Money
from shared.domain.pack import Pack
from shared.domain.product import Product
from shared.domain.product_kind import ProductKind
from shared.domain.shopping import tax_rate_of, unit_price
from shared.domain.spending import Spending
from shared.domain.terms import terms_of
from shared.operations.context import Context
from shared.operations.planning import location_of
from shared.store.items import Row


class Quote(NamedTuple):
    """A pack as it would be if it were bought for this now, and how it would pay for the place."""

    granted: Granted
    price: Money
    """Before tax."""
    tax: Money
    plan: Spending

    @property
    def total(self) -> Money:
        """What it costs, tax included."""
        return self.price + self.tax


def sold_with_places(product: Product) -> bool:
    """Whether a product can be bought as a place is booked: a package, once. One that recurs is an
    agreement, which the checkout shows ([RECUR])."""
    return product.kind is ProductKind.PACKAGE and product.recurs_when is None


def quote(
    context: Context,
    activity: Activity,
    packs: Sequence[Row[Pack]],
    product: Product,
    customer_id: str,
    participants: int,
) -> Quote | None:
    """What buying `product` for this would cost and use, after the credits in hand; None when it
    would not pay for all that they leave."""
    location, now = location_of(context, activity.location_id), context.now()
    unit = unit_price(product, location, None)
    granted = grant_bought_pack(
        pack_id=context.new_id(),
        entry_id=context.new_id(),
        terms=terms_of(product, unit),
        customer_id=customer_id,
        location=location,
        invoice_id=context.new_id(),
        now=now,
    )
    plan = spending.plan(
        [row.value for row in packs],
        activity,
        participants,
        location,
        context.business,
        now,
        last=granted.pack,
    )
    if plan.due or all(one.pack_id != granted.pack.id for one in plan.held):
        return None
    tax = unit.share(tax_rate_of(product, location, context.business.settings))
    return Quote(granted, unit, tax, plan)
