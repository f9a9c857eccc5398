"""What the account says will be charged is what then is charged ([FORECAST])."""

from collections.abc import Iterator

import pytest

from infra.local.world import LocalWorld
from shared.domain.calendar import Frequency
from tests.portal.customers import Customer
from tests.shop_floor import (
    Wanted,
    asked_of,
    books_hold,
    buy,
    customer_with_card,
    go_to,
    open_shop,
)


@pytest.fixture
def world() -> Iterator[LocalWorld]:
    with open_shop("2026-01-31 15:00") as opened:
        yield opened
        books_hold(opened)


def test_twelve_months_come_as_they_were_foretold(world: LocalWorld) -> None:
    ada = Customer(world, customer_with_card(world))
    buy(world, ada.id, "month", Wanted("five_days", frequency=Frequency.BIWEEKLY), "trial")
    page = ada.read("/account")
    foretold = [(one["charge"]["at"], one["charge"]["amount"]["minor"]) for one in page["forecast"]]
    assert len(page["next_charges"]) == 3
    before = len(asked_of(world, ada.id))
    go_to(world, "2027-01-31 14:59")
    charged = [
        (f"{one.created_at:%Y-%m-%dT%H:%M:%SZ}", one.amount)
        for one in asked_of(world, ada.id)[before:]
    ]
    assert sorted(charged) == sorted(foretold)
    assert page["forecast_totals"] == [
        {"minor": sum(amount for _, amount in charged), "currency": "USD"}
    ]
    assert len(charged) > 40
