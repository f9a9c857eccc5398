"""A product as it is sold to somebody: from the domain to the pages."""

from functions.portal.pages.shop_models import ProductView
from shared.domain.business import Location
from shared.domain.customer import Customer
from shared.domain.money import Money
from shared.domain.product import Catalogue, Product
from shared.domain.shopping import Shopper, expiry, has_trial, tax_rate_of


def _shown_price(product: Product, location: Location) -> Money:
    """Its price here, or elsewhere for a page that only says that it is not sold here."""
    price = product.price_in(location.currency)
    if price is not None:
        return price
    elsewhere = next(iter(product.prices.items()), (location.currency, 0))
    return Money(minor=elsewhere[1], currency=elsewhere[0])


def product_view(
    product: Product, location: Location, customer: Customer | Shopper | None, catalogue: Catalogue
) -> ProductView:
    """A product as it is sold at `location` to `customer` (None: an unknown visitor)."""
    service = catalogue.service(product.service)
    rule = expiry(product)
    price = _shown_price(product, location)
    return ProductView(
        id=product.id,
        name=product.name,
        kind=product.kind,
        description=product.description,
        category=product.category,
        price=price,
        pay_what_you_want=product.pay_what_you_want,
        minimum=product.minimum_in(price.currency) if product.pay_what_you_want else None,
        service=service.name if service else "",
        unit=service.unit if service else "credit",
        credits=product.credits if product.is_pack else None,
        unlimited=product.is_pack and product.unlimited,
        expiry=rule.policy,
        validity_days=product.validity_days,
        validity_months=product.validity_months,
        frequency=product.frequency,
        frequencies=product.allowed_frequencies,
        recurs_when=product.recurs_when,
        trial_days=product.trial_days if has_trial(product, customer) else None,
        minimum_payments=product.minimum_payments,
        taxed=bool(tax_rate_of(product, location, catalogue.settings)),
        tax_name=location.tax_name,
        standing=product.standing,
    )
