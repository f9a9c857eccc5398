"""Record what became of an attempt: the one place where it is done ([SETTLE]).

The direct answer of the provider, its webhook and the check of unknown charges all come here. It
is one transaction on the condition that the charge stands as it was read; whoever comes second
reads again, finds the outcome recorded and does nothing.

What settles a checkout, an invoice or a period is loaded when there is one to settle, where whoever
asked for the payment has not loaded it.
"""

from __future__ import annotations

from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING

from shared.domain.charge import Charge, Purpose, record_outcome
from shared.domain.outcome import UNDECIDED_OUTCOMES, Outcome
from shared.operations import tell
from shared.operations.books import Books, reopen
from shared.store import transactions
from shared.store.items import Lost

if TYPE_CHECKING:
    from shared.operations.context import Context
    from shared.providers.port import ChargeResult

SETTLE_TRIES = 8


class Settled(StrEnum):
    RECORDED = "recorded"
    ALREADY = "already"


def settle(
    context: Context, books: Books, attempt_id: str, result: ChargeResult
) -> tuple[Settled, Charge]:
    """Record `result` for an attempt, and everything that follows from it, once.

    Returns the charge as it then stands. `StoreUnavailable` and `Lost` after `SETTLE_TRIES`
    leave the attempt open: the check of unknown charges comes back to it.
    """
    for tries_left in reversed(range(SETTLE_TRIES)):
        now = context.now()
        recorded = record_outcome(
            books.charge.value,
            attempt_id,
            result.outcome,
            now=now,
            decline_code=result.decline_code,
            provider_charge_id=result.provider_charge_id,
            confirm_url=result.confirm_url,
            repeatable=result.repeatable,
        )
        if recorded is None:
            return Settled.ALREADY, books.charge.value
        try:
            _write(context, books, recorded, attempt_id)
        except Lost:
            if not tries_left:
                raise
            books = reopen(books.charge)
            continue
        if result.outcome is Outcome.REFUSED:
            _tell_staff(context, recorded, attempt_id)
        return Settled.RECORDED, recorded
    raise AssertionError("unreachable")


def _write(context: Context, books: Books, recorded: Charge, attempt_id: str) -> None:
    attempt = recorded.attempt(attempt_id)
    assert attempt is not None
    before = books.charge.value
    newly_settled = recorded.settled_at is not None and before.settled_at is None
    is_last = recorded.last is attempt
    if _owed_back(recorded) != _owed_back(before):
        transactions.record_try(
            charge=books.charge,
            recorded=recorded,
            notices=[tell.late_success(context, recorded)],
        )
    elif newly_settled and recorded.purpose is Purpose.CHECKOUT:
        from shared.operations.settle_checkout import complete_checkout

        complete_checkout(context, books, recorded, attempt)
    elif newly_settled and recorded.purpose is Purpose.INVOICE:
        from shared.operations import invoices

        assert books.invoice is not None
        invoices.complete(
            context,
            charge=books.charge,
            settled=recorded,
            attempt=attempt,
            invoice=books.invoice,
            customer=books.customer.value,
        )
    elif newly_settled:
        from shared.operations.settle_period import complete_period

        complete_period(context, books, recorded, attempt)
    elif not is_last or recorded.given_up or recorded.outcome in UNDECIDED_OUTCOMES:
        transactions.record_try(charge=books.charge, recorded=recorded)
    elif recorded.purpose is Purpose.CHECKOUT:
        from shared.operations.settle_checkout import checkout_not_paid

        checkout_not_paid(context, books, recorded)
    elif recorded.purpose is Purpose.INVOICE:
        _invoice_not_paid(context, books, recorded)
    else:
        from shared.operations.settle_period import period_not_paid

        period_not_paid(context, books, recorded, attempt)


def _tell_staff(context: Context, charge: Charge, attempt_id: str) -> None:
    """Once a day and reason: many payments fail alike. If this is lost, the next one tells."""
    attempt = charge.attempt(attempt_id)
    assert attempt is not None
    with suppress(Lost):
        transactions.notify_once(tell.provider_refuses(context, charge, attempt))


def _owed_back(charge: Charge) -> tuple[str | None, ...]:
    """The attempts whose money goes back, or went."""
    return charge.refund_attempt, *charge.refunds_waiting


def _invoice_not_paid(context: Context, books: Books, recorded: Charge) -> None:
    """A place that had to be paid is given back; another invoice stays open ([BOOK])."""
    waiting = recorded.outcome is Outcome.AUTHENTICATION_REQUIRED
    if not waiting and recorded.holds_place and books.invoice is not None:
        from shared.operations.giving_back import give_up_place

        gone = give_up_place(
            context,
            invoice=books.invoice,
            charge=books.charge,
            given_up=recorded.model_copy(update={"given_up": True}),
            # The direct answer is told on the page of whoever asked.
            tell_of_it=books.charge.value.outcome is not Outcome.ATTEMPTING,
        )
        if gone:
            return
    transactions.record_try(charge=books.charge, recorded=recorded)
