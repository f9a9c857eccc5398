"""Checkout through HTTP: one charge for one cart, whatever is pressed ([CHECKOUT] [ONCE] [KEY])."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from infra.local.http_api import Response
from infra.local.world import LocalWorld
from shared.domain.cart import Cart
from shared.store import accounts
from shared.store import catalogue as catalogues
from shared.store.reading import read
from tests.portal.customers import Customer, confirm, hidden_fields, save_card
from tests.portal.people import CountingEngine
from tests.shop_floor import (
    FAILS_LATER,
    NEEDS_AUTHENTICATION,
    WORKS,
    Wanted,
    asked_of,
    books_hold,
    card_of,
    card_on_file,
    catalogue_of,
    charged_at,
    charges_of,
    customer_with_card,
    fill_cart,
    head,
    invoices_of,
    newcomer,
    open_shop,
    packs_of,
    subscription_of,
)

START = "2026-03-10 15:00"


@pytest.fixture
def world() -> Iterator[LocalWorld]:
    with open_shop(START, engine=CountingEngine()) as opened:
        yield opened
        opened.run_due()
        books_hold(opened)


@pytest.fixture
def ada(world: LocalWorld) -> Customer:
    return Customer(world, customer_with_card(world))


def seen(page: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What the page's form would send."""
    return {"cart": page["cart"], "expected_total": page["expected_total"], **more}


def cart_of(customer_id: str) -> Cart:
    ref = accounts.cart(accounts.customer_pk(customer_id), "ny")
    row = read(ref).get(ref)
    assert row is not None
    return row.value


def bad_card(world: LocalWorld, customer_id: str, number: str) -> None:
    world.sandbox.let_card_behave_as(card_of(customer_id).token, number)


# --- paying ----------------------------------------------------------------------------------


def test_a_pack_and_a_subscription_are_bought_with_one_charge(
    world: LocalWorld, ada: Customer
) -> None:
    fill_cart(world, ada.id, "ten", "mat", "month")
    page = ada.read("/checkout")
    assert page["expected_total"] == 27_063 + 3_248 + 5_304
    response = ada.post("/checkout", seen(page), key="key-of-ada")
    assert response.status == 201
    order = response.json()
    assert response.header("location") == f"/orders/{page['cart']}"
    assert order["state"] == "paid"
    assert [line["name"] for line in order["lines"]] == ["Ten", "Mat", "Month"]
    assert order["totals"]["total"] == {"minor": 35_615, "currency": "USD"}
    assert order["card"]["last4"] == "4242"
    assert sorted(pack["left"] for pack in order["packs"]) == [8, 10]
    assert [one.amount for one in asked_of(world, ada.id)] == [35_615]
    assert ada.read("/cart")["lines"] == []


def test_a_person_pays_with_the_form_and_is_led_to_the_order(
    world: LocalWorld, ada: Customer
) -> None:
    fill_cart(world, ada.id, "mat")
    fields = hidden_fields(ada.see("/checkout"), "/checkout")
    assert set(fields) == {"cart", "expected_total", "seen", "idempotency_key"}
    answer = ada.press("/checkout", **fields, card=card_of(ada.id).id)
    assert answer.status == 303
    order = ada.see(answer.header("location") or "")
    assert order.status == 200
    assert "Thank you" in order.text
    assert len(charged_at(world, ada.id)) == 1


def test_the_order_says_the_same_later(world: LocalWorld, ada: Customer) -> None:
    fill_cart(world, ada.id, "ten")
    page = ada.read("/checkout")
    paid = ada.post("/checkout", seen(page), key="key-of-ada").json()
    assert ada.read(f"/orders/{page['cart']}") == paid


def test_the_first_card_is_added_on_the_providers_page_and_chosen(world: LocalWorld) -> None:
    bob = Customer(world, newcomer(world, "bob@example.com"))
    fill_cart(world, bob.id, "month")
    page = bob.read("/checkout")
    assert page["cards"] == []
    assert page["card_required"]
    refused = bob.post("/checkout", seen(page), key="key-of-bob")
    assert (refused.status, set(refused.json()["fields"])) == (422, {"card"})
    opened = bob.press("/cards", next="/checkout")
    assert opened.status == 303
    back = save_card(world, opened.header("location") or "", WORKS)
    returned = bob.see(back)
    assert returned.status == 303
    assert (returned.header("location") or "").startswith("/checkout?card=")
    assert bob.see(returned.header("location") or "").status == 200
    assert bob.post("/checkout", seen(page), key="key-of-bob").status == 201


