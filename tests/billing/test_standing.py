"""Standing weekly reservations, from the page to the clock ([WEEKLY])."""

from datetime import date, time, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from infra.local.world import LocalWorld
from shared.domain.activity import Activity, new_id
from shared.domain.activity_state import ActivityState
from shared.domain.calendar import at_local
from shared.domain.message import MessageKind, NoticeKind
from shared.domain.pack import EntryKind
from shared.domain.product import Product
from shared.domain.reservation import Reservation, ReservationState
from shared.domain.subscription import SubscriptionState
from shared.store import accounts, bookings
from shared.store.bookings import Besides
from shared.store.reading import read
from tests.billing.conftest import Shop
from tests.billing.test_pausing import pause, resume
from tests.console.office import staff
from tests.portal.customers import Customer
from tests.round_trips import round_trips
from tests.shop_floor import (
    FAILS_LATER,
    WORKS,
    card_of,
    charged_at,
    customer_with_card,
    entries_of,
    go_to,
    invoices_of,
    messages_of,
    notices,
    packs_of,
    reservation_rows,
    subscription_of,
    text,
)

NEW_YORK = "America/New_York"
WEDNESDAY = "2026-02-25 15:00"
"""Ten in the morning in New York. Clocks go forward there on 8 March."""

TUESDAY = date(2026, 3, 3)
SIX = time(18, 0)


def class_on(world: LocalWorld, day: date, clock: time = SIX, **values: Any) -> Activity:
    """Yoga for an hour in New York, at this local time."""
    starts_at = at_local(day, clock, NEW_YORK)
    merged: dict[str, Any] = {
        "location_id": "ny",
        "zone": NEW_YORK,
        "service_id": "yoga",
        "name": "Evening yoga",
        "starts_at": starts_at,
        "ends_at": starts_at + timedelta(hours=1),
        "places": 2,
        "cutoff_minutes": 720,
        **values,
    }
    made = Activity(id=new_id(merged["location_id"], starts_at, world.wiring.new_id()), **merged)
    bookings.create_activities([made])
    return made


def tuesdays(world: LocalWorld, count: int = 6, first: date = TUESDAY) -> list[Activity]:
    return [class_on(world, first + timedelta(weeks=n)) for n in range(count)]


def ada_in(world: LocalWorld, email: str = "ada@example.com") -> Customer:
    return Customer(world, customer_with_card(world, email=email))


def add(person: Customer, activity: Activity, product: str = "standing", **more: Any) -> Any:
    return person.post("/cart/lines", {"product": product, "activity": activity.id, **more})


def pay(person: Customer, key: str = "pay-for-the-cart") -> Any:
    page = person.read("/checkout")
    wanted = {"cart": page["cart"], "expected_total": page["expected_total"], "seen": page["seen"]}
    return person.post("/checkout", wanted, key=key)


def bought(
    world: LocalWorld, activity: Activity, product: str = "standing", **more: Any
) -> Customer:
    """Ada has paid for this activity's weekday and time; what that sets going is done."""
    ada = ada_in(world)
    assert add(ada, activity, product, **more).status == 201
    assert pay(ada).status == 201
    world.run_due()
    return ada


def reservations(customer_id: str) -> list[Reservation]:
    rows = [row.value for row in reservation_rows(customer_id)]
    return sorted(rows, key=lambda one: one.starts_at)


def starts(customer_id: str, *states: ReservationState) -> list[str]:
    """When what is held starts, as UTC text."""
    wanted = states or (ReservationState.BOOKED, ReservationState.REDEEMED)
    return [text(one.starts_at) for one in reservations(customer_id) if one.state in wanted]


def stored(activity: Activity) -> Activity:
    ref = accounts.activity(activity.id)
    row = read(ref).get(ref)
    assert row is not None
    return row.value


def call_off(activity: Activity) -> None:
    """The merchant cancels an activity that nobody has booked."""
    ref = accounts.activity(activity.id)
    row = read(ref).get(ref)
    assert row is not None
    cancelled = row.value.model_copy(update={"state": ActivityState.CANCELLED})
    bookings.change_activity(row, cancelled, Besides())


def left(customer_id: str) -> list[int | None]:
    return [pack.left for pack in packs_of(customer_id)]


def missed() -> list[str]:
    return [one.detail for one in notices(NoticeKind.WEEKLY_PLACE)]


# --- bought and booked ---------------------------------------------------------------------------


