"""The schedule through HTTP: what is on, who may see it, and what a place would cost
([BOOK] [PLACES] [LOCATION])."""

from collections.abc import Iterator
from threading import Barrier, Event
from time import sleep
from typing import Any

import pytest

from infra.local.http_api import Response
from infra.local.world import LocalWorld
from shared.domain.activity import Waiting
from shared.domain.activity_state import ActivityState
from shared.domain.money import Money
from shared.web.side_by_side import side_by_side
from tests.portal.customers import Customer
from tests.portal.people import CountingEngine
from tests.portal.studio import START, class_of, give, pack_of, put_on
from tests.round_trips import round_trips
from tests.shop_floor import go_to, moment, newcomer, open_shop


@pytest.fixture
def world() -> Iterator[LocalWorld]:
    with open_shop(START, engine=CountingEngine()) as opened:
        yield opened
        assert opened.errors == []


@pytest.fixture
def ada(world: LocalWorld) -> Customer:
    return Customer(world, newcomer(world))


def nobody(world: LocalWorld, path: str, *, location: str = "ny") -> Response:
    headers = [("accept", "application/json"), ("cookie", f"__Host-location={location}")]
    return world.request("GET", path, headers)


def on(page: Any) -> dict[str, list[str]]:
    """The names of what is on, by day, of the days that have anything."""
    return {
        day["date"]: [one["name"] for one in day["activities"]]
        for day in page["days"]
        if day["activities"]
    }


def test_anyone_sees_a_week_from_today_by_local_day(world: LocalWorld) -> None:
    put_on(
        class_of("2026-03-02 13:00", name="Has begun"),
        class_of("2026-03-03 04:30", name="Late on Monday"),
        class_of("2026-03-03 05:00", name="Midnight on Tuesday"),
        class_of("2026-03-09 03:59", name="Last minute of Sunday"),
        class_of("2026-03-09 04:30", name="Next Monday"),
    )
    page = nobody(world, "/schedule").json()
    assert (page["begins"], page["ends"], page["view"]) == ("2026-03-02", "2026-03-08", "week")
    assert len(page["days"]) == 7
    assert on(page) == {
        "2026-03-02": ["Has begun", "Late on Monday"],
        "2026-03-03": ["Midnight on Tuesday"],
        "2026-03-08": ["Last minute of Sunday"],
    }
    begun, later = page["days"][0]["activities"]
    assert (begun["bookable"], later["bookable"]) == (False, True)


def test_a_class_says_time_name_places_and_price(world: LocalWorld) -> None:
    put_on(
        class_of(places=8, taken=5),
        class_of(
            "2026-03-04 17:00",
            name="Full one",
            places=1,
            taken=1,
            waiting=tuple(
                Waiting(customer_id=one, reservation_id=one, participants=1, since=moment(START))
                for one in ("bea", "cem")
            ),
        ),
    )
    path = "/schedule?from=2026-03-04&view=day"
    morning, full = nobody(world, path).json()["days"][0]["activities"]
    assert morning["starts_at"] == "2026-03-04T15:00:00Z"
    assert (morning["service"], morning["free"]) == ("Yoga", 3)
    assert morning["price"] == Money(minor=2_000, currency="USD").model_dump()
    assert (full["free"], full["waiting"]) == (0, 2)
    words = world.request("GET", path, [("accept", "text/html")]).text
    assert "10:00\u202fAM" in words
    assert "3 places free" in words
    assert "Full, 2 waiting" in words


def test_what_is_cancelled_is_not_listed(world: LocalWorld) -> None:
    put_on(class_of(state=ActivityState.CANCELLED))
    assert on(nobody(world, "/schedule").json()) == {}


def test_the_schedule_follows_the_chosen_location(world: LocalWorld) -> None:
    put_on(
        class_of(),
        class_of(id="be.20260304T0900.b", name="Berlin", location_id="be", zone="Europe/Berlin"),
    )
    assert on(nobody(world, "/schedule").json()) == {"2026-03-04": ["Morning yoga"]}
    there = nobody(world, "/schedule", location="be").json()
    assert there["zone"] == "Europe/Berlin"
    assert on(there) == {"2026-03-04": ["Berlin"]}


