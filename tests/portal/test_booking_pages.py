"""Booking, waiting, moving and giving back through HTTP, as programs and people do it
([BOOK] [PLACES] [LEDGER] [KEY] [OWN] [STAFF])."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from infra.local.http_api import Response
from infra.local.world import LocalWorld
from shared.domain.activity import Activity
from shared.domain.activity_state import ActivityState
from shared.domain.pack import EntryKind
from tests.portal.customers import Customer, hidden_fields
from tests.portal.people import CountingEngine
from tests.portal.studio import START, class_of, give, pack_of, put_on, stored
from tests.shop_floor import entries_of, go_to, moment, newcomer, open_shop, packs_of

YOGA = class_of()
OTHER_DAY = class_of("2026-03-06 15:00", name="Friday yoga")
AFTER_CUTOFF = "2026-03-04 03:01"
"""`YOGA` starts at 15:00 and can be cancelled until 12 hours before."""


@pytest.fixture
def world() -> Iterator[LocalWorld]:
    with open_shop(START, engine=CountingEngine()) as opened:
        put_on(YOGA, OTHER_DAY)
        yield opened
        assert opened.errors == []


@pytest.fixture
def ada(world: LocalWorld) -> Customer:
    """She has ten credits for yoga."""
    made = Customer(world, newcomer(world))
    give([pack_of(made.id, world.now())])
    return made


@pytest.fixture
def bea(world: LocalWorld) -> Customer:
    made = Customer(world, newcomer(world, "bea@example.com"))
    give([pack_of(made.id, world.now(), number=1)])
    return made


def book(
    customer: Customer, activity: Activity = YOGA, *, key: str = "key-0001", **more: Any
) -> Any:
    answer = customer.post("/reservations", {"activity": activity.id, **more}, key=key)
    assert answer.status == 201, answer.text
    return answer.json()["reservation"]


def left(customer: Customer) -> list[int | None]:
    return [one.left for one in packs_of(customer.id)]


def code(answer: Response) -> tuple[int, str]:
    return answer.status, answer.json()["code"]


# --- booking -------------------------------------------------------------------------------------


def test_a_credit_in_hand_holds_the_place(ada: Customer) -> None:
    answer = ada.post("/reservations", {"activity": YOGA.id, "participants": 2}, key="key-0001")
    assert answer.status == 201
    page = answer.json()
    made = page["reservation"]
    assert answer.header("location") == f"/reservations/{made['id']}"
    assert (made["state"], made["participants"], made["due"]["minor"]) == ("booked", 2, 0)
    assert [(one["pack_id"], one["credits"]) for one in page["held"]] == [("pack-1", 2)]
    assert left(ada) == [8]
    assert ada.read(f"/schedule/{YOGA.id}")["activity"]["free"] == 6
    assert ada.read(f"/reservations/{made['id']}")["reservation"] == made


def test_a_form_books_what_the_page_said_and_leads_to_the_reservation(ada: Customer) -> None:
    page = ada.see(f"/schedule/{YOGA.id}")
    assert "1 credit of your Ten classes" in page.text
    assert "Later the credit is lost" in page.text
    fields = hidden_fields(page, "/reservations")
    answer = ada.press("/reservations", **fields, participants=1)
    assert answer.status == 303, answer.text
    there = ada.see(answer.header("location") or "")
    assert "Your place is booked." in there.text
    assert left(ada) == [9]


def test_what_no_credit_pays_is_booked_to_be_paid_later_only_when_asked(
    world: LocalWorld,
) -> None:
    poor = Customer(world, newcomer(world, "cleo@example.com"))
    before = stored(world, poor.id, YOGA.id)
    refused = poor.post("/reservations", {"activity": YOGA.id}, key="key-0001")
    assert code(refused) == (409, "no_credits")
    assert refused.json()["facts"]["due_minor"] == 2_000
    assert stored(world, poor.id, YOGA.id) == before
    page = poor.see(f"/schedule/{YOGA.id}")
    assert "Just this one" in page.text
    assert "Book, and pay later" in page.text
    fields = hidden_fields(page, "/reservations")
    answer = poor.press("/reservations", **fields, choice=".2000", pay="later")
    assert answer.status == 303
    (made,) = poor.read("/reservations")["reservations"]
    assert (made["state"], made["due"]["minor"]) == ("booked", 2_000)


def test_more_participants_than_credits_show_what_would_be_due_before_anything_is_booked(
    world: LocalWorld, bea: Customer
) -> None:
    fields = hidden_fields(bea.see(f"/schedule/{YOGA.id}"), "/reservations")
    before = stored(world, bea.id, YOGA.id)
    again = bea.press("/reservations", **fields, participants=3)
    assert again.status == 409
    assert "No credits you have pay for all of it." in again.text
    assert "For 3 participants" in again.text
    assert 'name="choice" value=".4000"' in again.text
    assert stored(world, bea.id, YOGA.id) == before
    once_more = hidden_fields(again, "/reservations")
    assert once_more["idempotency_key"] != fields["idempotency_key"]
    assert once_more["participants"] == "3"
    booked = bea.press("/reservations", **once_more, choice=".4000", pay="later")
    assert booked.status == 303
    assert left(bea) == [0]


def test_what_has_to_be_prepaid_is_not_booked_without_credits(world: LocalWorld) -> None:
    only = class_of("2026-03-05 15:00", name="Workshop", prepay_online=True)
    put_on(only)
    poor = Customer(world, newcomer(world, "cleo@example.com"))
    before = stored(world, poor.id, only.id)
    answer = poor.post("/reservations", {"activity": only.id, "pay_later": True}, key="key-0001")
    assert code(answer) == (409, "no_credits")
    assert stored(world, poor.id, only.id) == before


# --- the same press, and two of them --------------------------------------------------------------


def test_a_double_click_books_once_and_answers_the_same(world: LocalWorld, ada: Customer) -> None:
    first = book(ada)
    before = stored(world, ada.id, YOGA.id)
    assert book(ada) == first
    assert stored(world, ada.id, YOGA.id) == before
    other = ada.post("/reservations", {"activity": OTHER_DAY.id}, key="key-0001")
    assert code(other) == (409, "idempotency_key_reused")
    assert stored(world, ada.id, YOGA.id) == before


def test_two_presses_book_twice_only_while_places_last(world: LocalWorld, ada: Customer) -> None:
    small = class_of("2026-03-05 15:00", name="Small", places=2)
    put_on(small)
    assert book(ada, small, key="key-0001")["id"] != book(ada, small, key="key-0002")["id"]
    before = stored(world, ada.id, small.id)
    third = ada.post("/reservations", {"activity": small.id}, key="key-0003")
    assert code(third) == (409, "activity_full")
    assert stored(world, ada.id, small.id) == before


def test_a_booking_needs_a_key(ada: Customer) -> None:
    answer = ada.post("/reservations", {"activity": YOGA.id})
    assert (answer.status, set(answer.json()["fields"])) == (422, {"Idempotency-Key"})
    assert left(ada) == [10]


# --- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize("participants", [0, 21, -1, "two", 0.5, None])
def test_a_number_of_participants_that_can_not_be_is_named(
    world: LocalWorld, ada: Customer, participants: Any
) -> None:
    before = stored(world, ada.id, YOGA.id)
    content = {"activity": YOGA.id, "participants": participants}
    answer = ada.post("/reservations", content, key="key-0001")
    assert (answer.status, set(answer.json()["fields"])) == (422, {"participants"})
    page = ada.press(
        "/reservations",
        activity=YOGA.id,
        participants=participants or 0,
        idempotency_key="key-0002",
    )
    assert page.status == 422
    assert 'id="error-participants"' in page.text
    assert stored(world, ada.id, YOGA.id) == before


BEGUN = class_of("2026-03-02 13:30", name="Begun")
PAST = class_of("2026-02-20 13:30", name="Past")
CANCELLED = class_of("2026-03-05 15:00", name="Cancelled", state=ActivityState.CANCELLED)


@pytest.mark.parametrize(
    ("activity", "status", "why"),
    [
        (BEGUN, 409, "activity_begun"),
        (PAST, 409, "activity_begun"),
        (CANCELLED, 409, "activity_cancelled"),
    ],
)
def test_what_has_begun_or_is_cancelled_can_not_be_booked(
    world: LocalWorld, ada: Customer, activity: Activity, status: int, why: str
) -> None:
    put_on(activity)
    before = stored(world, ada.id, activity.id)
    content = {"activity": activity.id, "pay_later": True, "wait": True}
    assert code(ada.post("/reservations", content, key="key-0001")) == (status, why)
    form = {"activity": activity.id, "participants": 1, "idempotency_key": "key-0002"}
    page = ada.press("/reservations", **form)
    assert (page.status, f"<h1>{activity.name}</h1>" in page.text) == (status, True)
    assert stored(world, ada.id, activity.id) == before


@pytest.mark.parametrize("unknown", ["nothing", "ny.20260304T1500.x", "zz.20260304T1500.x"])
def test_an_unknown_activity_can_not_be_booked(
    world: LocalWorld, ada: Customer, unknown: str
) -> None:
    before = stored(world, ada.id, YOGA.id)
    answer = ada.post("/reservations", {"activity": unknown}, key="key-0001")
    assert code(answer) == (404, "not_found")
    form = {"activity": unknown, "participants": 1, "idempotency_key": "key-0002"}
    assert ada.press("/reservations", **form).status == 404
    assert stored(world, ada.id, YOGA.id) == before


@pytest.mark.parametrize("bad", ["a b", "", "x" * 101, "a#b"])
def test_what_can_not_be_an_activity_is_named(ada: Customer, bad: str) -> None:
    answer = ada.post("/reservations", {"activity": bad}, key="key-0001")
    assert (answer.status, set(answer.json()["fields"])) == (422, {"activity"})


@pytest.mark.parametrize(
    "unusable",
    [
        {"service_id": "bath"},
        {"location_id": "be"},
        {"frozen_at": moment(START)},
        {"expires_at": moment("2026-03-04 14:00")},
        {"expires_at": moment("2026-03-04 15:00")},
        {"expires_at": moment("2026-03-01 15:00"), "ended_at": moment("2026-03-01 15:00")},
        {"usable_from": moment("2026-03-04 15:01")},
        {"staff_members": ("mira",)},
        {"left": 0},
    ],
)
def test_a_pack_that_is_not_for_it_is_not_used(world: LocalWorld, unusable: dict[str, Any]) -> None:
    dan = Customer(world, newcomer(world, "dan@example.com"))
    give([pack_of(dan.id, world.now()).model_copy(update=unusable)])
    before = stored(world, dan.id, YOGA.id)
    assert planned(dan) == []
    answer = dan.post("/reservations", {"activity": YOGA.id}, key="key-0001")
    assert code(answer) == (409, "no_credits")
    assert stored(world, dan.id, YOGA.id) == before


def planned(customer: Customer) -> list[Any]:
    held: list[Any] = customer.read(f"/schedule/{YOGA.id}")["plan"]["held"]
    return held


def test_somebody_elses_pack_is_not_used(world: LocalWorld, ada: Customer) -> None:
    eve = Customer(world, newcomer(world, "eve@example.com"))
    answer = eve.post("/reservations", {"activity": YOGA.id}, key="key-0001")
    assert code(answer) == (409, "no_credits")
    assert left(ada) == [10]


# --- waiting --------------------------------------------------------------------------------------


def full_class(ada: Customer) -> tuple[Activity, Any]:
    """One place, and Ada has it."""
    small = class_of("2026-03-05 15:00", name="Small", places=1)
    put_on(small)
    return small, book(ada, small, key="key-ada-1")


def test_a_full_one_puts_whoever_wants_it_on_the_waiting_list(
    world: LocalWorld, ada: Customer, bea: Customer
) -> None:
    small, _ = full_class(ada)
    page = bea.see(f"/schedule/{small.id}")
    assert "It is full." in page.text
    answer = bea.press("/reservations", **hidden_fields(page, "/reservations"), participants=1)
    assert answer.status == 303, answer.text
    assert "You are on the waiting list." in bea.see(answer.header("location") or "").text
    assert left(bea) == [1]
    assert "full, 1 waiting" in bea.see("/schedule").text.casefold()
    before = stored(world, bea.id, small.id)
    again = bea.post("/reservations", {"activity": small.id, "wait": True}, key="key-bea-2")
    assert code(again) == (409, "already_waiting")
    assert stored(world, bea.id, small.id) == before


def test_a_freed_place_is_offered_and_accepted_with_a_credit(ada: Customer, bea: Customer) -> None:
    small, of_ada = full_class(ada)
    waits = book(bea, small, key="key-bea-1", wait=True)
    ada.post(f"/reservations/{of_ada['id']}/cancel", key="key-ada-2")
    path = f"/reservations/{waits['id']}"
    page = bea.see(path)
    assert "A place is held for you" in page.text
    assert "1 credit of your Ten classes" in page.text
    answer = bea.press(f"{path}/accept", **hidden_fields(page, f"{path}/accept"))
    assert answer.status == 303
    assert bea.read(path)["reservation"]["state"] == "booked"
    assert left(bea) == [0]
    assert left(ada) == [10]


def test_an_offer_that_ran_out_is_not_there_any_more(
    world: LocalWorld, ada: Customer, bea: Customer
) -> None:
    small, of_ada = full_class(ada)
    waits = book(bea, small, key="key-bea-1", wait=True)
    ada.post(f"/reservations/{of_ada['id']}/cancel", key="key-ada-2")
    world.advance(timedelta(minutes=121))
    bea.sign_in()
    path = f"/reservations/{waits['id']}"
    answer = bea.post(f"{path}/accept", {}, key="key-bea-2")
    assert code(answer) == (409, "offer_gone")
    assert bea.read(path)["reservation"]["state"] == "lapsed"
    assert left(bea) == [1]


def test_who_waits_can_leave_the_list_and_loses_nothing(ada: Customer, bea: Customer) -> None:
    small, _ = full_class(ada)
    waits = book(bea, small, key="key-bea-1", wait=True)
    answer = bea.post(f"/reservations/{waits['id']}/cancel", key="key-bea-2")
    assert answer.json()["reservation"]["state"] == "cancelled"
    assert bea.read(f"/schedule/{small.id}")["activity"]["waiting"] == 0
    assert left(bea) == [1]


# --- giving back ----------------------------------------------------------------------------------


def test_before_the_cutoff_the_credit_comes_back(world: LocalWorld, ada: Customer) -> None:
    path = f"/reservations/{book(ada)['id']}"
    go_to(world, "2026-03-04 02:59")
    ada.sign_in()
    page = ada.see(path)
    assert "the credits come back to their pack" in page.text
    answer = ada.press(f"{path}/cancel", **hidden_fields(page, f"{path}/cancel"))
    assert answer.status == 303
    assert ada.read(path)["reservation"]["state"] == "cancelled"
    assert left(ada) == [10]
    assert ada.read(f"/schedule/{YOGA.id}")["activity"]["free"] == 8


def test_after_the_cutoff_the_page_warns_and_the_credit_is_lost(
    world: LocalWorld, ada: Customer
) -> None:
    path = f"/reservations/{book(ada)['id']}"
    go_to(world, AFTER_CUTOFF)
    ada.sign_in()
    page = ada.see(path)
    assert "It is too late to get anything back" in page.text
    assert "Cancel anyway" in page.text
    answer = ada.press(f"{path}/cancel", **hidden_fields(page, f"{path}/cancel"))
    assert "too late to get anything back" in ada.see(answer.header("location") or "").text
    assert ada.read(path)["reservation"]["state"] == "cancelled_late"
    assert left(ada) == [9]
    kinds = [one.kind for one in entries_of(packs_of(ada.id)[0])]
    assert EntryKind.RELEASE not in kinds


def test_cancelling_twice_gives_back_once(world: LocalWorld, ada: Customer) -> None:
    path = f"/reservations/{book(ada)['id']}/cancel"
    first = ada.post(path, key="key-0002").json()["reservation"]
    before = stored(world, ada.id, YOGA.id)
    for key in ("key-0002", "key-0003"):
        assert ada.post(path, key=key).json()["reservation"] == first
    assert stored(world, ada.id, YOGA.id) == before
    assert left(ada) == [10]


def test_what_has_begun_can_not_be_cancelled(world: LocalWorld, ada: Customer) -> None:
    path = f"/reservations/{book(ada)['id']}"
    go_to(world, "2026-03-04 15:00")
    ada.sign_in()
    before = stored(world, ada.id, YOGA.id)
    assert code(ada.post(f"{path}/cancel", key="key-0002")) == (409, "activity_begun")
    again = ada.press(f"{path}/cancel", idempotency_key="key-0003")
    assert (again.status, "It has begun." in again.text) == (409, True)
    assert f"{path}/cancel" not in ada.see(path).text
    assert stored(world, ada.id, YOGA.id) == before


# --- moving ---------------------------------------------------------------------------------------


def test_it_can_be_moved_to_what_its_credits_are_good_for(world: LocalWorld) -> None:
    dan = Customer(world, newcomer(world, "dan@example.com"))
    give([pack_of(dan.id, world.now(), expires_at=moment("2026-03-10 03:59"))])
    put_on(
        class_of("2026-03-05 15:00", name="Full", places=0),
        class_of("2026-03-05 16:00", name="Bath", service_id="bath"),
        class_of("2026-03-05 17:00", name="Cancelled", state=ActivityState.CANCELLED),
        class_of("2026-03-02 13:30", name="Begun"),
        class_of("2026-03-11 15:00", name="After the pack"),
        class_of("2026-03-16 13:00", name="In two weeks"),
    )
    path = f"/reservations/{book(dan)['id']}"
    page = dan.read(f"{path}/move")
    assert [one["name"] for one in page["activities"]] == ["Friday yoga"]
    seen = dan.see(f"{path}/move")
    answer = dan.press(f"{path}/move", **hidden_fields(seen, f"{path}/move"))
    assert answer.status == 303, answer.text
    assert "Your reservation is moved." in dan.see(answer.header("location") or "").text
    moved = dan.read(path)["reservation"]
    assert (moved["activity_id"], moved["state"]) == (OTHER_DAY.id, "booked")
    assert left(dan) == [9]
    assert dan.read(f"/schedule/{YOGA.id}")["activity"]["free"] == 8


def test_it_can_not_be_moved_after_the_cutoff(world: LocalWorld, ada: Customer) -> None:
    path = f"/reservations/{book(ada)['id']}"
    go_to(world, AFTER_CUTOFF)
    ada.sign_in()
    before = stored(world, ada.id, YOGA.id, OTHER_DAY.id)
    answer = ada.post(f"{path}/move", {"activity": OTHER_DAY.id}, key="key-0002")
    assert code(answer) == (409, "past_cutoff")
    page = ada.press(f"{path}/move", activity=OTHER_DAY.id, idempotency_key="key-0003")
    assert (page.status, "Now it is too late." in page.text) == (409, True)
    assert stored(world, ada.id, YOGA.id, OTHER_DAY.id) == before


@pytest.mark.parametrize(
    ("there", "status", "why"),
    [
        ({"places": 0}, 409, "activity_full"),
        ({"state": ActivityState.CANCELLED}, 409, "activity_cancelled"),
        ({"service_id": "bath"}, 404, "not_found"),
        (None, 404, "not_found"),
    ],
)
def test_what_it_can_not_be_moved_to_changes_nothing(
    world: LocalWorld, ada: Customer, there: dict[str, Any] | None, status: int, why: str
) -> None:
    path = f"/reservations/{book(ada)['id']}/move"
    target = class_of("2026-03-05 15:00", name="There", **(there or {}))
    if there is not None:
        put_on(target)
    before = stored(world, ada.id, YOGA.id, target.id)
    assert code(ada.post(path, {"activity": target.id}, key="key-0002")) == (status, why)
    form = ada.press(path, activity=target.id, idempotency_key="key-0003")
    assert (form.status, "<h1>Move Morning yoga</h1>" in form.text) == (status, True)
    assert stored(world, ada.id, YOGA.id, target.id) == before


def test_moving_twice_moves_once(world: LocalWorld, ada: Customer) -> None:
    path = f"/reservations/{book(ada)['id']}/move"
    first = ada.post(path, {"activity": OTHER_DAY.id}, key="key-0002").json()["reservation"]
    before = stored(world, ada.id, YOGA.id, OTHER_DAY.id)
    for key in ("key-0002", "key-0003"):
        again = ada.post(path, {"activity": OTHER_DAY.id}, key=key).json()["reservation"]
        assert again == first
    assert stored(world, ada.id, YOGA.id, OTHER_DAY.id) == before
    back = ada.post(path, {"activity": YOGA.id}, key="key-0002")
    assert code(back) == (409, "idempotency_key_reused")


# --- the list, and whose it is --------------------------------------------------------------------


def test_those_to_come_are_listed_by_their_start_before_the_past_ones(
    world: LocalWorld, ada: Customer
) -> None:
    soon = class_of("2026-03-02 15:00", name="Soon")
    put_on(soon)
    book(ada, OTHER_DAY, key="key-0001")
    book(ada, soon, key="key-0002")
    book(ada, YOGA, key="key-0003")
    gone = book(ada, OTHER_DAY, key="key-0004")
    ada.post(f"/reservations/{gone['id']}/cancel", key="key-0005")
    go_to(world, "2026-03-02 16:30")
    ada.sign_in()
    listed = ada.read("/reservations")["reservations"]
    assert [(one["name"], one["state"], one["upcoming"]) for one in listed] == [
        ("Morning yoga", "booked", True),
        ("Friday yoga", "booked", True),
        ("Friday yoga", "cancelled", False),
        ("Soon", "redeemed", False),
    ]
    words = ada.see("/reservations").text
    assert words.index("Coming up") < words.index("Past and cancelled")
    assert "Taken place" in words


def test_what_somebody_else_booked_is_not_there(
    world: LocalWorld, ada: Customer, bea: Customer
) -> None:
    path = f"/reservations/{book(ada)['id']}"
    before = stored(world, ada.id, YOGA.id, OTHER_DAY.id)
    assert bea.read("/reservations")["reservations"] == []
    for there in (path, f"{path}/move"):
        assert bea.get(there).status == 404
    for tail, content in (("cancel", None), ("accept", {}), ("move", {"activity": OTHER_DAY.id})):
        assert bea.post(f"{path}/{tail}", content, key=f"key-of-bea-{tail}").status == 404
        form = {"activity": OTHER_DAY.id} if tail == "move" else {}
        pressed = bea.press(f"{path}/{tail}", **form, idempotency_key=f"form-of-bea-{tail}")
        assert pressed.status == 404
    assert stored(world, ada.id, YOGA.id, OTHER_DAY.id) == before


def test_who_is_not_signed_in_books_nothing(world: LocalWorld) -> None:
    headers = [("accept", "application/json"), ("content-type", "application/json")]
    for path in ("/reservations", "/reservations/x/cancel", "/reservations/x/accept"):
        asked = [*headers, ("idempotency-key", "key-0001")]
        body = '{"activity": "x"}' if path == "/reservations" else "{}"
        assert world.request("POST", path, asked, body).status == 401
    assert world.request("GET", "/reservations", headers).status == 401


# --- round trips ----------------------------------------------------------------------------------


def test_booking_takes_at_most_three_round_trips(ada: Customer) -> None:
    ada.read("/schedule")
    answer, calls = ada.calls("POST", "/reservations", {"activity": YOGA.id}, key="key-0001")
    assert answer is not None
    assert answer.status == 201
    assert calls == {"BatchGetItem": 1, "Query": 1, "TransactWriteItems": 1}
    made = answer.json()["reservation"]
    for path in ("/reservations", f"/reservations/{made['id']}"):
        _, calls = ada.calls("GET", path)
        # Those to come and the past ones are read side by side.
        lists = 2 if path == "/reservations" else 1
        assert calls.get("BatchGetItem", 0) + calls.get("Query", 0) / lists <= 2, (path, calls)
