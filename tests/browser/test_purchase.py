"""The main job in a real browser: a stranger fills a cart, signs in by an emailed link, adds a card
and pays, on a phone and at a desk, with and without script ([A11Y], [WHO], [CHECKOUT])."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.served import Served
from tests.browser.visitor import DESK, PHONE, WAIT_MS, Screen, Visitor, plain
from tests.scenario.person import Person, move_clock

pytestmark = pytest.mark.xdist_group("browser")

WORKS = "4242 4242 4242 4242"
DECLINED_WHEN_CHARGED = "4000 0000 0000 0341"
ASKS_TO_CONFIRM = "4000 0025 0000 3155"
ADA = "ada@example.com"

# 250.00, 35.00 and 49.00, each with 8.25%, rounded half-up per line.
TOTAL = "$361.56"
TOTAL_MINOR = 27063 + 3789 + 5304
RENEWAL = "$53.04"


@pytest.fixture(params=[True, False], ids=["script", "no-script"])
def has_script(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(params=[PHONE, DESK], ids=str)
def screen(request: pytest.FixtureRequest) -> Screen:
    found: Screen = request.param
    return found


@pytest.fixture
def ada(shop: Served, browser: Browser) -> Iterator[Visitor]:
    """Somebody at a desk who has filled a cart and signed in, and reviews it without a card."""
    with Visitor(browser, shop.address) as visitor:
        visitor.be(with_full_cart(shop))
        visitor.open("/checkout")
        yield visitor
        assert visitor.complaints == []


def with_full_cart(shop: Served) -> Person:
    """Ada, who has done over HTTP alone what the first test does in the browser."""
    person = Person(shop.world, ADA)
    for product in ("ten", "mat", "monthly"):
        person.add(product)
    person.sign_in()
    return person


def fill_cart(visitor: Visitor) -> None:
    """A ten-pack, something to take home and a subscription, each from its own page."""
    for shop, name in (
        ("Packages", "Ten classes"),
        ("Retail", "Yoga mat"),
        ("Subscriptions", "Monthly yoga"),
    ):
        before = visitor.count_in_cart()
        visitor.open("/shop")
        visitor.press("link", shop)
        visitor.press_it(visitor.page.locator("main").get_by_role("link", name=name).first)
        assert visitor.find("heading", name).is_visible()
        visitor.press("button", "Add to cart")
        assert name in visitor.page.locator("[role=status]").inner_text()
        assert visitor.count_in_cart() == before + 1


def add_card(visitor: Visitor, number: str) -> None:
    """From the review to the provider's page, and back to the review with it chosen."""
    visitor.press_it(visitor.page.get_by_role("button", name="card"))
    visitor.save_card(number)
    assert visitor.path.startswith("/checkout")
    last4 = number[-4:]
    assert visitor.page.get_by_role("radio", name=f"ending in {last4}").is_checked()


def money_moved(shop: Served) -> list[int]:
    return [one.amount for one in shop.world.sandbox.charges() if one.state == "succeeded"]


