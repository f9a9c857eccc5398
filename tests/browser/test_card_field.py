"""A card entered in the provider's own field, in a page of ours: on a phone and at a desk, by
keyboard, without script, and with messages that are not the field's ([CARDS], [A11Y])."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, FrameLocator, Request, expect

from shared.operations import card_link
from shared.store import catalogue as catalogues
from tests.browser.keyboard import Keyboard
from tests.browser.served import Served
from tests.browser.tour import Tour
from tests.browser.visitor import DESK, PHONE, Screen, Visitor
from tests.scenario.person import Person
from tests.scenario.test_fourteen_months import CATALOGUE

pytestmark = pytest.mark.xdist_group("browser")

ADA = "ada@example.com"
WORKS = "4242424242424242"
OTHER = "5454545454545454"
LOST = "4000000000009987"
FIELD = "#card-frame"


@pytest.fixture
def field_shop(shop: Served) -> Served:
    """The shop, whose new cards go to the provider that has a field and no page."""
    settings = CATALOGUE.settings.model_copy(update={"preferred_provider": "cardpointe"})
    catalogues.publish(CATALOGUE.model_copy(update={"settings": settings}))
    return shop


@pytest.fixture
def person(field_shop: Served) -> Person:
    ada = Person(field_shop.world, ADA)
    ada.sign_in()
    return ada


@pytest.fixture(params=[PHONE, DESK], ids=str)
def ada(
    field_shop: Served, browser: Browser, person: Person, request: pytest.FixtureRequest
) -> Iterator[Visitor]:
    screen: Screen = request.param
    with Visitor(browser, field_shop.address, screen) as visitor:
        visitor.be(person)
        visitor.open("/cards")
        visitor.press("button", "Add a card")
        yield visitor
        assert visitor.complaints == []


def field(visitor: Visitor) -> FrameLocator:
    return visitor.page.frame_locator(FIELD)


def enter(visitor: Visitor, number: str, *, code: str = "123") -> None:
    field(visitor).get_by_label("Card number").fill(number)
    field(visitor).get_by_label("Security code").fill(code)


def choose_expiry(visitor: Visitor) -> None:
    visitor.page.get_by_label("Month").select_option("12")
    visitor.page.get_by_label("Year").select_option("2029")


def on_file(person: Person) -> list[str]:
    return [one["card"]["last4"] for one in person.data("/cards")["cards"]]


def test_a_card_is_saved_and_its_number_goes_to_the_provider_alone(
    ada: Visitor, person: Person
) -> None:
    carried: list[str] = []

    def note(request: Request) -> None:
        if WORKS in (request.post_data or "") + request.url:
            carried.append(request.url.removeprefix(ada.address))

    ada.context.on("request", note)
    assert ada.path.startswith("/cards/enter?")
    enter(ada, WORKS)
    choose_expiry(ada)
    ada.press("button", "Save card")
    assert ada.path.startswith("/cards?")
    assert "Your card is saved." in ada.words
    assert on_file(person) == ["4242"]
    assert set(carried) == {"/_local/cardpointe/cardsecure/api/v1/ccn/tokenize"}


def test_the_card_that_was_typed_last_is_the_one_that_is_saved(
    ada: Visitor, person: Person
) -> None:
    enter(ada, WORKS)
    choose_expiry(ada)
    expect(ada.page.locator("#card-token")).not_to_have_value("")
    field(ada).get_by_label("Card number").fill(OTHER)
    ada.press("button", "Save card")
    assert on_file(person) == ["5454"]


def test_what_is_wrong_with_a_number_is_said_beside_the_field(ada: Visitor, person: Person) -> None:
    enter(ada, "4242424242424241")
    choose_expiry(ada)
    problem = ada.page.get_by_role("alert")
    expect(problem).to_have_text("Check the card number and the security code.")
    ada.touch(ada.find("button", "Save card"))
    expect(problem).to_be_focused()
    assert ada.path.startswith("/cards/enter?")
    enter(ada, WORKS)
    ada.press("button", "Save card")
    assert on_file(person) == ["4242"]


def test_a_card_that_the_bank_refuses_can_be_followed_by_another(
    ada: Visitor, person: Person
) -> None:
    enter(ada, LOST)
    choose_expiry(ada)
    with ada.expecting(402):
        ada.press("button", "Save card")
    assert "does not take this card" in ada.words
    assert on_file(person) == []
    enter(ada, WORKS)
    assert ada.page.get_by_label("Year").input_value() == "2029"
    ada.press("button", "Save card")
    assert on_file(person) == ["4242"]


def test_messages_of_anybody_else_are_no_cards(ada: Visitor, person: Person) -> None:
    ada.page.evaluate("window.postMessage(JSON.stringify({message: '9411111111111111'}), '*')")
    ada.page.evaluate(
        """() => new Promise((done) => {
          const other = document.createElement('iframe');
          other.srcdoc = '';
          document.body.append(other);
          window.setTimeout(done, 300);
        })"""
    )
    assert ada.page.locator("#card-token").input_value() == ""
    choose_expiry(ada)
    ada.touch(ada.find("button", "Save card"))
    assert ada.page.get_by_role("status").inner_text() == "Reading the card…"
    assert on_file(person) == []


def test_a_card_is_added_by_keyboard_alone(
    field_shop: Served, browser: Browser, person: Person
) -> None:
    with Visitor(browser, field_shop.address) as visitor:
        visitor.be(person)
        visitor.open("/cards/enter")
        keyboard = Keyboard(visitor)
        field(visitor).get_by_label("Card number").wait_for()
        keyboard.tab_to(visitor.page.locator(FIELD))
        keyboard.type(WORKS)
        visitor.page.keyboard.press("Tab")
        keyboard.type("123")
        visitor.page.keyboard.press("Tab")
        keyboard.type("12")
        visitor.page.keyboard.press("Tab")
        keyboard.type("2029")
        visitor.page.keyboard.press("Tab")
        keyboard.enter()
        assert on_file(person) == ["4242"]
        assert visitor.complaints == []


def test_without_script_the_page_says_what_it_needs_and_how_to_reach_the_shop(
    field_shop: Served, browser: Browser, person: Person
) -> None:
    with Visitor(browser, field_shop.address, PHONE, script=False) as visitor:
        visitor.be(person)
        visitor.open("/cards/enter")
        assert "This card field needs JavaScript" in visitor.words
        assert visitor.page.locator("#card-form").is_hidden()
        visitor.press_it(visitor.page.locator("main").get_by_role("link", name="contact us").first)
        assert visitor.path == "/contact"
        assert visitor.complaints == []


def test_the_page_is_for_everybody(field_shop: Served, browser: Browser, person: Person) -> None:
    with Tour(browser, field_shop.address, person) as tour:
        visitor = tour.visitor
        visitor.open("/cards/enter")
        field(visitor).get_by_label("Card number").wait_for()
        tour.look("card-field")
        enter(visitor, "4242424242424241")
        expect(visitor.page.get_by_role("alert")).to_be_visible()
        tour.look("card-field-wrong")


def test_by_an_emailed_link_too(field_shop: Served, browser: Browser, person: Person) -> None:
    world = field_shop.world
    person.add("monthly")
    token = world.banks.cardpointe.tokenize("4000000000000341")
    answer = person.go("POST", "/cards/enter", {"token": token, "exp_month": 12, "exp_year": 2029})
    assert answer.status == 200
    (card,) = person.data("/cards")["cards"]
    world.banks.cardpointe.let_card_behave_as(card["card"]["id"].replace("-", "/"), WORKS)
    assert person.pay().status == 200
    world.banks.cardpointe.let_card_behave_as(
        card["card"]["id"].replace("-", "/"), "4000000000000341"
    )
    world.advance(timedelta(days=28))
    link = card_link.mint(
        customer_id=person.cookies["__Host-session"].split(".")[0],
        subscription_id=None,
        now=world.now(),
        token="a-token-with-at-least-128-random-bits",
        public_url=world.public_url,
    )
    with Visitor(browser, field_shop.address, PHONE) as visitor:
        visitor.open(urlsplit(link).path)
        visitor.press("button", "Add a new card")
        assert "/enter?" in visitor.path
        assert "$53.04" in visitor.words
        enter(visitor, WORKS)
        choose_expiry(visitor)
        visitor.press("button", "Save card")
        assert "Nothing is owed any more" in visitor.words
        assert visitor.complaints == []
