"""A charge: money asked of a provider for one invoice, attempt by attempt ([ONCE]).

A charge lives under a key derived from what it is for, so that there is at most one for a cart's
version or a subscription's period. Each attempt's id is the provider's idempotency key. While the
last attempt's outcome is open, no other attempt may begin.
"""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime

from shared.domain.by import By
from shared.domain.card import Card
from shared.domain.due import Moment, Worker
from shared.domain.money import Money
from shared.domain.order import OrderLine
from shared.domain.outcome import (
    NEVER_REACHED,
    NOT_SET_UP,
    OPEN_OUTCOMES,
    REFUSALS,
    UNDECIDED_OUTCOMES,
    UNSAID_OUTCOMES,
    Outcome,
)
from shared.domain.record import Record

MAX_ATTEMPTS = 40
"""Tries of one charge, the customer's and staff's included; past it only a new order helps."""

SAME_KEY_FOR = timedelta(hours=23)
"""How long an attempt may be repeated with its own key: providers forget keys after 24 hours."""

NOT_FOUND_IS_FINAL_AFTER = timedelta(hours=24)
"""When "the provider knows no such charge" becomes "it never happened"."""

FIRST_CHECK_AFTER = timedelta(minutes=2)
"""When an attempt whose answer was never recorded is looked at: longer than any live call."""

CHECK_INTERVALS = tuple(
    timedelta(minutes=minutes) for minutes in (1, 4, 15, 60, 180, 360, 720, 1440)
)
"""The widening waits between checks of an unknown outcome; the last repeats."""

CHECKS_BEFORE_NOTICE = 6
"""Checks after which staff are told that an outcome is still unknown."""

AUTHENTICATION_WAIT = timedelta(hours=1)
"""How long a checkout waits for the customer to confirm before it is given up."""

SETTLING_CHECK_EVERY = timedelta(hours=6)
"""How often a charge is asked about whose provider is to report by webhook, in case it is lost."""


class Purpose(StrEnum):
    CHECKOUT = "checkout"
    PERIOD = "period"
    INVOICE = "invoice"
    """What an open invoice asks that no subscription collects ([BOOK], [HISTORY])."""


class Attempt(Record):
    """One try to collect. `id` is the provider's idempotency key. What was asked is kept with it
    (the card and the provider's customer), so that a repeat asks exactly the same."""

    id: str
    by: By
    amount: Money
    card: Card
    provider_customer: str
    started_at: AwareDatetime
    outcome: Outcome = Outcome.ATTEMPTING
    decided_at: AwareDatetime | None = None
    decline_code: str | None = None
    provider_charge_id: str | None = None
    confirm_url: str | None = None
    repeatable: bool = False
    """While the outcome is unknown: whether the request may never have arrived."""
    reversed: Money | None = None
    """What a bank has taken back of its money, and not given again ([REVERSE])."""
    reversed_at: AwareDatetime | None = None

    @property
    def merchants_trouble(self) -> bool:
        """Whether the provider would not take it until the merchant has put something right: no
        other card is asked for, and the same one may work then."""
        return self.outcome is Outcome.REFUSED and self.decline_code != NOT_SET_UP


class RefundState(StrEnum):
    NONE = "none"
    DUE = "due"
    DONE = "done"
    FAILED = "failed"


