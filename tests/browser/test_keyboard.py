"""The keyboard alone: the whole purchase, and the focus always in sight ([A11Y])."""

from datetime import timedelta

import pytest
from playwright.sync_api import Browser

from shared.domain.activity import Activity
from shared.store import bookings
from tests.browser import eyes
from tests.browser.keyboard import Keyboard
from tests.browser.served import Served
from tests.browser.visitor import PHONE, Screen, Visitor

pytestmark = pytest.mark.xdist_group("browser")

ADA = "ada@example.com"
SMALL_PHONE = Screen("small phone", PHONE.width, 480)
"""So low that the navigation at its foot covers much of it."""


def test_skipping_leads_past_the_header(shop: Served, browser: Browser) -> None:
    with Visitor(browser, shop.address) as visitor:
        visitor.open("/shop")
        keyboard = Keyboard(visitor)
        first = keyboard.tab()
        assert first is not None
        assert first.name == "Skip to content"
        keyboard.press("Enter")
        keyboard.tab()
        assert visitor.page.locator("main :focus").count() == 1
        assert visitor.complaints == []


def test_the_focus_is_never_behind_the_navigation_of_a_phone(
    shop: Served, browser: Browser
) -> None:
    with Visitor(browser, shop.address, SMALL_PHONE) as visitor:
        for path in ("/shop", "/shop/monthly"):
            visitor.open(path)
            keyboard = Keyboard(visitor)
            stops = 0
            while keyboard.tab() is not None:
                stops += 1
                assert stops < 80
            assert stops > 10


def test_the_whole_purchase_by_keyboard_alone(shop: Served, browser: Browser) -> None:
    with Visitor(browser, shop.address) as visitor:
        keyboard = Keyboard(visitor)
        find = visitor.find

        visitor.open("/shop")
        keyboard.tab_to(visitor.page.locator("main .place summary"))
        keyboard.press("Space")
        keyboard.go(find("button", "New York"))
        keyboard.go(visitor.page.locator("main").get_by_role("link", name="Ten classes").first)
        keyboard.tab_to(visitor.page.get_by_label("Quantity"))
        keyboard.press("ArrowUp")
        keyboard.press("ArrowDown")
        keyboard.go(find("button", "Add to cart"))
        assert "Ten classes" in visitor.page.get_by_role("status").inner_text()
        for tab, name in (("Retail", "Yoga mat"), ("Subscriptions", "Monthly yoga")):
            keyboard.go(visitor.page.get_by_role("link", name="Shop", exact=True))
            keyboard.go(find("link", tab))
            keyboard.go(visitor.page.locator("main").get_by_role("link", name=name).first)
            keyboard.go(find("button", "Add to cart"))
        assert visitor.count_in_cart() == 3

        keyboard.go(find("link", "Sign in and check out"))
        keyboard.tab_to(find("textbox", "Email address"))
        keyboard.type(ADA)
        keyboard.enter()
        visitor.page = visitor.context.new_page()
        visitor.open(f"/_local/mail?to={ADA}")
        keyboard.go(visitor.page.locator("pre a").first)
        keyboard.go(visitor.page.locator("main button"))

        for number in ("5555555555554444", "4242424242424242"):
            keyboard.go(visitor.page.get_by_role("button", name="card"))
            keyboard.tab_to(find("textbox", "Card number"))
            keyboard.type(number)
            keyboard.tab_to(find("textbox", "Expiry date"))
            keyboard.type("12/34")
            keyboard.tab_to(find("textbox", "Security code"))
            keyboard.type("123")
            keyboard.go(find("button", "Save card"))
        last = visitor.page.get_by_role("radio", name="ending in 4242")
        keyboard.tab_to(last)
        keyboard.press("ArrowUp")
        assert visitor.page.get_by_role("radio", name="ending in 4444").is_checked()
        keyboard.press("ArrowDown")
        assert last.is_checked()
        keyboard.go(find("button", "Pay $361.56"))

        assert find("heading", "Thank you!").is_visible()
        assert [one.amount for one in shop.world.sandbox.charges()] == [36156]
        keyboard.go(find("link", "See the invoice"))
        assert "Paid" in visitor.words
        assert visitor.complaints == []


