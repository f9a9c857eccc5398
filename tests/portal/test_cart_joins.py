"""Whose cart it is: counts, races, round trips, and what comes along at sign-in ([CART] [WHO])."""

from datetime import timedelta
from typing import Any

import pytest

from infra.local.aws import switchboard
from infra.local.world import LocalWorld
from shared.domain.cart_lines import Wanted
from shared.operations import cart as carts
from shared.operations.cart import Holder
from shared.store import accounts
from shared.store.reading import read
from shared.store.writing import commit
from shared.web.answer import LOCATION_COOKIE, VISITOR_COOKIE
from tests.portal.browser import Browser, content
from tests.portal.shop_samples import CATALOGUE, NEW_YORK, ada, add, cart_of, lines

# --- the header's count, races, round trips --------------------------------------------------


def count_in_head(location: str = "ny") -> int:
    ref = accounts.head("ada")
    row = read(ref).get(ref)
    assert row is not None
    return row.value.cart_counts.get(location, 0)


def test_a_customers_count_changes_with_the_cart(program: Browser) -> None:
    program.sign_in_as(ada())
    line = content(add(program, "mat", quantity=3))["lines"][0]["id"]
    add(program, "strap")
    assert count_in_head() == 4
    program.send(f"/cart/lines/{line}", method="DELETE")
    assert count_in_head() == 1


def test_two_tabs_that_add_at_once_lose_nothing(world: LocalWorld, program: Browser) -> None:
    program.sign_in_as(ada())
    add(program, "mat")
    head_ref = accounts.head("ada")
    cart_ref = accounts.cart(accounts.customer_pk("ada"), "ny")
    found = read(head_ref, cart_ref)
    head, row = found.get(head_ref), found.get(cart_ref)
    context = world.wiring.context(CATALOGUE)
    for what in ("strap", "secret"):
        # Both decide by what was read before either wrote.
        holder = Holder(accounts.customer_pk("ada"), head)
        carts.add_line(context, holder, NEW_YORK, row, Wanted(product_id=what))
    assert lines(program.get("/cart")) == [("mat", 1), ("strap", 1), ("secret", 1)]
    assert count_in_head() == 3


def round_trips(ask: Any) -> int:
    before = switchboard.calls
    ask()
    return switchboard.calls - before


@pytest.mark.parametrize("signed_in", [False, True])
def test_a_page_takes_at_most_2_round_trips_and_adding_at_most_2(
    program: Browser, *, signed_in: bool
) -> None:
    if signed_in:
        program.sign_in_as(ada())
    program.get("/shop")
    for path in ("/shop", "/shop/ten", "/cart", "/contact"):
        assert round_trips(lambda path=path: program.get(path)) <= 2, path
    assert round_trips(lambda: add(program, "mat")) <= 2
    assert round_trips(lambda: add(program, "mat")) <= 2
    program.cookies.pop(LOCATION_COOKIE)
    assert round_trips(lambda: add(program, "mat")) <= 2


# --- at sign-in ------------------------------------------------------------------------------


def join(world: LocalWorld, visitor: str) -> carts.Joined:
    pk = accounts.visitor_pk(visitor)
    found = read(*carts.join_refs(pk, "ada", CATALOGUE))
    joined = carts.join_writes(
        found,
        visitor_pk=pk,
        customer=ada(cart_counts={"ny": 2}),
        catalogue=CATALOGUE,
        now=world.now(),
        new_id=world.wiring.new_id,
    )
    commit(joined.writes)
    return joined


def test_a_visitors_cart_joins_what_the_customers_cart_held(world: LocalWorld) -> None:
    customer, visitor = Browser(world), Browser(world)
    customer.sign_in_as(ada())
    add(customer, "mat", quantity=2)
    add(visitor, "mat", quantity=3)
    add(visitor, "ten")
    world.advance(timedelta(seconds=1))
    visitor.send("/cart/location", {"location": "be"})
    add(visitor, "ten")
    joined = join(world, visitor.cookies[VISITOR_COOKIE])
    assert joined.cart_counts == {"ny": 6, "be": 1}
    assert joined.location == "be"
    mine = cart_of(accounts.customer_pk("ada"))
    assert mine is not None
    assert [(line.product_id, line.quantity) for line in mine.lines] == [("mat", 5), ("ten", 1)]
    assert not mine.visitor
    assert cart_of(accounts.visitor_pk(visitor.cookies[VISITOR_COOKIE])) is None


def test_what_does_not_fit_stays_out_and_the_rest_comes_along(world: LocalWorld) -> None:
    customer, visitor = Browser(world), Browser(world)
    customer.sign_in_as(ada())
    add(customer, "mat", quantity=60)
    add(visitor, "mat", quantity=60)
    add(visitor, "strap")
    join(world, visitor.cookies[VISITOR_COOKIE])
    mine = cart_of(accounts.customer_pk("ada"))
    assert mine is not None
    assert [(line.product_id, line.quantity) for line in mine.lines] == [("mat", 60), ("strap", 1)]


def test_an_expired_visitors_cart_brings_nothing(world: LocalWorld) -> None:
    visitor = Browser(world)
    add(visitor, "mat")
    world.advance(timedelta(days=30))
    joined = join(world, visitor.cookies[VISITOR_COOKIE])
    assert joined.cart_counts == {"ny": 2}
    assert joined.location is None