def test_a_stranger_buys_a_pack_a_mat_and_a_subscription(
    shop: Served, browser: Browser, screen: Screen, has_script: bool
) -> None:
    with Visitor(browser, shop.address, screen, script=has_script) as stranger:
        stranger.open("/shop")
        stranger.choose_location("Berlin")
        assert "€230.00" in stranger.words
        stranger.choose_location("New York")
        assert "$250.00" in stranger.words
        fill_cart(stranger)
        stranger.press("link", "Sign in and check out")
        assert stranger.find("heading", "Sign in").is_visible()
        stranger.ask_for_link(ADA)
        assert ADA in stranger.words
        assert shop.world.sandbox.charges() == []

    # The email is read elsewhere: another browser, on the same kind of device.
    with Visitor(browser, shop.address, screen, script=has_script) as ada:
        ada.open_mailed_link(ADA)
        assert ada.page.locator("main button").count() == 1
        ada.press("button", "Sign in")
        assert ada.path.startswith("/checkout")
        assert ada.count_in_cart() == 3

        add_card(ada, WORKS)
        review = ada.words
        assert f"Pay {TOTAL}" in review
        assert f"{RENEWAL} now, then {RENEWAL} every month" in review
        # The period of 28 February is charged at 23:59 of the day before.
        assert "next on February 27, 2026, 11:59 PM" in review
        assert "Cancel on the subscription" in review
        assert money_moved(shop) == []

        ada.press("button", "Pay")
        assert ada.find("heading", "Thank you!").is_visible()
        assert TOTAL in ada.words
        assert ada.count_in_cart() == 0
        assert money_moved(shop) == [TOTAL_MINOR]

        ada.press("link", "See the invoice")
        assert TOTAL in ada.words
        assert "Paid" in ada.words
        ada.press("link", "Packs")
        packs = ada.page.locator("main .card")
        assert "10 classes left" in packs.filter(has_text="Ten classes").inner_text()
        assert "8 classes left" in packs.filter(has_text="Monthly yoga").inner_text()
        ada.press("link", "Subscriptions")
        subscription = ada.page.locator("main .card").inner_text()
        assert "Monthly yoga" in subscription
        assert f"Next charge: {RENEWAL} on February 27, 2026" in subscription
        assert stranger.complaints == []
        assert ada.complaints == []


def test_the_link_opens_in_another_tab_and_the_code_works_where_it_was_asked_for(
    shop: Served, browser: Browser
) -> None:
    with Visitor(browser, shop.address) as visitor:
        visitor.open("/shop/ten")
        visitor.press("button", "Add to cart")
        visitor.open("/checkout")
        visitor.ask_for_link(ADA)
        asking = visitor.page
        visitor.open_mailed_link(ADA)
        code = shop.world.mailbox.sent(ADA)[0].text
        visitor.page.close()
        visitor.page = asking
        digits = next(word for word in code.split() if word.isdigit() and len(word) == 6)
        visitor.fill("Six-digit code", digits)
        visitor.press("button", "Sign in")
        assert visitor.path.startswith("/checkout")
        assert visitor.count_in_cart() == 1
        assert visitor.complaints == []


@pytest.mark.parametrize("screen", [PHONE, DESK], ids=str)
def test_a_double_press_on_pay_charges_once(shop: Served, browser: Browser, screen: Screen) -> None:
    with Visitor(browser, shop.address, screen) as visitor:
        visitor.be(with_full_cart(shop))
        visitor.open("/checkout")
        add_card(visitor, WORKS)
        visitor.press_twice("button", "Pay")
        expect(visitor.find("heading", "Thank you!")).to_be_visible(timeout=WAIT_MS)
        assert money_moved(shop) == [TOTAL_MINOR]
        assert visitor.complaints == []


def test_back_and_pay_again_charges_once(shop: Served, ada: Visitor) -> None:
    add_card(ada, WORKS)
    # Some browsers show the page as it was when somebody goes back; so does this one from now on.
    review = ada.page.url
    kept = ada.page.goto(review)
    assert kept is not None
    body, headers = kept.body(), kept.headers
    ada.press("button", "Pay")
    order = ada.path
    assert money_moved(shop) == [TOTAL_MINOR]

    ada.page.route(review, lambda route: route.fulfill(body=body, headers=headers))
    ada.page.go_back()
    assert ada.page.url == review
    ada.press("button", "Pay")
    assert ada.path == order
    assert ada.find("heading", "Thank you!").is_visible()
    assert money_moved(shop) == [TOTAL_MINOR]


def test_a_tab_left_open_before_the_cart_was_paid_does_not_pay_it_again(
    shop: Served, ada: Visitor
) -> None:
    add_card(ada, WORKS)
    left_open = ada.page
    ada.page = ada.context.new_page()
    ada.open("/checkout")
    ada.press("button", "Pay")
    ada.page = left_open
    with ada.expecting(409):
        ada.press("button", "Pay")
    assert money_moved(shop) == [TOTAL_MINOR]
    assert "empty" in ada.words or "Thank you!" in ada.words


