"""A freed place that is paid for while it is held ([PLACES] [BOOK] [KEY] [OWN])."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from infra.local.http_api import Response
from infra.local.world import LocalWorld
from shared.domain.invoice import InvoiceState
from shared.domain.message import MessageKind
from shared.domain.pack import PackStatus
from shared.domain.reservation import ReservationState
from shared.store import accounts
from shared.store.reading import read
from tests.portal.customers import Customer, hidden_fields
from tests.portal.places_for_sale import (
    PLACE,
    TEN,
    cancel,
    code,
    page_of,
    selling,
    told,
    unknown_outcome,
)
from tests.portal.studio import class_of
from tests.shop_floor import (
    FAILS_LATER,
    WORKS,
    card_of,
    charged_at,
    customer_with_card,
    invoices_of,
    packs_of,
)

PREPAID = class_of(places=2, prepay_online=True)
"""It has to be paid when it is booked; places are held for two hours."""


@pytest.fixture
def world() -> Iterator[LocalWorld]:
    with selling(PREPAID) as opened:
        yield opened


@pytest.fixture
def ada(world: LocalWorld) -> Customer:
    """She waited, and one place is held for her. Cleo waits for two."""
    people = [
        Customer(world, customer_with_card(world, email=f"{name}@example.com"))
        for name in ("bea", "ada", "cleo")
    ]
    bea, ada, cleo = people
    both = {"activity": PREPAID.id, "participants": 2}
    paid = {"pay": "now", "expected_total_minor": 6_495}
    made = page_of(bea.post("/reservations", {**both, **paid}, key="key-of-bea"))
    page_of(ada.post("/reservations", {"activity": PREPAID.id, "wait": True}, key="key-ada-waits"))
    page_of(cleo.post("/reservations", {**both, "wait": True}, key="key-cleo-waits"))
    cancel(bea, made)
    world.run_due()
    assert mine(ada)["state"] == "offered"
    return ada


def mine(customer: Customer) -> Any:
    customer.sign_in()
    (found,) = customer.read("/reservations")["reservations"]
    return found


def take(customer: Customer, key: str = "key-of-taking", **more: Any) -> Response:
    offer = mine(customer)["id"]
    wanted = {
        "activity": PREPAID.id,
        "offer": offer,
        "pay": "now",
        "expected_total_minor": PLACE,
        **more,
    }
    return customer.post("/reservations", wanted, key=key)


def places() -> tuple[int, list[bool]]:
    """How many are taken, and who of those who wait is offered a place."""
    ref = accounts.activity(PREPAID.id)
    row = read(ref).get(ref)
    assert row is not None
    return row.value.taken, [one.offered_until is not None for one in row.value.waiting]


def test_the_page_of_the_offer_leads_to_paying_for_it_and_a_person_does(
    world: LocalWorld, ada: Customer
) -> None:
    offer = mine(ada)["id"]
    assert f'href="/schedule/{PREPAID.id}"' in ada.see(f"/reservations/{offer}").text
    page = ada.read(f"/schedule/{PREPAID.id}")
    assert (page["offer"], page["why_not"], page["pay_later"]) == (offer, None, False)
    assert [one["total"]["minor"] for one in page["choices"]] == [PLACE, TEN, 0]
    shown = ada.see(f"/schedule/{PREPAID.id}")
    assert "Take the place that is held for you" in shown.text
    fields = hidden_fields(shown, "/reservations")
    assert fields["offer"] == offer
    pressed = ada.press(
        "/reservations", **fields, choice=f".{PLACE}", card=card_of(ada.id).id, pay="now"
    )
    assert (pressed.status, pressed.header("location")) == (
        303,
        f"/reservations/{offer}?done=place_paid",
    )
    assert mine(ada)["state"] == "booked"
    assert places() == (1, [False])
    assert [one.state for one in invoices_of(ada.id)] == [InvoiceState.CLOSED]
    assert len(charged_at(world, ada.id)) == 1
    assert told(ada, MessageKind.RESERVATION_CONFIRMED) == 1


def test_a_pack_bought_for_it_holds_it_and_the_rest_is_hers(
    world: LocalWorld, ada: Customer
) -> None:
    made = page_of(take(ada, buy="ten", expected_total_minor=TEN))
    assert (made["reservation"]["state"], made["payment"]) == ("booked", "paid")
    (pack,) = packs_of(ada.id)
    assert (pack.left, pack.status(world.now())) == (9, PackStatus.ACTIVE)


def test_a_decline_leaves_the_offer_as_it_was_and_another_card_takes_it(
    world: LocalWorld, ada: Customer
) -> None:
    until = mine(ada)["offered_until"]
    world.sandbox.let_card_behave_as(card_of(ada.id).token, FAILS_LATER)
    refused = take(ada, buy="ten", expected_total_minor=TEN)
    assert code(refused) == (402, "card_declined")
    after = mine(ada)
    assert (after["state"], after["offered_until"]) == ("offered", until)
    assert places() == (1, [True, False]), "ahead of Cleo, and the place is still hers"
    assert [one.state for one in invoices_of(ada.id)] == [InvoiceState.VOID]
    assert packs_of(ada.id)[0].status(world.now()) is PackStatus.EXPIRED
    assert code(take(ada, buy="ten", expected_total_minor=TEN)) == (402, "card_declined")
    world.sandbox.let_card_behave_as(card_of(ada.id).token, WORKS)
    made = page_of(take(ada, "key-with-another"))
    assert (made["reservation"]["state"], made["payment"]) == ("booked", "paid")
    assert len(charged_at(world, ada.id)) == 1
    assert told(ada, MessageKind.RESERVATION_CANCELLED) == 0


def test_what_turns_out_declined_after_the_offer_goes_to_the_next(
    world: LocalWorld, ada: Customer
) -> None:
    world.advance(timedelta(hours=1, minutes=59))
    unknown_outcome(world, "timeout_before")
    held = page_of(take(ada), 202)
    assert held["payment"] == "under_way"
    assert places() == (1, [False]), "held while nobody knows"
    world.sandbox.let_card_behave_as(card_of(ada.id).token, FAILS_LATER)
    world.advance(timedelta(minutes=30))
    assert mine(ada)["state"] == ReservationState.CANCELLED
    assert places() == (2, [True]), "both places are offered to Cleo"
    assert told(ada, MessageKind.RESERVATION_CANCELLED) == 1
    assert charged_at(world, ada.id) == []
    world.sandbox.webhooks(hold=False)


def test_the_same_press_pays_once(world: LocalWorld, ada: Customer) -> None:
    first, second = take(ada), take(ada)
    assert page_of(first)["reservation"]["id"] == page_of(second)["reservation"]["id"]
    assert len(charged_at(world, ada.id)) == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"participants": 2}, (422, "invalid")),
        ({"pay": "later"}, (422, "invalid")),
        ({"offer": "nobody-has-this"}, (404, "not_found")),
        ({"expected_total_minor": 1}, (409, "price_changed")),
        ({"buy": "baths"}, (409, "pack_does_not_cover")),
    ],
)
def test_what_was_not_offered_is_refused_and_the_offer_stands(
    world: LocalWorld, ada: Customer, wrong: dict[str, Any], said: tuple[int, str]
) -> None:
    assert code(take(ada, **wrong)) == said
    assert mine(ada)["state"] == "offered"
    assert places() == (1, [True, False])
    assert charged_at(world, ada.id) == []


def test_an_offer_is_nobody_elses_and_ends_with_its_time(world: LocalWorld, ada: Customer) -> None:
    offer = mine(ada)["id"]
    eve = Customer(world, customer_with_card(world, email="eve@example.com"))
    wanted = {"activity": PREPAID.id, "offer": offer, "pay": "now", "expected_total_minor": PLACE}
    assert code(eve.post("/reservations", wanted, key="key-of-eve")) == (404, "not_found")
    world.advance(timedelta(hours=2))
    ada.sign_in()
    assert code(ada.post("/reservations", wanted, key="key-too-late")) == (409, "offer_gone")
    assert charged_at(world, ada.id) == []
