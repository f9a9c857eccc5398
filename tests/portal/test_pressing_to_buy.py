"""Buying a place: pressed twice, at a price that changed, with what does not go together, and how
often it waits ([KEY] [ONCE] [ERRORS])."""

from collections.abc import Iterator
from typing import Any

import pytest

from infra.local.world import LocalWorld
from tests.portal.customers import Customer, hidden_fields
from tests.portal.places_for_sale import (
    PLACE,
    TEN,
    WORKSHOP,
    YOGA,
    ask,
    buy_ten,
    code,
    free,
    in_hand,
    page_of,
    selling,
)
from tests.portal.studio import class_of, put_on, stored
from tests.shop_floor import (
    FAILS_LATER,
    card_of,
    charged_at,
    charges_of,
    customer_with_card,
    newcomer,
)


@pytest.fixture
def world() -> Iterator[LocalWorld]:
    with selling(YOGA, WORKSHOP) as opened:
        yield opened


@pytest.fixture
def ada(world: LocalWorld) -> Customer:
    """She has a card and no credits."""
    return Customer(world, customer_with_card(world))


# --- pressed twice, and changed meanwhile ---------------------------------------------------------


def test_a_double_click_books_and_charges_once_and_answers_the_same(
    world: LocalWorld, ada: Customer
) -> None:
    first = page_of(buy_ten(ada, pay="now"))
    before = stored(world, ada.id, YOGA.id)
    again = page_of(buy_ten(ada, pay="now"))
    assert again["reservation"] == first["reservation"]
    assert stored(world, ada.id, YOGA.id) == before
    assert code(ask(ada, pay="now")) == (409, "idempotency_key_reused")
    assert code(buy_ten(ada, pay="later")) == (409, "idempotency_key_reused")
    assert len(charged_at(world, ada.id)) == 1


def test_a_declined_press_answers_the_same_again_and_asks_nobody(
    world: LocalWorld, ada: Customer
) -> None:
    world.sandbox.let_card_behave_as(card_of(ada.id).token, FAILS_LATER)
    assert code(buy_ten(ada, pay="now")) == (402, "card_declined")
    world.sandbox.let_card_behave_as(card_of(ada.id).token, "4242424242424242")
    assert code(buy_ten(ada, pay="now")) == (402, "card_declined")
    assert charged_at(world, ada.id) == []


@pytest.mark.parametrize(
    "wanted",
    [
        {"pay": "now", "expected_total_minor": PLACE - 1},
        {"pay": "later", "expected_total_minor": PLACE - 1},
        {"buy": "ten", "pay": "now", "expected_total_minor": 25_000},
        {"buy": "ten", "pay": "later", "expected_total_minor": TEN + 1},
    ],
)
def test_a_price_that_changed_is_refused_and_shown_again(
    world: LocalWorld, ada: Customer, wanted: dict[str, Any]
) -> None:
    before = stored(world, ada.id, YOGA.id)
    refused = ask(ada, **wanted)
    assert code(refused) == (409, "price_changed")
    assert refused.json()["facts"]["total_minor"] == (TEN if "buy" in wanted else PLACE)
    assert stored(world, ada.id, YOGA.id) == before


@pytest.mark.parametrize(
    ("wanted", "status", "why"),
    [
        ({"activity": WORKSHOP.id, "buy": "ten", "pay": "later"}, 409, "prepay_online"),
        ({"activity": WORKSHOP.id, "pay": "later", "expected_total_minor": 1}, 409, "no_credits"),
        ({"buy": "desk"}, 409, "not_offered"),
        ({"buy": "baths"}, 409, "pack_does_not_cover"),
        ({"buy": "mat"}, 404, "not_found"),
        ({"buy": "nothing"}, 404, "not_found"),
        ({"participants": 3}, 409, "activity_full"),
    ],
)  # fmt: skip
def test_what_can_not_be_bought_is_refused_and_nothing_changes(
    world: LocalWorld, ada: Customer, wanted: dict[str, Any], status: int, why: str
) -> None:
    before = stored(world, ada.id, YOGA.id, WORKSHOP.id)
    refused = buy_ten(ada, **wanted) if "expected_total_minor" not in wanted else ask(ada, **wanted)
    assert code(refused) == (status, why)
    assert stored(world, ada.id, YOGA.id, WORKSHOP.id) == before


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"buy": "ten", "expected_total_minor": None}, "expected_total_minor"),
        ({"pay": "now", "expected_total_minor": None}, "expected_total_minor"),
        ({"pay": "now", "wait": True}, "wait"),
        ({"pay": "now", "pack": "pack-1"}, "pack"),
        ({"pay": "now", "pay_later": True}, "pay_later"),
        ({"pay": "now", "card": "card-of-another"}, "card"),
        ({"pay": "sometime"}, "pay"),
        ({"pay": "now", "expected_total_minor": -1}, "expected_total_minor"),
        ({"choice": "ten"}, "choice"),
        ({"choice": f".{PLACE}", "buy": "ten"}, "choice"),
        ({"pay": "now", "participants": 0}, "participants"),
    ],
)
def test_what_does_not_go_together_is_named(
    world: LocalWorld, ada: Customer, wanted: dict[str, Any], field: str
) -> None:
    before = stored(world, ada.id, YOGA.id)
    refused = ask(ada, **wanted)
    assert refused.status == 422, refused.text
    assert field in refused.json()["fields"]
    assert stored(world, ada.id, YOGA.id) == before


