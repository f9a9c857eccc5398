"""What is offered to whom, and what it gives, in words: the rules of the shop's pages.

The shop, the cart and the checkout all ask the same functions, so what was shown is what can be
bought ([VISIBLE] [SHOP]). What a line may ask for is in `cart_lines`, what it costs in `pricing`.
"""

from collections.abc import Collection, Iterable
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, assert_never

from dateutil.relativedelta import relativedelta

from shared.domain.business import Location
from shared.domain.calendar import Frequency, trial_anchor
from shared.domain.expiry_policy import ExpiryPolicy
from shared.domain.money import Money
from shared.domain.product import Catalogue, Product, RestrictTo
from shared.domain.product_kind import ProductKind
from shared.domain.record import Record
from shared.domain.recurs_when import RecursWhen
from shared.domain.settings import Settings

if TYPE_CHECKING:
    from shared.domain.customer import Customer

SEARCH_WORDS_MAX = 10
"""Words of a search that count; the rest is ignored."""

MAX_QUANTITY = 99
MAX_PACKS = 20
"""Packages and subscriptions in one cart, quantities counted: what one transaction can grant."""

START_AT_MOST = relativedelta(years=1)
"""How far ahead a subscription may start."""

ONE_ONLY = frozenset({ProductKind.SUBSCRIPTION, ProductKind.ACCESS})
"""Kinds that a line holds one of."""


# --- who sees what ---------------------------------------------------------------------------


class Hidden(StrEnum):
    """Why a product is not offered to somebody at a location ([VISIBLE])."""

    DISABLED = "disabled"
    NOT_ONLINE = "not_online"
    OTHER_LOCATION = "other_location"
    NO_PRICE = "no_price"
    NO_PROVIDER = "no_provider"
    NOT_ALLOWED = "not_allowed"
    """The customer may not buy packages and subscriptions."""
    NEW_JOINERS_ONLY = "new_joiners_only"
    ACTIVE_MEMBERS_ONLY = "active_members_only"

    @property
    def sentence(self) -> str:
        """What to tell the customer."""
        match self:
            case Hidden.DISABLED | Hidden.NOT_ONLINE | Hidden.NO_PROVIDER:
                return "This is not on sale online at the moment."
            case Hidden.OTHER_LOCATION | Hidden.NO_PRICE:
                return "This is not sold at this location."
            case Hidden.NOT_ALLOWED:
                return "Please ask us before buying packages: your account needs our go-ahead."
            case Hidden.NEW_JOINERS_ONLY:
                return "This offer is for people who have not been with us before."
            case Hidden.ACTIVE_MEMBERS_ONLY:
                return "This is for people who have been with us before. Please sign in to buy it."
            case _ as never:
                assert_never(never)


class Shopper(NamedTuple):
    """All of a customer that decides what they are shown in the shop ([VISIBLE] [TRIAL]): whoever
    is alike in this sees the same."""

    can_purchase_packages: bool | None
    has_reservations: bool
    trials_used: tuple[str, ...]

    @classmethod
    def of(cls, customer: "Customer") -> "Shopper":
        return cls(customer.can_purchase_packages, customer.has_reservations, customer.trials_used)


def _restricted(product: Product, customer: "Customer | Shopper | None") -> Hidden | None:
    match product.restrict_to:
        case RestrictTo.ANYONE:
            return None
        case RestrictTo.NEW_JOINERS:
            known = customer is not None and customer.has_reservations
            return Hidden.NEW_JOINERS_ONLY if known else None
        case RestrictTo.ACTIVE_MEMBERS:
            member = customer is not None and customer.has_reservations
            return None if member else Hidden.ACTIVE_MEMBERS_ONLY
        case _ as never:
            assert_never(never)


def offered(
    product: Product,
    location: Location,
    customer: "Customer | Shopper | None",
    settings: Settings,
    *,
    provider_ready: bool,
) -> Hidden | None:
    """Why `product` can't be bought at `location` by `customer` (None: an unknown visitor), or
    None when it can. `Product.hidden` is no reason: such a product has its direct link
    ([VISIBLE])."""
    if not product.enabled:
        return Hidden.DISABLED
    if not product.sell_online:
        return Hidden.NOT_ONLINE
    if product.locations is not None and location.id not in product.locations:
        return Hidden.OTHER_LOCATION
    if location.currency not in product.prices:
        return Hidden.NO_PRICE
    if product.is_pack:
        if not provider_ready:
            return Hidden.NO_PROVIDER
        own = customer.can_purchase_packages if customer else None
        if not (settings.can_purchase_packages if own is None else own):
            return Hidden.NOT_ALLOWED
    return _restricted(product, customer)


