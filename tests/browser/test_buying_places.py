"""A place that is bought as it is booked, in a browser: by keyboard alone, and every page on the
way looked at ([BOOK], [A11Y])."""

from datetime import timedelta
from decimal import Decimal

import pytest
from playwright.sync_api import Browser

from shared.domain.activity import Activity
from shared.domain.business import Location, Service
from shared.store import bookings
from shared.store import catalogue as catalogues
from tests.browser.keyboard import Keyboard
from tests.browser.served import Served
from tests.browser.tour import Tour
from tests.browser.visitor import PHONE, Screen, Visitor
from tests.scenario.person import Person
from tests.scenario.test_fourteen_months import CATALOGUE

pytestmark = pytest.mark.xdist_group("browser")

ADA = "ada@example.com"
SMALL_PHONE = Screen("small phone", PHONE.width, 480)


@pytest.fixture
def yoga(shop: Served) -> Activity:
    """A class for 30.00 and tax, in two days."""
    rated: dict[str, Location] = {
        one.id: one.model_copy(update={"service_rates": {"yoga": 3_000}})
        for one in CATALOGUE.locations
    }
    services = (Service(id="yoga", name="Yoga", unit="class", taxed=True),)
    changed = {"locations": tuple(rated.values()), "services": services}
    catalogues.publish(type(CATALOGUE)(**{**dict(CATALOGUE), **changed}))
    assert rated["ny"].tax_rate == Decimal("0.0825")
    begins = shop.world.now() + timedelta(days=2)
    made = Activity(
        id=f"ny.{begins:%Y%m%dT%H%M}.keys",
        location_id="ny",
        zone="America/New_York",
        service_id="yoga",
        name="Morning yoga",
        starts_at=begins,
        ends_at=begins + timedelta(hours=1),
        places=8,
    )
    bookings.create_activities([made])
    return made


def test_a_pack_is_bought_with_a_place_by_keyboard_alone(
    shop: Served, browser: Browser, yoga: Activity
) -> None:
    with Visitor(browser, shop.address, SMALL_PHONE) as visitor:
        visitor.sign_in(ADA)
        visitor.open("/shop")
        visitor.choose_location("New York")
        visitor.open(f"/schedule/{yoga.id}")
        keyboard, find = Keyboard(visitor), visitor.find
        people = visitor.page.get_by_label("Participants")
        keyboard.tab_to(people)
        keyboard.press("ArrowUp")
        keyboard.go(find("button", "Show the price"))
        assert "$60.00 + $4.95 tax = $64.95" in visitor.words
        keyboard.go(find("button", "Add a card"))
        keyboard.tab_to(find("textbox", "Card number"))
        keyboard.type("4242424242424242")
        keyboard.tab_to(find("textbox", "Expiry date"))
        keyboard.type("12/34")
        keyboard.tab_to(find("textbox", "Security code"))
        keyboard.type("123")
        keyboard.go(find("button", "Save card"))
        assert visitor.path.startswith(f"/schedule/{yoga.id}?participants=2")
        keyboard.tab_to(visitor.page.get_by_role("radio", name="Just this once"))
        keyboard.press("ArrowDown")
        assert visitor.page.get_by_role("radio", name="Ten classes").is_checked()
        assert "2 credits for this, the other 8 for you" in visitor.words
        keyboard.go(find("button", "Book and pay now"))
        assert "booked and paid" in visitor.page.get_by_role("status").inner_text()
        assert [one.amount for one in shop.world.sandbox.charges()] == [27_063]
        assert visitor.complaints == []


def test_every_page_of_buying_a_place_is_for_everybody(
    shop: Served, browser: Browser, yoga: Activity
) -> None:
    ada = Person(shop.world, ADA)
    ada.go("POST", "/cart/location", {"location": "ny", "next": "/shop"})
    ada.sign_in()
    with Tour(browser, shop.address, ada) as tour:
        visitor = tour.visitor
        visitor.open(f"/schedule/{yoga.id}?participants=3")
        tour.look("place-without-card")
        visitor.press("button", "Add a card")
        visitor.save_card("4000 0000 0000 0341")
        tour.look("place-choices")
        with visitor.expecting(402):
            visitor.press("button", "Book and pay now")
        assert "declined by the bank" in visitor.words
        tour.look("place-declined")
        visitor.page.get_by_role("radio", name="Ten classes").check()
        visitor.press("button", "Book, and pay later")
        assert "$270.63 is not paid yet" in visitor.words
        tour.look("place-to-pay")
        reservation = visitor.path
        visitor.press("link", "Pay $270.63 now")
        assert "$270.63 to pay" in visitor.words
        tour.look("place-invoice")
        visitor.open("/packs")
        tour.look("pack-not-paid-list")
        visitor.press("link", "Ten classes")
        tour.look("pack-not-paid")
        visitor.open(f"/schedule/{yoga.id}")
        visitor.press("button", "Book, and pay later")
        tour.look("place-at-the-start")
        visitor.open("/invoices")
        assert "Estimates" in visitor.words
        tour.look("invoices-with-estimates")
        visitor.open(reservation)
        visitor.press("button", "Cancel the reservation")
        assert "Nothing is to be paid" in visitor.words
        tour.look("place-given-back")