def test_it_can_be_narrowed_down_by_service_and_staff_member(world: LocalWorld) -> None:
    put_on(
        class_of(staff_member="mira"),
        class_of("2026-03-04 17:00", name="Bath", service_id="bath", staff_member="jo"),
    )
    assert on(nobody(world, "/schedule?service=bath").json()) == {"2026-03-04": ["Bath"]}
    assert on(nobody(world, "/schedule?staff=mira").json()) == {"2026-03-04": ["Morning yoga"]}
    assert on(nobody(world, "/schedule?staff=mira&service=bath").json()) == {}


def test_links_lead_to_the_days_before_and_after_and_keep_what_was_chosen(
    world: LocalWorld,
) -> None:
    page = nobody(world, "/schedule?from=2026-03-01&view=day&service=yoga").json()
    assert page["earlier"] == "/schedule?from=2026-02-28&view=day&service=yoga"
    assert page["later"] == "/schedule?from=2026-03-02&view=day&service=yoga"
    week = nobody(world, "/schedule?from=2026-03-01").json()
    assert week["earlier"] == "/schedule?from=2026-02-22&view=week"
    assert nobody(world, week["later"]).json()["begins"] == "2026-03-08"


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ("from=yesterday", "from"),
        ("from=2026-02-30", "from"),
        ("from=0001-01-01", "from"),
        ("from=9999-12-31", "from"),
        ("view=month", "view"),
        (f"service={'x' * 101}", "service"),
    ],
)
def test_a_wrong_question_is_refused_and_names_the_field(
    world: LocalWorld, asked: str, field: str
) -> None:
    answer = nobody(world, f"/schedule?{asked}")
    assert answer.status == 422
    assert set(answer.json()["fields"]) == {field}


def test_nothing_of_a_past_day_can_be_booked(world: LocalWorld) -> None:
    put_on(class_of("2026-02-27 15:00"), class_of("2026-02-28 15:00", name="Another"))
    page = nobody(world, "/schedule?from=2026-02-25").json()
    shown = [one for day in page["days"] for one in day["activities"]]
    assert [one["bookable"] for one in shown] == [False, False]
    assert nobody(world, f"/schedule/{shown[0]['id']}").json()["why_not"] == "begun"


def test_whoever_is_signed_in_sees_what_they_booked_and_nobody_else_does(
    world: LocalWorld, ada: Customer
) -> None:
    activity = class_of()
    put_on(activity)
    give([pack_of(ada.id, world.now())])
    made = ada.post("/reservations", {"activity": activity.id}, key="key-one-1").json()
    (mine,) = ada.read("/schedule?from=2026-03-04&view=day")["days"][0]["activities"]
    assert mine["mine"] == [{"reservation_id": made["reservation"]["id"], "state": "booked"}]
    assert ">Booked<" in ada.see("/schedule").text
    bea = Customer(world, newcomer(world, "bea@example.com"))
    for page in (nobody(world, "/schedule").json(), bea.read("/schedule")):
        (seen,) = [one for day in page["days"] for one in day["activities"]]
        assert (seen["mine"], seen["free"]) == ([], 7)


def test_a_class_says_which_pack_would_pay(world: LocalWorld, ada: Customer) -> None:
    activity = class_of()
    put_on(activity)
    give([pack_of(ada.id, world.now(), number=2)])
    page = ada.read(f"/schedule/{activity.id}?participants=3")
    (held,) = page["plan"]["held"]
    assert (held["pack_id"], held["credits"], held["participants"]) == ("pack-1", 2, 2)
    assert page["plan"]["due"]["minor"] == 2_000
    assert page["why_not"] is None
    assert ada.read(f"/schedule/{activity.id}")["plan"]["due"]["minor"] == 0
    assert ada.get(f"/schedule/{activity.id}?participants=0").status == 422


