"""The cart through its handler, as a person and as a program ([CART] [LOCATION] [PWYW])."""

from datetime import timedelta
from typing import Any

import pytest

from infra.local.world import LocalWorld
from shared.domain.cart import MAX_LINES
from shared.domain.product_kind import ProductKind
from shared.domain.shopping import MAX_QUANTITY
from shared.store import accounts
from shared.store import catalogue as catalogues
from shared.store.reading import read
from shared.store.writing import commit, put
from shared.web.answer import LOCATION_COOKIE, VISITOR_COOKIE
from tests.portal.browser import Browser, content
from tests.portal.shop_samples import CATALOGUE, ada, add, cart_of, fields, lines, product

# --- filling a cart --------------------------------------------------------------------------


def test_anyone_fills_a_cart_by_a_cookie_that_lasts_30_days(program: Browser) -> None:
    added = add(program, "mat", quantity=2)
    assert (added.status, lines(added)) == (201, [("mat", 2)])
    [text] = [value for name, value in added.headers if VISITOR_COOKIE in value]
    assert "Max-Age=2592000" in text
    assert "HttpOnly" in text
    assert "Secure" in text
    assert lines(program.get("/cart")) == [("mat", 2)]
    assert lines(Browser(program.world).get("/cart")) == []


def test_a_form_leads_to_the_cart_which_names_what_was_added(person: Browser) -> None:
    answer = person.form("/cart/lines", product="ten", quantity="1")
    assert answer.status == 303
    location = dict(answer.headers)["Location"]
    assert location.startswith("/cart?")
    assert "done=added" in location
    assert "Ten classes is in your cart." in person.get(location).body.decode()


def test_totals_are_with_tax_and_what_is_due_later_is_apart(program: Browser) -> None:
    add(program, "ten")
    add(program, "trial")
    page = content(add(program, "mat", quantity=2))
    # 250.00 + 20.63, 20.00 + 1.65; the trial's 10.00 comes later.
    assert page["due_now"]["minor"] == 27_063 + 2_165
    assert page["totals"]["total"]["minor"] == 27_063 + 2_165 + 1_000
    [later] = page["due_later"]
    assert (later["why"], later["at"]) == ("trial", "2026-03-24T03:59:00Z")
    assert page["can_check_out"]


def test_a_subscription_takes_frequency_start_and_end(program: Browser) -> None:
    added = add(program, "month", frequency="weekly", starts_on="2026-04-01", until="2026-12-31")
    [line] = content(added)["lines"]
    assert (line["frequency"], line["starts_on"], line["until"]) == (
        "weekly",
        "2026-04-01",
        "2026-12-31",
    )
    assert content(added)["due_now"]["minor"] == 0


def test_adding_the_same_again_adds_up_and_a_subscription_stays_one(program: Browser) -> None:
    for _ in range(2):
        add(program, "mat", quantity=3)
        add(program, "month")
    assert lines(program.get("/cart")) == [("mat", 6), ("month", 1)]


def test_a_quantity_is_changed_and_a_line_readd(program: Browser) -> None:
    line = content(add(program, "mat"))["lines"][0]["id"]
    assert lines(program.send(f"/cart/lines/{line}", {"quantity": 7})) == [("mat", 7)]
    gone = program.send(f"/cart/lines/{line}", method="DELETE")
    assert (gone.status, lines(gone)) == (200, [])
    assert program.send(f"/cart/lines/{line}", method="DELETE").status == 404


def test_a_person_changes_and_removes_with_forms(person: Browser) -> None:
    person.form("/cart/lines", product="mat", quantity="1")
    held = cart_of(accounts.visitor_pk(person.cookies[VISITOR_COOKIE]))
    assert held is not None
    [line] = held.lines
    assert person.form(f"/cart/lines/{line.id}", quantity="4").status == 303
    person.program = True
    assert lines(person.get("/cart")) == [("mat", 4)]
    person.program = False
    assert person.form(f"/cart/lines/{line.id}/remove").status == 303
    person.program = True
    assert lines(person.get("/cart")) == []


def test_a_chosen_price_is_read_as_an_amount(program: Browser) -> None:
    [line] = content(add(program, "talk", price="7.5"))["lines"]
    assert line["unit"] == {"minor": 750, "currency": "USD"}


# --- locations -------------------------------------------------------------------------------


def test_each_location_has_its_own_cart_currency_and_tax(program: Browser) -> None:
    add(program, "ten")
    chosen = program.send("/cart/location", {"location": "be"})
    assert (chosen.status, lines(chosen)) == (200, [])
    berlin = content(add(program, "ten"))
    assert berlin["due_now"] == {"minor": 23_800, "currency": "EUR"}
    back = program.send("/cart/location", {"location": "ny"})
    assert content(back)["due_now"] == {"minor": 27_063, "currency": "USD"}


def test_a_customers_choice_of_location_is_remembered(world: LocalWorld) -> None:
    here = Browser(world)
    here.sign_in_as(ada())
    here.send("/cart/location", {"location": "be"})
    del here.cookies[LOCATION_COOKIE]
    assert content(here.get("/cart"))["location_id"] == "be"


def test_choosing_a_location_leads_back_but_never_to_another_site(person: Browser) -> None:
    answer = person.form("/cart/location", location="be", next="/shop/ten")
    assert dict(answer.headers)["Location"].startswith("/shop/ten?")
    away = person.form("/cart/location", location="be", next="//evil.example/")
    assert dict(away.headers)["Location"].startswith("/shop?")


def test_an_unknown_location_is_refused(program: Browser) -> None:
    assert fields(program.send("/cart/location", {"location": "moon"})) == {"location"}


