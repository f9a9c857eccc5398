"""A small catalogue for the tests of shop and cart."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from shared.domain.business import Location, Service
from shared.domain.calendar import Frequency
from shared.domain.cart import CartLine
from shared.domain.customer import Customer
from shared.domain.money import Money
from shared.domain.product import Catalogue, Product
from shared.domain.product_kind import ProductKind
from shared.domain.settings import Settings

NEW_YORK = Location(
    id="ny",
    name="New York",
    zone="America/New_York",
    currency="USD",
    tax_name="Sales tax",
    tax_rate=Decimal("0.0825"),
)
BERLIN = Location(
    id="be", name="Berlin", zone="Europe/Berlin", currency="EUR", tax_rate=Decimal("0.19")
)
NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
TODAY = date(2026, 3, 10)
NOBODY = None


def usd(minor: int) -> Money:
    return Money(minor=minor, currency="USD")


def product(name: str, kind: ProductKind = ProductKind.RETAIL, **more: Any) -> Product:
    values: dict[str, Any] = {"prices": {"USD": 1000}, **more}
    if kind is ProductKind.SUBSCRIPTION:
        values = {"frequency": Frequency.MONTHLY, "credits": 4} | values
    if kind is ProductKind.ACCESS:
        values["access_link"] = "https://example.com/films"
    return Product(id=name, name=name, kind=kind, **values)


def subscription(name: str = "membership", **more: Any) -> Product:
    return product(name, ProductKind.SUBSCRIPTION, **more)


def customer(**more: Any) -> Customer:
    return Customer(id="c1", email="ada@example.com", created_at=NOW, **more)


def catalogue(*products: Product, **settings: Any) -> Catalogue:
    return Catalogue(
        settings=Settings(merchant_name="M", support_email="m@example.com", **settings),
        locations=(NEW_YORK, BERLIN),
        services=(Service(id="yoga", name="Yoga", unit="class"),),
        products=products,
    )


def cart_line(what: str, number: int = 1, **more: Any) -> CartLine:
    values: dict[str, Any] = {"seen_minor": 1000, **more}
    return CartLine(id=f"{what}-{number}", product_id=what, **values)
