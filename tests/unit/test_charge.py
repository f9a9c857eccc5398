"""A charge's attempts: what may follow what, and when somebody looks again ([ONCE])."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.by import By
from shared.domain.card import Card
from shared.domain.charge import (
    CHECKS_BEFORE_NOTICE,
    MAX_ATTEMPTS,
    NOT_FOUND_IS_FINAL_AFTER,
    Charge,
    Purpose,
    RefundState,
    begin_attempt,
    next_moment,
    postpone_check,
    record_outcome,
    record_refund,
)
from shared.domain.money import Money
from shared.domain.outcome import NEVER_REACHED, OPEN_OUTCOMES, REFUSALS, Outcome

NOW = datetime(2026, 2, 28, 4, 59, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
CARD = Card(
    id="card", provider="sandbox", token="t", brand="visa", last4="4242", exp_month=1, exp_year=2030
)

FINAL = [one for one in Outcome if one not in OPEN_OUTCOMES]


def charge_of(purpose: Purpose = Purpose.PERIOD) -> Charge:
    return Charge(
        id="c",
        source="s.00001",
        purpose=purpose,
        customer_id="ada",
        location_id="ny",
        amount=Money(minor=100, currency="USD"),
        description="Yoga",
        invoice_id="i",
        created_at=NOW,
    )


def begun(charge: Charge, now: datetime = NOW) -> Charge:
    return begin_attempt(charge, card=CARD, provider_customer="cus", by=By.CLOCK, now=now)


def recorded(charge: Charge, outcome: Outcome, now: datetime = LATER, at: int = -1) -> Charge:
    after = record_outcome(charge, charge.attempts[at].id, outcome, now=now)
    assert after is not None
    return after


def repeated(charge: Charge, outcome: Outcome, at: int = -1) -> Charge | None:
    return record_outcome(charge, charge.attempts[at].id, outcome, now=LATER)


@pytest.mark.parametrize("outcome", sorted(OPEN_OUTCOMES))
def test_while_an_outcome_is_open_no_other_attempt_begins(outcome: Outcome) -> None:
    charge = begun(charge_of())
    if outcome is not Outcome.ATTEMPTING:
        charge = recorded(charge, outcome)
    assert charge.blocked
    with pytest.raises(ValueError, match="not known"):
        begun(charge)


@pytest.mark.parametrize("outcome", [Outcome.DECLINED, Outcome.DECLINED_FINAL, Outcome.CANCELLED])
def test_after_a_definite_no_another_attempt_begins_under_another_key(outcome: Outcome) -> None:
    charge = begun(recorded(begun(charge_of()), outcome))
    first, second = charge.attempts
    assert first.id != second.id
    assert charge.blocked


def test_a_success_settles_once_and_nothing_begins_after_it() -> None:
    paid = recorded(begun(charge_of()), Outcome.SUCCEEDED)
    assert paid.settled_at == LATER
    assert paid.blocked
    assert next_moment(paid) is None
    assert repeated(paid, Outcome.SUCCEEDED) is None


@pytest.mark.parametrize("outcome", FINAL)
def test_what_is_final_stays_whatever_is_said_later_but_a_success(outcome: Outcome) -> None:
    charge = recorded(begun(charge_of()), outcome)
    for other in Outcome:
        if other is not Outcome.SUCCEEDED:
            assert repeated(charge, other) is None


@pytest.mark.parametrize("known", [Outcome.PROCESSING, Outcome.AUTHENTICATION_REQUIRED])
def test_an_answer_that_did_not_come_takes_nothing_back(known: Outcome) -> None:
    # The webhook was quicker than the direct answer, which then was lost.
    assert repeated(recorded(begun(charge_of()), known), Outcome.UNKNOWN) is None


def test_a_success_after_a_given_up_period_is_refunded_and_settles_nothing() -> None:
    charge = recorded(begun(charge_of()), Outcome.UNKNOWN)
    late = recorded(charge.model_copy(update={"given_up": True}), Outcome.SUCCEEDED)
    assert late.settled_at is None
    assert (late.refund, late.refund_attempt) == (RefundState.DUE, late.attempts[0].id)


def test_a_success_of_a_try_that_was_taken_for_lost_pays_the_period() -> None:
    late = recorded(recorded(begun(charge_of()), Outcome.DECLINED), Outcome.SUCCEEDED)
    assert late.settled_at == LATER
    assert late.refund is RefundState.NONE


def test_at_a_checkout_it_is_refunded_since_the_customer_was_told_that_it_failed() -> None:
    lost = recorded(begun(charge_of(Purpose.CHECKOUT)), Outcome.DECLINED)
    late = recorded(lost, Outcome.SUCCEEDED)
    assert late.settled_at is None
    assert late.refund is RefundState.DUE


def test_a_second_success_of_a_paid_charge_is_refunded() -> None:
    charge = begun(recorded(begun(charge_of()), Outcome.DECLINED), LATER)
    paid = recorded(charge, Outcome.SUCCEEDED)
    twice = recorded(paid, Outcome.SUCCEEDED, at=0)
    assert twice.settled_at == paid.settled_at
    assert twice.refund_attempt == twice.attempts[0].id


def test_of_two_late_successes_each_is_refunded() -> None:
    charge = begun(recorded(begun(charge_of(Purpose.CHECKOUT)), Outcome.DECLINED), LATER)
    charge = recorded(charge, Outcome.DECLINED)
    charge = recorded(charge, Outcome.SUCCEEDED, at=0)
    charge = recorded(charge, Outcome.SUCCEEDED, at=1)
    assert charge.refund_attempt == charge.attempts[0].id
    charge = record_refund(charge, RefundState.DONE, LATER)
    assert (charge.refund, charge.refund_attempt) == (RefundState.DUE, charge.attempts[1].id)
    charge = record_refund(charge, RefundState.DONE, LATER)
    assert charge.refund is RefundState.DONE
    assert next_moment(charge) is None


def test_a_refund_leaves_an_open_attempt_its_check() -> None:
    lost = recorded(begun(charge_of(Purpose.CHECKOUT)), Outcome.DECLINED)
    charge = recorded(begun(lost, LATER), Outcome.UNKNOWN)
    charge = recorded(charge, Outcome.SUCCEEDED, at=0)
    back = record_refund(charge, RefundState.DONE, LATER)
    assert back.refund is RefundState.DONE
    assert next_moment(back) is not None


def test_a_lost_answer_is_looked_at_ever_more_rarely_but_never_left_alone() -> None:
    charge = recorded(begun(charge_of()), Outcome.UNKNOWN, NOW)
    waits = []
    now = NOW
    for _ in range(12):
        moment = next_moment(charge)
        assert moment is not None
        waits.append(moment.at - now)
        now = moment.at
        charge = postpone_check(charge, now)
    assert waits[0] <= timedelta(minutes=2)
    assert max(waits) == waits[-1] == timedelta(days=1)
    assert NOW + NOT_FOUND_IS_FINAL_AFTER in [
        NOW + sum(waits[:upto], timedelta()) for upto in range(len(waits))
    ], "it is looked at in the moment at which `not found` becomes final"
    assert len(waits) > CHECKS_BEFORE_NOTICE


def test_a_charge_has_a_limit_of_attempts() -> None:
    charge = charge_of()
    for _ in range(MAX_ATTEMPTS):
        charge = recorded(begun(charge), Outcome.DECLINED)
    assert charge.blocked


def test_a_card_that_succeeds_after_staff_recorded_the_money_is_paid_back() -> None:
    declined = recorded(begun(charge_of()), Outcome.DECLINED)
    in_cash = declined.model_copy(update={"settled_at": LATER, "recorded": True})
    after = recorded(in_cash, Outcome.SUCCEEDED)
    assert (after.settled_at, after.recorded) == (LATER, True)
    assert (after.refund, after.refund_attempt) == (RefundState.DUE, after.attempts[0].id)


def test_a_late_success_of_more_than_is_still_owed_goes_back() -> None:
    """A part of the invoice was paid in cash after the decline: the rest is asked for anew."""
    declined = recorded(begun(charge_of(Purpose.INVOICE)), Outcome.DECLINED)
    rest = declined.model_copy(update={"amount": Money(minor=60, currency="USD")})
    late = recorded(rest, Outcome.SUCCEEDED)
    assert late.settled_at is None
    assert (late.refund, late.refund_attempt) == (RefundState.DUE, declined.attempts[0].id)
    whole = recorded(declined, Outcome.SUCCEEDED)
    assert (whole.settled_at, whole.refund) == (LATER, RefundState.NONE)


# One object of the provider's for all attempts of a charge.


def named(charge: Charge, outcome: Outcome, provider_charge_id: str | None) -> Charge:
    """The last attempt came to `outcome`, under the provider's name."""
    after = record_outcome(
        charge,
        charge.attempts[-1].id,
        outcome,
        now=LATER,
        provider_charge_id=provider_charge_id,
        decline_code=NEVER_REACHED if provider_charge_id is None else None,
    )
    assert after is not None
    return after