def test_of_several_cards_the_chosen_one_is_charged_and_pays_its_subscription(
    world: LocalWorld, ada: Customer
) -> None:
    second = card_on_file(world, ada.id, "5555555555554444", default=False)
    fill_cart(world, ada.id, "month")
    page = ada.read("/checkout")
    assert page["card"] == card_of(ada.id).id
    assert ada.post("/checkout", seen(page, card=second.id), key="key-of-ada").status == 201
    assert [one.card for one in asked_of(world, ada.id)] == [second.token]
    assert subscription_of(ada.id).card_id == second.id


# --- what is charged later, or never -----------------------------------------------------------


def test_a_later_start_charges_nothing_now_and_says_when(world: LocalWorld, ada: Customer) -> None:
    fill_cart(world, ada.id, Wanted("month", starts_on=date(2026, 4, 1)))
    page = ada.read("/checkout")
    assert page["expected_total"] == 0
    (later,) = page["due_later"]
    assert (later["at"], later["amount"]["minor"]) == ("2026-04-01T04:00:00Z", 5_304)
    (terms,) = page["terms"]
    assert terms["first_charge_at"] == "2026-04-01T04:00:00Z"
    assert terms["next_charge_at"] == "2026-05-01T03:59:00Z"
    order = ada.post("/checkout", seen(page), key="key-of-ada")
    assert (order.status, order.json()["state"]) == (201, "paid")
    assert asked_of(world, ada.id) == []
    assert invoices_of(ada.id) == []


def test_a_trial_is_free_now_and_the_page_says_when_and_how_much(
    world: LocalWorld, ada: Customer
) -> None:
    fill_cart(world, ada.id, "trial")
    page = ada.read("/checkout")
    assert page["expected_total"] == 0
    (later,) = page["due_later"]
    assert (later["why"], later["at"]) == ("trial", "2026-03-24T03:59:00Z")
    assert ada.post("/checkout", seen(page), key="key-of-ada").status == 201
    assert asked_of(world, ada.id) == []
    assert ada.read("/payments")["payments"] == []
    assert [pack.trial for pack in packs_of(ada.id)] == [True]


def test_a_total_of_zero_asks_no_provider(world: LocalWorld, ada: Customer) -> None:
    fill_cart(world, ada.id, "gift")
    page = ada.read("/checkout")
    assert ada.post("/checkout", seen(page), key="key-of-ada").status == 201
    assert asked_of(world, ada.id) == []
    assert [pack.left for pack in packs_of(ada.id)] == [2]


# --- a card that says no -----------------------------------------------------------------------


def test_a_decline_creates_nothing_keeps_the_cart_and_a_new_key_pays(
    world: LocalWorld, ada: Customer
) -> None:
    bad_card(world, ada.id, FAILS_LATER)
    fill_cart(world, ada.id, "ten")
    page = ada.read("/checkout")
    declined = ada.post("/checkout", seen(page), key="first-key-of-ada")
    assert declined.status == 402
    problem = declined.json()
    assert problem["code"] == "card_declined"
    assert problem["facts"]["reason"] == "declined"
    assert (packs_of(ada.id), invoices_of(ada.id)) == ([], [])
    assert ada.read("/cart")["cart"] == page["cart"]
    good = card_on_file(world, ada.id, WORKS)
    paid = ada.post("/checkout", seen(page, card=good.id), key="second-key-of-ada")
    assert paid.status == 201
    assert len(charged_at(world, ada.id)) == 1


def test_the_same_key_after_a_decline_answers_the_same_and_asks_nobody(
    world: LocalWorld, ada: Customer
) -> None:
    bad_card(world, ada.id, FAILS_LATER)
    fill_cart(world, ada.id, "ten")
    page = ada.read("/checkout")
    first = ada.post("/checkout", seen(page), key="key-of-ada")
    again = ada.post("/checkout", seen(page), key="key-of-ada")
    assert (again.status, again.json()) == (first.status, first.json())
    assert len(asked_of(world, ada.id)) == 1


