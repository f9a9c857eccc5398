"""What can't be booked is refused by name or code, and nothing at all is changed ([BOOK] [ERRORS]
[KEY] [OWN] [LEDGER])."""

from collections.abc import Iterator
from typing import Any

import pytest

from infra.local.http_api import Response
from infra.local.world import LocalWorld
from shared.domain.activity import Activity
from shared.domain.pack import Booked
from shared.store.items import AccountItem
from tests.portal.customers import Customer, hidden_fields
from tests.portal.people import CountingEngine
from tests.portal.studio import START, class_of, give, pack_of, put_on
from tests.shop_floor import entries_of, moment, newcomer, open_shop, packs_of

YOGA = class_of()


@pytest.fixture
def world() -> Iterator[LocalWorld]:
    with open_shop(START, engine=CountingEngine()) as opened:
        put_on(YOGA)
        yield opened
        assert opened.errors == []


@pytest.fixture
def ada(world: LocalWorld) -> Customer:
    """She has ten credits for yoga."""
    made = Customer(world, newcomer(world))
    give([pack_of(made.id, world.now())])
    return made


def everything(world: LocalWorld) -> dict[str, str]:
    """Every item of every account, as it is stored."""
    items = world.client("dynamodb").scan(TableName=AccountItem.Meta.table_name)["Items"]
    return {f"{one['pk']['S']}/{one['sk']['S']}": str(sorted(one.items())) for one in items}


def code(answer: Response) -> tuple[int, str]:
    return answer.status, answer.json()["code"]


def with_second_pack(customer: Customer, **more: Any) -> None:
    """A second pack, which would not be spent first."""
    give([pack_of(customer.id, customer.world.now(), **{"id": "pack-2", "number": 3, **more})])


def left(customer: Customer) -> dict[str, int | None]:
    return {one.id: one.left for one in packs_of(customer.id)}


# --- the pack that is named ----------------------------------------------------------------------


def test_only_the_named_pack_is_used_though_another_would_be_spent_first(ada: Customer) -> None:
    with_second_pack(ada, expires_at=moment("2026-03-20 03:59"))
    content = {"activity": YOGA.id, "pack": "pack-1"}
    answer = ada.post("/reservations", content, key="key-0001")
    assert answer.status == 201
    assert [one["pack_id"] for one in answer.json()["held"]] == ["pack-1"]
    assert left(ada) == {"pack-1": 9, "pack-2": 3}


def test_a_named_pack_with_too_few_credits_is_not_helped_out_by_another(
    world: LocalWorld, ada: Customer
) -> None:
    with_second_pack(ada, number=1)
    before = everything(world)
    content = {"activity": YOGA.id, "pack": "pack-2", "participants": 3}
    answer = ada.post("/reservations", content, key="key-0001")
    assert code(answer) == (409, "no_credits")
    assert answer.json()["facts"]["due_minor"] == 4_000
    assert everything(world) == before


def test_the_same_key_with_another_pack_is_another_booking(ada: Customer) -> None:
    with_second_pack(ada)
    content = {"activity": YOGA.id, "pack": "pack-1"}
    assert ada.post("/reservations", content, key="key-0001").status == 201
    for other in ({"activity": YOGA.id, "pack": "pack-2"}, {"activity": YOGA.id}):
        answer = ada.post("/reservations", other, key="key-0001")
        assert code(answer) == (409, "idempotency_key_reused")
    assert left(ada) == {"pack-1": 9, "pack-2": 3}


UNUSABLE: list[tuple[dict[str, Any], str]] = [
    ({"expires_at": moment("2026-03-02 13:00")}, "pack_expired"),
    ({"ended_at": moment("2026-03-01 15:00"), "left": 0}, "pack_expired"),
    ({"frozen_at": moment(START)}, "pack_frozen"),
    ({"unpaid": True}, "pack_unpaid"),
    ({"left": 0}, "pack_used_up"),
    ({"service_id": "bath"}, "pack_wrong_service"),
    ({"location_id": "be"}, "pack_wrong_location"),
    ({"staff_members": ("mira",)}, "pack_wrong_staff_member"),
    ({"usable_from": moment("2026-03-04 15:01")}, "pack_not_yet_usable"),
    ({"expires_at": moment("2026-03-04 15:00")}, "pack_expires_before"),
    (
        {
            "valid_from": "first_activity",
            "validity_days": 3,
            "expires_at": moment("2026-03-14 04:59"),
            "booked": (
                Booked(reservation_id="r", starts_at=moment("2026-03-12 15:00"), credits=1),
            ),
        },
        "would_strand",
    ),
]


