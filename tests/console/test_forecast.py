"""What staff see of the charges to come, and of a retry policy before it is published
([FORECAST])."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from infra.local.world import LocalWorld
from shared.domain.dunning import RetryPolicy, Then
from shared.store import catalogue as catalogues
from shared.store.staff import Role
from tests import shop_floor as shop
from tests.console.office import Desk, customer, staff

PATH = "/console/retry-policy"


def asked(desk: Desk, **fields: Any) -> Any:
    return desk.data(f"{PATH}?{urlencode(fields)}")


def refused(desk: Desk, **fields: Any) -> dict[str, str]:
    """The problem that programs get, by field; people see the same at the field."""
    path = f"{PATH}?{urlencode(fields)}"
    answer = desk.ask("GET", path)
    assert answer.status == 422, answer.body
    problems: dict[str, str] = json.loads(answer.body)["fields"]
    page = desk.ask("GET", path, accept="text/html")
    assert page.status == 422
    for name in problems:
        assert f'id="error-{name}"' in page.body.decode()
        assert f'href="#{name}"' in page.body.decode()
    return problems


# --- the next 12 months ----------------------------------------------------------------------


def test_staff_see_the_same_charges_to_come_as_the_customer(world: LocalWorld) -> None:
    ada = shop.subscribed(world, "month")
    shop.buy(world, ada, shop.Wanted("support"))
    own = customer(world, ada).data("/account")
    seen = staff(world, Role.CLERK).data(f"/console/customers/{ada}")
    assert seen["forecast"] == own["forecast"]
    assert seen["forecast_totals"] == own["forecast_totals"]
    assert len(seen["forecast"]) == 24
    first = [one for one in seen["forecast"] if one["name"] == "Month"][:3]
    assert [one["charge"]["at"] for one in first] == [
        "2026-02-28T04:59:00Z",
        "2026-03-31T03:59:00Z",
        "2026-04-30T03:59:00Z",
    ]
    page = staff(world).page(f"/console/customers/{ada}")
    assert "24 charges, line by line" in page


def test_staff_of_one_location_see_no_charges_to_come_of_another(world: LocalWorld) -> None:
    ada = shop.subscribed(world, "month")
    berta = staff(world, Role.MANAGER, email="berta@happypaws.example", locations=("be",))
    assert berta.ask("GET", f"/console/customers/{ada}").status == 404


# --- trying a policy -------------------------------------------------------------------------


@pytest.mark.parametrize("role", Role)
def test_everybody_who_works_here_may_try_a_policy(world: LocalWorld, role: Role) -> None:
    desk = staff(world, role)
    assert f'href="{PATH}"' in desk.page("/console")
    assert asked(desk, pattern="d")["trial"]["end"] == "cancelled"


def test_the_form_begins_with_the_merchants_present_policy(world: LocalWorld) -> None:
    present = RetryPolicy(tries=3, days_between=2, then=Then.PAUSE)
    catalogues.publish(shop.catalogue_of(retry=present))
    desk = staff(world)
    answer = desk.data(PATH)
    assert answer["policy"] == answer["present"] == present.model_dump()
    assert answer["trial"] is None
    page = desk.page(PATH)
    assert (
        'name="tries" type="number" inputmode="numeric" step="1" min="1" max="365" value="3"'
        in (page)
    )
    assert '<option value="pause" selected>' in page
    assert asked(desk, pattern="d")["trial"]["end"] == "paused"


def test_example_2_as_staff_see_it(world: LocalWorld) -> None:
    desk = staff(world)
    fields = {"frequency": "monthly", "starts_on": "2026-01-31", "location": "ny", "pattern": "d"}
    trial = asked(desk, **fields)["trial"]
    assert [one["at"] for one in trial["slots"]] == [
        "2026-02-28T04:59:00Z",
        "2026-03-01T04:59:00Z",
        "2026-03-02T04:59:00Z",
        "2026-03-03T04:59:00Z",
        "2026-03-04T04:59:00Z",
        "2026-03-05T04:59:00Z",
    ]
    assert (trial["end"], trial["ended_at"]) == ("cancelled", "2026-03-05T04:59:00Z")
    page = desk.page(f"{PATH}?{urlencode(fields)}")
    assert page.count("Tried and declined<") == 6
    assert "Cancelled March 4, 2026" in page


def test_days_are_those_of_the_location(world: LocalWorld) -> None:
    trial = asked(staff(world), starts_on="2026-01-31", location="be", pattern="s")["trial"]
    assert trial["ended_at"] == "2026-02-27T22:59:00Z"


def test_a_policy_that_reaches_the_next_renewal_is_refused_at_its_field(world: LocalWorld) -> None:
    desk = staff(world)
    problems = refused(desk, tries=7, frequency="weekly", pattern="d")
    assert problems.keys() == {"tries"}
    assert "at most 6 tries fit" in problems["tries"]
    page = desk.ask("GET", f"{PATH}?tries=7&frequency=weekly", accept="text/html").body.decode()
    assert 'max="365" value="7"' in page


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tries", "0"),
        ("tries", "many"),
        ("days_between", "366"),
        ("then", "forget"),
        ("frequency", "daily"),
        ("starts_on", "9999-12-31"),
        ("starts_on", "soon"),
        ("location", "moon"),
        ("pattern", "perhaps"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(world: LocalWorld, field: str, value: str) -> None:
    assert refused(staff(world), **{field: value}).keys() == {field}


def test_products_that_would_refuse_the_policy_are_listed(world: LocalWorld) -> None:
    desk = staff(world)
    assert asked(desk, pattern="d")["refusals"] == []
    weekly = {
        one.id for one in shop.PRODUCTS if "weekly" in [at.value for at in one.allowed_frequencies]
    }
    answer = asked(desk, tries=7, frequency="annual")
    assert {one["product_id"] for one in answer["refusals"]} == weekly
    assert {one["frequency"] for one in answer["refusals"]} == {"weekly"}
    page = desk.page(f"{PATH}?tries=7&frequency=annual")
    assert "Month, every week" in page


def test_trying_a_policy_saves_nothing(world: LocalWorld) -> None:
    desk = staff(world)
    asked(desk, tries=2, then="pause", pattern="d")
    assert desk.data(PATH)["present"] == RetryPolicy().model_dump()


def test_nobody_and_no_customer_may_try_a_policy(world: LocalWorld) -> None:
    ada = customer(world, shop.subscribed(world, "month"))
    for visitor in (Desk(world), ada):
        for query in ("", "?tries=0", "?pattern=" + "d" * 2000):
            assert visitor.ask("GET", PATH + query).status == 401
            page = visitor.ask("GET", PATH + query, accept="text/html")
            assert page.status == 303
