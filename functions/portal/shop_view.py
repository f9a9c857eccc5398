"""What the shop's pages show: lists by tab, category and search, and one product."""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Annotated, NamedTuple

from pydantic import StringConstraints

from functions.portal.pages.product_models import ProductPage
from functions.portal.pages.shop_models import ShopPage, ShopTab, WhyEmpty
from functions.portal.product_view import product_view
from shared.domain.business import Location
from shared.domain.calendar import charge_moment, local_date
from shared.domain.customer import Customer
from shared.domain.errors import Missing
from shared.domain.product import Catalogue, Product
from shared.domain.product_kind import ProductKind
from shared.domain.shopping import (
    START_AT_MOST,
    Hidden,
    Shopper,
    anchor_of,
    categories,
    has_trial,
    listed,
    max_quantity,
    offered,
)
from shared.web.answer import Query
from shared.web.pages.choices import Choice

KINDS = {
    ShopTab.PACKAGES: frozenset({ProductKind.PACKAGE}),
    ShopTab.SUBSCRIPTIONS: frozenset({ProductKind.SUBSCRIPTION}),
    ShopTab.RETAIL: frozenset({ProductKind.RETAIL, ProductKind.ACCESS}),
}

NOT_SHOWN = frozenset({Hidden.DISABLED, Hidden.NOT_ONLINE, Hidden.ACTIVE_MEMBERS_ONLY})
"""Reasons for which a product's own page does not exist either; for the others it says why."""


PAGES_KEPT = 100
"""Of one catalogue: its locations, tabs and categories, for visitors, newcomers and members."""


class ShopQuery(Query):
    """Which of the three shops, a category, and words to search for."""

    tab: ShopTab = ShopTab.PACKAGES
    category: Annotated[str, StringConstraints(max_length=100)] = ""
    q: Annotated[str, StringConstraints(max_length=200)] = ""


class _This:
    """A catalogue as a key: this very one, and none that is equal to it."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _This) and other.catalogue is self.catalogue

    def __hash__(self) -> int:
        return id(self.catalogue)


class _Asked(NamedTuple):
    """Who asks for which shop, as far as it decides what is in it."""

    location_id: str
    shopper: Shopper | None
    tab: ShopTab
    category: str
    provider_ready: bool


@lru_cache(maxsize=1)
def _made_of(_: _This) -> dict[_Asked, ShopPage]:
    """The pages that were made of a catalogue; those of the one before are let go with it."""
    return {}


def shop_page(
    catalogue: Catalogue,
    location: Location,
    customer: Customer | None,
    query: ShopQuery,
    *,
    provider_ready: bool,
) -> ShopPage:
    """One shop of the three, narrowed down by `query` ([SHOP]). Without words to search for it is
    made once for all who see the same, for as long as the catalogue is kept."""
    shopper = Shopper.of(customer) if customer else None
    asked = _Asked(location.id, shopper, query.tab, query.category, provider_ready)
    made = _made_of(_This(catalogue))
    page = None if query.q else made.get(asked)
    if page is None:
        page = _shop_page(catalogue, location, shopper, query, provider_ready=provider_ready)
        if not query.q and len(made) < PAGES_KEPT:
            made[asked] = page
    return page


def _shop_page(
    catalogue: Catalogue,
    location: Location,
    customer: Shopper | None,
    query: ShopQuery,
    *,
    provider_ready: bool,
) -> ShopPage:

    def found(tab: ShopTab, search: str) -> tuple[Product, ...]:
        return listed(
            catalogue,
            location,
            customer,
            provider_ready=provider_ready,
            kinds=KINDS[tab],
            search=search,
        )

    everything = {tab: found(tab, "") for tab in ShopTab}
    searched = found(query.tab, query.q) if query.q else everything[query.tab]
    products = tuple(one for one in searched if query.category in ("", one.category))
    return ShopPage(
        tab=query.tab,
        tabs=tuple(
            Choice(value=tab.value, count=len(everything[tab]), selected=tab is query.tab)
            for tab in ShopTab
        ),
        query=query.q,
        category=query.category,
        categories=_categories(searched, query.category),
        products=tuple(product_view(one, location, customer, catalogue) for one in products),
        why_empty=(
            None
            if products
            else _why_empty(catalogue, customer, query, provider_ready=provider_ready)
        ),
    )


def _categories(products: tuple[Product, ...], chosen: str) -> tuple[Choice, ...]:
    names = ("", *categories(products))
    return tuple(
        Choice(
            value=name,
            count=sum(1 for one in products if name in ("", one.category)),
            selected=name == chosen,
        )
        for name in names
    )


def _why_empty(
    catalogue: Catalogue, customer: Shopper | None, query: ShopQuery, *, provider_ready: bool
) -> WhyEmpty:
    if query.q or query.category:
        return WhyEmpty.NOTHING_FOUND
    if query.tab is not ShopTab.RETAIL:
        if not provider_ready:
            return WhyEmpty.NO_PROVIDER
        own = customer.can_purchase_packages if customer else None
        if not (catalogue.settings.can_purchase_packages if own is None else own):
            return WhyEmpty.NOT_ALLOWED
    return WhyEmpty.NOTHING_SOLD


def product_page(
    catalogue: Catalogue,
    location: Location,
    customer: Customer | None,
    product_id: str,
    now: datetime,
    *,
    provider_ready: bool,
) -> ProductPage:
    """One product, also one that the lists leave out. Raises `Missing` for what this customer is
    not to see ([VISIBLE]). Who has paid for a digital product finds its link ([WHO])."""
    product = catalogue.product(product_id)
    bought = product is not None and customer is not None and product.id in customer.access
    hidden = (
        offered(product, location, customer, catalogue.settings, provider_ready=provider_ready)
        if product is not None
        else Hidden.DISABLED
    )
    if product is None or (hidden in NOT_SHOWN and not bought):
        raise Missing("There is no such product.")
    today = local_date(now, location.zone)
    trial = product.frequency is not None and has_trial(product, customer)
    anchor = anchor_of(product, today, trial=trial)
    subscribes = product.kind is ProductKind.SUBSCRIPTION
    return ProductPage(
        product=product_view(product, location, customer, catalogue),
        today=today,
        latest_start=today + START_AT_MOST if subscribes else None,
        max_quantity=max_quantity(product),
        trial_ends_on=anchor - timedelta(days=1) if trial else None,
        first_charge_at=(
            charge_moment(anchor, product.frequency, 0, location.zone)
            if trial and product.frequency is not None
            else None
        ),
        can_add=hidden is None,
        why_not=hidden,
        access_link=product.access_link if bought else None,
    )