@pytest.mark.parametrize(("changed", "why"), UNUSABLE)
def test_a_named_pack_that_is_not_for_it_is_refused_with_the_reason(
    world: LocalWorld, ada: Customer, changed: dict[str, Any], why: str
) -> None:
    with_second_pack(ada, **changed)
    before = everything(world)
    content = {"activity": YOGA.id, "pack": "pack-2", "pay_later": True}
    assert code(ada.post("/reservations", content, key="key-0001")) == (409, why)
    form = ada.press("/reservations", **content, participants=1, idempotency_key="key-0002")
    assert (form.status, "This pack" in form.text or "No credits" in form.text) == (409, True)
    assert everything(world) == before


def test_a_pack_of_somebody_else_is_not_there(world: LocalWorld, ada: Customer) -> None:
    bea = Customer(world, newcomer(world, "bea@example.com"))
    give([pack_of(bea.id, world.now(), id="pack-of-bea")])
    before = everything(world)
    for pack in ("pack-of-bea", "nothing"):
        content = {"activity": YOGA.id, "pack": pack, "pay_later": True}
        assert code(ada.post("/reservations", content, key="key-0001")) == (404, "not_found")
    answer = ada.post("/reservations", {"activity": YOGA.id, "pack": "a b"}, key="key-0001")
    assert (answer.status, set(answer.json()["fields"])) == (422, {"pack"})
    assert everything(world) == before


def test_on_the_waiting_list_no_pack_is_chosen(world: LocalWorld, ada: Customer) -> None:
    full = class_of("2026-03-05 15:00", name="Full", places=0)
    put_on(full)
    before = everything(world)
    content = {"activity": full.id, "pack": "pack-1", "wait": True}
    answer = ada.post("/reservations", content, key="key-0001")
    assert (answer.status, set(answer.json()["fields"])) == (422, {"pack"})
    assert everything(world) == before


# --- the same place twice ------------------------------------------------------------------------


def booked(customer: Customer, activity: Activity, key: str) -> Response:
    return customer.post("/reservations", {"activity": activity.id}, key=key)


def test_a_double_click_books_one_place_with_one_credit(world: LocalWorld, ada: Customer) -> None:
    first = booked(ada, YOGA, "key-0001")
    before = everything(world)
    again = booked(ada, YOGA, "key-0001")
    assert (first.status, again.status) == (201, 201)
    assert again.json()["reservation"] == first.json()["reservation"]
    assert everything(world) == before
    assert left(ada) == {"pack-1": 9}


def test_two_bookings_of_one_activity_hold_a_place_and_a_credit_each(ada: Customer) -> None:
    first, second = (booked(ada, YOGA, key).json()["reservation"]["id"] for key in KEYS)
    assert first != second
    (pack,) = packs_of(ada.id)
    assert (pack.left, [one.reservation_id for one in pack.booked]) == (8, [first, second])
    holds = [(one.reservation_id, one.delta) for one in entries_of(pack)]
    assert sorted(holds) == sorted([(first, -1), (second, -1)])
    assert ada.read(f"/schedule/{YOGA.id}")["activity"]["free"] == 6


KEYS = ("key-0001", "key-0002")


# --- numbers that can't be -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "participants",
    [0, -1, 21, 10**30, 0.5, 1.5, "1.5", "0,5", "½", "1e1", "NaN", [], {}, None, " "],
)
def test_half_a_credit_or_none_or_too_many_are_named(
    world: LocalWorld, ada: Customer, participants: Any
) -> None:
    before = everything(world)
    content = {"activity": YOGA.id, "participants": participants}
    answer = ada.post("/reservations", content, key="key-0001")
    assert (answer.status, set(answer.json()["fields"])) == (422, {"participants"})
    assert everything(world) == before


@pytest.mark.parametrize("participants", ["0", "-1", "21", "1.5", "half", "½", "9" * 60])
def test_a_form_with_such_a_number_shows_it_beside_the_field(
    world: LocalWorld, ada: Customer, participants: str
) -> None:
    before = everything(world)
    page = ada.press(
        "/reservations", activity=YOGA.id, participants=participants, idempotency_key="key-0001"
    )
    assert (page.status, 'id="error-participants"' in page.text) == (422, True)
    assert everything(world) == before


