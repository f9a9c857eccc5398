"""Paying at a provider without idempotency keys, webhooks and lists: nothing is taken twice,
whatever is lost on the way, and what is open is asked about by the clock ([ONCE], [RETRY])."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from infra.local.cardpointe import CardPointe
from infra.local.sandbox_faults import Fault, Operation
from infra.local.world import LocalWorld
from shared.domain.by import By
from shared.domain.charge import RefundState
from shared.domain.message import NoticeKind
from shared.domain.outcome import Outcome
from shared.domain.subscription import SubscriptionState
from shared.operations import cancel, card_entry
from shared.operations.answered import Checked
from tests.shop_floor import (
    WORKS,
    books_hold,
    buy,
    card_of,
    charges_of,
    context_of,
    customer_with_card,
    go_to,
    let_card_behave_as,
    notices,
    open_shop,
    subscribed,
    subscription_of,
)

RENEWED = "2026-02-28 04:59"
PARTIAL = "4387750101010101"


@pytest.fixture
def world() -> Iterator[LocalWorld]:
    with open_shop("2026-01-31 15:00", preferred_provider="cardpointe") as opened:
        yield opened
        opened.run_due()
        books_hold(opened)


@pytest.fixture
def bank(world: LocalWorld) -> CardPointe:
    return world.banks.cardpointe


def kept(bank: CardPointe) -> list[str | None]:
    """The attempts whose money the merchant has."""
    return [one.attempt_id for one in bank.charges() if one.kept]


def test_it_renews_month_after_month(world: LocalWorld, bank: CardPointe) -> None:
    ada = subscribed(world, "month")
    go_to(world, "2026-05-01 04:00")
    assert len(kept(bank)) == 4
    assert subscription_of(ada).state is SubscriptionState.ACTIVE


@pytest.mark.parametrize("fault", [Fault.TIMEOUT_AFTER, Fault.ERROR_AFTER, Fault.LATE])
def test_a_renewal_whose_answer_was_lost_is_found_and_never_asked_again(
    world: LocalWorld, bank: CardPointe, fault: Fault
) -> None:
    ada = subscribed(world, "month")
    bank.misbehave(Operation.CHARGE, fault, seconds=90)
    go_to(world, RENEWED)
    assert charges_of(ada)[-1].outcome is Outcome.UNKNOWN
    world.advance(timedelta(minutes=30))
    renewal = charges_of(ada)[-1]
    assert renewal.outcome is Outcome.SUCCEEDED
    assert len(renewal.attempts) == 1
    assert len(bank.charges()) == 2


def test_a_renewal_that_never_arrived_is_tried_anew_after_a_day_once(
    world: LocalWorld, bank: CardPointe
) -> None:
    ada = subscribed(world, "month")
    bank.misbehave(Operation.CHARGE, Fault.TIMEOUT_BEFORE)
    go_to(world, RENEWED)
    world.advance(timedelta(hours=23))
    assert len(bank.charges()) == 1
    world.advance(timedelta(hours=26))
    renewal = charges_of(ada)[-1]
    assert [one.outcome for one in renewal.attempts] == [Outcome.DECLINED, Outcome.SUCCEEDED]
    assert kept(bank)[1:] == [renewal.attempts[-1].id]


def lost_for_more_than_a_day(world: LocalWorld, bank: CardPointe) -> str:
    """A customer whose renewal was on its way for longer than any provider takes, was taken for
    lost, and has come since."""
    ada = subscribed(world, "month")
    bank.misbehave(Operation.CHARGE, Fault.LATE, seconds=24 * 3_600 + 1_800)
    go_to(world, "2026-03-01 05:20")
    assert [one.outcome for one in charges_of(ada)[-1].attempts] == [Outcome.DECLINED]
    assert len(kept(bank)) == 1
    world.advance(timedelta(minutes=15))
    assert len(kept(bank)) == 2
    return ada


def test_what_comes_after_it_was_taken_for_lost_is_voided_before_the_next_try(
    world: LocalWorld, bank: CardPointe
) -> None:
    ada = lost_for_more_than_a_day(world, bank)
    another = bank.tokenize("5454545454545454")
    card_entry.enter(
        context_of(world), "cardpointe", ada, token=another, exp_month=12, exp_year=2029
    )
    renewal = charges_of(ada)[-1]
    assert [one.outcome for one in renewal.attempts] == [Outcome.DECLINED, Outcome.SUCCEEDED]
    assert [one.state for one in bank.charges()] == ["succeeded", "voided", "succeeded"]


def test_what_has_settled_since_it_was_taken_for_lost_pays_for_the_next_try(
    world: LocalWorld, bank: CardPointe
) -> None:
    ada = lost_for_more_than_a_day(world, bank)
    go_to(world, "2026-03-02 04:59")
    renewal = charges_of(ada)[-1]
    assert [one.outcome for one in renewal.attempts] == [Outcome.DECLINED, Outcome.SUCCEEDED]
    assert len(bank.charges()) == 2
    assert renewal.settled_at is not None


def test_at_the_checkout_an_unknown_outcome_waits_and_a_success_is_found(
    world: LocalWorld, bank: CardPointe
) -> None:
    ada = customer_with_card(world)
    bank.misbehave(Operation.CHARGE, Fault.TIMEOUT_AFTER)
    assert buy(world, ada, "ten").state is Checked.PROCESSING
    world.advance(timedelta(minutes=3))
    (charge,) = charges_of(ada)
    assert charge.settled_at is not None
    assert len(kept(bank)) == 1


def test_a_part_approval_is_a_decline_that_leaves_nothing_taken(
    world: LocalWorld, bank: CardPointe
) -> None:
    ada = subscribed(world, "month")
    let_card_behave_as(world, card_of(ada), PARTIAL)
    go_to(world, RENEWED)
    assert charges_of(ada)[-1].outcome is Outcome.DECLINED
    assert len(kept(bank)) == 1
    let_card_behave_as(world, card_of(ada), WORKS)
    world.advance(timedelta(days=1))
    assert charges_of(ada)[-1].outcome is Outcome.SUCCEEDED


def test_a_success_that_nobody_wants_any_more_goes_back_by_a_void(
    world: LocalWorld, bank: CardPointe
) -> None:
    ada = subscribed(world, "month")
    bank.misbehave(Operation.CHARGE, Fault.TIMEOUT_AFTER)
    go_to(world, RENEWED)
    cancel.cancel(
        context_of(world), ada, subscription_of(ada).id, when=cancel.When.NOW, by=By.STAFF
    )
    world.advance(timedelta(hours=1))
    assert charges_of(ada)[-1].refund is RefundState.DONE
    assert [one.state for one in bank.charges()] == ["succeeded", "voided"]


def test_and_by_a_refund_when_it_has_settled(world: LocalWorld, bank: CardPointe) -> None:
    ada = subscribed(world, "month")
    bank.misbehave(Operation.CHARGE, Fault.TIMEOUT_AFTER)
    bank.misbehave(Operation.LOOK_UP, Fault.ERROR_BEFORE, times=6)
    go_to(world, RENEWED)
    cancel.cancel(
        context_of(world), ada, subscription_of(ada).id, when=cancel.When.NOW, by=By.STAFF
    )
    world.advance(timedelta(days=3))
    assert charges_of(ada)[-1].refund is RefundState.DONE
    (_, unwanted) = bank.charges()
    assert unwanted.state == "succeeded"
    assert unwanted.refunds == (unwanted.amount,)


def test_when_the_password_was_changed_staff_are_told_and_no_card_is_to_blame(
    world: LocalWorld, bank: CardPointe
) -> None:
    ada = subscribed(world, "month")
    settings = world.banks.settings["cardpointe"]
    bank.change_password(settings["username"], "another one")
    go_to(world, RENEWED)
    assert charges_of(ada)[-1].outcome is Outcome.REFUSED
    assert NoticeKind.PROVIDER_REFUSES in {one.kind for one in notices()}
    bank.change_password(settings["username"], settings["password"])
    world.advance(timedelta(days=1))
    assert charges_of(ada)[-1].outcome is Outcome.SUCCEEDED
