"""What always holds: good books are found good, and one broken thing is named by its rule."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from shared.domain.by import By
from shared.domain.charge import Purpose, RefundState, record_refund
from shared.domain.collecting import open_collection
from shared.domain.due import Moment, Worker, due_text
from shared.domain.dunning import RetryPolicy
from shared.domain.ending import EndReason
from shared.domain.invariants import (
    CLOCKS_DIFFER,
    TICKS,
    UNSETTLED_FOR,
    Breach,
    Queued,
    Rule,
    breaches,
    provider_breaches,
    queue_breaches,
)
from shared.domain.message import MessageKind, message_key
from shared.domain.outcome import Outcome
from tests.unit.books_samples import (
    NOW,
    PRICE,
    Told,
    at_provider,
    changed,
    charge_of,
    good_books,
    late_success,
    queued,
    recorded,
    tried,
)
from tests.unit.broken_books import (
    CASES,
    FEBRUARY,
    MARCH,
    SECOND,
    Case,
    never_checked,
    not_shown,
    surplus,
    surplus_back,
    took,
)
from tests.unit.broken_places import PLACE_CASES, UNBROKEN, with_unpaid_pack
from tests.unit.reversal_samples import bank_holds
from tests.unit.subscription_samples import subscription_of, utc

EVERY_CASE = [*CASES, *PLACE_CASES]

ELSEWHERE = {Rule.INDEX_HAS_ITEM, Rule.READABLE, Rule.PLACES_ADD_UP}
"""What can only be seen in the store: tests/billing/test_audit.py; and of activities, which belong
to no customer: tests/unit/test_activity.py."""


def test_every_rule_is_broken_by_some_case() -> None:
    assert {case.rule for case in EVERY_CASE} | ELSEWHERE == set(Rule)
    assert not {case.rule for case in EVERY_CASE} & ELSEWHERE


def test_good_books_hold() -> None:
    told = good_books()
    assert told.wrong() == []
    # So that the cases break something that is there.
    assert len(told.books.charges) == 5
    assert sum(one.kept for one in told.at_provider) == 2
    assert {one.due_at is None for one in told.books.queue} == {True, False}


@pytest.mark.parametrize("case", EVERY_CASE, ids=lambda case: f"{case.rule.value}: {case.what}")
def test_one_broken_thing_is_named_by_its_rule_and_by_no_other(case: Case) -> None:
    told = good_books()
    case.spoil(told)
    assert [(one.rule, one.item) for one in told.wrong()] == [(case.rule, case.item)]


# What looks odd and is as it should be


@pytest.mark.parametrize("also", UNBROKEN.values(), ids=UNBROKEN)
def test_a_pack_that_waits_to_be_paid_breaks_nothing(also: Callable[[Told], object]) -> None:
    told = good_books()
    with_unpaid_pack(told)
    also(told)
    assert told.wrong() == []


def known_as(told: Told, outcome: Outcome) -> None:
    """A further charge whose outcome we know as this, and whose money the provider kept."""
    charge = tried(
        charge_of("cart.9", "never", purpose=Purpose.CHECKOUT),
        outcome,
        NOW - timedelta(hours=1),
        By.CUSTOMER,
    )
    told.books.charges.append(charge)
    (seen,) = at_provider(charge)
    told.at_provider.append(seen.model_copy(update={"succeeded": True}))


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome.ATTEMPTING,
        Outcome.UNKNOWN,
        Outcome.PROCESSING,
        Outcome.AUTHENTICATION_REQUIRED,
    ],
)
def test_money_at_the_provider_while_the_outcome_is_open_is_being_asked_about(
    outcome: Outcome,
) -> None:
    told = good_books()
    known_as(told, outcome)
    assert told.wrong() == []


@pytest.mark.parametrize("outcome", [Outcome.DECLINED, Outcome.DECLINED_FINAL, Outcome.CANCELLED])
def test_money_at_the_provider_for_what_we_call_over_is_lost(outcome: Outcome) -> None:
    told = good_books()
    known_as(told, outcome)
    assert [one.rule for one in told.wrong()] == [Rule.PROVIDER_AGREES]


@pytest.mark.parametrize("state", [RefundState.DUE, RefundState.FAILED])
def test_money_that_is_owed_back_and_not_yet_back_is_no_difference(state: RefundState) -> None:
    told = good_books()
    owed = late_success("cart.9")
    told.books.charges.append(owed if state is RefundState.DUE else record_refund(owed, state, NOW))
    told.at_provider += at_provider(owed)
    assert told.wrong() == []


def test_a_second_payment_is_no_difference_while_it_goes_back_nor_when_it_went() -> None:
    told = good_books()
    assert surplus(told).refund is RefundState.DUE
    assert told.wrong() == []
    told = good_books()
    surplus_back(told)
    assert told.wrong() == []


def test_when_the_provider_gave_the_wrong_one_of_two_payments_back_both_are_named() -> None:
    told = good_books()
    surplus_back(told)
    took(told, f"ch_{FEBRUARY}-1", refunded_minor=0)
    took(told, f"ch_{FEBRUARY}-2", refunded_minor=4900)
    assert [one.detail for one in told.wrong()] == [
        f"ch_{FEBRUARY}-1 was never settled",
        "settled, but never taken",
    ]


@pytest.mark.parametrize("held", [PRICE.minor, 1_000, 0])
def test_books_hold_after_a_bank_took_a_payment_back_and_gave_it_again(held: int) -> None:
    told = good_books()
    bank_holds(told, PRICE.minor)
    if held != PRICE.minor:
        bank_holds(told, held)
    told.books.queue = []
    assert told.wrong() == []


def test_a_reversal_that_only_the_provider_knows_is_a_difference() -> None:
    told = good_books()
    took(told, f"ch_{FEBRUARY}-2", reversed_minor=PRICE.minor)
    assert [one.detail for one in told.wrong()] == ["settled, but never taken"]


def test_a_reversal_that_the_provider_knows_no_more_is_a_difference() -> None:
    told = good_books()
    bank_holds(told, PRICE.minor)
    took(told, f"ch_{FEBRUARY}-2", reversed_minor=0)
    assert [one.detail for one in told.wrong()] == [f"ch_{FEBRUARY}-2 was never settled"]


def test_two_payments_too_many_that_go_back_one_after_the_other_are_no_breach() -> None:
    charge = charge_of(MARCH, "i2", subscription_id="c-00", period=2)
    for day in (31, 1, 2):
        month = 3 if day == 31 else 4
        outcome = Outcome.SUCCEEDED if day == 2 else Outcome.DECLINED
        charge = tried(charge, outcome, utc(f"2026-0{month}-{day:02d} 03:59"))
    charge = recorded(charge, Outcome.SUCCEEDED, utc("2026-04-02 04:00"), attempt=0)
    charge = recorded(charge, Outcome.SUCCEEDED, utc("2026-04-02 04:00"), attempt=1)
    assert charge.refunds_waiting
    for state in (RefundState.DUE, RefundState.DONE, RefundState.DONE):
        if state is RefundState.DONE:
            charge = record_refund(charge, state, utc("2026-04-02 04:01"))
        told = good_books()
        told.books.charges = [charge]
        assert Rule.ONE_SUCCESS not in {one.rule for one in told.wrong()}
    assert charge.refund is RefundState.DONE


@pytest.mark.parametrize(("older", "rules"), [(timedelta(), []), (SECOND, ["provider_agrees"])])
def test_a_success_has_ten_minutes_to_be_recorded(older: timedelta, rules: list[str]) -> None:
    told = good_books()
    took(told, f"ch_{MARCH}-1", succeeded=True, created_at=NOW - UNSETTLED_FOR - older)
    assert timedelta(minutes=10) == UNSETTLED_FOR
    assert [one.rule for one in told.wrong()] == rules


def test_what_was_settled_before_the_provider_s_list_begins_is_not_missed_on_it() -> None:
    told = good_books()
    (paid_at,) = [one.created_at for one in told.at_provider if one.id == f"ch_{FEBRUARY}-2"]
    told.at_provider = [one for one in told.at_provider if one.created_at > paid_at]
    told.since = paid_at + SECOND
    assert told.wrong() == []
    # Their clock may be behind ours.
    told.since = paid_at - CLOCKS_DIFFER + SECOND
    assert told.wrong() == []
    told.since = paid_at - CLOCKS_DIFFER
    assert [one.item for one in told.wrong()] == [f"ada/{FEBRUARY}"]


def test_each_provider_answers_only_for_what_was_paid_there() -> None:
    # Declined at one provider, paid with a card at another ([MANY]).
    charge = good_books().charge(FEBRUARY)
    first, second = charge.attempts
    second = second.model_copy(
        update={"card": second.card.model_copy(update={"provider": "other"})}
    )
    charge = charge.model_copy(update={"attempts": (first, second)})
    here, there = at_provider(charge)

    def at(provider: str, *seen: object) -> list[Breach]:
        listed = [one for one in (here, there, also_here) if one in seen]
        return provider_breaches([charge], listed, since=None, now=NOW, provider=provider)

    also_here = here.model_copy(update={"succeeded": True})
    assert at("sandbox", here) == []
    assert at("other", there) == []
    assert [one.item for one in at("other")] == [charge.ref]
    # Paid at both: one of them took what we never settled.
    assert [one.detail for one in at("sandbox", also_here)] == [f"{here.id} was never settled"]


def queue(*waiting: Queued) -> list[str]:
    return [one.rule.value for one in queue_breaches(waiting, NOW)]


def test_an_item_may_wait_for_two_ticks_and_no_longer() -> None:
    assert timedelta(minutes=2) == TICKS
    assert queue(queued("x", Moment(at=NOW - TICKS, worker=Worker.DELIVER))) == []
    late = Moment(at=NOW - TICKS - SECOND, worker=Worker.DELIVER)
    assert queue(queued("x", late)) == ["not_overdue"]


def test_while_it_is_leased_an_item_is_neither_overdue_nor_at_the_wrong_moment() -> None:
    true = Moment(at=NOW - timedelta(days=3), worker=Worker.RETRIES)
    ends = Moment(at=NOW + timedelta(minutes=5), worker=Worker.RETRIES)
    leased = queued("x", true, due_at=due_text(ends, "x"), due_for=due_text(true, "x"))
    assert queue(leased) == []


def test_what_was_set_aside_waits_for_staff_however_long() -> None:
    true = Moment(at=NOW - timedelta(days=30), worker=Worker.RETRIES)
    assert queue(queued("x", true, due_at=None, due_for=due_text(true, "x"))) == []
    assert queue(queued("x", true, due_at=None)) == ["due_is_next_moment"]


def test_tries_that_a_person_starts_use_up_no_slot() -> None:
    told = good_books()
    charge = told.charge(MARCH)
    later = tried(charge, Outcome.DECLINED, NOW, By.CUSTOMER)
    later = tried(later, Outcome.DECLINED, NOW, By.STAFF)
    told.books.charges[told.books.charges.index(charge)] = later
    assert told.wrong() == []


def test_a_period_that_is_charged_late_is_as_good_as_one_in_time() -> None:
    # Nothing ran for two weeks: its own moment was 28 February 04:59.
    at = utc("2026-03-14 12:00")
    opened = open_collection(
        subscription_of(),
        source="s.00001",
        invoice_id="i9",
        policy=RetryPolicy(),
        reminds=True,
        now=at,
    )
    charge = charge_of("s.00001", "i9", subscription_id="s", period=1)
    told = good_books()
    told.books.subscriptions.append(opened)
    told.books.charges.append(tried(charge, Outcome.UNKNOWN, at))
    told.books.messages.add(message_key(MessageKind.SUBSCRIPTION_PURCHASED, "s"))
    assert told.wrong() == []


def test_of_books_that_were_not_read_to_their_end_nothing_is_said_to_be_missing() -> None:
    told = good_books()
    told.books.whole = False
    told.books.subscriptions = told.books.subscriptions[:1]
    told.books.invoices = []
    told.books.entries = []
    told.books.messages = set()
    not_shown(told)
    assert breaches(told.books, NOW) == []
    # What an item says by itself is still looked at.
    never_checked(told)
    assert [one.rule for one in breaches(told.books, NOW)] == [Rule.OPEN_HAS_CHECK]


def test_an_end_is_told_by_its_own_email() -> None:
    told = good_books()
    gone = told.subscription("gone")
    changed(
        told.books.subscriptions,
        gone,
        end_reason=EndReason.BY_STAFF,
        failed_collection=None,
    )
    assert [one.detail for one in told.wrong()] == ["no cancelled_by_staff:gone"]