def test_half_an_hour_of_an_hourly_credit_is_a_whole_credit(world: LocalWorld) -> None:
    """There is no half credit: a part of an hour is paid by one, and 90 minutes by two."""
    dan = Customer(world, newcomer(world, "dan@example.com"))
    give([pack_of(dan.id, world.now(), hourly=True)])
    short = class_of("2026-03-05 15:00", name="Short", ends_at=moment("2026-03-05 15:30"))
    longer = class_of("2026-03-06 15:00", name="Longer", ends_at=moment("2026-03-06 16:30"))
    put_on(short, longer)
    assert booked(dan, short, "key-0001").json()["held"][0]["credits"] == 1
    assert booked(dan, longer, "key-0002").json()["held"][0]["credits"] == 2
    assert left(dan) == {"pack-1": 7}


# --- activities that are not to be had -----------------------------------------------------------


@pytest.mark.parametrize(
    "foreign",
    [
        "elsewhere.20260304T1500.morning-yoga",
        "be.20260304T1500.morning-yoga",
        "ny.20260304T1500.of-another-merchant",
        "ny.20260304T1501.morning-yoga",
        "ny",
        ".",
        "..",
        "01J0000000000000000000000",
    ],
)
def test_an_activity_of_somewhere_else_is_not_there(
    world: LocalWorld, ada: Customer, foreign: str
) -> None:
    before = everything(world)
    content = {"activity": foreign, "pay_later": True, "wait": True}
    assert code(ada.post("/reservations", content, key="key-0001")) == (404, "not_found")
    assert everything(world) == before


def test_an_activity_at_a_location_that_is_no_more_is_not_there(
    world: LocalWorld, ada: Customer
) -> None:
    gone = class_of("2026-03-05 15:00", name="Gone", location_id="gone", id="gone.20260305T1500.x")
    put_on(gone)
    before = everything(world)
    content = {"activity": gone.id, "pay_later": True}
    assert code(ada.post("/reservations", content, key="key-0001")) == (404, "not_found")
    assert everything(world) == before


def test_unknown_fields_are_refused_by_name(world: LocalWorld, ada: Customer) -> None:
    before = everything(world)
    content = {"activity": YOGA.id, "credits": 0.5, "customer": "somebody"}
    answer = ada.post("/reservations", content, key="key-0001")
    assert (answer.status, set(answer.json()["fields"])) == (422, {"credits", "customer"})
    assert everything(world) == before


# --- choosing it on the page ---------------------------------------------------------------------


def test_with_several_packs_the_page_lets_people_choose_and_books_with_that_one(
    ada: Customer,
) -> None:
    path = f"/schedule/{YOGA.id}"
    assert "Which pack pays" not in ada.see(path).text, "there is nothing to choose from one"
    with_second_pack(ada, expires_at=moment("2026-03-20 03:59"), name="Three classes")
    page = ada.read(path)
    assert [one["pack_id"] for one in page["in_hand"]] == ["pack-2", "pack-1"]
    assert [one["pack_id"] for one in page["plan"]["held"]] == ["pack-2"]
    seen = ada.see(path)
    assert f'href="{path}?participants=1&amp;pack=pack-1"' in seen.text
    chosen = ada.see(f"{path}?participants=1&pack=pack-1")
    assert "1 credit of your Ten classes" in chosen.text
    fields = hidden_fields(chosen, "/reservations")
    assert fields["pack"] == "pack-1"
    answer = ada.press("/reservations", **fields, participants=1)
    assert answer.status == 303, answer.text
    assert left(ada) == {"pack-1": 9, "pack-2": 3}


def test_a_pack_that_can_not_be_chosen_is_told_and_the_page_goes_on_without_it(
    world: LocalWorld, ada: Customer
) -> None:
    with_second_pack(ada, frozen_at=moment(START))
    path = f"/schedule/{YOGA.id}"
    assert code(ada.get(f"{path}?pack=pack-2")) == (409, "pack_frozen")
    assert ada.get(f"{path}?pack=nothing").status == 404
    before = everything(world)
    form = {"activity": YOGA.id, "participants": 1, "pack": "pack-2"}
    page = ada.press("/reservations", **form, idempotency_key="key-0001")
    assert page.status == 409
    assert "This pack is on hold" in page.text
    assert "pack" not in hidden_fields(page, "/reservations")
    assert everything(world) == before
