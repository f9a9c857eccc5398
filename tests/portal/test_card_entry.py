"""A card that is entered in a field of the provider's, in a page of ours ([CARDS], [CHECKOUT])."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from infra.local.http_api import Response
from infra.local.sandbox_faults import Fault, Operation
from infra.local.world import LocalWorld
from shared.domain.customer import MAX_CARDS
from shared.domain.subscription import SubscriptionState
from shared.operations import card_link
from shared.store import catalogue as catalogues
from tests.portal.customers import FORM, INPUT, Customer
from tests.shop_floor import (
    FAILS_LATER,
    LOST_CARD,
    WORKS,
    books_hold,
    catalogue_of,
    go_to,
    head,
    newcomer,
    open_shop,
    subscribed,
    subscription_of,
)

TOKEN = "a-token-with-at-least-128-random-bits"
LINK = f"/card-update/{TOKEN}"
FRAME = re.compile(r'<iframe[^>]* src="([^"]+)"')
OTHER = "5454545454545454"


@pytest.fixture
def world() -> Iterator[LocalWorld]:
    with open_shop("2026-01-31 15:00", preferred_provider="cardpointe") as opened:
        yield opened
        opened.run_due()
        books_hold(opened)


@pytest.fixture
def ada(world: LocalWorld) -> Customer:
    return Customer(world, newcomer(world))


def token_of(world: LocalWorld, number: str = WORKS) -> str:
    return world.banks.cardpointe.tokenize(number)


def card(world: LocalWorld, number: str = WORKS, **more: Any) -> dict[str, Any]:
    return {"token": token_of(world, number), "exp_month": 8, "exp_year": 2029, **more}


def stored(world: LocalWorld) -> str:
    """Everything that is kept, and everything that was written to anybody."""
    dynamodb = world.client("dynamodb")
    names = dynamodb.list_tables()["TableNames"]
    items = [item for name in names for item in dynamodb.scan(TableName=name)["Items"]]
    return json.dumps([items, [mail.text for mail in world.mailbox.sent()]], default=str)


def policy(response: Response) -> dict[str, str]:
    rules = (response.header("content-security-policy") or "").split("; ")
    return {name: value for name, _, value in (rule.partition(" ") for rule in rules)}


# The page


def test_adding_a_card_leads_to_our_page_with_the_providers_field(ada: Customer) -> None:
    answer = ada.press("/cards", next="/checkout?cart=7")
    assert answer.status == 303
    there = urlsplit(answer.header("location") or "")
    assert there.path == "/cards/enter"
    assert parse_qs(there.query) == {"provider": ["cardpointe"], "next": ["/checkout?cart=7"]}
    page = ada.see(f"{there.path}?{there.query}")
    assert page.status == 200
    (frame,) = FRAME.findall(page.text)
    assert "/itoke/ajax-tokenizer.html?" in frame
    assert dict(INPUT.findall(page.text))["next"] == "/checkout?cart=7"


def test_only_the_page_with_the_field_may_show_a_frame_and_only_the_providers(
    world: LocalWorld, ada: Customer
) -> None:
    page = ada.see("/cards/enter")
    frame = unescape(FRAME.findall(page.text)[0])
    parts = urlsplit(frame)
    assert policy(page)["frame-src"] == f"{parts.scheme}://{parts.netloc}"
    assert policy(page)["script-src"] == "'self'"
    assert "<script src=" in page.text
    assert re.search(r"<script(?! src=)", page.text) is None
    for path in ("/cards", "/shop"):
        assert "frame-src" not in policy(ada.see(path))
    assert "frame-src" not in policy(world.request("GET", "/sign-in", [("accept", "text/html")]))


def test_without_script_the_page_says_why_it_needs_one_and_how_to_reach_the_shop(
    ada: Customer,
) -> None:
    page = ada.see("/cards/enter").text
    without = page[page.index("<noscript>") : page.index("</noscript>")]
    assert "JavaScript" in without
    assert "/contact" in without


def test_programs_read_where_the_field_is(ada: Customer) -> None:
    found = ada.read("/cards/enter?next=/account")
    assert found["provider"] == "cardpointe"
    assert found["next"] == "/account"
    assert found["years"][0] == 2026
    assert urlsplit(found["frame_url"]).path.endswith("/itoke/ajax-tokenizer.html")


def test_nobody_enters_a_card(world: LocalWorld) -> None:
    answer = world.request("GET", "/cards/enter", [("accept", "text/html")])
    assert (answer.header("location") or "").startswith("/sign-in")
    content = [("accept", "application/json"), ("content-type", "application/json")]
    assert world.request("POST", "/cards/enter", content, json.dumps({})).status == 401


@pytest.mark.parametrize("provider", ["sandbox", "stripe", "no-such"])
def test_a_provider_with_a_page_of_its_own_has_none_here(ada: Customer, provider: str) -> None:
    assert ada.get(f"/cards/enter?provider={provider}").status == 404


# Saving


def test_a_card_is_on_file_once_its_token_is_posted(world: LocalWorld, ada: Customer) -> None:
    answer = ada.press("/cards/enter", **card(world), next="/cards")
    assert answer.status == 303
    assert answer.header("location") == "/cards?done=card_added"
    (one,) = head(ada.id).value.cards
    assert (one.provider, one.brand, one.last4) == ("cardpointe", "visa", "4242")
    assert (one.exp_month, one.exp_year) == (8, 2029)
    assert head(ada.id).value.default_card == one.id
    assert WORKS not in stored(world)


def test_programs_get_the_cards_on_file(world: LocalWorld, ada: Customer) -> None:
    answer = ada.post("/cards/enter", card(world))
    assert answer.status == 200
    assert [one["card"]["last4"] for one in answer.json()["cards"]] == ["4242"]


def test_the_checkout_goes_on_with_the_card_that_was_added(
    world: LocalWorld, ada: Customer
) -> None:
    answer = ada.press("/cards/enter", **card(world), next="/checkout?x=1")
    (one,) = head(ada.id).value.cards
    there = urlsplit(answer.header("location") or "")
    assert there.path == "/checkout"
    assert parse_qs(there.query)["card"] == [one.id]


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example", "javascript:x"])
def test_nobody_is_led_to_another_site(world: LocalWorld, ada: Customer, wanted: str) -> None:
    answer = ada.press("/cards/enter", **card(world), next=wanted)
    assert answer.header("location") == "/cards?done=card_added"


def test_pressing_twice_saves_one_card(world: LocalWorld, ada: Customer) -> None:
    for _ in range(2):
        assert ada.press("/cards/enter", **card(world)).status == 303
    assert len(head(ada.id).value.cards) == 1


def test_the_same_card_with_a_later_expiry_is_the_same_card_renewed(
    world: LocalWorld, ada: Customer
) -> None:
    ada.press("/cards/enter", **card(world))
    (first,) = head(ada.id).value.cards
    ada.press("/cards/enter", **card(world, exp_year=2033))
    (renewed,) = head(ada.id).value.cards
    assert (renewed.id, renewed.exp_year) == (first.id, 2033)


def test_a_card_that_was_removed_can_be_entered_again(world: LocalWorld, ada: Customer) -> None:
    for _ in range(2):
        ada.press("/cards/enter", **card(world))
        (one,) = head(ada.id).value.cards
        assert ada.press(f"/cards/{one.id}/remove").status == 303
    assert head(ada.id).value.cards == ()
    ada.press("/cards/enter", **card(world))
    assert len(head(ada.id).value.cards) == 1


def test_cards_of_both_providers_stand_side_by_side(world: LocalWorld, ada: Customer) -> None:
    ada.press("/cards/enter", **card(world))
    ada.press("/cards/enter", **card(world, OTHER))
    customer = head(ada.id).value
    assert [one.brand for one in customer.cards] == ["visa", "mastercard"]
    assert len({one.provider_customer for one in customer.cards}) == 1


def test_at_the_limit_of_cards_no_other_is_added(world: LocalWorld, ada: Customer) -> None:
    for n in range(MAX_CARDS):
        number = f"41111111111111{n}{check(f'41111111111111{n}')}"
        assert ada.press("/cards/enter", **card(world, number)).status == 303
    assert len(head(ada.id).value.cards) == MAX_CARDS
    answer = ada.post("/cards/enter", card(world))
    assert (answer.status, answer.json()["code"]) == (409, "too_many_cards")
    assert ada.get("/cards/enter").status == 409


def check(digits: str) -> int:
    """The digit that makes a card number of these."""
    total = 0
    for at, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 if at % 2 else 2)
        total += value - 9 if value > 9 else value
    return -total % 10


def test_only_so_many_cards_are_tried_in_an_hour(world: LocalWorld, ada: Customer) -> None:
    """Thieves try stolen numbers where nobody counts."""
    tried = [ada.post("/cards/enter", card(world, LOST_CARD)) for _ in range(11)]
    assert [one.status for one in tried] == [402] * 10 + [429]
    assert int(tried[-1].header("retry-after") or "0") > 0
    assert ada.post("/cards/enter", card(world)).status == 429
    world.advance(timedelta(hours=1))
    ada.sign_in()
    assert ada.post("/cards/enter", card(world)).status == 200


# Bad input


NUMBERS = ["4242424242424242", "4242 4242 4242 4242", "4242-4242-4242-4242", "371449635398431"]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_card_number_is_refused_and_neither_kept_nor_logged(
    world: LocalWorld,
    ada: Customer,
    number: str,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    content = {"token": number, "exp_month": 8, "exp_year": 2029}
    answer = ada.post("/cards/enter", content)
    assert answer.status == 422
    assert list(answer.json()["fields"]) == ["token"]
    page = ada.press("/cards/enter", **content)
    assert page.status == 422
    printed = capfd.readouterr()
    everything = [answer.text, page.text, stored(world), printed.out, printed.err, caplog.text]
    assert all(number not in one for one in everything)
    assert head(ada.id).value.cards == ()


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"token": ""}, "token"),
        ({"token": "with spaces in it"}, "token"),
        ({"token": "x" * 101}, "token"),
        ({"exp_month": 0}, "exp_month"),
        ({"exp_month": 13}, "exp_month"),
        ({"exp_month": "soon"}, "exp_month"),
        ({"exp_year": 29}, "exp_year"),
        ({"exp_month": 12, "exp_year": 2025}, "exp_month"),
    ],
)
def test_what_is_wrong_is_named(
    world: LocalWorld, ada: Customer, changed: dict[str, Any], field: str
) -> None:
    answer = ada.post("/cards/enter", card(world) | changed)
    assert answer.status == 422
    assert list(answer.json()["fields"]) == [field]
    assert head(ada.id).value.cards == ()


def test_a_wrong_form_is_shown_again_without_the_token(world: LocalWorld, ada: Customer) -> None:
    token = token_of(world)
    page = ada.press("/cards/enter", token=token, exp_month=12, exp_year=2025, next="/account")
    assert page.status == 422
    assert "This card has expired." in page.text
    assert token not in page.text
    assert dict(INPUT.findall(page.text))["next"] == "/account"
    assert FRAME.findall(page.text)
    assert "frame-src" in policy(page)


def test_a_card_that_the_bank_does_not_take_is_not_saved(world: LocalWorld, ada: Customer) -> None:
    answer = ada.post("/cards/enter", card(world, LOST_CARD))
    assert (answer.status, answer.json()["code"]) == (402, "card_declined")
    page = ada.press("/cards/enter", **card(world, LOST_CARD))
    assert page.status == 402
    assert "does not take this card" in page.text
    assert head(ada.id).value.cards == ()


@pytest.mark.parametrize("fault", [Fault.TIMEOUT_BEFORE, Fault.TIMEOUT_AFTER, Fault.ERROR_AFTER])
def test_when_the_provider_does_not_answer_the_card_can_be_entered_again(
    world: LocalWorld, ada: Customer, fault: Fault
) -> None:
    for operation in (Operation.CHARGE, Operation.START_CARD_SETUP):
        world.banks.cardpointe.misbehave(operation, fault)
        answer = ada.post("/cards/enter", card(world))
        assert (answer.status, answer.json()["code"]) == (503, "unavailable")
        assert head(ada.id).value.cards == ()
    assert ada.post("/cards/enter", card(world)).status == 200
    assert len(head(ada.id).value.cards) == 1


def test_a_token_that_the_provider_does_not_know_saves_nothing(
    ada: Customer,
) -> None:
    content = {"token": "9411111111111111", "exp_month": 8, "exp_year": 2029}
    assert ada.post("/cards/enter", content).status == 402
    assert head(ada.id).value.cards == ()


# By an emailed link


@pytest.fixture
def late(world: LocalWorld) -> str:
    """Her renewal was declined on a card elsewhere, and she holds a link to update the card."""
    catalogues.publish(catalogue_of(preferred_provider="sandbox"))
    customer_id = subscribed(world, "month", number=FAILS_LATER)
    catalogues.publish(catalogue_of(preferred_provider="cardpointe"))
    go_to(world, "2026-02-28 04:59")
    card_link.mint(
        customer_id=customer_id,
        subscription_id=subscription_of(customer_id).id,
        now=world.now(),
        token=TOKEN,
        public_url=world.public_url,
    )
    return customer_id


def by_link(world: LocalWorld, method: str, path: str, **form: Any) -> Response:
    headers = [("accept", "text/html"), ("content-type", FORM)]
    return world.request(method, path, headers, urlencode(form) if method == "POST" else "")


def test_a_card_entered_by_the_link_pays_what_is_owed_and_the_link_is_dead(
    world: LocalWorld, late: str
) -> None:
    away = by_link(world, "POST", LINK)
    assert away.status == 303
    there = (away.header("location") or "").removeprefix(world.public_url)
    assert there.startswith(f"{LINK}/enter?")
    page = by_link(world, "GET", there)
    assert page.status == 200
    assert "$53.04" in page.text
    assert "frame-src" in policy(page)
    assert page.header("referrer-policy") == "strict-origin"
    paid = by_link(world, "POST", f"{LINK}/enter", **card(world))
    assert paid.status == 200
    assert "Nothing is owed any more" in paid.text
    assert subscription_of(late).state is SubscriptionState.ACTIVE
    (taken,) = world.banks.cardpointe.charges()
    assert (taken.amount, taken.kept) == (5_304, True)
    assert by_link(world, "GET", f"{LINK}/enter").status == 404
    assert by_link(world, "POST", f"{LINK}/enter", **card(world)).status == 404


def test_looking_at_the_page_of_the_link_uses_nothing_up(world: LocalWorld, late: str) -> None:
    for _ in range(3):
        assert by_link(world, "GET", f"{LINK}/enter").status == 200
    assert len(head(late).value.cards) == 1


def test_a_wrong_card_by_the_link_is_entered_again(world: LocalWorld, late: str) -> None:
    for number, status in ((LOST_CARD, 402), (WORKS, 200)):
        page = by_link(world, "POST", f"{LINK}/enter", **card(world, number))
        assert page.status == status
    assert len(head(late).value.cards) == 2
    assert world.banks.cardpointe.charges()[0].kept


def test_an_unknown_link_enters_nothing(world: LocalWorld, late: str) -> None:
    unknown = "/card-update/nobody-has-this-token/enter"
    assert by_link(world, "GET", unknown).status == 404
    assert by_link(world, "POST", unknown, **card(world)).status == 404
    assert by_link(world, "POST", unknown, token="").status in (404, 422)
    assert len(head(late).value.cards) == 1