def test_bought_on_a_wednesday_the_next_tuesday_is_booked_at_once(shop: Shop) -> None:
    world = shop(WEDNESDAY)
    first, *_ = tuesdays(world)
    ada = bought(world, first)
    assert starts(ada.id) == ["2026-03-03 23:00"]
    (held,) = reservations(ada.id)
    (pack,) = packs_of(ada.id)
    assert [(one.pack_id, one.credits) for one in held.held] == [(pack.id, 1)]
    assert held.subscription_id == subscription_of(ada.id).id
    assert held.due.minor == 0
    assert (pack.left, stored(first).taken) == (0, 1)
    assert [one.kind for one in entries_of(pack)] == [EntryKind.GRANT, EntryKind.HOLD]
    assert entries_of(pack)[1].by == "clock", "she did not book it herself"
    assert len(messages_of(ada.id, MessageKind.RESERVATION_CONFIRMED)) == 1
    (invoice,) = invoices_of(ada.id)
    assert "Tuesdays at 18:00" in invoice.lines[0].detail
    (told,) = messages_of(ada.id, MessageKind.SUBSCRIPTION_PURCHASED)
    assert told.facts["agreement"]["name"] == "Standing, Tuesdays at 18:00"


def test_each_week_is_booked_when_it_is_paid_at_the_same_local_time_in_summer_and_winter(
    shop: Shop,
) -> None:
    """Four weeks, each paid at 23:59 of the Tuesday before it; the change of clocks lies between
    the first and the second."""
    world = shop(WEDNESDAY)
    first, *_ = tuesdays(world)
    ada = bought(world, first)
    go_to(world, "2026-03-04 04:58")
    assert starts(ada.id) == ["2026-03-03 23:00"], "not before its payment"
    go_to(world, "2026-03-04 04:59")
    assert starts(ada.id) == ["2026-03-03 23:00", "2026-03-10 22:00"]
    go_to(world, "2026-03-18 04:00")
    assert charged_at(world, ada.id) == [
        "2026-02-25 15:00",
        "2026-03-04 04:59",
        "2026-03-11 03:59",
        "2026-03-18 03:59",
    ]
    assert starts(ada.id) == [
        "2026-03-03 23:00",
        "2026-03-10 22:00",
        "2026-03-17 22:00",
        "2026-03-24 22:00",
    ]
    assert left(ada.id) == [0, 0, 0, 0]
    assert len(messages_of(ada.id, MessageKind.RESERVATION_CONFIRMED)) == 4
    assert missed() == []


def test_only_the_weeks_own_credit_is_used(shop: Shop) -> None:
    """Whatever else the customer has, unlimited or sooner to expire."""
    world = shop(WEDNESDAY)
    first, *_ = tuesdays(world)
    ada = ada_in(world)
    assert ada.post("/cart/lines", {"product": "open"}).status == 201
    assert add(ada, first).status == 201
    assert pay(ada).status == 201
    world.run_due()
    (held,) = reservations(ada.id)
    (used,) = held.held
    assert used.pack_name == "Standing"
    assert used.credits == 1


def test_two_slots_in_one_cart_are_both_booked(shop: Shop) -> None:
    world = shop(WEDNESDAY)
    tuesday, thursday = class_on(world, TUESDAY), class_on(world, date(2026, 2, 26))
    ada = ada_in(world)
    assert add(ada, tuesday).status == 201
    assert add(ada, tuesday).status == 201, "the same again is the same line"
    lines = add(ada, thursday).json()["lines"]
    assert [line["weekly"]["weekday"] for line in lines] == [1, 3]
    assert pay(ada).status == 201
    world.run_due()
    assert starts(ada.id) == ["2026-02-26 23:00", "2026-03-03 23:00"]


def test_a_slot_that_has_begun_today_is_paid_from_tomorrow_so_that_no_week_is_without_a_place(
    shop: Shop,
) -> None:
    """On a Tuesday at 19:00, for Tuesdays at 18:00: the next place is a week later."""
    world = shop("2026-03-04 00:00")
    _, second, third, *_ = tuesdays(world)
    ada = bought(world, second)
    assert charged_at(world, ada.id) == []
    assert subscription_of(ada.id).anchor == date(2026, 3, 4)
    go_to(world, "2026-03-04 05:00")
    assert len(charged_at(world, ada.id)) == 1
    assert starts(ada.id) == [text(second.starts_at)]
    go_to(world, "2026-03-11 12:00")
    assert starts(ada.id) == [text(second.starts_at), text(third.starts_at)]