class Charge(Record):
    """`source` is what it collects for, and its key: `{cart id}.{cart version}`,
    `{subscription id}.{period}` or `{invoice id}.{how often it was reversed}`. `given_up` means
    that nobody wants the money any more: a late success is recorded and refunded, and grants
    nothing ([CANCEL]).

    `order` is a checkout's frozen content, from which settling makes invoice, packs and
    subscriptions."""

    id: str
    source: str
    purpose: Purpose
    customer_id: str
    location_id: str
    amount: Money
    description: str
    invoice_id: str
    created_at: AwareDatetime
    attempts: tuple[Attempt, ...] = ()
    subscription_id: str | None = None
    period: int | None = None
    reservation_id: str | None = None
    pack_id: str | None = None
    """What an invoice's charge is about, as the invoice says."""
    holds_place: bool = False
    """Whether a place was booked on the condition that it is paid now: a decline gives it back
    ([BOOK], `prepay_online`)."""
    order: tuple[OrderLine, ...] = ()
    tax_name: str = "Tax"
    given_up: bool = False
    checks: int = 0
    next_check_at: AwareDatetime | None = None
    refund: RefundState = RefundState.NONE
    refund_attempt: str | None = None
    """The attempt whose money goes back."""
    refunds_waiting: tuple[str, ...] = ()
    """Further attempts whose money goes back, one after the other."""
    refund_tries: int = 0
    started_by: str = ""
    """The staff member who made the order for the customer."""
    recorded: bool = False
    """Whether staff recorded the money that settled it: no attempt did ([PAY])."""
    settled_at: AwareDatetime | None = None
    """When it succeeded, or nothing was to be paid. Set once."""

    @property
    def ref(self) -> str:
        """What the provider's metadata carries, so that webhooks find the charge again."""
        return f"{self.customer_id}/{self.source}"

    @property
    def last(self) -> Attempt | None:
        return self.attempts[-1] if self.attempts else None

    @property
    def outcome(self) -> Outcome | None:
        """The last attempt's; None before the first."""
        return self.attempts[-1].outcome if self.attempts else None

    @property
    def blocked(self) -> bool:
        """Whether no further attempt may begin ([ONCE])."""
        return (
            self.settled_at is not None
            or self.given_up
            or self.outcome in OPEN_OUTCOMES
            or len(self.attempts) >= MAX_ATTEMPTS
        )

    @property
    def undecided(self) -> bool:
        return self.outcome in UNDECIDED_OUTCOMES

    def attempt(self, attempt_id: str) -> Attempt | None:
        return next((one for one in self.attempts if one.id == attempt_id), None)

    def attempt_at(self, provider_charge_id: str | None) -> Attempt | None:
        """The attempt that the provider knows by this name. Where it keeps one object for all
        attempts of a charge: the one that succeeded, else the last."""
        if provider_charge_id is None:
            return None
        named = [one for one in self.attempts if one.provider_charge_id == provider_charge_id]
        paid = (one for one in named if one.outcome is Outcome.SUCCEEDED)
        return next(paid, named[-1] if named else None)

    def continued_by(self, attempt: Attempt) -> str | None:
        """What the provider calls the try before `attempt`, where that was a definite no: a
        provider that keeps one object for all attempts of a charge goes on with it."""
        whose = attempt.provider_customer
        before = [one for one in self._before(attempt) if one.provider_customer == whose]
        named = [one for one in before if one.provider_charge_id is not None]
        if not named or named[-1].outcome not in REFUSALS:
            return None
        return named[-1].provider_charge_id

    def lost_before(self, attempt: Attempt) -> tuple[str, ...]:
        """The ids of earlier tries, with whichever card, that the provider never spoke of
        ([ONCE])."""
        return tuple(
            one.id
            for one in self._before(attempt)
            if one.outcome is Outcome.DECLINED and one.decline_code == NEVER_REACHED
        )

    def _before(self, attempt: Attempt) -> list[Attempt]:
        """The earlier attempts at the same provider."""
        earlier = self.attempts[: self.attempts.index(attempt)]
        return [one for one in earlier if one.card.provider == attempt.card.provider]


def touched_at(charge: Charge) -> datetime:
    """When something last happened to it that is told of it: a try, its outcome, its money."""
    tries = [at for one in charge.attempts for at in (one.started_at, one.decided_at) if at]
    return max([charge.created_at, *tries, *([charge.settled_at] if charge.settled_at else [])])


NEVER = datetime.min.replace(tzinfo=UTC)


def found_since(charge: Charge) -> datetime | None:
    """Since when it is found with its invoice, which is as old; None where it lies by its invoice.
    Nothing leads to that of an order without one: it was not paid, or a trial began with it."""
    match charge.purpose:
        case Purpose.PERIOD:
            return charge.created_at
        case Purpose.CHECKOUT:
            paid = charge.settled_at is not None and charge.amount
            return charge.created_at if paid else NEVER
        case Purpose.INVOICE:
            return None


def begin_attempt(
    charge: Charge, *, card: Card, provider_customer: str, by: By, now: datetime
) -> Charge:
    """The charge with one more attempt, due for a check. `ValueError` while it is blocked."""
    if charge.blocked:
        raise ValueError("the last outcome is not known, or the charge is over")
    attempt = Attempt(
        id=f"{charge.source}-{len(charge.attempts) + 1}",
        by=by,
        amount=charge.amount,
        card=card,
        provider_customer=provider_customer,
        started_at=now,
    )
    return charge.model_copy(
        update={
            "attempts": (*charge.attempts, attempt),
            "checks": 0,
            "next_check_at": now + FIRST_CHECK_AFTER,
        }
    )


def _next_check(charge: Charge, outcome: Outcome, now: datetime) -> datetime | None:
    match outcome:
        case Outcome.ATTEMPTING | Outcome.UNKNOWN:
            at = now + CHECK_INTERVALS[min(charge.checks, len(CHECK_INTERVALS) - 1)]
            # Not later than the moment at which "not found" becomes final: slots pass meanwhile.
            last = charge.last
            final_at = at if last is None else last.started_at + NOT_FOUND_IS_FINAL_AFTER
            return final_at if now < final_at < at else at
        case Outcome.PROCESSING:
            return now + SETTLING_CHECK_EVERY
        case Outcome.AUTHENTICATION_REQUIRED:
            if charge.purpose is not Purpose.PERIOD:
                return now + AUTHENTICATION_WAIT
            return now + SETTLING_CHECK_EVERY
        case Outcome.SUCCEEDED | Outcome.CANCELLED:
            return None
        case Outcome.DECLINED | Outcome.DECLINED_FINAL | Outcome.REFUSED:
            return None