def test_a_person_sees_the_review_again_with_the_decline_and_a_new_key(
    world: LocalWorld, ada: Customer
) -> None:
    bad_card(world, ada.id, "4000000000009995")
    fill_cart(world, ada.id, "ten")
    fields = hidden_fields(ada.see("/checkout"), "/checkout")
    again = ada.press("/checkout", **fields, card=card_of(ada.id).id)
    assert again.status == 402
    assert "does not have enough money on it" in again.text
    now = hidden_fields(again, "/checkout")
    assert now["cart"] == fields["cart"]
    assert now["idempotency_key"] != fields["idempotency_key"]


def test_the_order_of_a_declined_cart_leads_back(world: LocalWorld, ada: Customer) -> None:
    bad_card(world, ada.id, FAILS_LATER)
    fill_cart(world, ada.id, "ten")
    page = ada.read("/checkout")
    ada.post("/checkout", seen(page), key="key-of-ada")
    order = ada.read(f"/orders/{page['cart']}")
    assert (order["state"], order["packs"]) == ("declined", [])
    assert 'href="/checkout"' in ada.see(f"/orders/{page['cart']}").text


# --- the bank asks -----------------------------------------------------------------------------


def test_whoever_confirms_sees_the_paid_order_at_once(world: LocalWorld, ada: Customer) -> None:
    bad_card(world, ada.id, NEEDS_AUTHENTICATION)
    fill_cart(world, ada.id, "ten")
    world.sandbox.webhooks(hold=True)
    fields = hidden_fields(ada.see("/checkout"), "/checkout")
    asked = ada.press("/checkout", **fields, card=card_of(ada.id).id)
    assert asked.status == 303
    back = confirm(world, asked.header("location") or "")
    assert back == f"/orders/{fields['cart']}"
    assert "Thank you" in ada.see(back).text
    assert len(packs_of(ada.id)) == 1
    world.sandbox.webhooks(hold=False)


def test_a_program_is_told_where_to_confirm(world: LocalWorld, ada: Customer) -> None:
    bad_card(world, ada.id, NEEDS_AUTHENTICATION)
    fill_cart(world, ada.id, "ten")
    page = ada.read("/checkout")
    asked = ada.post("/checkout", seen(page), key="key-of-ada")
    assert (asked.status, asked.json()["state"]) == (202, "confirm")
    assert asked.header("location") == f"/orders/{page['cart']}"
    assert packs_of(ada.id) == []
    assert ada.read(f"/orders/{page['cart']}")["state"] == "confirm"
    confirm(world, asked.json()["confirm_url"])
    assert ada.read(f"/orders/{page['cart']}")["state"] == "paid"


def test_a_cart_that_waits_for_the_bank_leads_to_its_order(
    world: LocalWorld, ada: Customer
) -> None:
    bad_card(world, ada.id, NEEDS_AUTHENTICATION)
    fill_cart(world, ada.id, "ten")
    page = ada.read("/checkout")
    ada.post("/checkout", seen(page), key="key-of-ada")
    assert ada.see("/checkout").header("location") == f"/orders/{page['cart']}"
    refused = ada.get("/checkout")
    assert (refused.status, refused.json()["code"]) == (409, "payment_in_progress")


def test_who_refuses_at_the_bank_keeps_the_cart(world: LocalWorld, ada: Customer) -> None:
    bad_card(world, ada.id, NEEDS_AUTHENTICATION)
    fill_cart(world, ada.id, "ten")
    page = ada.read("/checkout")
    asked = ada.post("/checkout", seen(page), key="key-of-ada").json()
    confirm(world, asked["confirm_url"], answer="decline")
    assert ada.read(f"/orders/{page['cart']}")["state"] == "declined"
    assert ada.read("/checkout")["cart"] == page["cart"]


