"""The portal through Stripe's adapter against localstripe: buy, renew, decline, update the card,
recover, refund, over HTTP and the clock. Dates are worked out by hand ([ANCHOR] [2359])."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest

from infra.local.http_api import Response
from tests.localstripe.service import LocalStripe
from tests.localstripe.shop import OLGA, TEN, WEEKLY, Shop, open_shop
from tests.scenario.person import Person, header, move_clock
from tests.shop_floor import customers

pytestmark = pytest.mark.xdist_group("localstripe")

START = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
"""A Monday."""

SUNDAY = "2026-01-12T04:59:00Z"
"""23:59 in New York, before the second week starts."""

A_WEEK_LATER = "2026-01-19T04:59:00Z"

WORKS = "4242424242424242"
FAILS_LATER = "4000000000000341"
NEVER_SAVED = "4000000000000002"
ALWAYS_AUTHENTICATES = "4000002760003184"


@pytest.fixture
def shop(localstripe: LocalStripe) -> Iterator[Shop]:
    with open_shop(localstripe, START) as opened:
        yield opened


def buyer(shop: Shop, number: str = WORKS, *products: str) -> Person:
    """Somebody who has just bought, with a card typed into the hosted page."""
    person = Person(shop.world, "ada@example.com")
    person.go("POST", "/cart/location", {"location": "ny", "next": "/shop"})
    for product in products or ("weekly",):
        person.add(product)
    person.sign_in()
    person.save_card(number)
    paid = person.pay()
    assert paid.status == 200, paid.text
    return person


def default_to(person: Person, number: str) -> None:
    """Save another card and name it the default."""
    person.sign_in()
    person.save_card(number)
    card = card_of(person, number)
    assert person.go("POST", f"/cards/{card}/default").status == 200


def card_of(person: Person, number: str) -> str:
    cards = person.data("/cards")["cards"]
    (found,) = [one["card"]["id"] for one in cards if one["card"]["last4"] == number[-4:]]
    return str(found)


def subscription_of(person: Person) -> dict[str, object]:
    (found,) = person.data("/subscriptions")["subscriptions"]
    return dict(found)


def test_a_pack_and_a_subscription_are_bought_and_renewed(shop: Shop) -> None:
    ada = buyer(shop, WORKS, "ten", "weekly")
    assert shop.paid() == [TEN + WEEKLY]
    (customer,) = shop.localstripe.all("customers")
    assert customer["email"] == "ada@example.com"
    assert len(ada.data("/packs")["packs"]) == 2

    move_clock(shop.world, "2026-01-12T04:58:59Z")
    assert shop.paid() == [TEN + WEEKLY]
    move_clock(shop.world, SUNDAY)
    assert shop.paid() == [TEN + WEEKLY, WEEKLY]

    # localstripe's word about all this comes last, and changes nothing.
    told = shop.webhooks.hand_on(shop.world)
    assert told == ["customer.created", *["payment_intent.succeeded"] * 2]
    ada.sign_in()
    assert len(ada.data("/packs")["packs"]) == 3
    assert len(ada.data("/payments")["payments"]) == 2


def test_every_call_that_moves_money_reached_localstripe(shop: Shop) -> None:
    buyer(shop)
    move_clock(shop.world, A_WEEK_LATER)
    reached = shop.localstripe.reached
    assert reached["POST customers"] == 1
    assert reached["POST payment_methods/{id}/attach"] == 1
    assert reached["POST payment_intents"] == 3
    assert reached["POST payment_intents/{id}/confirm"] == 3


def test_a_declined_renewal_recovers_by_the_emailed_link(shop: Shop) -> None:
    ada = buyer(shop)
    default_to(ada, FAILS_LATER)
    move_clock(shop.world, SUNDAY)
    shop.webhooks.hand_on(shop.world)
    move_clock(shop.world, "2026-01-13T12:00:00Z")
    ada.sign_in()
    for path in ("/shop", "/packs", "/subscriptions", "/account"):
        page = ada.page(path)
        assert "$21.65" in page, f"{path} does not say what is owed"
        assert "January 13, 2026" in page, f"{path} does not say when the next try is"

    olga = Person(shop.world, OLGA)
    olga.sign_in(at="/console/sign-in")
    (customer_id,) = customers()
    sent = olga.go("POST", f"/console/customers/{customer_id}/card-update-email")
    assert sent.status == 200, sent.text
    shop.world.run_due()
    back = update_card(shop, emailed_link(ada))
    assert "Nothing is owed any more" in back.text
    assert subscription_of(ada)["state"] == "active"
    assert "$21.65" not in ada.page("/account").partition("<main")[0]
    assert len(ada.data("/packs")["packs"]) == 2

    # One payment at localstripe, tried three times: twice by the clock, then with the new card.
    payment = shop.localstripe.all("payment_intents")[-1]
    assert payment["status"] == "succeeded"
    assert [one["status"] for one in shop.tries(payment["id"])] == ["failed", "failed", "succeeded"]
    assert len({one["metadata"]["attempt_id"] for one in shop.tries(payment["id"])}) == 3
    assert shop.paid() == [WEEKLY, WEEKLY]
    move_clock(shop.world, A_WEEK_LATER)
    assert shop.paid() == [WEEKLY] * 3


def emailed_link(person: Person) -> str:
    """The path of the link to update a card that has just been sent."""
    found = re.search(r"/card-update/[\w\-.~]+", person.mails()[0]["text"])
    assert found is not None, person.mails()[0]
    return found[0]


def update_card(shop: Shop, path: str) -> Response:
    """By the link alone, in a browser that is not signed in."""
    browser = Person(shop.world, "nobody@example.com")
    assert browser.ask("GET", path).status == 200
    away = browser.ask("POST", path)
    assert away.status == 303, away.text
    form = {"number": WORKS, "expiry": "12 / 34", "cvc": "123"}
    return browser.go("POST", header(away, "location"), form)


def test_six_declines_end_the_subscription_and_one_payment_has_them_all(shop: Shop) -> None:
    ada = buyer(shop)
    default_to(ada, FAILS_LATER)
    move_clock(shop.world, "2026-01-20T12:00:00Z")
    ada.sign_in()
    assert subscription_of(ada)["state"] == "cancelled"
    first, renewal = shop.localstripe.all("payment_intents")
    assert first["status"] == "succeeded"
    assert [one["status"] for one in shop.tries(renewal["id"])] == ["failed"] * 6
    assert shop.webhooks.hand_on(shop.world).count("payment_intent.payment_failed") == 6
    assert shop.paid() == [WEEKLY]


def test_a_card_that_the_bank_does_not_take_is_not_put_on_file(shop: Shop) -> None:
    ada = Person(shop.world, "ada@example.com")
    ada.sign_in()
    hosted = header(ada.ask("POST", "/cards"), "location")
    refused = ada.go("POST", hosted, {"number": NEVER_SAVED, "expiry": "12/34", "cvc": "123"})
    assert refused.status == 402
    assert "declined" in refused.text
    assert ada.data("/cards")["cards"] == []
    again = ada.go("POST", hosted, {"number": WORKS, "expiry": "12/34", "cvc": "123"})
    assert urlsplit(hosted).path not in again.text
    assert len(ada.data("/cards")["cards"]) == 1


def test_a_removed_card_is_detached_there_and_renewals_go_to_the_other(shop: Shop) -> None:
    ada = buyer(shop)
    default_to(ada, "5555555555554444")
    old = card_of(ada, WORKS)
    assert ada.go("POST", f"/cards/{old}/remove").status == 200
    assert shop.localstripe.call("GET", f"payment_methods/{old}")["customer"] is None
    move_clock(shop.world, SUNDAY)
    charges = shop.localstripe.all("charges")
    assert [one["payment_method"] for one in charges] == [old, card_of_last(shop)]


def card_of_last(shop: Shop) -> str:
    """The other card that is there."""
    (customer,) = shop.localstripe.all("customers")
    (card,) = shop.localstripe.all("payment_methods", customer=customer["id"], type="card")
    return str(card["id"])


def test_the_bank_asks_the_customer_at_the_purchase_and_again_at_the_renewal(shop: Shop) -> None:
    ada = Person(shop.world, "ada@example.com")
    ada.go("POST", "/cart/location", {"location": "ny", "next": "/shop"})
    ada.add("weekly")
    ada.sign_in()
    asked = ada.save_card(ALWAYS_AUTHENTICATES)
    confirm(ada, asked)
    confirm(ada, ada.pay())
    assert shop.paid() == [WEEKLY]

    move_clock(shop.world, "2026-01-12T12:00:00Z")
    assert shop.paid() == [WEEKLY]
    link = re.search(r"https?://\S+/authenticate/\S+", ada.mails()[0]["text"])
    assert link is not None, ada.mails()[0]["text"]
    ada.sign_in()
    confirm(ada, ada.ask("GET", link[0]))
    assert shop.paid() == [WEEKLY, WEEKLY]
    assert subscription_of(ada)["state"] == "active"


def confirm(person: Person, page: Response) -> Response:
    """Press "Confirm" on the bank's page, and come back."""
    action = re.search(r'<form method="post" action="([^"]+)">', page.text)
    assert action is not None, page.text
    back = person.go("POST", person.world.public_url + action[1], {"answer": "confirm"})
    assert back.status == 200, back.text
    return back
