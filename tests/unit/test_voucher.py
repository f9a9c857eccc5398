"""What a credit is worth where it is used ([VOUCHER]), by SPEC.md's example 11 and its rules."""

from datetime import timedelta

import pytest

from shared.domain.spending import plan
from shared.domain.voucher import charge_of, credits_for, worth
from tests.unit.places_samples import (
    NEW_YORK,
    NOW,
    activity_of,
    catalogue_of,
    dollars,
    pack_of,
)

ANYWHERE = catalogue_of(any_service=True)


def test_a_daycare_credit_on_boarding_leaves_the_difference_due() -> None:
    spent = plan([pack_of()], activity_of(service_id="boarding"), 1, NEW_YORK, ANYWHERE, NOW)
    assert (spent.charge, spent.held[0].worth, spent.due) == (
        dollars(5_000),
        dollars(3_000),
        dollars(2_000),
    )


def test_on_a_cheaper_service_nothing_is_due_and_nothing_comes_back() -> None:
    spent = plan([pack_of()], activity_of(service_id="bath"), 1, NEW_YORK, ANYWHERE, NOW)
    assert (spent.charge, spent.held[0].worth, spent.due) == (
        dollars(2_000),
        dollars(2_000),
        dollars(0),
    )


def test_on_its_own_service_it_pays_whatever_that_costs() -> None:
    spent = plan([pack_of()], activity_of(), 2, NEW_YORK, catalogue_of(), NOW)
    assert spent.charge == dollars(3_000 + 2_700)
    assert spent.due == dollars(0)
    assert spent.held[0].credits == 2


@pytest.mark.parametrize(("rules", "second"), [(True, 2_700), (False, 3_000)])
def test_its_own_pricing_rules_count_elsewhere_only_when_the_product_says_so(
    rules: bool, second: int
) -> None:
    pack = pack_of(use_pricing_rules=rules)
    boarding = activity_of(service_id="boarding")
    assert worth(pack, boarding, NEW_YORK, ANYWHERE, 0) == dollars(3_000)
    assert worth(pack, boarding, NEW_YORK, ANYWHERE, 1) == dollars(second)


def test_it_is_not_used_on_another_service_unless_the_merchant_says_so() -> None:
    boarding = activity_of(service_id="boarding")
    spent = plan([pack_of()], boarding, 1, NEW_YORK, catalogue_of(), NOW)
    assert (spent.held, spent.due) == ((), dollars(5_000))


def test_an_hourly_credit_pays_for_one_hour_a_part_of_one_counted_whole() -> None:
    pack = pack_of(service_id="room", hourly=True)
    room = activity_of(service_id="room").model_copy(
        update={"ends_at": NOW + timedelta(days=1, minutes=150)}
    )
    assert credits_for(pack, room) == 3
    assert charge_of(room, NEW_YORK, catalogue_of(), 0) == dollars(4_500)
    spent = plan([pack], room, 2, NEW_YORK, catalogue_of(), NOW)
    assert (spent.held[0].credits, spent.due) == (6, dollars(0))
    short = plan([pack_of(service_id="room", hourly=True, left=4)], room, 2, NEW_YORK,
                 catalogue_of(), NOW)  # fmt: skip
    assert (short.covered, short.held[0].credits, short.due) == (1, 3, dollars(4_500))
