"""The shop through its handler, as a person and as a program ([SHOP] [VISIBLE] [WHO])."""

from typing import Any

from functions.portal.pages.shop_models import ShopPage, ShopTab
from functions.portal.shop_view import ShopQuery, shop_page
from infra.local.world import LocalWorld
from shared.domain.product import Catalogue
from shared.store import catalogue as catalogues
from shared.store import snapshot
from tests.portal.browser import Browser, content
from tests.portal.shop_samples import CATALOGUE, START, ada, add, fields, names

# --- [SHOP] [VISIBLE] ------------------------------------------------------------------------


def test_the_shops_for_packages_subscriptions_and_retail_are_one_click_apart(
    program: Browser,
) -> None:
    assert names(program.get("/shop")) == ["ten"]
    assert names(program.get("/shop?tab=subscriptions")) == ["month", "trial"]
    assert names(program.get("/shop?tab=retail")) == ["mat", "strap", "talk", "film"]
    tabs = content(program.get("/shop"))["tabs"]
    assert [tab["value"] for tab in tabs] == ["packages", "subscriptions", "retail"]


def test_home_is_the_shop(program: Browser) -> None:
    assert content(program.get("/")) == content(program.get("/shop"))


def test_a_product_shows_price_credits_validity_and_expiry(program: Browser) -> None:
    [ten] = content(program.get("/shop"))["products"]
    assert ten["price"] == {"minor": 25_000, "currency": "USD"}
    assert (ten["credits"], ten["unit"], ten["validity_days"]) == (10, "class", 90)
    assert ten["expiry"] == "after_days"
    assert ten["taxed"]


def test_search_and_category_narrow_the_shop_down(program: Browser) -> None:
    assert names(program.get("/shop?tab=retail&category=Gear")) == ["mat", "strap"]
    assert names(program.get("/shop?tab=packages&q=FRIEND")) == ["ten"]
    nothing = content(program.get("/shop?tab=packages&q=zebra"))
    assert (nothing["products"], nothing["why_empty"]) == ([], "nothing_found")


def test_a_hidden_product_is_reached_by_its_link_and_what_is_off_is_not(program: Browser) -> None:
    assert program.get("/shop/secret").status == 200
    for gone in ("old", "nothing", "members"):
        assert program.get(f"/shop/{gone}").status == 404


def test_what_is_for_active_members_is_shown_to_them(program: Browser) -> None:
    program.sign_in_as(ada(has_reservations=True))
    assert "members" in names(program.get("/shop?tab=retail"))
    assert program.get("/shop/members").status == 200


def test_without_a_provider_packages_are_hidden_and_retail_is_not() -> None:
    snapshot.forget()
    with LocalWorld(start=START, parameters={"Provider": ""}) as world:
        catalogues.publish(CATALOGUE)
        program = Browser(world)
        shown = content(program.get("/shop"))
        assert (shown["products"], shown["why_empty"]) == ([], "no_provider")
        assert "mat" in names(program.get("/shop?tab=retail"))
        assert fields(add(program, "ten")) == {"product"}
    snapshot.forget()


def test_a_product_that_is_sold_at_other_locations_says_so(program: Browser) -> None:
    program.send("/cart/location", {"location": "be"})
    page = content(program.get("/shop/mat"))
    assert (page["can_add"], page["why_not"]) == (False, "no_price")


def test_the_access_link_is_shown_only_after_it_was_paid(world: LocalWorld) -> None:
    nobody, buyer = Browser(world), Browser(world)
    buyer.sign_in_as(ada(access=("film",)))
    assert content(nobody.get("/shop/film"))["access_link"] is None
    assert content(buyer.get("/shop/film"))["access_link"] == "https://films.example.com/flow"
    assert b"films.example.com" not in nobody.get("/shop?tab=retail").body


def test_a_trials_page_says_when_the_first_charge_comes(program: Browser) -> None:
    page = content(program.get("/shop/trial"))
    # 14 days from 10 March: 23 March 23:59 in New York.
    assert page["first_charge_at"] == "2026-03-24T03:59:00Z"
    assert page["trial_ends_on"] == "2026-03-23"


def test_who_has_had_the_trial_is_not_promised_another(program: Browser) -> None:
    program.sign_in_as(ada(trials_used=("trial",)))
    page = content(program.get("/shop/trial"))
    assert (page["product"]["trial_days"], page["first_charge_at"]) == (None, None)


# --- made once for all who see the same ------------------------------------------------------


def test_each_sees_their_own_shop_whoever_came_before() -> None:
    ny, berlin = CATALOGUE.locations[:2]
    visitors = (
        None,
        ada(),
        ada(has_reservations=True),
        ada(trials_used=("trial",)),
        ada(can_purchase_packages=False),
    )
    queries = (
        ShopQuery(),
        ShopQuery(tab=ShopTab.SUBSCRIPTIONS),
        ShopQuery(tab=ShopTab.RETAIL),
        ShopQuery(category="none of these"),
        ShopQuery(q="ten"),
    )
    asked = [
        (location, visitor, query, ready)
        for location in (ny, berlin)
        for visitor in visitors
        for query in queries
        for ready in (True, False)
    ]

    def shown(catalogue: Catalogue, *each: Any) -> ShopPage:
        location, visitor, query, ready = each
        return shop_page(catalogue, location, visitor, query, provider_ready=ready)

    first = [shown(CATALOGUE, *each) for each in asked]
    alone = [shown(CATALOGUE.model_copy(), *each) for each in asked]
    assert first == alone
    assert [shown(CATALOGUE, *each) for each in reversed(asked)] == first[::-1]


def test_a_changed_catalogue_is_shown_at_once() -> None:
    dearer = CATALOGUE.model_copy(
        update={
            "products": tuple(
                one.model_copy(update={"prices": {"USD": 77_700}}) for one in CATALOGUE.products
            )
        }
    )
    for catalogue in (CATALOGUE, dearer, CATALOGUE):
        page = shop_page(catalogue, CATALOGUE.locations[0], None, ShopQuery(), provider_ready=True)
        prices = {one.price.minor for one in page.products}
        assert (prices == {77_700}) is (catalogue is dearer)