def test_a_later_start_is_paid_and_booked_then(shop: Shop) -> None:
    world = shop(WEDNESDAY)
    _, second, *_ = tuesdays(world)
    ada = bought(world, second, starts_on="2026-03-05")
    assert reservations(ada.id) == []
    go_to(world, "2026-03-05 05:00")
    assert starts(ada.id) == [text(second.starts_at)]


def test_who_leads_it_matters_only_when_asked_for(shop: Shop) -> None:
    world = shop(WEDNESDAY)
    mira = class_on(world, TUESDAY, staff_member="mira")
    class_on(world, date(2026, 3, 10), staff_member="jo")
    ada, bea = ada_in(world), ada_in(world, "bea@example.com")
    add(ada, mira)
    add(bea, mira, same_staff=True)
    for one in (ada, bea):
        assert pay(one).status == 201
    go_to(world, "2026-03-05 15:00")
    assert starts(ada.id) == ["2026-03-03 23:00", "2026-03-10 22:00"]
    assert starts(bea.id) == ["2026-03-03 23:00"]


# --- payments that fail --------------------------------------------------------------------------


def test_without_its_payment_a_week_has_no_place_and_paid_late_it_gets_it(shop: Shop) -> None:
    world = shop(WEDNESDAY)
    first, second, *_ = tuesdays(world)
    ada = bought(world, first)
    world.sandbox.let_card_behave_as(card_of(ada.id).token, FAILS_LATER)
    go_to(world, "2026-03-06 12:00")
    assert subscription_of(ada.id).state is SubscriptionState.PAST_DUE
    assert stored(second).taken == 0
    world.sandbox.let_card_behave_as(card_of(ada.id).token, WORKS)
    go_to(world, "2026-03-07 05:00")
    assert subscription_of(ada.id).state is SubscriptionState.ACTIVE
    assert starts(ada.id) == [text(first.starts_at), text(second.starts_at)]


def test_paid_after_its_time_staff_are_told_and_the_credit_is_for_something_else(
    shop: Shop,
) -> None:
    """Bought on a Tuesday morning: its weeks begin on Tuesdays, so a day late is too late."""
    world = shop("2026-03-03 15:00")
    first, second, third, *_ = tuesdays(world)
    ada = bought(world, first)
    world.sandbox.let_card_behave_as(card_of(ada.id).token, FAILS_LATER)
    go_to(world, "2026-03-10 23:00")
    world.sandbox.let_card_behave_as(card_of(ada.id).token, WORKS)
    go_to(world, "2026-03-11 12:00")
    assert starts(ada.id) == [text(first.starts_at)]
    assert stored(second).taken == 0
    assert left(ada.id) == [0, 1]
    (said,) = missed()
    assert "Evening yoga" in said
    ada.sign_in()
    other = class_on(world, date(2026, 3, 13))
    assert ada.post("/reservations", {"activity": other.id}, key="make-up-1").status == 201
    go_to(world, "2026-03-17 12:00")
    assert starts(ada.id) == [text(one.starts_at) for one in (first, other, third)]


def test_dunning_ends_it_and_what_is_booked_stays(shop: Shop) -> None:
    world = shop(WEDNESDAY)
    first, *_ = tuesdays(world)
    ada = bought(world, first)
    world.sandbox.let_card_behave_as(card_of(ada.id).token, FAILS_LATER)
    go_to(world, "2026-03-12 12:00")
    assert subscription_of(ada.id).state is SubscriptionState.CANCELLED
    assert starts(ada.id) == [text(first.starts_at)]


# --- weeks without ------------------------------------------------------------------------------


def test_a_week_that_is_not_on_the_schedule_yet_is_booked_when_it_is(shop: Shop) -> None:
    world = shop(WEDNESDAY)
    ada = bought(world, class_on(world, TUESDAY))
    go_to(world, "2026-03-06 12:00")
    assert left(ada.id) == [0, 1]
    ada.sign_in()
    page = ada.read(f"/subscriptions/{subscription_of(ada.id).id}")
    assert page["next_place"] == {"starts_at": "2026-03-10T22:00:00Z", "reservation_id": None}
    second = class_on(world, date(2026, 3, 10))
    go_to(world, "2026-03-07 05:00")
    assert starts(ada.id)[1:] == [text(second.starts_at)]
    assert missed() == []


