"""Find out what became of charges whose outcome is open, and pay back what nobody wanted.

Never a new key while the last outcome is open; "not found" is final only after 24 hours; the same
request is repeated only where it may never have arrived, and only while the provider still knows
its key ([ONCE], docs/architecture.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from shared.domain.charge import (
    AUTHENTICATION_WAIT,
    CHECKS_BEFORE_NOTICE,
    NOT_FOUND_IS_FINAL_AFTER,
    SAME_KEY_FOR,
    Attempt,
    Charge,
    Purpose,
    RefundState,
    next_moment,
    postpone_check,
    record_refund,
)
from shared.domain.outcome import NEVER_REACHED, OPEN_OUTCOMES, Outcome
from shared.domain.subscription import next_slot_at
from shared.operations import tell
from shared.operations.asking import ask
from shared.operations.books import Books, open_books, reopen
from shared.operations.settle import settle
from shared.providers.errors import NoSuchProvider, ProviderUnavailable, RequestRefused
from shared.providers.port import ChargeResult, RefundOutcome
from shared.store import transactions
from shared.store.items import Lost

if TYPE_CHECKING:
    from shared.domain.message import Notice
    from shared.operations.context import Context

MAX_REFUND_TRIES = 8


class Reconciled(StrEnum):
    NOTHING_DUE = "nothing_due"
    SETTLED = "settled"
    STILL_OPEN = "still_open"
    UNANSWERED = "unanswered"
    """The provider did not answer, and nothing else would ask it again: whoever asked has to."""
    UNEXPECTED = "unexpected"
    """Money that the provider took in our name, by none of our attempts."""
    REFUNDED = "refunded"
    REFUND_FAILED = "refund_failed"
    LOST = "lost"


def reconcile(
    context: Context,
    customer_id: str,
    source: str,
    *,
    asked_by_webhook: bool = False,
    object_id: str | None = None,
    provider: str | None = None,
) -> Reconciled:
    """Look at one charge now. `asked_by_webhook` looks at once, whatever moment was planned: a
    webhook only says where to look ([VERIFY]). `object_id` is the name that `provider` has for the
    attempt it is about; without it, or when it is not known, the last one there is looked at."""
    books = open_books(customer_id, source)
    if books is None:
        return Reconciled.NOTHING_DUE
    moment = next_moment(books.charge.value)
    due = moment is not None and moment.at <= context.now()
    if not (due or asked_by_webhook):
        return Reconciled.NOTHING_DUE
    try:
        return _now(context, books, object_id, provider)
    except Lost:
        return Reconciled.LOST


def _now(context: Context, books: Books, object_id: str | None, provider: str | None) -> Reconciled:
    charge = books.charge.value
    refunded: Reconciled | None = None
    if charge.refund is RefundState.DUE:
        refunded = _refund(context, books)
        if charge.outcome not in OPEN_OUTCOMES:
            return refunded
        books = reopen(books.charge)
        charge = books.charge.value
    if charge.last is None:
        return refunded or Reconciled.NOTHING_DUE
    if object_id is None:
        return _look(context, books, charge.last, None)
    there = [one for one in charge.attempts if provider in (None, one.card.provider)]
    try:
        asked = _attempt_behind(context, charge, there, object_id)
    except ProviderUnavailable:
        return Reconciled.UNANSWERED
    if asked is None:
        return _unexpected(context, charge, there, object_id)
    return _look(context, books, asked, object_id)


def _attempt_behind(
    context: Context, charge: Charge, there: Sequence[Attempt], object_id: str
) -> Attempt | None:
    """Whose name at the provider this is; else, of the attempts `there` that have none yet, the
    last: it may be one that was taken for lost. None when it can be none of ours."""
    last = there[-1] if there else None
    if last is not None and _goes_on_with(context, charge, last) == object_id:
        return last
    unnamed = (one for one in reversed(there) if one.provider_charge_id is None)
    return charge.attempt_at(object_id) or next(unnamed, None)


def _goes_on_with(context: Context, charge: Charge, attempt: Attempt) -> str | None:
    """What the provider calls an attempt of which it has said nothing yet, where it keeps one
    object for all attempts of a charge and this is not the first."""
    if attempt.provider_charge_id is not None:
        return None
    provider = context.provider(attempt.card.provider)
    return charge.continued_by(attempt) if provider.one_object_per_charge else None


def _owner(charge: Charge, result: ChargeResult) -> Attempt | None:
    """Which attempt of a charge an answer is about."""
    said = charge.attempt(result.attempt_id) if result.attempt_id is not None else None
    return said or charge.attempt_at(result.provider_charge_id)


def _look(context: Context, books: Books, attempt: Attempt, object_id: str | None) -> Reconciled:
    before = books.charge.value
    # What is found out about an earlier attempt says nothing of the last one: its check stands.
    is_last = attempt is before.last
    try:
        result = _what_became_of(context, books, attempt, object_id)
    except (ProviderUnavailable, RequestRefused):
        if not is_last or before.outcome not in OPEN_OUTCOMES:
            return Reconciled.UNANSWERED
        result = None
    if result is None:
        return _ask_again_later(context, books) if is_last else Reconciled.NOTHING_DUE
    # A look-up answers any success for this charge, also that of another attempt than was asked.
    owner = _owner(before, result) or attempt
    _, after = settle(context, books, owner.id, result)
    if result.reversed is not None and result.provider_charge_id is not None:
        # Taken back before anybody here knew that it had come ([REVERSE]).
        from shared.operations import reversing

        reversing.look(context, after.customer_id, after.source, result.provider_charge_id)
    if is_last and after.outcome in OPEN_OUTCOMES and after.last is not None:
        fresh = open_books(after.customer_id, after.source)
        if fresh is not None and fresh.charge.value.outcome in OPEN_OUTCOMES:
            return _ask_again_later(context, fresh)
    return Reconciled.SETTLED


def _unexpected(
    context: Context, charge: Charge, there: Sequence[Attempt], object_id: str
) -> Reconciled:
    """The provider speaks of a charge in our name that none of our attempts `there` is. When money
    moved, staff are told: paying back what we did not ask for is theirs to decide."""
    if not there:
        return Reconciled.NOTHING_DUE
    attempt = there[-1]
    try:
        found = context.provider(attempt.card.provider).look_up(
            charge_ref=charge.ref,
            attempt_id=attempt.id,
            provider_charge_id=object_id,
            provider_customer=attempt.provider_customer,
        )
    except (ProviderUnavailable, RequestRefused):
        return Reconciled.UNANSWERED
    if found is None or found.provider_charge_id != object_id:
        return Reconciled.NOTHING_DUE
    if found.outcome is not Outcome.SUCCEEDED:
        return Reconciled.NOTHING_DUE
    transactions.notify([tell.unexpected_charge(context, charge, object_id)])
    return Reconciled.UNEXPECTED


def _what_became_of(
    context: Context, books: Books, attempt: Attempt, object_id: str | None
) -> ChargeResult | None:
    """The outcome as the provider knows it, or None when it is still open."""
    charge, now = books.charge.value, context.now()
    provider = context.provider(attempt.card.provider)
    found = provider.look_up(
        charge_ref=charge.ref,
        attempt_id=attempt.id,
        provider_charge_id=(
            attempt.provider_charge_id or object_id or _goes_on_with(context, charge, attempt)
        ),
        provider_customer=attempt.provider_customer,
    )
    if found is not None and not _known_success(charge, attempt, found):
        if found.outcome is Outcome.AUTHENTICATION_REQUIRED and _waited_enough(books, attempt, now):
            assert found.provider_charge_id is not None
            return provider.cancel_charge(
                provider_charge_id=found.provider_charge_id,
                idempotency_key=f"{attempt.id}-cancel",
            )
        return None if found.outcome is Outcome.UNKNOWN else found
    if attempt.outcome not in OPEN_OUTCOMES:
        return None
    age = now - attempt.started_at
    if age >= NOT_FOUND_IS_FINAL_AFTER:
        return ChargeResult(outcome=Outcome.DECLINED, decline_code=NEVER_REACHED)
    perhaps_sent = attempt.outcome is Outcome.ATTEMPTING
    may_repeat = age < provider.keys_hold_for if perhaps_sent else attempt.repeatable
    if may_repeat and age < SAME_KEY_FOR and not charge.given_up:
        repeated = ask(context, charge)
        # What the provider won't take now says nothing of the request that was sent before.
        says_nothing = repeated.outcome in (Outcome.UNKNOWN, Outcome.REFUSED)
        return None if says_nothing else repeated
    return None


def _known_success(charge: Charge, asked: Attempt, found: ChargeResult) -> bool:
    """Whether what was found is another attempt's success, which is recorded already: of the
    attempt that was asked for it says nothing."""
    owner = _owner(charge, found)
    return owner is not None and owner.id != asked.id and owner.outcome is Outcome.SUCCEEDED


def _waited_enough(books: Books, attempt: Attempt, now: datetime) -> bool:
    """Whether a payment that waits for the customer is to be given up: nobody wants it any more,
    a checkout was left, or a period's last slot has come ([HARD])."""
    charge = books.charge.value
    if charge.given_up:
        return True
    if charge.purpose is not Purpose.PERIOD:
        return now - attempt.started_at >= AUTHENTICATION_WAIT
    return books.subscription is not None and next_slot_at(books.subscription.value) is None


