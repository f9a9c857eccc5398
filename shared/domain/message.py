"""A message: one email, written down before it is sent ([OUTBOX]); and notices to staff."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime

from shared.domain.due import Moment, Worker
from shared.domain.record import Record


class MessageKind(StrEnum):
    SIGN_IN = "sign_in"
    STAFF_SIGN_IN = "staff_sign_in"
    ORDER_RECEIPT = "order_receipt"
    INVOICE = "invoice"
    SUBSCRIPTION_PURCHASED = "subscription_purchased"
    TRIAL_STARTED = "trial_started"
    RENEWAL_RECEIPT = "renewal_receipt"
    NEXT_PACK_IN_CART = "next_pack_in_cart"
    NEXT_PACK_DEBITED = "next_pack_debited"
    RENEWAL_REMINDER = "renewal_reminder"
    TRIAL_ENDING = "trial_ending"
    CHARGE_FAILED = "charge_failed"
    PAYMENT_DUE = "payment_due"
    CONFIRM_PAYMENT = "confirm_payment"
    CANCELLED_BY_CUSTOMER = "cancelled_by_customer"
    CANCELLED_BY_STAFF = "cancelled_by_staff"
    CANCELLED_AFTER_FAILURES = "cancelled_after_failures"
    CANCELLATION_SCHEDULED = "cancellation_scheduled"
    CARD_UPDATE = "card_update"
    PACK_EXPIRING = "pack_expiring"
    CREDITS_LOW = "credits_low"
    RESERVATION_CONFIRMED = "reservation_confirmed"
    RESERVATION_CHANGED = "reservation_changed"
    RESERVATION_CANCELLED = "reservation_cancelled"
    PLACE_OFFERED = "place_offered"
    REFUND = "refund"


UNHURRIED = frozenset(
    {
        MessageKind.INVOICE,
        MessageKind.RENEWAL_RECEIPT,
        MessageKind.NEXT_PACK_IN_CART,
        MessageKind.NEXT_PACK_DEBITED,
        MessageKind.RENEWAL_REMINDER,
        MessageKind.TRIAL_ENDING,
        MessageKind.CHARGE_FAILED,
        MessageKind.PAYMENT_DUE,
        MessageKind.CANCELLED_AFTER_FAILURES,
        MessageKind.PACK_EXPIRING,
        MessageKind.CREDITS_LOW,
    }
)
"""What a night of renewals writes by the thousand and nobody sits waiting for. The rest goes out
before it: it answers what somebody has just done."""


class MessageState(StrEnum):
    PENDING = "pending"
    SENT = "sent"
    SUPPRESSED = "suppressed"
    """Not sent on purpose: its reason had gone when its turn came, or the address is blocked."""


def message_key(kind: MessageKind, told: str) -> str:
    """The key of the one message of `kind` that tells of `told` ([OUTBOX])."""
    return f"{kind.value}:{told}"


class Message(Record):
    """`key` is unique for ever: the same thing is told once. `facts` are frozen when it is
    written (plain JSON); secrets are never among them: a sign-in link is made at sending.
    `only_while` names the subscription that has to be alive at sending ([REMIND]).

    `also` are further emails of the same moment to the same person, which are written down, tried
    and marked with it as one item; each has a key, facts and a state of its own."""

    key: str
    kind: MessageKind
    to: str
    customer_id: str | None = None
    locale: str = ""
    created_at: AwareDatetime
    facts: dict[str, Any] = {}
    only_while: str | None = None
    period: int | None = None
    state: MessageState = MessageState.PENDING
    sent_at: AwareDatetime | None = None
    tries: int = 0
    next_try_at: AwareDatetime | None = None
    why_not: str = ""
    also: "tuple[Message, ...]" = ()

    @property
    def each(self) -> "tuple[Message, ...]":
        """The emails of this item, each by itself."""
        return (self.model_copy(update={"also": ()}), *self.also) if self.also else (self,)

    @property
    def pending(self) -> bool:
        """Whether any of its emails is still to be sent."""
        return any(one.state is MessageState.PENDING for one in (self, *self.also))


def together(messages: Sequence[Message]) -> Message:
    """Several emails as one item, under the first one's key ([OUTBOX]). `ValueError` for emails of
    different people or moments, and for one that waits to see whether it is still due."""
    first, *others = messages
    if not others:
        return first
    of = {(one.customer_id, one.to, one.created_at, one.only_while, one.also) for one in messages}
    if of != {(first.customer_id, first.to, first.created_at, None, ())}:
        raise ValueError("these emails are not of one moment and one person")
    return first.model_copy(update={"also": tuple(others)})


def touched_at(message: Message) -> datetime:
    """When the last of its emails was sent; until then, when it was written down."""
    return max(one.sent_at or one.created_at for one in (message, *message.also))


def next_moment(message: Message) -> Moment | None:
    """A pending message is due at once, and after a failed try at its next one."""
    if not message.pending:
        return None
    return Moment(
        at=message.next_try_at or message.created_at,
        worker=Worker.DELIVER,
        unhurried=message.kind in UNHURRIED,
    )


class NoticeKind(StrEnum):
    SUBSCRIPTION_FAILED_PAYMENT = "subscription_failed_payment"
    CANCELLATION_REQUESTED = "cancellation_requested"
    OUTCOME_UNKNOWN = "outcome_unknown"
    LATE_SUCCESS_REFUNDED = "late_success_refunded"
    REFUND_FAILED = "refund_failed"
    PAYMENT_REVERSED = "payment_reversed"
    PAYMENT_REINSTATED = "payment_reinstated"
    PERIOD_SKIPPED = "period_skipped"
    PARKED = "parked"
    UNEXPECTED_CHARGE = "unexpected_charge"
    INVARIANT_BREACHED = "invariant_breached"
    PROVIDER_REFUSES = "provider_refuses"
    """A payment provider would not take a request: a key, the account, a currency, an amount."""
    WEEKLY_PLACE = "weekly_place"
    """A standing weekly place could not be booked for a week that is paid ([WEEKLY])."""
    PAID_PLACE_GIVEN_BACK = "paid_place_given_back"
    """A place that was paid with money was given back in time: is anything to be refunded?"""


class Parked(Record):
    """What a parked item needs to be set going again: its keys, and the worker that it waits for
    as the due index names it: perhaps one that this version does not know, or none at all.
    `released`: it was set going from this notice, which happens once."""

    pk: str
    sk: str
    worker: str
    released: bool = False

    @property
    def known_worker(self) -> Worker | None:
        """Who would do it; None when this version can't tell."""
        return next((one for one in Worker if one.value == self.worker), None)


class Notice(Record):
    """Something staff should see ([NOTICE]). It stays until it is marked done. `parked` is there
    when an item of the queue was set aside, and can be set going again from the notice."""

    id: str
    kind: NoticeKind
    location_id: str | None = None
    customer_id: str | None = None
    title: str
    detail: str
    created_at: AwareDatetime
    done_at: AwareDatetime | None = None
    done_by: str | None = None
    parked: Parked | None = None