def goes_on_with(charge: Charge) -> str | None:
    assert charge.last is not None
    return charge.continued_by(charge.last)


@pytest.mark.parametrize("outcome", sorted(REFUSALS))
def test_after_a_definite_no_the_next_attempt_goes_on_with_the_same_object(
    outcome: Outcome,
) -> None:
    charge = begun(named(begun(charge_of()), outcome, "pi_1"))
    assert goes_on_with(charge) == "pi_1"
    assert charge.continued_by(charge.attempts[0]) is None
    assert goes_on_with(begun(named(charge, Outcome.DECLINED, "pi_1"))) == "pi_1"


def test_what_was_cancelled_at_the_provider_is_not_gone_on_with() -> None:
    charge = begun(named(begun(charge_of()), Outcome.CANCELLED, "pi_1"))
    assert goes_on_with(charge) is None
    assert goes_on_with(begun(named(charge, Outcome.DECLINED, "pi_2"))) == "pi_2"


def test_another_provider_or_customer_there_begins_anew() -> None:
    declined = named(begun(charge_of()), Outcome.DECLINED, "pi_1")
    elsewhere = CARD.model_copy(update={"provider": "another"})
    for card, customer in ((elsewhere, "cus"), (CARD, "cus_2")):
        charge = begin_attempt(
            declined, card=card, provider_customer=customer, by=By.CLOCK, now=LATER
        )
        assert goes_on_with(charge) is None
        assert charge.last is not None
        assert charge.lost_before(charge.last) == ()


