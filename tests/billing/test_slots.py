"""How the slots of a failing charge were spent, as a cancelled subscription says it ([HARD])."""

from datetime import date

from infra.local.sandbox_faults import Fault, Operation
from shared.domain.by import By
from shared.domain.ending import EndReason
from shared.domain.subscription import SubscriptionState
from shared.store.writing import commit, replace
from tests.billing.conftest import Shop
from tests.shop_floor import (
    ALSO_WORKS,
    FAILS_LATER,
    LOST_CARD,
    NEEDS_AUTHENTICATION,
    card_on_file,
    charge_of_period,
    go_to,
    head,
    moment,
    subscribed,
    subscription_of,
    tried_at,
)


def spent(customer_id: str) -> tuple[int, int, int]:
    """Slots used, slots that passed, and tries of the clock, of what ended the subscription."""
    over = subscription_of(customer_id)
    assert over.state is SubscriptionState.CANCELLED
    assert over.end_reason is EndReason.PAYMENT_FAILED
    failed = over.failed_collection
    assert failed is not None
    tries = [one.by for one in charge_of_period(customer_id, failed.period).attempts]
    return failed.slots_used, failed.slots_passed, tries.count(By.CLOCK)


def without_cards(customer_id: str) -> None:
    row = head(customer_id)
    commit([replace(row, row.value.model_copy(update={"cards": (), "default_card": None}))])


def test_six_slots_with_a_try_in_each(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, "2026-03-05 04:59")
    assert spent(ada) == (6, 0, 6)


def test_six_slots_of_a_later_start(shop: Shop) -> None:
    world = shop("2026-01-05 15:00")
    ada = subscribed(world, "month", number=FAILS_LATER, starts_on=date(2026, 2, 1))
    go_to(world, "2026-02-07 04:59")
    assert spent(ada) == (6, 0, 6)


def test_a_card_that_is_lost_is_tried_once_and_five_slots_pass(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month", number=LOST_CARD)
    go_to(world, "2026-03-05 04:59")
    assert spent(ada) == (6, 5, 1)


def test_a_bank_that_waits_for_the_customer_is_asked_once_and_five_slots_pass(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month", number=NEEDS_AUTHENTICATION)
    go_to(world, "2026-03-05 04:59")
    assert spent(ada) == (6, 5, 1)


def test_without_a_card_all_six_slots_pass(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    without_cards(ada)
    go_to(world, "2026-03-05 04:58")
    assert subscription_of(ada).state is SubscriptionState.PAST_DUE
    go_to(world, "2026-03-05 04:59")
    assert spent(ada) == (6, 6, 0)


def test_a_card_that_came_after_two_slots_is_tried_in_the_other_four(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    without_cards(ada)
    go_to(world, "2026-03-01 12:00")
    card_on_file(world, ada, FAILS_LATER)
    go_to(world, "2026-03-05 04:59")
    assert spent(ada) == (6, 2, 4)


def test_while_an_outcome_is_unknown_slots_pass(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month", number=FAILS_LATER)
    world.sandbox.misbehave(Operation.ANY, Fault.TIMEOUT_BEFORE, times=10_000)
    # Asked on 28 February; the slots of 1, 2 and 3 March find no answer yet.
    go_to(world, "2026-03-03 12:00")
    world.sandbox.behave()
    go_to(world, "2026-03-05 12:00")
    used, passed, tries = spent(ada)
    assert (used, passed + tries) == (6, 6)
    assert passed >= 3


def test_of_slots_that_came_while_nothing_ran_one_is_tried_and_the_others_pass(
    shop: Shop,
) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, "2026-02-28 05:00")
    world.clock.move_to(moment("2026-03-03 12:00"))
    world.run_due()
    go_to(world, "2026-03-05 04:59")
    assert tried_at(world, ada, "failed") == [
        "2026-02-28 04:59",
        "2026-03-03 12:00",
        "2026-03-04 04:59",
        "2026-03-05 04:59",
    ]
    assert spent(ada) == (6, 2, 4)


def test_when_all_came_while_nothing_ran_one_try_is_the_last(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, "2026-02-28 05:00")
    world.clock.move_to(moment("2026-03-10 12:00"))
    world.run_due()
    assert tried_at(world, ada, "failed") == ["2026-02-28 04:59", "2026-03-10 12:00"]
    assert spent(ada) == (6, 4, 2)


def test_what_is_paid_in_its_last_slot_leaves_nothing_behind(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month", number=LOST_CARD)
    go_to(world, "2026-03-04 12:00")
    card_on_file(world, ada, ALSO_WORKS)
    go_to(world, "2026-03-05 04:59")
    paid = subscription_of(ada)
    assert paid.state is SubscriptionState.ACTIVE
    assert (paid.collection, paid.failed_collection) == (None, None)
