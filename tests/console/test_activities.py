"""The staff's side of the schedule ([PLACES], [BOOK], [LEDGER], [ACCESS], [OWN])."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from infra.local.world import LocalWorld
from shared.domain.activity import Activity
from shared.domain.activity_state import ActivityState
from shared.domain.business import StaffPerson
from shared.domain.errors import Conflict
from shared.domain.pack import EntryKind
from shared.domain.product import Catalogue
from shared.domain.reservation import Reservation, ReservationState
from shared.operations import activities as operations
from shared.operations import giving_back
from shared.operations.booking import Wish
from shared.operations.moving import move
from shared.store import accounts, snapshot
from shared.store import catalogue as catalogues
from shared.store.reading import read
from shared.store.staff import Role, StaffMember
from shared.store.writing import commit, remove
from tests import shop_floor as shop
from tests.console.office import Desk, book, code_of, events_of, staff, told

OWNER = "owner@happypaws.example"
GOOD: dict[str, Any] = {
    "location": "ny",
    "service": "yoga",
    "name": "Slow flow",
    "date": "2026-02-03",
    "time": "18:30",
    "minutes": 75,
    "places": 2,
}
"""A Tuesday evening in Brooklyn, three days after the shop opened: 23:30 in UTC."""


@pytest.fixture(autouse=True)
def rates(world: LocalWorld) -> Catalogue:
    """Yoga costs 20.00 in both places, and Mira teaches it."""
    plain = snapshot.load(Catalogue, world.now())
    priced = tuple(
        one.model_copy(update={"service_rates": {"yoga": 2000}}) for one in plain.locations
    )
    mira = StaffPerson(id="mira", name="Mira")
    published = plain.model_copy(update={"locations": priced, "staff_people": (mira,)})
    catalogues.publish(published)
    return published


def create(desk: Desk, key: str = "key-of-creating", **changes: Any) -> Any:
    """What came of adding an activity; a field that is None is left out."""
    fields = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    weekdays = fields.pop("weekdays", None)
    sent = [(name, str(value)) for name, value in fields.items()]
    sent += [("weekdays", str(day)) for day in weekdays or ()]
    return desk.world.request(
        "POST",
        "/console/activities",
        {
            "accept": "application/json",
            "content-type": "application/json",
            "idempotency-key": key,
            "cookie": "; ".join(f"{name}={value}" for name, value in desk.cookies.items()),
        },
        json.dumps({**dict(sent), **({"weekdays": list(weekdays)} if weekdays else {})}),
    )


def created(desk: Desk, key: str = "key-of-creating", **changes: Any) -> str:
    answer = create(desk, key, **changes)
    assert answer.status == 201, answer.body
    activity_id: str = json.loads(answer.body)["activities"][0]["id"]
    return activity_id


def stored(activity_id: str) -> Activity:
    ref = accounts.activity(activity_id)
    row = read(ref).get(ref)
    assert row is not None
    return row.value


def whole_schedule(location: str = "ny") -> list[Activity]:
    begins, ends = shop.moment("2026-01-01 00:00"), shop.moment("2028-01-01 00:00")
    return [row.value for row in accounts.schedule_of(location, begins, ends)]


def with_ten(world: LocalWorld, name: str = "ada") -> str:
    customer_id = shop.customer_with_card(world, email=f"{name}@example.com")
    shop.buy(world, customer_id, "ten")
    return customer_id


def now_of(one: Reservation) -> Reservation:
    ref = accounts.reservation(one.customer_id, one.id)
    row = read(ref).get(ref)
    assert row is not None
    return row.value


def credits_of(customer_id: str) -> int:
    (pack,) = shop.packs_of(customer_id)
    assert pack.left is not None
    assert sum(entry.delta for entry in shop.entries_of(pack)) == pack.left
    return pack.left


def seat(activity_id: str, one: Reservation, what: str) -> str:
    return f"/console/activities/{activity_id}/seats/{one.id}/{what}"


# --- creating --------------------------------------------------------------------------------


def test_a_single_activity_is_on_the_schedule_at_its_local_time(world: LocalWorld) -> None:
    olga = staff(world)
    activity_id = created(olga, staff_member="mira", cutoff_minutes=90, prepay_online=True)
    one = stored(activity_id)
    assert one.starts_at == shop.moment("2026-02-03 23:30")
    assert one.ends_at == shop.moment("2026-02-04 00:45")
    assert (one.places, one.cutoff_minutes, one.prepay_online) == (2, 90, True)
    assert (one.made_by, one.made_at, one.series_id) == (OWNER, world.now(), None)
    page = olga.data("/console/schedule?location=ny&from=2026-02-03&view=day")
    ((shown,),) = [day["activities"] for day in page["days"]]
    assert (shown["id"], shown["name"], shown["staff_member"]) == (activity_id, "Slow flow", "Mira")
    assert (shown["taken"], shown["free"], shown["waiting"]) == (0, 2, 0)
    html = olga.page("/console/schedule?location=ny&from=2026-02-03")
    assert f'href="/console/activities/{activity_id}"' in html
    assert "0 of 2 taken, 2 free" in html


def test_what_is_left_out_comes_from_service_and_settings(world: LocalWorld) -> None:
    one = stored(created(staff(world), name=None))
    assert one.name == "Yoga"
    assert one.cutoff_minutes == snapshot.load(Catalogue, world.now()).settings.cutoff_minutes


def test_a_day_shows_its_own_activities_and_a_week_seven_days(world: LocalWorld) -> None:
    olga = staff(world)
    late = created(olga, "key-of-late", time="23:30")
    created(olga, "key-of-next", date="2026-02-04", time="00:00")
    day = olga.data("/console/schedule?location=ny&from=2026-02-03&view=day")
    assert [one["id"] for one in day["days"][0]["activities"]] == [late]
    week = olga.data("/console/schedule?location=ny&from=2026-01-29")
    assert [len(one["activities"]) for one in week["days"]] == [0, 0, 0, 0, 0, 1, 1]
    assert (week["previous"], week["next"]) == ("2026-01-22", "2026-02-05")


def test_a_repeating_activity_keeps_its_local_time_over_the_change_of_the_clocks(
    world: LocalWorld,
) -> None:
    answer = create(
        staff(world), date="2026-03-03", weekdays=[1, 5], until="2026-03-14", time="18:30"
    )
    made = json.loads(answer.body)
    assert [one["starts_at"] for one in made["activities"]] == [
        "2026-03-03T23:30:00Z",
        "2026-03-07T23:30:00Z",
        "2026-03-10T22:30:00Z",
        "2026-03-14T22:30:00Z",
    ]
    assert {one.series_id for one in whole_schedule()} == {made["series_id"]}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"location": "mars"}, "location"),
        ({"service": "chess"}, "service"),
        ({"staff_member": "nobody"}, "staff_member"),
        ({"date": "2026-01-30"}, "date"),
        ({"date": "2026-01-31", "time": "09:00"}, "time"),
        ({"date": "2026-02-30"}, "date"),
        ({"date": "soon"}, "date"),
        ({"date": None}, "date"),
        ({"time": "24:00"}, "time"),
        ({"time": "6pm"}, "time"),
        ({"minutes": 4}, "minutes"),
        ({"minutes": 72 * 60 + 1}, "minutes"),
        ({"places": -1}, "places"),
        ({"places": 1001}, "places"),
        ({"cutoff_minutes": -1}, "cutoff_minutes"),
        ({"weekdays": [1]}, "until"),
        ({"weekdays": [1], "until": "2026-02-02"}, "until"),
        ({"weekdays": [1], "until": "2027-02-05"}, "until"),
        ({"until": "2026-03-01"}, "weekdays"),
        ({"weekdays": [7], "until": "2026-03-01"}, "weekdays.0"),
        ({"weekdays": [6], "until": "2026-02-04"}, "weekdays"),
        ({"weekdays": range(7), "until": "2027-02-04"}, "until"),
        ({"capacity": 3}, "capacity"),
    ],
)
def test_bad_input_names_its_field_and_creates_nothing(
    world: LocalWorld, changes: dict[str, Any], field: str
) -> None:
    answer = create(staff(world), **changes)
    assert answer.status == 422, answer.body
    assert set(json.loads(answer.body)["fields"]) == {field}
    assert whole_schedule() == []


def test_the_limits_themselves_are_allowed(world: LocalWorld) -> None:
    olga = staff(world)
    for number, changes in enumerate(
        ({"minutes": 5}, {"minutes": 72 * 60}, {"places": 0}, {"places": 1000})
    ):
        assert create(olga, f"key-of-limit-{number}", **changes).status == 201, changes


def test_a_form_sends_each_weekday_by_itself_and_leads_to_the_schedule(world: LocalWorld) -> None:
    fields = [*GOOD.items(), ("until", "2026-02-10"), ("idempotency_key", "key-of-the-form")]
    olga = staff(world)
    answer = world.request(
        "POST",
        "/console/activities",
        {
            "accept": "text/html",
            "content-type": "application/x-www-form-urlencoded",
            "cookie": "; ".join(f"{name}={value}" for name, value in olga.cookies.items()),
        },
        urlencode([*fields, ("weekdays", "1"), ("weekdays", "3")]),
    )
    assert answer.status == 303
    assert [one.starts_at.day for one in whole_schedule()] == [3, 5, 10]


def test_a_person_whose_form_is_wrong_sees_it_again_as_it_was(world: LocalWorld) -> None:
    fields = {**GOOD, "minutes": 2, "idempotency_key": "key-of-the-form"}
    answer = staff(world).ask("POST", "/console/activities", fields, accept="text/html")
    assert answer.status == 422
    html = answer.body.decode()
    assert 'id="error-minutes"' in html and 'value="Slow flow"' in html


def test_the_same_press_creates_once_and_other_content_is_refused(world: LocalWorld) -> None:
    olga = staff(world)
    first, again = create(olga), create(olga)
    assert first.status == again.status == 201
    assert json.loads(first.body) == json.loads(again.body)
    other = create(olga, places=3)
    assert (other.status, code_of(other)) == (409, "idempotency_key_reused")
    assert len(whole_schedule()) == 1
    assert create(staff(world, Role.MANAGER)).status == 201, "keys are each person's own"
    assert len(whole_schedule()) == 2


def test_a_series_that_was_interrupted_is_completed_by_the_same_press(world: LocalWorld) -> None:
    olga = staff(world)
    series: dict[str, Any] = {"weekdays": list(range(7)), "until": "2026-09-30"}
    first = create(olga, **series)
    whole = [one.id for one in whole_schedule()]
    assert len(whole) == 240 > 2 * operations.CREATED_AT_ONCE
    for activity_id in whole[operations.CREATED_AT_ONCE :]:
        row = read(accounts.activity(activity_id)).get(accounts.activity(activity_id))
        assert row is not None
        commit([remove(row)])
    assert len(whole_schedule()) == operations.CREATED_AT_ONCE
    shop.go_to(world, "2026-02-05 12:00")
    again = create(staff(world), **series)
    assert again.status == 201, "also when its first day is past meanwhile"
    assert json.loads(again.body) == json.loads(first.body)
    assert [one.id for one in whole_schedule()] == whole


# --- who may ---------------------------------------------------------------------------------


def test_a_clerk_looks_and_checks_in_and_nothing_else(world: LocalWorld) -> None:
    activity_id = created(staff(world))
    one = book(world, with_ten(world), activity_id)
    shop.go_to(world, "2026-02-03 23:00")
    clerk = staff(world, Role.CLERK)
    for answer in (
        create(clerk, date="2026-02-09"),
        clerk.post(f"/console/activities/{activity_id}/cancel"),
        clerk.post(seat(activity_id, one, "cancel")),
    ):
        assert (answer.status, code_of(answer)) == (403, "role_not_allowed")
    assert "Add an activity" not in clerk.page("/console/schedule")
    page = clerk.page(f"/console/activities/{activity_id}")
    assert "/check-in" in page and "/cancel" not in page
    assert now_of(one).state is ReservationState.BOOKED
    assert clerk.post(seat(activity_id, one, "check-in")).status == 200


def test_another_locations_activities_are_404(world: LocalWorld) -> None:
    activity_id = created(staff(world))
    one = book(world, with_ten(world), activity_id)
    shop.go_to(world, "2026-02-03 23:00")
    bert = staff(world, email="bert@happypaws.example", locations=("be",))
    assert bert.data("/console/schedule")["location_id"] == "be"
    for path in (
        "/console/schedule?location=ny",
        "/console/outstanding?location=ny",
        f"/console/activities/{activity_id}",
        "/console/activities/ny.20260203T2330.none",
        "/console/activities/nonsense",
    ):
        assert bert.ask("GET", path).status == 404, path
    assert create(bert, "key-of-bert").status == 404
    for path in (
        f"/console/activities/{activity_id}/cancel",
        seat(activity_id, one, "check-in"),
        seat(activity_id, one, "cancel"),
    ):
        for accept in ("application/json", "text/html"):
            assert bert.ask("POST", path, accept=accept).status == 404, path
    assert now_of(one).state is ReservationState.BOOKED
    assert stored(activity_id).state is ActivityState.SCHEDULED


def test_a_seat_of_another_activity_is_404(world: LocalWorld) -> None:
    olga = staff(world)
    here, there = created(olga), created(olga, "key-of-there", time="18:00")
    one = book(world, with_ten(world), here)
    assert olga.post(seat(there, one, "cancel")).status == 404
    assert now_of(one).state is ReservationState.BOOKED


# --- the roster and checking in --------------------------------------------------------------


def test_the_roster_says_who_comes_and_who_waits(world: LocalWorld) -> None:
    activity_id = created(staff(world))
    ada, bob = with_ten(world), with_ten(world, "bob")
    coming = book(world, ada, activity_id, participants=2)
    waiting = book(world, bob, activity_id, wait=True)
    olga = staff(world)
    page = olga.data(f"/console/activities/{activity_id}")
    (seated,), (queued,) = page["roster"], page["waiting"]
    assert (seated["reservation_id"], seated["customer_id"]) == (coming.id, ada)
    assert (seated["participants"], seated["state"]) == (2, "booked")
    assert (queued["reservation_id"], queued["state"]) == (waiting.id, "waiting")
    assert (page["activity"]["taken"], page["activity"]["waiting"]) == (2, 1)
    html = olga.page(f"/console/activities/{activity_id}")
    assert f'href="/console/customers/{bob}"' in html


def test_checking_in_redeems_now_and_again_answers_the_same(world: LocalWorld) -> None:
    activity_id = created(staff(world))
    ada = with_ten(world)
    one = book(world, ada, activity_id)
    shop.go_to(world, "2026-02-03 21:29")
    early = staff(world).post(seat(activity_id, one, "check-in"))
    assert (early.status, code_of(early)) == (409, "check_in_too_early")
    shop.go_to(world, "2026-02-03 21:30")
    olga = staff(world)
    first = olga.post(seat(activity_id, one, "check-in"))
    assert json.loads(first.body)["checked_in_at"] == "2026-02-03T21:30:00Z"
    shop.go_to(world, "2026-02-03 21:45")
    again = staff(world, Role.CLERK).post(seat(activity_id, one, "check-in"))
    assert json.loads(again.body) == json.loads(first.body)
    (pack,) = shop.packs_of(ada)
    kinds = [entry.kind for entry in shop.entries_of(pack)]
    assert sorted(kinds) == sorted([EntryKind.GRANT, EntryKind.HOLD, EntryKind.REDEEM])
    assert (pack.left, pack.booked) == (9, ())
    (event,) = events_of(ada, "seat:checked_in")
    assert (event.by, event.reservation_id) == (OWNER, one.id)
    (line,) = [line for line in told(olga, ada) if line["what"].startswith("Checked in")]
    assert line["by"] == OWNER
    shop.go_to(world, "2026-02-05 12:00")
    assert credits_of(ada) == 9, "its end redeems nothing twice"


def test_until_the_end_of_the_day_after_a_no_show_can_still_be_checked_in(
    world: LocalWorld,
) -> None:
    activity_id = created(staff(world), time="17:00")
    ada = with_ten(world)
    one = book(world, ada, activity_id, participants=1)
    two = book(world, with_ten(world, "bob"), activity_id)
    shop.go_to(world, "2026-02-05 04:59")
    assert now_of(one).state is ReservationState.REDEEMED, "a no-show too"
    assert staff(world).post(seat(activity_id, one, "check-in")).status == 200
    assert now_of(one).checked_in_at == shop.moment("2026-02-05 04:59")
    assert credits_of(ada) == 9
    shop.go_to(world, "2026-02-05 05:00")
    late = staff(world).post(seat(activity_id, two, "check-in"))
    assert (late.status, code_of(late)) == (409, "check_in_too_late")


def test_who_waits_or_cancelled_is_not_checked_in(world: LocalWorld) -> None:
    activity_id = created(staff(world), places=1)
    gone = book(world, with_ten(world), activity_id)
    giving_back.cancel(shop.context_of(world), gone.customer_id, gone.id)
    book(world, with_ten(world, "bob"), activity_id)
    waits = book(world, with_ten(world, "cleo"), activity_id, wait=True)
    shop.go_to(world, "2026-02-03 23:00")
    olga = staff(world)
    for one in (gone, waits):
        answer = olga.post(seat(activity_id, one, "check-in"))
        assert (answer.status, code_of(answer)) == (409, "not_booked")


# --- cancelling ------------------------------------------------------------------------------


def test_staff_cancel_a_reservation_after_the_cutoff_and_the_credit_comes_back(
    world: LocalWorld,
) -> None:
    activity_id = created(staff(world), places=1)
    ada, bob = with_ten(world), with_ten(world, "bob")
    one = book(world, ada, activity_id)
    waits = book(world, bob, activity_id, wait=True)
    assert credits_of(ada) == 9
    shop.go_to(world, "2026-02-03 23:00")
    olga = staff(world)
    answer = olga.post(seat(activity_id, one, "cancel"))
    assert json.loads(answer.body)["state"] == "cancelled"
    assert credits_of(ada) == 10
    assert now_of(waits).state is ReservationState.OFFERED
    assert olga.post(seat(activity_id, one, "cancel")).status == 200, "again changes nothing"
    (event,) = events_of(ada, "seat:cancelled")
    assert (event.by, event.at, event.reservation_id) == (OWNER, world.now(), one.id)
    (line,) = [line for line in told(olga, ada) if "was cancelled" in line["what"]]
    assert line["by"] == OWNER


def test_a_cancelled_activity_gives_everybody_their_credits_back(world: LocalWorld) -> None:
    activity_id = created(staff(world))
    ada, bob, cleo = with_ten(world), with_ten(world, "bob"), with_ten(world, "cleo")
    seats = [book(world, one, activity_id) for one in (ada, bob)]
    seats.append(book(world, cleo, activity_id, wait=True))
    shop.go_to(world, "2026-02-03 23:00")
    olga = staff(world)
    answer = json.loads(olga.post(f"/console/activities/{activity_id}/cancel").body)
    assert (answer["cancelled"], answer["left"]) == (3, 0)
    assert [credits_of(one) for one in (ada, bob, cleo)] == [10, 10, 10]
    assert {now_of(one).state for one in seats} == {ReservationState.CANCELLED}
    closed = stored(activity_id)
    assert (closed.state, closed.taken, closed.waiting) == (ActivityState.CANCELLED, 0, ())
    assert (closed.cancelled_by, closed.cancelled_at) == (OWNER, world.now())
    with pytest.raises(Conflict, match="cancelled"):
        book(world, ada, activity_id)
    again = json.loads(olga.post(f"/console/activities/{activity_id}/cancel").body)
    assert (again["cancelled"], again["left"]) == (0, 0)
    assert len(events_of(ada, "seat:cancelled")) == 1
    world.run_due()
    assert any("cancel" in mail.subject.lower() for mail in world.mailbox.sent("ada@example.com"))


def test_cancelling_that_was_interrupted_goes_on_when_pressed_again(world: LocalWorld) -> None:
    activity_id = created(staff(world))
    ada, bob = with_ten(world), with_ten(world, "bob")
    seats = [book(world, ada, activity_id), book(world, bob, activity_id)]
    owner = StaffMember(email=OWNER, name="", role=Role.OWNER)
    part = operations.cancel(shop.context_of(world), owner, activity_id, at_once=1)
    assert (part.cancelled, part.left) == (1, 1)
    assert sorted(now_of(one).state for one in seats) == ["booked", "cancelled"]
    olga = staff(world)
    page = olga.data(f"/console/activities/{activity_id}")
    assert page["to_cancel"] == 1
    assert "Go on cancelling" in olga.page(f"/console/activities/{activity_id}")
    answer = json.loads(olga.post(f"/console/activities/{activity_id}/cancel").body)
    assert (answer["cancelled"], answer["left"]) == (1, 0)
    assert {now_of(one).state for one in seats} == {ReservationState.CANCELLED}
    assert [credits_of(one) for one in (ada, bob)] == [10, 10]
    assert [len(events_of(one, "seat:cancelled")) for one in (ada, bob)] == [1, 1]


def test_who_was_moved_elsewhere_keeps_their_place_there(world: LocalWorld) -> None:
    olga = staff(world)
    here, there = created(olga), created(olga, "key-of-there", date="2026-02-04")
    ada = with_ten(world)
    one = book(world, ada, here)
    context = shop.context_of(world)
    moving = Wish(customer_id=ada, activity_id=there).press("key-of-moving", one.id)
    move(context, ada, one.id, there, moving)
    assert olga.data(f"/console/activities/{here}")["roster"] == []
    answer = json.loads(olga.post(f"/console/activities/{here}/cancel").body)
    assert (answer["cancelled"], answer["left"]) == (0, 0)
    assert now_of(one).state is ReservationState.BOOKED
    assert stored(there).taken == 1


def test_an_activity_that_is_over_can_not_be_cancelled(world: LocalWorld) -> None:
    activity_id = created(staff(world))
    shop.go_to(world, "2026-02-04 00:45")
    answer = staff(world).post(f"/console/activities/{activity_id}/cancel")
    assert (answer.status, code_of(answer)) == (409, "activity_over")


# --- what began unpaid -----------------------------------------------------------------------


def test_what_began_unpaid_is_listed_until_staff_cancel_it(world: LocalWorld) -> None:
    activity_id = created(staff(world))
    ada = shop.newcomer(world)
    one = book(world, ada, activity_id, pay_later=True)
    assert staff(world).data("/console/outstanding?location=ny")["outstanding"] == []
    shop.go_to(world, "2026-02-03 23:30")
    olga = staff(world)
    (owed,) = olga.data("/console/outstanding?location=ny")["outstanding"]
    assert (owed["reservation_id"], owed["customer_id"]) == (one.id, ada)
    assert owed["amount"] == {"minor": 2000, "currency": "USD"}
    assert olga.data("/console/outstanding?location=be")["outstanding"] == []
    assert f'href="/console/customers/{ada}"' in olga.page("/console/outstanding")
    assert olga.post(seat(activity_id, one, "cancel")).status == 200
    assert olga.data("/console/outstanding?location=ny")["outstanding"] == []


def test_who_is_checked_in_unpaid_is_outstanding_once(world: LocalWorld) -> None:
    activity_id = created(staff(world))
    one = book(world, shop.newcomer(world), activity_id, pay_later=True)
    shop.go_to(world, "2026-02-03 22:00")
    assert staff(world).post(seat(activity_id, one, "check-in")).status == 200
    shop.go_to(world, "2026-02-06 12:00")
    (owed,) = staff(world).data("/console/outstanding?location=ny")["outstanding"]
    assert owed["reservation_id"] == one.id
    assert staff(world).ask("GET", "/console/outstanding?after=be%23x").status == 422