def test_a_try_that_was_never_heard_of_is_named_to_whoever_begins_the_next() -> None:
    lost = named(begun(charge_of()), Outcome.DECLINED, None)
    charge = begun(named(begun(lost), Outcome.DECLINED, "pi_1"))
    assert charge.last is not None
    assert charge.lost_before(charge.last) == (charge.attempts[0].id,)
    assert charge.lost_before(charge.attempts[0]) == ()


def test_a_lost_try_is_named_whichever_card_comes_next_at_its_provider() -> None:
    lost = named(begun(charge_of()), Outcome.DECLINED, None)
    elsewhere = CARD.model_copy(update={"provider": "another"})
    told = []
    for card, customer in ((CARD, "cus_2"), (elsewhere, "cus")):
        charge = begin_attempt(lost, card=card, provider_customer=customer, by=By.CLOCK, now=LATER)
        assert charge.last is not None
        told.append(charge.lost_before(charge.last))
    assert told == [(lost.attempts[0].id,), ()]


def test_a_try_that_was_taken_for_lost_and_then_paid_is_not_lost() -> None:
    lost = named(begun(charge_of(Purpose.CHECKOUT)), Outcome.DECLINED, None)
    lost = recorded(begun(lost), Outcome.DECLINED)
    charge = begun(recorded(lost, Outcome.SUCCEEDED, at=0))
    assert charge.last is not None
    assert charge.lost_before(charge.last) == ()


def test_of_attempts_with_one_name_the_one_that_succeeded_is_meant_else_the_last() -> None:
    charge = named(begun(charge_of()), Outcome.DECLINED, "pi_1")
    charge = named(begun(charge), Outcome.DECLINED, "pi_1")
    assert charge.attempt_at("pi_1") == charge.attempts[1]
    charge = recorded(charge, Outcome.SUCCEEDED, at=0)
    assert charge.attempt_at("pi_1") == charge.attempts[0]
    assert charge.attempt_at(None) is None
    assert charge.attempt_at("pi_2") is None


def test_a_card_is_good_through_the_last_day_of_its_month_and_a_bank_account_for_ever() -> None:
    assert not CARD.expired(datetime(2030, 1, 31, 23, 59, tzinfo=UTC))
    assert CARD.expired(datetime(2030, 2, 1, tzinfo=UTC))
    account = CARD.model_copy(update={"exp_month": None, "exp_year": None})
    assert not account.expired(datetime(2099, 1, 1, tzinfo=UTC))
