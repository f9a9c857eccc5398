"""What staff can't enter is refused by name, to programs and in the form, and not one item anywhere
is changed ([PLACES] [LEDGER] [ERRORS])."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from infra.local.http_api import Response
from infra.local.world import LocalWorld
from shared.store.items import AccountItem
from tests import shop_floor as shop
from tests.console.office import Desk, staff

GOOD: dict[str, Any] = {
    "location": "ny",
    "service": "yoga",
    "date": "2026-02-03",
    "time": "18:30",
    "minutes": 75,
    "places": 2,
}
FORM = "application/x-www-form-urlencoded"


def everything(world: LocalWorld) -> dict[str, str]:
    """Every item of every account, as it is stored."""
    items = world.client("dynamodb").scan(TableName=AccountItem.Meta.table_name)["Items"]
    return {f"{one['pk']['S']}/{one['sk']['S']}": str(sorted(one.items())) for one in items}


def send(desk: Desk, path: str, content: dict[str, Any], *, form: bool = False) -> Response:
    """The same content as JSON from a program, or from a person's form."""
    headers = {
        "accept": "text/html" if form else "application/json",
        "content-type": FORM if form else "application/json",
        "cookie": "; ".join(f"{name}={value}" for name, value in desk.cookies.items()),
        "idempotency-key": "key-of-something-bad",
    }
    sent = {**content, "idempotency_key": "key-of-something-bad"}
    body = urlencode(sent, doseq=True) if form else json.dumps(content)
    return desk.world.request("POST", path, headers, body)


BAD: list[tuple[dict[str, Any], str]] = [
    *(({"places": places}, "places") for places in (-1, -0.5, 0.5, "2.5", 1_001, 10**12, "many")),
    ({"weekdays": [1, 3]}, "until"),
    ({"weekdays": [1, 3], "until": "never"}, "until"),
    ({"weekdays": [1, 3], "until": "9999-12-31"}, "until"),
    ({"weekdays": [1, 3], "until": "2027-02-05"}, "until"),
    ({"weekdays": [1, 3], "until": "2026-02-02"}, "until"),
    ({"date": "2026-01-30"}, "date"),
    ({"minutes": -60}, "minutes"),
    ({"minutes": 10**9}, "minutes"),
    ({"location": "of-another-merchant"}, "location"),
    ({"service": "of-another-merchant"}, "service"),
]


@pytest.mark.parametrize(("changes", "field"), BAD, ids=str)
def test_an_activity_that_can_not_be_is_named_and_nothing_is_changed(
    world: LocalWorld, changes: dict[str, Any], field: str
) -> None:
    olga = staff(world)
    before = everything(world)
    answer = send(olga, "/console/activities", {**GOOD, **changes})
    assert (answer.status, set(answer.json()["fields"])) == (422, {field})
    page = send(olga, "/console/activities", {**GOOD, **changes}, form=True)
    assert page.status == 422
    assert "Please check" in page.text
    assert everything(world) == before


@pytest.mark.parametrize("until", [None, ""])
def test_a_repeating_activity_without_an_end_is_refused_also_when_it_is_left_empty(
    world: LocalWorld, until: str | None
) -> None:
    olga = staff(world)
    before = everything(world)
    answer = send(olga, "/console/activities", {**GOOD, "weekdays": [1], "until": until})
    assert (answer.status, set(answer.json()["fields"])) == (422, {"until"})
    assert everything(world) == before


@pytest.mark.parametrize("delta", [0.5, -0.5, "1.5", "½", 0, 1_001, -(10**9), None, "all"])
def test_half_a_credit_is_neither_added_nor_taken_off(world: LocalWorld, delta: Any) -> None:
    ada = shop.customer_with_card(world)
    shop.buy(world, ada, "ten")
    (pack,) = shop.packs_of(ada)
    olga = staff(world)
    before = everything(world)
    path = f"/console/customers/{ada}/packs/{pack.id}/credits"
    answer = send(olga, path, {"delta": delta, "reason": "Half a class"})
    assert (answer.status, set(answer.json()["fields"])) == (422, {"delta"})
    assert everything(world) == before