def record_outcome(
    charge: Charge,
    attempt_id: str,
    outcome: Outcome,
    *,
    now: datetime,
    decline_code: str | None = None,
    provider_charge_id: str | None = None,
    confirm_url: str | None = None,
    repeatable: bool = False,
) -> Charge | None:
    """The charge with an attempt's outcome, or None when there is nothing new to record.

    A final outcome never changes, but for one case: a success that the provider reports after we
    took the attempt for lost or declined is recorded, since the money did move. Where nobody
    waits for it any more (given up, paid by another attempt, a checkout whose customer was told
    that it failed, an invoice of which a part was paid meanwhile) a refund is opened ([ONCE],
    [CANCEL]). An answer that did not come takes back
    nothing that the provider has said of the attempt before.
    """
    known = charge.attempt(attempt_id)
    if known is None:
        return None
    final = known.outcome not in OPEN_OUTCOMES
    if final and not (outcome is Outcome.SUCCEEDED and known.outcome is not Outcome.SUCCEEDED):
        return None
    if outcome is Outcome.UNKNOWN and known.outcome not in UNSAID_OUTCOMES:
        return None
    told_before = outcome is known.outcome and confirm_url in (None, known.confirm_url)
    if told_before and outcome not in (Outcome.UNKNOWN, Outcome.ATTEMPTING):
        return None
    decided = known.model_copy(
        update={
            "outcome": outcome,
            "decided_at": now,
            "decline_code": decline_code or known.decline_code,
            "provider_charge_id": provider_charge_id or known.provider_charge_id,
            "confirm_url": confirm_url or known.confirm_url,
            "repeatable": repeatable,
        }
    )
    attempts = tuple(decided if one.id == attempt_id else one for one in charge.attempts)
    changes: dict[str, Any] = {"attempts": attempts}
    if attempts[-1].id == attempt_id:
        changes["next_check_at"] = _next_check(charge, outcome, now)
    if outcome is Outcome.SUCCEEDED:
        unwanted = (
            charge.given_up
            or charge.settled_at is not None
            or known.amount != charge.amount
            or (final and charge.purpose is Purpose.CHECKOUT)
        )
        if unwanted and charge.refund is RefundState.DUE:
            changes["refunds_waiting"] = (*charge.refunds_waiting, attempt_id)
        elif unwanted:
            changes.update(_owed_back(attempt_id, now))
        else:
            changes["settled_at"] = now
    return charge.model_copy(update=changes)


def _owed_back(attempt_id: str, now: datetime) -> dict[str, Any]:
    return {
        "refund": RefundState.DUE,
        "refund_attempt": attempt_id,
        "refund_tries": 0,
        "next_check_at": now,
    }


def record_refund(charge: Charge, state: RefundState, now: datetime) -> Charge:
    """The charge after one more try to pay back what is owed: `state` is what came of it. The
    next that waits is owed then; an attempt that is still open keeps being looked at."""
    tries = charge.refund_tries + 1
    if state is RefundState.DUE:
        wait = CHECK_INTERVALS[min(tries, len(CHECK_INTERVALS) - 1)]
        return charge.model_copy(update={"refund_tries": tries, "next_check_at": now + wait})
    if charge.refunds_waiting:
        following, *rest = charge.refunds_waiting
        owed = {**_owed_back(following, now), "refunds_waiting": tuple(rest)}
        return charge.model_copy(update=owed)
    outcome = charge.outcome
    check_at = None if outcome is None else _next_check(charge, outcome, now)
    return charge.model_copy(
        update={"refund": state, "refund_tries": tries, "next_check_at": check_at}
    )


def postpone_check(charge: Charge, now: datetime) -> Charge:
    """Asked once more without an answer: the next check, later than the last."""
    checked = charge.model_copy(update={"checks": charge.checks + 1})
    outcome = charge.outcome
    at = _next_check(checked, outcome, now) if outcome is not None else None
    return checked.model_copy(update={"next_check_at": at})


def next_moment(charge: Charge) -> Moment | None:
    """When `reconcile` has to look: an open outcome, or a refund that is owed."""
    if charge.next_check_at is None:
        return None
    if charge.outcome in OPEN_OUTCOMES or charge.refund is RefundState.DUE:
        return Moment(at=charge.next_check_at, worker=Worker.RECONCILE)
    return None