def test_booking_and_giving_back_by_keyboard_alone(shop: Served, browser: Browser) -> None:
    begins = shop.world.now() + timedelta(days=2)
    yoga = Activity(
        id=f"ny.{begins:%Y%m%dT%H%M}.keys",
        location_id="ny",
        zone="America/New_York",
        service_id="yoga",
        name="Morning yoga",
        starts_at=begins,
        ends_at=begins + timedelta(hours=1),
        places=8,
    )
    bookings.create_activities([yoga])
    with Visitor(browser, shop.address, SMALL_PHONE) as visitor:
        visitor.sign_in(ADA)
        visitor.open("/shop")
        visitor.choose_location("New York")
        keyboard = Keyboard(visitor)
        keyboard.go(visitor.page.locator(".main-nav").get_by_role("link", name="Schedule"))
        keyboard.go(visitor.page.locator("main").get_by_role("link", name="Morning yoga"))
        people = visitor.page.get_by_label("Participants")
        keyboard.tab_to(people)
        keyboard.press("ArrowUp")
        assert people.input_value() == "2"
        keyboard.go(visitor.page.locator("main form button"))
        assert "Your place is booked." in visitor.page.get_by_role("status").inner_text()
        keyboard.go(visitor.find("button", "Cancel the reservation"))
        assert "It is cancelled." in visitor.page.get_by_role("status").inner_text()
        assert visitor.complaints == []


def test_a_wrong_field_is_one_key_away(shop: Served, browser: Browser) -> None:
    """The summary of what is wrong links to the field."""
    with Visitor(browser, shop.address) as visitor:
        visitor.open("/sign-in")
        visitor.page.locator("main form").evaluate("form => form.noValidate = true")
        keyboard = Keyboard(visitor)
        email = visitor.find("textbox", "Email address")
        keyboard.tab_to(email)
        keyboard.type("not an address")
        with visitor.expecting(422):
            keyboard.enter()
        keyboard.tab_to(visitor.page.get_by_role("alert").get_by_role("link"))
        keyboard.press("Enter")
        visitor.page.wait_for_url("**#email")
        if not eyes.has_focus(email):
            keyboard.tab()
        assert eyes.has_focus(email)
        assert email.get_attribute("aria-invalid") == "true"


def test_the_schedule_by_day_and_week_by_keyboard_alone(shop: Served, browser: Browser) -> None:
    """On a low phone; what is chosen stays chosen, and the strip of days leads to its day."""
    begins = shop.world.now() + timedelta(days=2)
    yoga = Activity(
        id=f"ny.{begins:%Y%m%dT%H%M}.keys",
        location_id="ny",
        zone="America/New_York",
        service_id="yoga",
        name="Morning yoga",
        starts_at=begins,
        ends_at=begins + timedelta(hours=1),
        places=8,
    )
    bookings.create_activities([yoga])
    with Visitor(browser, shop.address, SMALL_PHONE) as visitor:
        visitor.open("/schedule")
        visitor.choose_location("New York")
        keyboard = Keyboard(visitor)
        main = visitor.page.locator("main")
        day = main.get_by_role("navigation", name="Days of this week").get_by_role("link")
        keyboard.tab_to(day)
        keyboard.press("Enter")
        assert visitor.page.url.endswith("#day-2026-02-02")
        keyboard.go(visitor.find("link", "Next week"))
        assert "Nothing in this week" in visitor.words
        keyboard.go(visitor.find("link", "Today"))
        keyboard.go(main.get_by_role("navigation", name="View").get_by_role("link", name="Day"))
        assert "Nothing on this day" in visitor.words
        keyboard.go(visitor.find("link", "Next day"))
        keyboard.go(visitor.find("link", "Next day"))
        keyboard.go(main.get_by_role("link", name="Morning yoga"))
        assert visitor.find("heading", "Morning yoga").is_visible()
        keyboard.go(main.get_by_role("link", name="Schedule"))
        assert "from=2026-02-02" in visitor.path
        assert visitor.complaints == []
