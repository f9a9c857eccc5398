"""A customer's statement as staff see it: every line with who was behind it, of their locations
only ([LEDGER] [ACCESS] [OWN])."""

import csv
import io
from typing import Any

import pytest

from infra.local.world import LocalWorld
from shared.domain.pack import Pack
from shared.store.staff import Role
from tests import shop_floor as shop
from tests.console.office import Desk, activity_at, book, customer, staff

OWNER = "owner@happypaws.example"


@pytest.fixture
def ada(world: LocalWorld) -> str:
    """She has a pack in New York and one in Berlin, and a place booked with the first."""
    customer_id = shop.customer_with_card(world)
    shop.buy(world, customer_id, "ten")
    shop.buy(world, customer_id, "ten", location="be")
    book(world, customer_id, activity_at(world))
    return customer_id


def pack_at(customer_id: str, location_id: str) -> Pack:
    (found,) = [one for one in shop.packs_of(customer_id) if one.location_id == location_id]
    return found


def path(customer_id: str, query: str = "") -> str:
    return f"/console/customers/{customer_id}/statement{query}"


def take_off(desk: Desk, pack: Pack, reason: str) -> None:
    answer = desk.post(
        f"/console/customers/{pack.customer_id}/packs/{pack.id}/credits",
        delta=-2,
        reason=reason,
        idempotency_key=f"key-of-{reason}",
    )
    assert answer.status == 201, answer.text


def told(page: dict[str, Any]) -> list[tuple[str, str, int, str]]:
    return [(one["kind"], one["location"], one["delta"], one["by"]) for one in page["lines"]]


def test_staff_see_every_line_and_who_was_behind_it_customers_see_that_it_was_staff(
    world: LocalWorld, ada: str
) -> None:
    olga = staff(world)
    take_off(olga, pack_at(ada, "ny"), "Came with two friends")
    page = olga.data(path(ada))
    assert sorted(told(page)) == [
        ("deduct", "Brooklyn", -2, OWNER),
        ("grant", "Berlin", 10, ""),
        ("grant", "Brooklyn", 10, ""),
        ("hold", "Brooklyn", -1, "customer"),
    ]
    assert page["closing"] == 17
    hers = customer(world, ada)
    assert {one["by"] for one in hers.data("/packs/statement")["lines"]} == {
        "",
        "customer",
        "staff",
    }
    for words in (hers.page("/packs/statement"), hers.data("/packs/statement")):
        assert OWNER not in str(words)


def test_the_page_says_where_each_credit_of_one_pack_is(world: LocalWorld, ada: str) -> None:
    olga, pack = staff(world), pack_at(ada, "ny")
    take_off(olga, pack, "Came with two friends")
    query = f"?pack={pack.id}"
    lives = olga.data(path(ada, query))["lives"]
    assert [(one["first"], one["last"], one["where"], one["by"]) for one in lives] == [
        (1, 1, "held", "customer"),
        (2, 8, "unused", ""),
        (9, 10, "deducted", OWNER),
    ]
    words = olga.page(path(ada, query))
    for said in ("Credits 9 to 10", "by owner@happypaws.example", "by the customer", "Yoga"):
        assert said in words, said
    (held,) = [one for one in olga.data(path(ada))["lines"] if one["kind"] == "hold"]
    assert f'href="/console/activities/{held["activity_id"]}"' in words
    assert f'href="/console/customers/{ada}#invoice-{pack.invoice_id}"' in words
    assert path(ada) in olga.page(f"/console/customers/{ada}")


def test_staff_of_one_location_see_its_packs_only_in_every_form(
    world: LocalWorld, ada: str
) -> None:
    max_ = staff(world, Role.CLERK, locations=("be",))
    page = max_.data(path(ada))
    assert told(page) == [("grant", "Berlin", 10, "")]
    assert (page["closing"], [one["id"] for one in page["packs"]]) == (10, [pack_at(ada, "be").id])
    for query in ("?format=csv", "?format=json", ""):
        answer = max_.ask("GET", path(ada, query))
        assert pack_at(ada, "ny").id not in answer.text
        assert "Brooklyn" not in answer.text
    assert max_.ask("GET", path(ada, f"?pack={pack_at(ada, 'ny').id}")).status == 404


def test_who_has_nothing_at_their_location_is_not_there(world: LocalWorld) -> None:
    of_ny = shop.subscribed(world, "month")
    max_ = staff(world, Role.CLERK, locations=("be",))
    for query in ("", "?format=csv", "?format=json"):
        assert max_.ask("GET", path(of_ny, query)).status == 404
    assert staff(world).ask("GET", path("nobody")).status == 404
    assert Desk(world).ask("GET", path(of_ny)).status == 401
    assert customer(world, of_ny).ask("GET", path(of_ny)).status == 401


def test_staff_take_it_along_as_csv(world: LocalWorld, ada: str) -> None:
    olga = staff(world)
    take_off(olga, pack_at(ada, "ny"), "=1+1")
    answer = olga.ask("GET", path(ada), accept="text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.body.decode(), newline="")))
    assert [one["kind"] for one in rows] == [one["kind"] for one in olga.data(path(ada))["lines"]]
    (taken,) = [one for one in rows if one["kind"] == "deduct"]
    assert (taken["reason"], taken["credits"], taken["by"]) == ("'=1+1", "-2", OWNER)