def test_a_week_that_the_merchant_called_off_is_told_to_staff_and_can_be_made_up(
    shop: Shop,
) -> None:
    world = shop(WEDNESDAY)
    first, second, third, *_ = tuesdays(world)
    ada = bought(world, first)
    call_off(second)
    go_to(world, "2026-03-10 21:59")
    assert (left(ada.id), missed()) == ([0, 1], [])
    go_to(world, "2026-03-10 22:00")
    assert len(missed()) == 1
    ada.sign_in()
    other = class_on(world, date(2026, 3, 10), time(20, 0))
    assert ada.post("/reservations", {"activity": other.id}, key="make-up-1").status == 201
    go_to(world, "2026-03-12 12:00")
    assert starts(ada.id) == [text(one.starts_at) for one in (first, other, third)]
    assert len(missed()) == 1


def test_a_full_week_waits_and_staff_are_told(shop: Shop) -> None:
    world = shop(WEDNESDAY)
    first = class_on(world, TUESDAY)
    second = class_on(world, date(2026, 3, 10), places=1)
    ada, bea = bought(world, first), ada_in(world, "bea@example.com")
    bea.post("/cart/lines", {"product": "ten"})
    assert pay(bea).status == 201
    took = bea.post("/reservations", {"activity": second.id}, key="bea-books-1").json()
    go_to(world, "2026-03-05 12:00")
    waiting = reservations(ada.id)[-1]
    assert (waiting.state, waiting.activity_id) == (ReservationState.WAITING, second.id)
    assert left(ada.id) == [0, 1], "waiting costs nothing"
    (said,) = missed()
    assert "full" in said
    bea.sign_in()
    given = bea.post(f"/reservations/{took['reservation']['id']}/cancel", key="bea-gives-it-back")
    assert given.status == 200
    ada.sign_in()
    accepted = ada.post(f"/reservations/{waiting.id}/accept", {}, key="ada-accepts-1")
    assert accepted.status == 200
    assert left(ada.id) == [0, 0]
    go_to(world, "2026-03-12 12:00")
    assert stored(second).taken == 1


def test_one_week_is_cancelled_the_credit_is_back_in_its_pack_and_nothing_books_it_again(
    shop: Shop,
) -> None:
    world = shop(WEDNESDAY)
    first, second, *_ = tuesdays(world)
    ada = bought(world, first)
    (held,) = reservations(ada.id)
    done = ada.post(f"/reservations/{held.id}/cancel", key="not-this-week")
    assert done.json()["reservation"]["state"] == "cancelled"
    go_to(world, "2026-03-02 12:00")
    assert left(ada.id) == [1]
    assert stored(first).taken == 0
    go_to(world, "2026-03-05 12:00")
    assert starts(ada.id) == [text(second.starts_at)]
    former, _ = packs_of(ada.id)
    kinds = [one.kind for one in entries_of(former)]
    assert kinds == [EntryKind.GRANT, EntryKind.HOLD, EntryKind.RELEASE, EntryKind.EXPIRE]


def test_a_week_whose_payment_was_reversed_before_it_was_on_the_schedule_is_not_booked(
    shop: Shop,
) -> None:
    """[REVERSE]: its credit is frozen, and staff know; the weekly place has nothing to add."""
    world = shop(WEDNESDAY)
    ada = bought(world, class_on(world, TUESDAY))
    go_to(world, "2026-03-06 12:00")
    world.sandbox.reverse_charge(world.sandbox.charges()[-1].id)
    second = class_on(world, date(2026, 3, 10))
    go_to(world, "2026-03-10 23:00")
    assert packs_of(ada.id)[1].frozen_at is not None
    assert stored(second).taken == 0
    assert missed() == []


def test_credits_that_were_used_otherwise_before_it_was_scheduled_book_nothing_more(
    shop: Shop,
) -> None:
    world = shop(WEDNESDAY)
    ada = bought(world, class_on(world, TUESDAY))
    go_to(world, "2026-03-06 12:00")
    ada.sign_in()
    other = class_on(world, date(2026, 3, 8))
    assert ada.post("/reservations", {"activity": other.id}, key="instead-1").status == 201
    second = class_on(world, date(2026, 3, 10))
    go_to(world, "2026-03-10 23:00")
    assert stored(second).taken == 0
    assert missed() == []


# --- ending it -----------------------------------------------------------------------------------


