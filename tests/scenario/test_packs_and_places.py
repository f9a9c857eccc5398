"""Packs of every kind, booked over HTTP alone: the schedule that staff put up, the shop, the
reservations, the clock. Dates are worked out by hand; New York is UTC-5, from 8 March 2026 UTC-4.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from infra.local.http_api import Response
from infra.local.world import LocalWorld
from shared.domain.business import Location, Service
from shared.domain.product import Catalogue, Product, RestrictTo
from shared.domain.product_kind import ProductKind
from shared.domain.settings import Settings
from shared.domain.valid_from import ValidFrom
from shared.store import catalogue as catalogues
from shared.store.staff import Role, StaffMember, write_staff_member
from tests.scenario.person import Person, move_clock

START = datetime(2026, 3, 1, 17, 0, tzinfo=UTC)
"""Noon in New York."""


def package(product_id: str, **values: Any) -> Product:
    merged: dict[str, Any] = {
        "name": product_id.replace("_", " ").capitalize(),
        "kind": ProductKind.PACKAGE,
        "prices": {"USD": 25_000},
        "service": "yoga",
        "credits": 10,
        "validity_days": 30,
        **values,
    }
    return Product(id=product_id, **merged)


CATALOGUE = Catalogue(
    settings=Settings(
        merchant_name="Happy Paws",
        support_email="hello@happypaws.example",
        cutoff_minutes=720,
        offer_minutes=120,
    ),
    locations=(
        Location(
            id="ny",
            name="New York",
            zone="America/New_York",
            currency="USD",
            tax_rate=Decimal("0.0825"),
            service_rates={"yoga": 3_000},
        ),
    ),
    services=(Service(id="yoga", name="Yoga", unit="class"),),
    products=(
        package("from_payment"),
        package("from_booking", valid_from=ValidFrom.BOOKING),
        package("from_first_activity", valid_from=ValidFrom.FIRST_ACTIVITY),
        package("unlimited_month", credits=None, validity_days=None, validity_months=1),
        package("for_new", restrict_to=RestrictTo.NEW_JOINERS, prices={"USD": 1_000}, credits=1),
        package("for_members", restrict_to=RestrictTo.ACTIVE_MEMBERS, prices={"USD": 2_000}),
    ),
)


@pytest.fixture
def world() -> Iterator[LocalWorld]:
    with LocalWorld(start=START) as opened:
        catalogues.publish(CATALOGUE)
        write_staff_member(
            StaffMember(email="olga@happypaws.example", name="Olga", role=Role.OWNER)
        )
        yield opened
        assert opened.errors == []
        assert opened.dead_letters == []


def send(person: Person, path: str, fields: dict[str, Any], key: str) -> tuple[Response, Any]:
    """A form that answers as a program sees it."""
    answer = person.ask(
        "POST", path, fields, accept="application/json", headers={"idempotency-key": key}
    )
    return answer, json.loads(answer.body)


def put_up(world: LocalWorld, *times: str, places: int = 8, **more: Any) -> dict[str, str]:
    """Staff put an hour of yoga on the schedule at each of these local times (`03-20 18:00`);
    their ids."""
    olga = Person(world, "olga@happypaws.example")
    olga.sign_in(at="/console/sign-in")
    made = {}
    for at in times:
        day, clock = at.split()
        fields = {
            "location": "ny",
            "service": "yoga",
            "date": f"2026-{day}",
            "time": clock,
            "minutes": 60,
            "places": places,
            **more,
        }
        answer, content = send(olga, "/console/activities", fields, f"put-up-{at}")
        assert answer.status == 201, content
        made[at] = content["activities"][0]["id"]
    return made


def buyer(world: LocalWorld, product: str, email: str = "ada@example.com") -> Person:
    person = Person(world, email)
    person.go("POST", "/cart/location", {"location": "ny", "next": "/shop"})
    person.add(product, quantity=1)
    person.sign_in()
    person.save_card("4242424242424242")
    paid = person.pay()
    assert paid.status == 200, paid.body[:500]
    return person


def book(person: Person, activity: str, key: str | None = None, **more: Any) -> tuple[int, Any]:
    answer, content = send(
        person, "/reservations", {"activity": activity, **more}, key or f"book-{activity}"
    )
    return answer.status, content


def pack_of(person: Person) -> Any:
    (pack,) = person.data("/packs")["packs"]
    return pack


def expiry(person: Person) -> str | None:
    found: str | None = pack_of(person)["expires_at"]
    return found


def at(world: LocalWorld, text: str) -> None:
    """The clock moves to this moment (UTC)."""
    move_clock(world, text)


def back(world: LocalWorld, person: Person, text: str) -> None:
    """Later, signed in again: a session lasts half an hour."""
    at(world, text)
    person.sign_in()


# --- a ten-pack with each beginning of its validity ----------------------------------------------


def test_a_ten_pack_from_payment_lasts_to_the_last_day_counted(world: LocalWorld) -> None:
    yoga = put_up(world, "03-10 18:00", "03-30 23:58", "03-31 00:30")
    ada = buyer(world, "from_payment")
    assert expiry(ada) == "2026-03-31T03:59:00Z", "day 30, counting 1 March: 30 March, 23:59"
    assert book(ada, yoga["03-10 18:00"])[0] == 201
    assert book(ada, yoga["03-30 23:58"])[0] == 201, "a minute before it expires"
    status, refused = book(ada, yoga["03-31 00:30"])
    assert (status, refused["code"]) == (409, "no_credits")
    assert pack_of(ada)["left"] == 8
    back(world, ada, "2026-03-31T05:00:00Z")
    page = ada.data(f"/packs/{pack_of(ada)['id']}")
    kinds = [one["kind"] for one in page["entries"]]
    assert sorted(kinds) == ["expire", "grant", "hold", "hold", "redeem", "redeem"]
    assert sum(one["delta"] for one in page["entries"]) == 0
    assert pack_of(ada)["status"] == "expired"


def test_a_ten_pack_from_booking_begins_on_the_day_that_something_is_booked(
    world: LocalWorld,
) -> None:
    yoga = put_up(world, "03-20 18:00", "04-08 18:00", "04-09 18:00")
    ada = buyer(world, "from_booking")
    assert expiry(ada) is None
    back(world, ada, "2026-03-10T16:00:00Z")
    assert book(ada, yoga["03-20 18:00"])[0] == 201
    assert expiry(ada) == "2026-04-09T03:59:00Z", "30 days from 10 March: 8 April, 23:59"
    assert book(ada, yoga["04-08 18:00"])[0] == 201
    assert book(ada, yoga["04-09 18:00"])[0] == 409
    back(world, ada, "2026-03-12T16:00:00Z")
    assert expiry(ada) == "2026-04-09T03:59:00Z", "a later booking moves nothing"


def test_a_ten_pack_from_its_first_activity_follows_what_is_booked(world: LocalWorld) -> None:
    """Example 9."""
    yoga = put_up(world, "03-20 18:00", "03-10 18:00", "04-15 18:00")
    ada = buyer(world, "from_first_activity")
    assert expiry(ada) is None
    assert book(ada, yoga["03-20 18:00"])[0] == 201
    assert expiry(ada) == "2026-04-19T03:59:00Z", "18 April, 23:59"
    status, made = book(ada, yoga["03-10 18:00"])
    assert status == 201
    assert expiry(ada) == "2026-04-09T03:59:00Z", "8 April, 23:59"
    earlier = made["reservation"]["id"]
    assert send(ada, f"/reservations/{earlier}/cancel", {}, "give-back")[0].status == 200
    assert expiry(ada) == "2026-04-19T03:59:00Z", "the earliest that is not cancelled"
    assert book(ada, yoga["04-15 18:00"])[0] == 201
    status, refused = book(ada, yoga["03-10 18:00"], "once-more")
    reasons = list(refused["facts"]["packs"].values())
    assert (status, reasons) == (409, ["would_strand"]), "it would end on 8 April, before the 15th"
    assert pack_of(ada)["left"] == 8


def test_once_its_first_activity_has_begun_cancelling_moves_nothing(world: LocalWorld) -> None:
    yoga = put_up(world, "03-10 18:00", "03-20 18:00")
    ada = buyer(world, "from_first_activity")
    assert book(ada, yoga["03-10 18:00"])[0] == 201
    _, later = book(ada, yoga["03-20 18:00"])
    back(world, ada, "2026-03-11T16:00:00Z")
    gone = send(ada, f"/reservations/{later['reservation']['id']}/cancel", {}, "give-back")
    assert gone[0].status == 200
    assert expiry(ada) == "2026-04-09T03:59:00Z"


# --- an unlimited month --------------------------------------------------------------------------


def test_an_unlimited_month_is_booked_to_its_last_minute_and_moved_only_inside(
    world: LocalWorld,
) -> None:
    yoga = put_up(world, "03-05 18:00", "03-31 23:58", "03-31 23:59", "04-01 09:00", "03-06 18:00")
    ada = buyer(world, "unlimited_month")
    assert expiry(ada) == "2026-04-01T03:59:00Z", "23:59 of the day before 1 April"
    first = book(ada, yoga["03-05 18:00"])[1]["reservation"]["id"]
    assert book(ada, yoga["03-31 23:58"])[0] == 201, "it starts before the pack expires"
    assert book(ada, yoga["03-31 23:59"])[1]["code"] == "no_credits"
    assert book(ada, yoga["04-01 09:00"])[1]["code"] == "no_credits"

    def move(to: str, key: str) -> tuple[int, Any]:
        answer, content = send(ada, f"/reservations/{first}/move", {"activity": yoga[to]}, key)
        return answer.status, content

    assert move("03-06 18:00", "move-inside-1")[0] == 200
    assert move("03-31 23:58", "move-inside-2")[0] == 200
    assert move("03-05 18:00", "move-inside-3")[0] == 200, "again and again"
    status, refused = move("04-01 09:00", "move-outside")
    assert (status, refused["code"]) == (409, "pack_not_usable")
    kept = ada.data(f"/reservations/{first}")["reservation"]
    assert kept["activity_id"] == yoga["03-05 18:00"], "and nothing was changed"
    back(world, ada, "2026-04-01T12:00:00Z")
    entries = ada.data(f"/packs/{pack_of(ada)['id']}")["entries"]
    assert {one["delta"] for one in entries} == {0}
    assert pack_of(ada)["status"] == "expired"


# --- a full activity with three who wait ---------------------------------------------------------


def test_three_wait_for_a_full_class_and_a_freed_place_goes_down_the_list(
    world: LocalWorld,
) -> None:
    (yoga,) = put_up(world, "03-10 18:00", places=2).values()
    people = {
        name: buyer(world, "from_payment", f"{name}@example.com")
        for name in ("ann", "ben", "cleo", "dan", "eve")
    }
    made = {}
    for name in ("ann", "ben"):
        status, content = book(people[name], yoga)
        assert (status, content["reservation"]["state"]) == (201, "booked")
        made[name] = content["reservation"]["id"]
    for name in ("cleo", "dan", "eve"):
        assert book(people[name], yoga, "book-without-waiting")[1]["code"] == "activity_full"
        status, content = book(people[name], yoga, wait="true")
        assert (status, content["reservation"]["state"]) == (201, "waiting")
        made[name] = content["reservation"]["id"]

    def state(name: str) -> str:
        people[name].sign_in()
        found: str = people[name].data(f"/reservations/{made[name]}")["reservation"]["state"]
        return found

    def offers(name: str) -> list[str]:
        return [
            mail["subject"] for mail in people[name].mails() if "place" in mail["subject"].lower()
        ]

    assert (
        send(people["ann"], f"/reservations/{made['ann']}/cancel", {}, "ann-gives-back")[0].status
        == 200
    )
    world.run_due()
    assert [state(name) for name in ("cleo", "dan", "eve")] == ["offered", "waiting", "waiting"]
    assert offers("cleo")
    assert not offers("dan")
    assert pack_of(people["cleo"])["left"] == 10, "an offer holds no credit"

    at(world, "2026-03-01T19:00:00Z")
    assert [state(name) for name in ("cleo", "dan", "eve")] == ["lapsed", "offered", "waiting"], (
        "two hours later the offer has run out"
    )
    answer, _ = send(people["dan"], f"/reservations/{made['dan']}/accept", {}, "thank-you")
    assert answer.status == 200
    assert state("dan") == "booked"
    assert pack_of(people["dan"])["left"] == 9
    late, refused = send(people["cleo"], f"/reservations/{made['cleo']}/accept", {}, "too-late")
    assert (late.status, refused["code"]) == (409, "offer_gone")

    at(world, "2026-03-10T22:00:00Z")
    assert state("eve") == "lapsed", "the list ends when the class begins"
    at(world, "2026-03-10T23:00:00Z")
    assert [state(name) for name in ("ben", "dan")] == ["redeemed", "redeemed"]
    people["eve"].sign_in()
    assert pack_of(people["eve"])["left"] == 10


# --- for whom ------------------------------------------------------------------------------------


def test_an_offer_for_new_joiners_ends_with_the_first_reservation_and_members_see_theirs(
    world: LocalWorld,
) -> None:
    (yoga,) = put_up(world, "03-10 18:00").values()
    ada = buyer(world, "for_new")

    def on_sale() -> set[str]:
        return {one["id"] for one in ada.data("/shop")["products"]}

    assert "for_new" in on_sale()
    assert "for_members" not in on_sale()
    assert book(ada, yoga)[0] == 201
    assert "for_new" not in on_sale()
    assert "for_members" in on_sale()