def test_an_unknown_outcome_is_on_its_way_and_is_not_paid_again(
    world: LocalWorld, ada: Customer
) -> None:
    world.sandbox.misbehave("charge", "timeout_after")
    world.sandbox.webhooks(hold=True)
    fill_cart(world, ada.id, "ten")
    page = ada.read("/checkout")
    for key in ("key-of-ada", "other-key-of-ada"):
        answer = ada.post("/checkout", seen(page), key=key)
        assert (answer.status, answer.json()["state"]) == (202, "processing")
    assert "pay again" in ada.see(f"/orders/{page['cart']}").text
    world.advance(timedelta(hours=1))
    ada.sign_in()
    assert ada.read(f"/orders/{page['cart']}")["state"] == "paid"
    assert len(charged_at(world, ada.id)) == 1
    world.sandbox.webhooks(hold=False)


# --- pressed twice -----------------------------------------------------------------------------


def test_the_same_key_and_content_answer_the_same_and_charge_once(
    world: LocalWorld, ada: Customer
) -> None:
    fill_cart(world, ada.id, "ten")
    page = ada.read("/checkout")
    first = ada.post("/checkout", seen(page), key="key-of-ada")
    again = ada.post("/checkout", seen(page), key="key-of-ada")
    assert (again.status, again.json()) == (first.status, first.json())
    assert len(charged_at(world, ada.id)) == 1


def test_the_same_key_with_other_content_is_refused(world: LocalWorld, ada: Customer) -> None:
    fill_cart(world, ada.id, "ten")
    page = ada.read("/checkout")
    ada.post("/checkout", seen(page), key="key-of-ada")
    other = ada.post("/checkout", seen(page, expected_total=1), key="key-of-ada")
    assert (other.status, other.json()["code"]) == (409, "idempotency_key_reused")


def test_a_second_key_for_the_same_cart_finds_the_first_ones_order(
    world: LocalWorld, ada: Customer
) -> None:
    fill_cart(world, ada.id, "ten")
    page = ada.read("/checkout")
    first = ada.post("/checkout", seen(page), key="key-of-ada")
    second = ada.post("/checkout", seen(page), key="another-key-of-ada")
    assert (second.status, second.json()) == (first.status, first.json())
    assert len(charged_at(world, ada.id)) == 1


def test_the_back_button_shows_the_order_and_never_pays_for_a_newer_cart(
    world: LocalWorld, ada: Customer
) -> None:
    fill_cart(world, ada.id, "ten")
    old = hidden_fields(ada.see("/checkout"), "/checkout")
    first = ada.press("/checkout", **old, card=card_of(ada.id).id)
    fill_cart(world, ada.id, "mat")
    again = ada.press("/checkout", **old, card=card_of(ada.id).id)
    assert again.header("location") == first.header("location")
    assert len(charged_at(world, ada.id)) == 1
    assert [line.product_id for line in cart_of(ada.id).lines] == ["mat"]


def test_without_a_key_nothing_is_paid(world: LocalWorld, ada: Customer) -> None:
    fill_cart(world, ada.id, "ten")
    page = ada.read("/checkout")
    refused = ada.post("/checkout", seen(page))
    assert (refused.status, set(refused.json()["fields"])) == (422, {"Idempotency-Key"})
    assert asked_of(world, ada.id) == []


# --- the cart is another one --------------------------------------------------------------------


def test_a_cart_that_changed_answers_409_and_shows_what_it_is_now(
    world: LocalWorld, ada: Customer
) -> None:
    fill_cart(world, ada.id, "ten")
    page = ada.read("/checkout")
    fill_cart(world, ada.id, "ten", "mat")
    refused = ada.post("/checkout", seen(page), key="key-of-ada")
    problem = refused.json()
    assert (refused.status, problem["code"]) == (409, "cart_changed")
    assert [line["name"] for line in problem["facts"]["cart"]["lines"]] == ["Ten", "Mat"]
    assert asked_of(world, ada.id) == []


def test_a_price_that_changed_answers_409_and_the_page_says_so(
    world: LocalWorld, ada: Customer
) -> None:
    fill_cart(world, ada.id, "mat")
    fields = hidden_fields(ada.see("/checkout"), "/checkout")
    dearer = catalogue_of()
    products = tuple(
        one.model_copy(update={"prices": {"USD": 4_000, "EUR": 4_000}}) if one.id == "mat" else one
        for one in dearer.products
    )
    catalogues.publish(dearer.model_copy(update={"products": products}))
    refused = ada.press("/checkout", **fields, card=card_of(ada.id).id)
    assert refused.status == 409
    assert "Your cart has changed" in refused.text
    assert "$43.30" in refused.text
    assert hidden_fields(refused, "/checkout")["expected_total"] == "4330"
    assert asked_of(world, ada.id) == []


