"""What is offered to whom, and what the shop lists ([VISIBLE] [SHOP])."""

from typing import Any

import pytest

from shared.domain.business import Location
from shared.domain.customer import Customer
from shared.domain.expiry_policy import ExpiryPolicy
from shared.domain.product import Product, RestrictTo
from shared.domain.product_kind import ProductKind
from shared.domain.shopping import (
    Expiry,
    Hidden,
    categories,
    expiry,
    listed,
    offered,
)
from tests.unit.shopping_samples import (
    BERLIN,
    NEW_YORK,
    NOBODY,
    catalogue,
    customer,
    product,
    subscription,
)


def why_hidden(
    what: Product,
    who: Customer | None = NOBODY,
    where: Location = NEW_YORK,
    *,
    provider_ready: bool = True,
    **settings: Any,
) -> Hidden | None:
    return offered(
        what, where, who, catalogue(what, **settings).settings, provider_ready=provider_ready
    )


# --- [VISIBLE] -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(ProductKind))
def test_anyone_is_offered_what_is_enabled_and_sold_online(kind: ProductKind) -> None:
    assert why_hidden(product("thing", kind)) is None


def test_what_is_disabled_or_not_sold_online_is_offered_to_nobody() -> None:
    assert why_hidden(product("old", enabled=False)) is Hidden.DISABLED
    assert why_hidden(product("counter", sell_online=False)) is Hidden.NOT_ONLINE


def test_a_product_limited_to_locations_is_offered_only_there() -> None:
    mat = product("mat", locations=("be",), prices={"USD": 1, "EUR": 1})
    assert why_hidden(mat, where=BERLIN) is None
    assert why_hidden(mat, where=NEW_YORK) is Hidden.OTHER_LOCATION


def test_a_product_without_a_price_in_the_locations_currency_is_not_sold_there() -> None:
    assert why_hidden(product("mat"), where=BERLIN) is Hidden.NO_PRICE


@pytest.mark.parametrize(
    ("restrict_to", "nobody", "newcomer", "member"),
    [
        (RestrictTo.ANYONE, None, None, None),
        (RestrictTo.NEW_JOINERS, None, None, Hidden.NEW_JOINERS_ONLY),
        (
            RestrictTo.ACTIVE_MEMBERS,
            Hidden.ACTIVE_MEMBERS_ONLY,
            Hidden.ACTIVE_MEMBERS_ONLY,
            None,
        ),
    ],
)
def test_restrict_to_fits_by_earlier_reservations(
    restrict_to: RestrictTo,
    nobody: Hidden | None,
    newcomer: Hidden | None,
    member: Hidden | None,
) -> None:
    offer = product("offer", restrict_to=restrict_to)
    assert why_hidden(offer, NOBODY) is nobody
    assert why_hidden(offer, customer()) is newcomer
    assert why_hidden(offer, customer(has_reservations=True)) is member


@pytest.mark.parametrize(
    ("merchants_default", "own", "may"),
    [
        (True, None, True),
        (False, None, False),
        (True, False, False),
        (False, True, True),
    ],
)
def test_packages_and_subscriptions_need_the_customers_permission(
    merchants_default: bool, own: bool | None, may: bool
) -> None:
    who = customer(can_purchase_packages=own)
    expected = None if may else Hidden.NOT_ALLOWED
    for kind in (ProductKind.PACKAGE, ProductKind.SUBSCRIPTION):
        hidden = why_hidden(product("p", kind), who, can_purchase_packages=merchants_default)
        assert hidden is expected
    assert why_hidden(product("mat"), who, can_purchase_packages=merchants_default) is None


def test_an_unknown_visitor_gets_the_merchants_default() -> None:
    pack = product("pack", ProductKind.PACKAGE)
    assert why_hidden(pack, NOBODY, can_purchase_packages=False) is Hidden.NOT_ALLOWED


def test_without_a_provider_packages_and_subscriptions_are_hidden_and_retail_is_not() -> None:
    for kind in (ProductKind.PACKAGE, ProductKind.SUBSCRIPTION):
        assert why_hidden(product("p", kind), provider_ready=False) is Hidden.NO_PROVIDER
    assert why_hidden(product("mat"), provider_ready=False) is None


def test_a_hidden_product_is_left_out_of_lists_and_reachable_by_its_link() -> None:
    secret = product("secret", hidden=True)
    shown = product("shown")
    what = catalogue(secret, shown)
    assert listed(what, NEW_YORK, NOBODY, provider_ready=True) == (shown,)
    assert why_hidden(secret) is None


# --- [SHOP] ----------------------------------------------------------------------------------


def test_the_shop_is_filtered_by_kind_category_and_search() -> None:
    mat = product("Cork mat", category="Gear", description="Grippy when wet")
    pack = product("Ten classes", ProductKind.PACKAGE, category="Studio", service="yoga")
    tea = product("Tea", category="Gear")
    what = catalogue(mat, pack, tea)

    def shown(**filters: Any) -> tuple[Product, ...]:
        return listed(what, NEW_YORK, NOBODY, provider_ready=True, **filters)

    assert shown(kinds={ProductKind.PACKAGE}) == (pack,)
    assert shown(category="Gear") == (mat, tea)
    assert shown(search="WET grippy") == (mat,)
    assert shown(search="yoga") == (pack,)
    assert shown(search="grippy tea") == ()
    assert categories(what.products) == ("Gear", "Studio")


@pytest.mark.parametrize(
    ("what", "rule"),
    [
        (product("mat"), Expiry(policy=ExpiryPolicy.NOTHING_TO_EXPIRE)),
        (product("p", ProductKind.PACKAGE, credits=10), Expiry(policy=ExpiryPolicy.NEVER)),
        (
            product("p", ProductKind.PACKAGE, credits=10, validity_days=90),
            Expiry(policy=ExpiryPolicy.AFTER_DAYS, count=90),
        ),
        (
            product("p", ProductKind.PACKAGE, credits=None, validity_months=1),
            Expiry(policy=ExpiryPolicy.AFTER_MONTHS, count=1),
        ),
        (subscription(), Expiry(policy=ExpiryPolicy.NEXT_RENEWAL)),
        (subscription(credits=None), Expiry(policy=ExpiryPolicy.PERIOD_END)),
        (subscription(validity_days=5), Expiry(policy=ExpiryPolicy.AFTER_DAYS, count=5)),
    ],
)
def test_the_expiry_policy_follows_the_product(what: Product, rule: Expiry) -> None:
    assert expiry(what) == rule