def _ask_again_later(context: Context, books: Books) -> Reconciled:
    charge = books.charge.value
    if charge.outcome not in OPEN_OUTCOMES:
        return Reconciled.NOTHING_DUE
    checked = postpone_check(charge, context.now())
    unknown = charge.outcome in (Outcome.ATTEMPTING, Outcome.UNKNOWN)
    notices = []
    if unknown and checked.checks == CHECKS_BEFORE_NOTICE:
        notices.append(tell.outcome_unknown(context, checked))
    try:
        transactions.record_try(charge=books.charge, recorded=checked, notices=notices)
    except Lost:
        # Somebody else has just written what became of it, or looks after it.
        return Reconciled.STILL_OPEN
    return Reconciled.STILL_OPEN


def _refund(context: Context, books: Books) -> Reconciled:
    """Give back a success that came after the charge was given up ([CANCEL])."""
    charge = books.charge.value
    attempt = charge.attempt(charge.refund_attempt or "")
    assert attempt is not None
    outcome = _pay_back(context, charge, attempt)
    notices: list[Notice] = []
    match outcome:
        case RefundOutcome.SUCCEEDED:
            state = RefundState.DONE
        case RefundOutcome.REFUSED:
            state, notices = RefundState.FAILED, [tell.refund_failed(context, charge)]
        case RefundOutcome.UNKNOWN:
            state = RefundState.DUE
            if charge.refund_tries + 1 == MAX_REFUND_TRIES:
                notices = [tell.refund_failed(context, charge)]
    recorded = record_refund(charge, state, context.now())
    done = state is RefundState.DONE
    transactions.record_try(
        charge=books.charge,
        recorded=recorded,
        messages=[tell.refunded(context, books.customer.value, charge, attempt)] if done else [],
        notices=notices,
    )
    match state:
        case RefundState.DONE:
            return Reconciled.REFUNDED
        case RefundState.FAILED:
            return Reconciled.REFUND_FAILED
        case RefundState.DUE | RefundState.NONE:
            return Reconciled.STILL_OPEN