def test_a_later_charge_that_changed_is_not_agreed_to(world: LocalWorld, ada: Customer) -> None:
    fill_cart(world, ada.id, "trial")
    fields = hidden_fields(ada.see("/checkout"), "/checkout")
    dearer = catalogue_of()
    products = tuple(
        one.model_copy(update={"prices": {"USD": 9_000}}) if one.id == "trial" else one
        for one in dearer.products
    )
    catalogues.publish(dearer.model_copy(update={"products": products}))
    refused = ada.press("/checkout", **fields, card=card_of(ada.id).id)
    assert refused.status == 409
    assert "$97.43" in refused.text
    assert packs_of(ada.id) == []


def test_a_trial_seen_yesterday_is_looked_at_again(world: LocalWorld, ada: Customer) -> None:
    fill_cart(world, ada.id, "trial")
    fields = hidden_fields(ada.see("/checkout"), "/checkout")
    world.advance(timedelta(days=1))
    ada.sign_in()
    refused = ada.press("/checkout", **fields, card=card_of(ada.id).id)
    assert refused.status == 409
    assert packs_of(ada.id) == []


def test_an_empty_cart_has_nothing_to_check_out(world: LocalWorld, ada: Customer) -> None:
    assert ada.see("/checkout").header("location") == "/cart"
    refused = ada.get("/checkout")
    assert (refused.status, refused.json()["code"]) == (409, "cart_empty")
    nothing = ada.post("/checkout", {"cart": "none.1", "expected_total": 0}, key="key-of-ada")
    assert (nothing.status, nothing.json()["code"]) == (409, "cart_changed")
    assert asked_of(world, ada.id) == []


# --- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"expected_total": -1}, "expected_total"),
        ({"expected_total": 10**30}, "expected_total"),
        ({"expected_total": "much"}, "expected_total"),
        ({"cart": "a#b"}, "cart"),
        ({"cart": ""}, "cart"),
        ({"card": "x" * 500}, "card"),
        ({"price": 1}, "price"),
    ],
)
def test_what_can_not_be_is_named(
    world: LocalWorld, ada: Customer, wrong: dict[str, Any], field: str
) -> None:
    fill_cart(world, ada.id, "ten")
    sent = {**seen(ada.read("/checkout")), **wrong}
    refused = ada.post("/checkout", sent, key="key-of-ada")
    assert (refused.status, set(refused.json()["fields"])) == (422, {field})
    assert asked_of(world, ada.id) == []


def test_a_card_of_somebody_else_is_not_on_file(world: LocalWorld, ada: Customer) -> None:
    eve = Customer(world, customer_with_card(world, email="eve@example.com"))
    fill_cart(world, eve.id, "ten")
    sent = seen(eve.read("/checkout"), card=card_of(ada.id).id)
    refused = eve.post("/checkout", sent, key="key-of-eve")
    assert (refused.status, set(refused.json()["fields"])) == (422, {"card"})
    assert asked_of(world, eve.id) == []


def test_somebody_elses_cart_and_order_are_not_there(world: LocalWorld, ada: Customer) -> None:
    eve = Customer(world, customer_with_card(world, email="eve@example.com"))
    fill_cart(world, ada.id, "ten")
    page = ada.read("/checkout")
    refused = eve.post("/checkout", seen(page), key="key-of-eve")
    assert (refused.status, refused.json()["code"]) == (409, "cart_changed")
    assert ada.post("/checkout", seen(page), key="key-of-ada").status == 201
    assert eve.get(f"/orders/{page['cart']}").status == 404
    assert eve.get("/orders/../x").status == 404


def test_nobody_checks_out(world: LocalWorld) -> None:
    answer = world.request("GET", "/checkout", [("accept", "text/html")])
    assert (answer.status, answer.header("location")) == (303, "/sign-in?next=/checkout")
    refused = world.request("POST", "/checkout", [("accept", "application/json")])
    assert refused.status == 401


# --- cards --------------------------------------------------------------------------------------


def cards(ada: Customer) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ada.read("/cards")["cards"]
    return found