def test_what_has_to_be_prepaid_is_paid_there_or_by_a_pack_on_sale(ada: Customer) -> None:
    activity = class_of(prepay_online=True)
    put_on(activity)
    page = ada.read(f"/schedule/{activity.id}")
    assert (page["why_not"], page["pay_now"], page["pay_later"]) == (None, True, False)
    chosen = [(one["product_id"], one["total"]["minor"]) for one in page["choices"]]
    assert chosen == [(None, 2_000), ("ten", 27_063)]
    in_shop = [one["product_id"] for one in page["packs"]]
    assert "month" in in_shop
    assert "ten" not in in_shop and "mat" not in in_shop
    words = ada.see(f"/schedule/{activity.id}").text
    assert "has to be paid when it is booked" in words
    assert "Book, and pay later" not in words
    assert "$250.00 + $20.63 tax = <strong>$270.63</strong>" in words
    assert 'href="/shop/month"' in words


def test_who_is_not_signed_in_is_led_to_sign_in_and_back(world: LocalWorld) -> None:
    activity = class_of()
    put_on(activity)
    page = world.request("GET", f"/schedule/{activity.id}", [("accept", "text/html")])
    assert f'href="/sign-in?next=/schedule/{activity.id}"' in page.text
    assert 'action="/reservations"' not in page.text


@pytest.mark.parametrize("unknown", ["nothing", "ny.20260304T1500.x", "zz.20260304T1500.x", "a%23"])
def test_an_unknown_activity_is_not_there(world: LocalWorld, unknown: str) -> None:
    assert nobody(world, f"/schedule/{unknown}").status == 404


def test_a_page_waits_for_the_store_at_most_twice(world: LocalWorld, ada: Customer) -> None:
    """What stands side by side is asked at once: the days, and one's own reservations."""
    activity = class_of()
    put_on(activity)
    give([pack_of(ada.id, world.now())])
    nobody(world, "/schedule")
    with round_trips() as called:
        nobody(world, "/schedule")
    assert called == ["Query"] or called == ["BatchGetItem", "Query"]
    ada.see("/schedule")
    with round_trips() as called:
        assert ada.see("/schedule").status == 200
    assert called == ["BatchGetItem", "Query"]
    ada.post("/reservations", {"activity": activity.id}, key="key-one-1")
    for path in ("/schedule", f"/schedule/{activity.id}"):
        with round_trips() as called:
            assert ada.see(path).status == 200
        assert called == ["BatchGetItem", "Query", "Query"], "the queries at the same time"


def test_the_day_of_today_moves_with_the_clock(world: LocalWorld) -> None:
    go_to(world, "2026-03-03 04:59")
    assert nobody(world, "/schedule").json()["begins"] == "2026-03-02"
    go_to(world, "2026-03-03 05:00")
    assert nobody(world, "/schedule").json()["begins"] == "2026-03-03"


def test_two_readings_side_by_side_do_not_wait_for_each_other() -> None:
    meeting = Barrier(2, timeout=5)
    assert side_by_side(lambda: meeting.wait() >= 0, lambda: meeting.wait() >= 0) == (True, True)


def test_what_either_reading_raises_goes_through() -> None:
    def fails() -> None:
        raise LookupError("gone")

    for one, other in ((fails, lambda: None), (lambda: None, fails)):
        with pytest.raises(LookupError, match="gone"):
            side_by_side(one, other)


def test_readings_within_readings_do_not_wait_for_each_other_s_threads() -> None:
    def deep(levels: int) -> int:
        if not levels:
            return 1
        return sum(side_by_side(lambda: deep(levels - 1), lambda: deep(levels - 1)))

    assert deep(7) == 2**7, "many more readings than threads"


def test_nothing_is_read_any_more_when_one_reading_has_failed() -> None:
    begun, over = Event(), Event()

    def fails() -> None:
        begun.wait(timeout=5)
        raise LookupError("gone")

    def goes_on() -> None:
        begun.set()
        sleep(0.05)
        over.set()

    with pytest.raises(LookupError, match="gone"):
        side_by_side(fails, goes_on)
    assert over.is_set()
