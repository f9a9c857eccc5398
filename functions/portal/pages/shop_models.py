"""Answers of the shop ([SHOP])."""

from enum import StrEnum

from shared.domain.calendar import Frequency
from shared.domain.expiry_policy import ExpiryPolicy
from shared.domain.money import Money
from shared.domain.product_kind import ProductKind
from shared.domain.recurs_when import RecursWhen
from shared.web.answer import View
from shared.web.pages.choices import Choice


class ShopTab(StrEnum):
    """The three shops. Digital products (`access`) are sold in retail's."""

    PACKAGES = "packages"
    SUBSCRIPTIONS = "subscriptions"
    RETAIL = "retail"


class WhyEmpty(StrEnum):
    """Why a shop shows nothing ([VISIBLE])."""

    NOTHING_SOLD = "nothing_sold"
    NOTHING_FOUND = "nothing_found"
    NO_PROVIDER = "no_provider"
    """Packages and subscriptions need a payment provider that is set up."""
    NOT_ALLOWED = "not_allowed"
    """This customer may not buy packages online."""


class ProductView(View):
    """A product at one location. `price` is before tax; with `pay_what_you_want` a suggestion, and
    `minimum` the least. `credits` is None for what has no credits and for `unlimited`.
    `trial_days` is set only while this customer has not had the trial."""

    id: str
    name: str
    kind: ProductKind
    description: str = ""
    category: str = ""
    price: Money
    pay_what_you_want: bool = False
    minimum: Money | None = None
    service: str = ""
    unit: str = "credit"
    credits: int | None = None
    unlimited: bool = False
    expiry: ExpiryPolicy = ExpiryPolicy.NEVER
    validity_days: int | None = None
    validity_months: int | None = None
    frequency: Frequency | None = None
    frequencies: tuple[Frequency, ...] = ()
    recurs_when: RecursWhen | None = None
    """A package that is bought again by itself ([RECUR])."""
    trial_days: int | None = None
    minimum_payments: int = 0
    taxed: bool = False
    """Whether tax is added to `price`."""
    tax_name: str = "Tax"
    standing: bool = False
    """Whether it is a place at the same weekday and time every week ([WEEKLY])."""


class ShopPage(View):
    """`GET /shop`, filtered by tab, category and search."""

    tab: ShopTab
    tabs: tuple[Choice, ...]
    query: str = ""
    category: str = ""
    categories: tuple[Choice, ...] = ()
    products: tuple[ProductView, ...] = ()
    why_empty: WhyEmpty | None = None