def test_a_commitment_of_four_is_kept_before_it_can_be_cancelled(shop: Shop) -> None:
    world = shop(WEDNESDAY)
    first, *_ = tuesdays(world)
    ada = bought(world, first, "standing_four")
    path = f"/subscriptions/{subscription_of(ada.id).id}/cancel"
    refused = ada.post(path, {"when": "now"}, key="too-early-1")
    assert (refused.status, refused.json()["code"]) == (403, "cancel_not_allowed")
    assert ada.read(path)["why_not"] == "commitment"
    go_to(world, "2026-03-18 15:00")
    assert len(starts(ada.id)) == 4
    ada.sign_in()
    assert ada.read(path)["commitment"]["remaining"] == 0
    assert ada.post(path, {"when": "now"}, key="after-four-1").status == 200
    go_to(world, "2026-04-20 15:00")
    assert len(starts(ada.id)) == 4, "the place that was booked stays, and no more are"
    assert len(charged_at(world, ada.id)) == 4


def test_while_it_is_paused_nothing_is_paid_and_nothing_booked(shop: Shop) -> None:
    """[PAUSE]: the second and third week are passed over; the fourth is paid and booked."""
    world = shop(WEDNESDAY)
    first, _, _, fourth, *_ = tuesdays(world)
    ada = bought(world, first)
    pause(world, ada.id)
    go_to(world, "2026-03-12 15:00")
    resume(world, ada.id)
    go_to(world, "2026-03-19 15:00")
    assert len(charged_at(world, ada.id)) == 2
    assert starts(ada.id) == [text(first.starts_at), text(fourth.starts_at)]


# --- what can't be chosen ------------------------------------------------------------------------


def test_what_is_not_a_slot_of_the_product_is_refused_by_field(shop: Shop) -> None:
    world = shop(WEDNESDAY)
    good = class_on(world, TUESDAY)
    ada = ada_in(world)
    full = class_on(world, date(2026, 2, 26), places=0)
    bath = class_on(world, TUESDAY, time(9), service_id="bath")
    berlin = class_on(world, TUESDAY, location_id="be")
    off = class_on(world, date(2026, 2, 27))
    call_off(off)
    refused: list[tuple[dict[str, Any], str]] = [
        ({"product": "standing"}, "invalid"),
        ({"product": "standing", "activity": "ny.20260303T2300.none"}, "invalid"),
        ({"product": "standing", "activity": bath.id}, "invalid"),
        ({"product": "standing", "activity": berlin.id}, "invalid"),
        ({"product": "month", "activity": good.id}, "invalid"),
        ({"product": "standing", "activity": full.id}, "full"),
        ({"product": "standing", "activity": off.id}, "not_scheduled"),
        (
            {"product": "standing", "activity": good.id, "starts_on": "2026-03-10"},
            "not_scheduled",
        ),
    ]
    for wanted, code in refused:
        answer = ada.post("/cart/lines", wanted)
        assert (answer.status, answer.json()["code"]) == (422, code), wanted
        assert set(answer.json()["fields"]) == {"activity"}, wanted
    assert ada.read("/cart")["lines"] == []


def test_a_slot_that_filled_up_meanwhile_is_not_sold(shop: Shop) -> None:
    world = shop(WEDNESDAY)
    first = class_on(world, TUESDAY, places=1)
    ada, bea = ada_in(world), ada_in(world, "bea@example.com")
    add(ada, first)
    add(bea, first)
    page = ada.read("/checkout")
    assert pay(bea).status == 201
    world.run_due()
    wanted = {"cart": page["cart"], "expected_total": page["expected_total"], "seen": page["seen"]}
    answer = ada.post("/checkout", wanted, key="ada-is-too-late")
    assert (answer.status, answer.json()["code"]) == (409, "cart_changed")
    (line,) = ada.read("/cart")["lines"]
    assert line["notice"] == "time_gone"
    assert "no place at this time" in ada.see("/cart").text
    assert charged_at(world, ada.id) == []
    assert subscriptions(ada.id) == 0


def subscriptions(customer_id: str) -> int:
    return len(accounts.subscriptions_of(customer_id).rows)


# --- pages ---------------------------------------------------------------------------------------


def test_an_activitys_page_sells_its_weekday_and_time_and_a_person_buys_it_there(
    shop: Shop,
) -> None:
    world = shop(WEDNESDAY)
    first, second, *_ = tuesdays(world)
    ada = ada_in(world)
    offers = {one["product_id"]: one for one in ada.read(f"/schedule/{first.id}")["weekly"]}
    assert set(offers) == {"standing", "standing_four"}
    offer = offers["standing"]
    assert (offer["time"]["weekday"], offer["time"]["clock"]) == (1, "18:00:00")
    assert (offer["price"]["minor"], offer["starts_on"]) == (3_000, None)
    assert offer["total"]["minor"] == 3_248, "with 8.25% tax"
    later = ada.read(f"/schedule/{second.id}")["weekly"][0]
    assert later["starts_on"] == "2026-03-10", "another comes before it"
    words = ada.see(f"/schedule/{first.id}").text
    assert "Every Tuesday at 6:00\u202fPM" in words
    assert "$32.48" in words
    added = ada.press("/cart/lines", product="standing", activity=first.id)
    assert added.status == 303
    assert (added.header("location") or "").startswith("/cart?item=standing")
    assert "Every Tuesday at 6:00\u202fPM" in ada.see("/cart").text
    assert "Your first place is on March 3, 2026" in ada.see("/checkout").text