def listed(
    catalogue: Catalogue,
    location: Location,
    customer: "Customer | Shopper | None",
    *,
    provider_ready: bool,
    kinds: Collection[ProductKind] | None = None,
    category: str | None = None,
    search: str = "",
) -> tuple[Product, ...]:
    """What the shop's page lists, in the catalogue's order ([SHOP]). A search finds products
    that have each of its words in their name, description, category or service."""
    words = search.casefold().split()[:SEARCH_WORDS_MAX]

    def found(product: Product) -> bool:
        if not words:
            return True
        service = catalogue.service(product.service)
        text = " ".join(
            (product.name, product.description, product.category, service.name if service else "")
        ).casefold()
        return all(word in text for word in words)

    return tuple(
        product
        for product in catalogue.products
        if not product.hidden
        and (kinds is None or product.kind in kinds)
        and category in (None, product.category)
        and found(product)
        and offered(product, location, customer, catalogue.settings, provider_ready=provider_ready)
        is None
    )


def categories(products: Iterable[Product]) -> tuple[str, ...]:
    """The categories of `products`, each once, in the order in which they come."""
    return tuple(dict.fromkeys(product.category for product in products if product.category))


# --- how a product is sold -------------------------------------------------------------------


def one_only(product: Product) -> bool:
    """Whether a line holds one of it."""
    return product.kind in ONE_ONLY or product.recurs_when is not None


def max_quantity(product: Product) -> int:
    """How many of it one line may hold."""
    if one_only(product):
        return 1
    return MAX_PACKS if product.is_pack else MAX_QUANTITY


def has_trial(product: Product, customer: "Customer | Shopper | None") -> bool:
    """Whether `customer` would get the free trial of `product`: once per customer and product
    ([TRIAL]). An unknown visitor may turn out to have had it; the checkout asks again."""
    return product.trial_days is not None and (
        customer is None or product.id not in customer.trials_used
    )


def anchor_of(product: Product, starts_on: date, *, trial: bool) -> date:
    """The anchor of a subscription that starts on `starts_on`: that day, or the day after its
    trial ([ANCHOR] [TRIAL])."""
    if trial and product.trial_days is not None:
        return trial_anchor(starts_on, product.trial_days)
    return starts_on


def unit_price(product: Product, location: Location, price_minor: int | None) -> Money:
    """The price of one, before tax: what the customer chose where the product lets them, else
    the catalogue's. `ValueError` when it has none in the location's currency."""
    price = product.price_in(location.currency)
    if price is None:
        raise ValueError(f"{product.id} has no price in {location.currency}")
    if product.pay_what_you_want and price_minor is not None:
        return Money(minor=price_minor, currency=location.currency)
    return price


def tax_rate_of(product: Product, location: Location, settings: Settings) -> Decimal:
    """The location's rate where `product` is taxed; packages and subscriptions only when the
    setting says so as well ([TAX])."""
    taxed = product.taxed and (settings.taxes_packages or not product.is_pack)
    return location.tax_rate if taxed else Decimal(0)


# --- what a product gives --------------------------------------------------------------------


class Expiry(Record):
    """`count` is of days or months; None for the policies that have no number."""

    policy: ExpiryPolicy
    count: int | None = None


def expiry(product: Product) -> Expiry:
    """When the credits of `product` expire, as data."""
    if not product.is_pack:
        return Expiry(policy=ExpiryPolicy.NOTHING_TO_EXPIRE)
    if product.validity_days is not None:
        return Expiry(policy=ExpiryPolicy.AFTER_DAYS, count=product.validity_days)
    if product.validity_months is not None:
        return Expiry(policy=ExpiryPolicy.AFTER_MONTHS, count=product.validity_months)
    if product.kind is ProductKind.PACKAGE:
        return Expiry(policy=ExpiryPolicy.NEVER)
    if product.unlimited:
        return Expiry(policy=ExpiryPolicy.PERIOD_END)
    return Expiry(policy=ExpiryPolicy.NEXT_RENEWAL)


_EVERY = {
    Frequency.WEEKLY: "every week",
    Frequency.BIWEEKLY: "every 2 weeks",
    Frequency.MONTHLY: "every month",
    Frequency.ANNUAL: "every year",
}


_RECURS = {
    RecursWhen.PACK_EXPIRES: "before it expires",
    RecursWhen.NO_CREDITS_REMAIN: "when the credits are used up or about to expire",
}


def recurs(when: RecursWhen) -> str:
    """When the next pack comes, in words ([RECUR])."""
    return _RECURS[when]


def every(frequency: Frequency) -> str:
    """A frequency in words: "every 2 weeks"."""
    return _EVERY[frequency]