def test_a_declined_card_says_so_keeps_the_cart_and_another_one_pays(
    shop: Served, ada: Visitor
) -> None:
    add_card(ada, DECLINED_WHEN_CHARGED)
    with ada.expecting(402):
        ada.press("button", "Pay")
    said = ada.page.get_by_role("alert").inner_text()
    assert "Your Visa ending in 0341 was declined by the bank." in said
    assert "Nothing was charged and your cart is kept." in said
    assert ada.count_in_cart() == 3
    assert money_moved(shop) == []

    add_card(ada, WORKS)
    ada.press("button", "Pay")
    assert ada.find("heading", "Thank you!").is_visible()
    assert "Visa ending in 4242" in ada.words
    assert money_moved(shop) == [TOTAL_MINOR]


def test_a_card_that_the_provider_refuses_is_corrected_on_its_page(
    shop: Served, ada: Visitor
) -> None:
    ada.press("button", "Add a card")
    with ada.expecting(402, 422):
        ada.save_card("4242 4242 4242 4241")
        assert ada.page.get_by_role("alert").is_visible()
        ada.save_card("4000 0000 0000 9995")
        assert ada.page.get_by_role("alert").is_visible()
    ada.save_card(WORKS)
    assert ada.path.startswith("/checkout")
    assert ada.find("button", f"Pay {TOTAL}").is_visible()
    assert money_moved(shop) == []


def test_a_card_that_asks_to_confirm_leads_to_the_bank_and_back(shop: Served, ada: Visitor) -> None:
    add_card(ada, ASKS_TO_CONFIRM)
    ada.press("button", "Pay")
    assert ada.find("heading", "Confirm your payment").is_visible()
    assert TOTAL in ada.words
    assert money_moved(shop) == []
    ada.press("button", "Confirm")
    assert ada.path.startswith("/orders/")
    assert ada.find("heading", "Thank you!").is_visible()
    assert money_moved(shop) == [TOTAL_MINOR]


def test_who_does_not_confirm_is_charged_nothing_and_keeps_the_cart(
    shop: Served, ada: Visitor
) -> None:
    add_card(ada, ASKS_TO_CONFIRM)
    ada.press("button", "Pay")
    ada.press("button", "Decline")
    assert ada.find("heading", "The payment did not go through").is_visible()
    assert money_moved(shop) == []
    ada.press("link", "Try another card")
    assert ada.count_in_cart() == 3
    add_card(ada, WORKS)
    ada.press("button", "Pay")
    assert ada.find("heading", "Thank you!").is_visible()
    assert money_moved(shop) == [TOTAL_MINOR]


def test_a_failed_renewal_is_said_on_the_page_and_a_new_card_pays_it(
    shop: Served, ada: Visitor
) -> None:
    add_card(ada, WORKS)
    ada.press("button", "Pay")
    (card,) = {one.card for one in shop.world.sandbox.charges()}
    assert card is not None
    shop.world.sandbox.let_card_behave_as(card, DECLINED_WHEN_CHARGED.replace(" ", ""))
    move_clock(shop.world, "2026-03-01T15:00:00Z")

    ada.sign_in(ADA)
    for path in ("/shop", "/account"):
        ada.open(path)
        banner = ada.page.get_by_role("region", name="Payment failed: Monthly yoga")
        assert f"{RENEWAL} for Monthly yoga" in banner.inner_text()
        assert "We try again on March 1, 2026, 11:59 PM." in plain(banner.inner_text())
    ada.press("link", "Pay or change card")
    ada.press("button", "Add a new card")
    ada.save_card(WORKS)
    assert ada.path.startswith("/subscriptions/")
    assert ada.page.get_by_role("region", name="Payment failed").count() == 0
    assert money_moved(shop) == [TOTAL_MINOR, 5304]