def test_a_card_of_somebody_else_pays_for_nothing(world: LocalWorld, ada: Customer) -> None:
    bea = customer_with_card(world, email="bea@example.com")
    refused = ask(ada, pay="now", card=card_of(bea).id)
    assert refused.status == 422
    assert refused.json()["fields"] == {"card": "This card is not on file."}
    assert (free(ada), charged_at(world, bea)) == (2, [])


def test_without_a_card_the_page_leads_to_adding_one_and_back(world: LocalWorld) -> None:
    poor = Customer(world, newcomer(world, "cleo@example.com"))
    refused = ask(poor, pay="now")
    assert refused.json()["fields"] == {"card": "There is no card on file."}
    page = poor.see(f"/schedule/{YOGA.id}?participants=2")
    assert "Book and pay now" not in page.text
    assert f'name="next" value="/schedule/{YOGA.id}?participants=2"' in page.text
    assert "Book, and pay later" in page.text


def test_what_credits_pay_for_is_not_bought(world: LocalWorld, ada: Customer) -> None:
    in_hand(ada)
    assert ada.read(f"/schedule/{YOGA.id}")["choices"] == []
    assert code(ask(ada, pay="now")) == (409, "credits_in_hand")
    assert charged_at(world, ada.id) == []


def test_an_unpaid_pack_moves_with_its_place(ada: Customer) -> None:
    friday = class_of("2026-03-06 15:00", name="Friday yoga")
    put_on(friday)
    page = page_of(buy_ten(ada, pay="later"))
    path = f"/reservations/{page['reservation']['id']}"
    assert friday.id in [one["id"] for one in ada.read(f"{path}/move")["activities"]]
    moved = page_of(ada.post(f"{path}/move", {"activity": friday.id}, key="key-move-1"), 200)
    assert moved["reservation"]["activity_id"] == friday.id
    assert moved["reservation"]["owes"]["minor"] == TEN


def test_a_paid_place_moves_and_stays_paid(ada: Customer) -> None:
    friday = class_of("2026-03-06 15:00", name="Friday yoga")
    longer = class_of("2026-03-06 17:00", name="Bath", service_id="bath")
    put_on(friday, longer)
    page = page_of(ask(ada, pay="now"))
    path = f"/reservations/{page['reservation']['id']}"
    listed = [one["id"] for one in ada.read(f"{path}/move")["activities"]]
    assert friday.id in listed
    assert longer.id not in listed
    moved = page_of(ada.post(f"{path}/move", {"activity": friday.id}, key="key-move-1"), 200)
    assert (moved["payment"], moved["reservation"]["owes"]["minor"]) == ("paid", 0)
    assert len(charges_of(ada.id)) == 1


@pytest.mark.parametrize(
    ("pay", "notice", "held"),
    [
        ("now", "Credits that held it are back in their pack.", "Given back to"),
        ("later", "What becomes of the money is said below.", "Was held by"),
    ],
)
def test_the_page_says_what_came_back_of_a_pack(
    ada: Customer, pay: str, notice: str, held: str
) -> None:
    made = page_of(buy_ten(ada, pay=pay))
    path = f"/reservations/{made['reservation']['id']}"
    fields = hidden_fields(ada.see(path), f"{path}/cancel")
    there = ada.press(f"{path}/cancel", **fields).header("location") or ""
    said = ada.see(there).text
    assert notice in said
    assert held in said
    assert ("its invoice is void" in said) == (pay == "later")


# --- round trips ----------------------------------------------------------------------------------


def test_the_page_waits_twice_and_a_purchase_six_times(ada: Customer) -> None:
    ada.read(f"/schedule/{YOGA.id}")
    _, calls = ada.calls("GET", f"/schedule/{YOGA.id}")
    assert sum(calls.values()) == 3, "two of them side by side"
    wanted = {"activity": YOGA.id, "buy": "ten", "pay": "now", "expected_total_minor": TEN}
    answer, calls = ada.calls("POST", "/reservations", wanted, key="key-0001")
    assert answer is not None and answer.status == 201, answer
    assert calls == {"BatchGetItem": 3, "Query": 1, "TransactWriteItems": 2}