def test_the_default_card_is_named_and_a_card_removed(world: LocalWorld, ada: Customer) -> None:
    first = card_of(ada.id)
    second = card_on_file(world, ada.id, "5555555555554444", default=False)
    assert ada.press(f"/cards/{second.id}/default").header("location") == "/cards?done=card_default"
    assert [one["card"]["default"] for one in cards(ada)] == [False, True]
    left = ada.post(f"/cards/{first.id}/remove")
    assert [one["card"]["id"] for one in left.json()["cards"]] == [second.id]


def test_the_last_card_stays_while_a_subscription_needs_it(
    world: LocalWorld, ada: Customer
) -> None:
    fill_cart(world, ada.id, "month")
    ada.post("/checkout", seen(ada.read("/checkout")), key="key-of-ada")
    (only,) = cards(ada)
    assert (only["removable"], only["why_not"]) == (False, "last_needed")
    assert [use["name"] for use in only["used_by"]] == ["Month"]
    refused = ada.post(f"/cards/{only['card']['id']}/remove")
    assert (refused.status, refused.json()["code"]) == (409, "card_needed")
    seen_again = ada.press(f"/cards/{only['card']['id']}/remove")
    assert seen_again.status == 409
    assert "Add another one first" in seen_again.text


def test_a_card_of_somebody_else_is_neither_named_nor_removed(
    world: LocalWorld, ada: Customer
) -> None:
    eve = Customer(world, customer_with_card(world, email="eve@example.com"))
    card = card_of(ada.id)
    assert eve.post(f"/cards/{card.id}/default").status == 404
    assert eve.post(f"/cards/{card.id}/remove").status == 404
    assert head(ada.id).value.cards == (card,)


def test_a_card_page_of_somebody_else_saves_no_card(world: LocalWorld, ada: Customer) -> None:
    eve = Customer(world, customer_with_card(world, email="eve@example.com"))
    world.sandbox.webhooks(hold=True)
    back = save_card(world, ada.post("/cards").json()["url"], WORKS)
    assert eve.see(back).status == 404
    assert len(cards(eve)) == 1
    assert ada.see(back).status == 303
    assert len(cards(ada)) == 2
    assert ada.see(back).status == 303
    assert len(cards(ada)) == 2
    world.sandbox.webhooks(hold=False)


def test_the_way_back_from_a_card_page_never_leaves_this_site(
    world: LocalWorld, ada: Customer
) -> None:
    opened = ada.press("/cards", next="https://evil.example.com/")
    back = save_card(world, opened.header("location") or "", WORKS)
    assert ada.see(back).header("location") == "/cards?done=card_added"
    forged = back.replace("next=%2Fcards", "next=//evil.example.com")
    assert (ada.see(forged).header("location") or "").startswith("/cards")


def test_a_way_back_that_nobody_opened_is_not_there(ada: Customer) -> None:
    assert ada.get("/cards/return?setup=cs_unknown").status == 404
    assert ada.get("/cards/return?setup=cs_unknown&provider=nobody").status == 404
    assert ada.get("/cards/return").status == 422


def test_pages_with_a_card_form_may_lead_to_the_provider(world: LocalWorld, ada: Customer) -> None:
    fill_cart(world, ada.id, "ten")
    for path in ("/checkout", "/cards"):
        policy = ada.see(path).header("content-security-policy") or ""
        assert "form-action 'self' http://127.0.0.1:8000" in policy


# --- round trips --------------------------------------------------------------------------------


def _total(counted: tuple[Response | None, Any]) -> int:
    response, calls = counted
    assert response is not None
    assert response.status < 400, response.text
    return sum(calls.values())


def test_a_checkout_takes_at_most_five_round_trips_besides_the_provider(
    world: LocalWorld, ada: Customer
) -> None:
    fill_cart(world, ada.id, "ten", "mat", "month")
    page = ada.read("/checkout")
    assert _total(ada.calls("GET", "/checkout")) <= 2
    assert _total(ada.calls("POST", "/checkout", seen(page), key="key-of-ada")) <= 5
    assert len(charges_of(ada.id)) == 1
    assert _total(ada.calls("GET", f"/orders/{page['cart']}")) <= 2
    assert _total(ada.calls("GET", "/cards")) <= 2