def refund_came_back(context: Context, customer_id: str, source: str) -> bool:
    """Note that a refund did not arrive after all, if the provider says so: a bank may send it back
    days later. Staff are told; it is theirs to give the money another way. Raises
    `ProviderUnavailable`, `RequestRefused` and `Lost`."""
    books = open_books(customer_id, source)
    charge = books.charge.value if books is not None else None
    attempt = charge.attempt(charge.refund_attempt or "") if charge is not None else None
    if books is None or charge is None or attempt is None or charge.refund is not RefundState.DONE:
        return False
    found = context.provider(attempt.card.provider).look_up(
        charge_ref=charge.ref,
        attempt_id=attempt.id,
        provider_charge_id=attempt.provider_charge_id,
        provider_customer=attempt.provider_customer,
    )
    if found is None or found.outcome is not Outcome.SUCCEEDED:
        return False
    if found.refunded or found.reversed is not None:
        return False
    transactions.record_try(
        charge=books.charge,
        recorded=charge.model_copy(update={"refund": RefundState.FAILED}),
        notices=[tell.refund_failed(context, charge)],
    )
    return True


def _pay_back(context: Context, charge: Charge, attempt: Attempt) -> RefundOutcome:
    if attempt.provider_charge_id is None:
        return RefundOutcome.UNKNOWN
    try:
        outcome = context.provider(attempt.card.provider).refund(
            provider_charge_id=attempt.provider_charge_id,
            amount=attempt.amount,
            idempotency_key=f"{attempt.id}-refund",
        )
    except NoSuchProvider:
        return RefundOutcome.UNKNOWN
    except RequestRefused:
        outcome = RefundOutcome.REFUSED
    if outcome is RefundOutcome.REFUSED:
        return _why_refused(context, charge, attempt)
    return outcome


def _why_refused(context: Context, charge: Charge, attempt: Attempt) -> RefundOutcome:
    """A refund is refused also when the money went back before: by a try whose answer was lost
    and whose key the provider has forgotten, by the merchant's own hand there, or by a bank that
    took it back."""
    try:
        found = context.provider(attempt.card.provider).look_up(
            charge_ref=charge.ref,
            attempt_id=attempt.id,
            provider_charge_id=attempt.provider_charge_id,
            provider_customer=attempt.provider_customer,
        )
    except (ProviderUnavailable, RequestRefused):
        return RefundOutcome.UNKNOWN
    went_back = (
        found is not None
        and (found.refunded or found.reversed is not None)
        and found.provider_charge_id == attempt.provider_charge_id
    )
    return RefundOutcome.SUCCEEDED if went_back else RefundOutcome.REFUSED
