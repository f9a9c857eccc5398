"""A small business for the tests of shop and cart."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from infra.local.http_api import Response
from shared.domain.business import Location, Service
from shared.domain.calendar import Frequency
from shared.domain.cart import Cart
from shared.domain.customer import Customer
from shared.domain.product import Catalogue, Product, RestrictTo
from shared.domain.product_kind import ProductKind
from shared.domain.settings import Settings
from shared.store import accounts
from shared.store.reading import read
from tests.portal.browser import Browser, content

START = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
NEW_YORK = Location(
    id="ny",
    name="Brooklyn",
    zone="America/New_York",
    currency="USD",
    tax_name="Sales tax",
    tax_rate=Decimal("0.0825"),
)
BERLIN = Location(
    id="be", name="Berlin", zone="Europe/Berlin", currency="EUR", tax_rate=Decimal("0.19")
)


def product(product_id: str, kind: ProductKind, **more: Any) -> Product:
    values: dict[str, Any] = {"name": product_id.capitalize(), "prices": {"USD": 1000}, **more}
    return Product(id=product_id, kind=kind, **values)


CATALOGUE = Catalogue(
    settings=Settings(merchant_name="Tails & Tadasana", support_email="help@example.com"),
    locations=(NEW_YORK, BERLIN),
    services=(Service(id="yoga", name="Yoga", unit="class"),),
    products=(
        product(
            "ten",
            ProductKind.PACKAGE,
            name="Ten classes",
            description="For a friend and you",
            category="Studio",
            service="yoga",
            credits=10,
            validity_days=90,
            taxed=True,
            prices={"USD": 25_000, "EUR": 20_000},
        ),
        product(
            "month",
            ProductKind.SUBSCRIPTION,
            frequency=Frequency.MONTHLY,
            frequencies=(Frequency.WEEKLY, Frequency.MONTHLY),
            credits=8,
        ),
        product(
            "trial",
            ProductKind.SUBSCRIPTION,
            frequency=Frequency.MONTHLY,
            credits=None,
            trial_days=14,
        ),
        product("mat", ProductKind.RETAIL, category="Gear", taxed=True),
        product("strap", ProductKind.RETAIL, category="Gear"),
        product(
            "talk",
            ProductKind.RETAIL,
            pay_what_you_want=True,
            minimum_prices={"USD": 500},
        ),
        product("secret", ProductKind.RETAIL, hidden=True),
        product("members", ProductKind.RETAIL, restrict_to=RestrictTo.ACTIVE_MEMBERS),
        product("old", ProductKind.RETAIL, enabled=False),
        product("film", ProductKind.ACCESS, access_link="https://films.example.com/flow"),
    ),
)


def ada(**more: Any) -> Customer:
    return Customer(id="ada", email="ada@example.com", created_at=START, **more)


def names(response: Response) -> list[str]:
    return [one["id"] for one in content(response)["products"]]


def lines(response: Response) -> list[tuple[str, int]]:
    return [(line["product_id"], line["quantity"]) for line in content(response)["lines"]]


def fields(response: Response) -> set[str]:
    """Those that a refusal names."""
    assert response.status == 422, response.body
    return set(content(response)["fields"])


def add(program: Browser, product_id: str, **more: Any) -> Response:
    return program.send("/cart/lines", {"product": product_id, **more})


def cart_of(pk: str, location: str = "ny") -> Cart | None:
    ref = accounts.cart(pk, location)
    row = read(ref).get(ref)
    return row.value if row else None