# --- bad input -------------------------------------------------------------------------------


@pytest.mark.parametrize("quantity", [0, -1, MAX_QUANTITY + 1, 10**18, "many", 1.5, None])
def test_a_bad_quantity_is_named(program: Browser, quantity: Any) -> None:
    assert fields(add(program, "mat", quantity=quantity)) == {"quantity"}
    assert lines(program.get("/cart")) == []


@pytest.mark.parametrize("what", ["nothing", "old", "members", "../ten"])
def test_an_unknown_product_is_refused(program: Browser, what: str) -> None:
    assert fields(add(program, what)) == {"product"}


@pytest.mark.parametrize("price", ["10.00", "0", "0.01", "-1", "1e3", "free", "1,000.00"])
def test_a_price_in_the_form_is_refused(program: Browser, price: str) -> None:
    assert fields(add(program, "mat", price=price)) == {"price"}


@pytest.mark.parametrize("price", ["4.99", "-5", "5.001", "NaN", "9999999999", "\u0665"])
def test_a_chosen_price_outside_its_limits_is_refused(program: Browser, price: str) -> None:
    assert fields(add(program, "talk", price=price)) == {"price"}


def test_an_unknown_field_is_refused(program: Browser) -> None:
    assert fields(add(program, "mat", price_minor=1)) == {"price_minor"}
    assert fields(add(program, "mat", seen_minor=1)) == {"seen_minor"}


@pytest.mark.parametrize(
    ("choice", "field"),
    [
        ({"frequency": "hourly"}, "frequency"),
        ({"frequency": "annual"}, "frequency"),
        ({"starts_on": "2026-03-09"}, "starts_on"),
        ({"starts_on": "2028-01-01"}, "starts_on"),
        ({"starts_on": "tomorrow"}, "starts_on"),
        ({"until": "2026-03-09"}, "until"),
        ({"quantity": 2}, "quantity"),
    ],
)
def test_a_bad_choice_of_a_subscription_is_named(
    program: Browser, choice: dict[str, Any], field: str
) -> None:
    assert fields(add(program, "month", **choice)) == {field}


def test_a_person_sees_the_form_again_with_what_is_wrong(person: Browser) -> None:
    answer = person.form("/cart/lines", product="talk", quantity="1", price="4.99")
    assert answer.status == 422
    page = answer.body.decode()
    assert 'value="4.99"' in page
    assert "smallest amount" in page


def test_a_full_cart_says_so(world: LocalWorld) -> None:
    many = tuple(product(f"p{n}", ProductKind.RETAIL) for n in range(MAX_LINES + 1))
    catalogues.publish(CATALOGUE.model_copy(update={"products": many}))
    program = Browser(world)
    for one in many[:MAX_LINES]:
        assert add(program, one.id).status == 201
    refused = add(program, many[-1].id)
    assert (refused.status, content(refused)["code"]) == (422, "cart_full")
    assert len(lines(program.get("/cart"))) == MAX_LINES


def test_an_expired_cart_is_empty_and_its_lines_are_unknown(
    world: LocalWorld, program: Browser
) -> None:
    line = content(add(program, "mat"))["lines"][0]["id"]
    world.advance(timedelta(days=30))
    assert lines(program.get("/cart")) == []
    refused = program.send(f"/cart/lines/{line}", {"quantity": 2})
    assert (refused.status, content(refused)["code"]) == (404, "line_not_found")
    assert (
        '<span class="count">'
        not in Browser(world, program=False, cookies=dict(program.cookies))
        .get("/shop")
        .body.decode()
    )
    assert lines(add(program, "strap")) == [("strap", 1)]


def test_a_line_of_somebody_elses_cart_is_unknown(world: LocalWorld, program: Browser) -> None:
    line = content(add(program, "mat"))["lines"][0]["id"]
    other = Browser(world)
    add(other, "strap")
    assert other.send(f"/cart/lines/{line}", method="DELETE").status == 404
    assert lines(program.get("/cart")) == [("mat", 1)]


def test_a_cart_that_is_being_paid_rests(program: Browser) -> None:
    program.sign_in_as(ada())
    line = content(add(program, "mat"))["lines"][0]["id"]
    ref = accounts.cart(accounts.customer_pk("ada"), "ny")
    row = read(ref).get(ref)
    assert row is not None
    commit([put(ref, row, row.value.model_copy(update={"claimed_by": "charge"}))])
    for refused in (
        add(program, "strap"),
        program.send(f"/cart/lines/{line}", {"quantity": 2}),
        program.send(f"/cart/lines/{line}", method="DELETE"),
    ):
        assert (refused.status, content(refused)["code"]) == (409, "payment_in_progress")
    assert content(program.get("/cart"))["why_not"] == "being_paid"


def test_what_has_changed_since_is_shown_in_the_cart(program: Browser) -> None:
    add(program, "mat")
    add(program, "strap")
    dearer = CATALOGUE.products[3].model_copy(update={"prices": {"USD": 1200}})
    gone = CATALOGUE.products[4].model_copy(update={"enabled": False})
    products = (*CATALOGUE.products[:3], dearer, gone, *CATALOGUE.products[5:])
    catalogues.publish(CATALOGUE.model_copy(update={"products": products}))
    page = content(program.get("/cart"))
    mat, strap = page["lines"]
    assert (mat["notice"], mat["was"]["minor"], mat["unit"]["minor"]) == (
        "price_changed",
        1000,
        1200,
    )
    assert strap["notice"] == "not_for_sale"
    assert page["due_now"]["minor"] == 1299
    assert (page["can_check_out"], page["why_not"]) == (False, "not_for_sale")