def test_the_products_page_offers_the_days_and_times_of_the_coming_week(shop: Shop) -> None:
    world = shop(WEDNESDAY)
    first, *_ = tuesdays(world)
    class_on(world, date(2026, 2, 26), places=0)
    ada = ada_in(world)
    page = ada.read("/shop/standing")
    assert [one["activity_id"] for one in page["times"]] == [first.id]
    words = ada.see("/shop/standing").text
    assert f'value="{first.id}"' in words
    assert "Tuesday, 6:00\u202fPM" in words
    unchosen = ada.press("/cart/lines", product="standing", quantity="1")
    assert unchosen.status == 422
    assert "Choose the day and time" in unchosen.text


def test_the_schedule_and_the_subscription_say_which_are_the_customers_every_week(
    shop: Shop,
) -> None:
    world = shop(WEDNESDAY)
    first, second, *_ = tuesdays(world)
    class_on(world, TUESDAY, time(9))
    ada = bought(world, first)
    for week, activity in (("2026-03-03", first), ("2026-03-10", second)):
        days = ada.read(f"/schedule?from={week}&view=day")["days"]
        marked = [one["id"] for day in days for one in day["activities"] if one["weekly"]]
        assert marked == [activity.id]
    assert "Yours every week" in ada.see("/schedule?from=2026-03-03").text
    subscription = subscription_of(ada.id)
    page = ada.read(f"/subscriptions/{subscription.id}")
    (held,) = reservations(ada.id)
    assert page["subscription"]["weekly"]["weekday"] == 1
    assert page["next_place"] == {"starts_at": "2026-03-03T23:00:00Z", "reservation_id": held.id}
    words = ada.see(f"/subscriptions/{subscription.id}").text
    assert "Every Tuesday at 6:00\u202fPM" in words
    assert f"/reservations/{held.id}" in words


def test_staff_see_the_weekly_place_and_the_weeks_without_one(shop: Shop) -> None:
    world = shop(WEDNESDAY)
    ada = bought(world, class_on(world, TUESDAY))
    go_to(world, "2026-03-11 15:00")
    desk = staff(world)
    assert "Every Tuesday at 6:00\u202fPM" in desk.page(f"/console/customers/{ada.id}")
    assert "No place for a weekly reservation" in desk.page("/console")


def test_the_schedule_of_who_has_a_weekly_place_waits_for_the_store_twice(shop: Shop) -> None:
    world = shop(WEDNESDAY)
    first, *_ = tuesdays(world)
    ada = bought(world, first)
    ada.see("/schedule")
    with round_trips() as called:
        assert ada.see("/schedule").status == 200
    assert called == ["BatchGetItem", "Query", "Query", "Query"], "the queries at the same time"


def test_pages_of_a_weekly_place_wait_for_the_store_at_most_twice(shop: Shop) -> None:
    world = shop(WEDNESDAY)
    first, *_ = tuesdays(world)
    ada = ada_in(world)
    add(ada, first)
    for path in ("/shop/standing", "/cart", "/checkout"):
        ada.see(path)
        with round_trips() as called:
            assert ada.see(path).status == 200
        assert len(called) <= 2, path


@pytest.mark.parametrize(
    "wrong",
    [
        {"frequencies": ("weekly", "monthly")},
        {"service": None},
        {"hourly": True},
        {"credits": 0},
        {"credits": None},
        {"credits": 21},
        {"trial_days": 7},
        {"validity_days": 6},
        {"kind": "package", "frequency": None},
    ],
)
def test_a_product_that_could_not_keep_its_weekly_place_is_refused(wrong: dict[str, Any]) -> None:
    right = {
        "id": "w", "name": "W", "kind": "subscription", "prices": {"USD": 1}, "service": "yoga",
        "credits": 1, "frequency": "weekly", "standing": True,
    }  # fmt: skip
    assert Product.model_validate(right).standing
    with pytest.raises(ValidationError):
        Product.model_validate({**right, **wrong})
