"""Which limits are kept, for whom, and what the sweep admits by them."""

from math import ceil
from typing import Any

import pytest

from infra.local.template import Function
from infra.local.world import LocalWorld
from shared.domain.due import Worker
from shared.operations.pacing import LONGEST_WAIT
from shared.operations.sweep import ITEMS_PER_EVENT, sweep
from shared.providers.errors import NoSuchProvider
from shared.providers.limits import Limits, limits_of
from shared.store import accounts
from shared.store.due import LEASE
from shared.store.writing import commit, create
from tests.pacing.renewals import DUE, due_subscription
from tests.shop_floor import moment, template

CLOCKS = {
    "functions.billing.renewals.handler",
    "functions.billing.retries.handler",
    "functions.billing.reconcile.handler",
    "functions.billing.audit.handler",
    "functions.webhooks.apply.handler",
}
"""What the clock or a provider starts, and what calls providers."""


@pytest.mark.parametrize(
    ("key", "whole"), [("sk_live_x", 80), ("rk_live_x", 80), ("sk_test_x", 20), ("", 20)]
)
def test_four_fifths_of_what_stripe_documents_for_the_keys_mode_are_for_the_clock(
    key: str, whole: int
) -> None:
    assert limits_of("stripe", {"key": key}) == Limits(per_second=whole, per_endpoint=20)


def test_the_merchants_settings_go_before_and_zero_is_no_limit() -> None:
    raised = {"key": "sk_live_x", "calls_per_second": 160, "calls_per_endpoint_per_second": 80.0}
    assert limits_of("stripe", raised) == Limits(per_second=160, per_endpoint=80)
    none = {"calls_per_second": 0, "calls_per_endpoint_per_second": 0}
    assert limits_of("stripe", none) == Limits()
    assert limits_of("cardpointe", {}) == Limits()
    assert limits_of("cardpointe", {"calls_per_second": 5}) == Limits(per_second=5)


@pytest.mark.parametrize("value", [-1, "20", True, 10_001, float("nan"), [20]])
@pytest.mark.parametrize("setting", ["calls_per_second", "calls_per_endpoint_per_second"])
def test_a_limit_that_is_none_is_refused_by_its_name(setting: str, value: Any) -> None:
    with pytest.raises(NoSuchProvider, match=f"stripe: {setting} is a number"):
        limits_of("stripe", {setting: value})


def test_only_what_calls_providers_by_the_clock_may_take_turns_and_nothing_else_there() -> None:
    def takes_turns(function: Function) -> bool:
        return any(
            one.get("Condition", {}).get("ForAllValues:StringLike")
            == {"dynamodb:LeadingKeys": "rate#pace#*"}
            for one in function.statements or ()
        )

    functions = template().functions
    assert {one.handler for one in functions if takes_turns(one)} == CLOCKS
    for one in functions:
        if one.handler in CLOCKS - {"functions.billing.audit.handler"}:
            assert one.timeout_seconds < LEASE.total_seconds()


# --- what a tick admits --------------------------------------------------------------------------


def admitted(world: LocalWorld, *, shards: int, limit: int, charges_a_minute: int) -> int:
    found = sweep(
        now=world.now(),
        new_id=world.wiring.new_id,
        events=world.wiring.events,
        bus=world.wiring.environment.event_bus,
        shards=shards,
        limit=limit,
        charges_a_minute=charges_a_minute,
    )
    return sum(found.leased.values())


@pytest.mark.parametrize("shards", [1, 4])
def test_a_tick_admits_no_more_charges_than_it_may_over_all_shards(shards: int) -> None:
    parameters = {"DueShards": str(shards)}
    with LocalWorld(start=moment(DUE), parameters=parameters) as world:
        for at in range(60):
            one = due_subscription(f"C{at:06d}")
            commit([create(accounts.subscription(one.customer_id, one.id), one)])
        found = [admitted(world, shards=shards, limit=3, charges_a_minute=13) for _ in range(2)]
        assert found == [13, 13]
        # What was admitted lies with workers that don't do it: hardly more is handed to them.
        found.append(admitted(world, shards=shards, limit=3, charges_a_minute=13))
        assert found[2] == shards
        assert sum(found) < 60


def test_what_a_tick_admits_by_itself_is_worked_off_before_the_next() -> None:
    admits = int(template().environment["CHARGES_A_MINUTE"])
    slowest = limits_of("stripe", {"key": "sk_test_x"}).per_second
    assert slowest is not None
    assert admits / slowest <= 60
    # Each of the functions that work on them waits for its turn behind all the others.
    waiting = ceil(admits / ITEMS_PER_EVENT[Worker.RENEWALS])
    assert waiting / slowest < LONGEST_WAIT.total_seconds()
