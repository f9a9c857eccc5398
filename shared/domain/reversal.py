"""Payments that a bank takes back, and what becomes of what they bought ([REVERSE]).

Pure. A reversal undoes nothing: the charge stays settled, its invoice is open again, and the packs
on it are frozen until it is paid. Freezing is no line of the ledger: what is left stays, the expiry
goes on, and places that are booked stay booked.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from shared.domain.charge import Attempt, Charge
from shared.domain.invoice import Invoice, InvoiceState, Payment, PaymentKind
from shared.domain.money import Money
from shared.domain.outcome import Outcome
from shared.domain.pack import Entry, EntryKind, Pack
from shared.domain.reservation import Reservation, ReservationState

if TYPE_CHECKING:
    from shared.domain.subscription import Subscription


def taken_back(attempt: Attempt) -> Money:
    """How much of an attempt's money a bank holds again."""
    return attempt.reversed or Money.zero(attempt.amount.currency)


def record_reversal(charge: Charge, attempt_id: str, taken: Money, now: datetime) -> Charge | None:
    """The charge with what a bank has taken back of an attempt's money by now: `taken` is all of
    it, 0 when it gave it again. None when that is known, or when no money had come by it."""
    known = charge.attempt(attempt_id)
    if known is None or known.outcome is not Outcome.SUCCEEDED or taken == taken_back(known):
        return None
    marked = known.model_copy(
        update={"reversed": taken or None, "reversed_at": now if taken else None}
    )
    attempts = tuple(marked if one.id == attempt_id else one for one in charge.attempts)
    return charge.model_copy(update={"attempts": attempts})


def settled_by(charge: Charge) -> Attempt | None:
    """The attempt whose money pays the charge's invoice; the money of any other that succeeded is
    not wanted and goes back."""
    unwanted = {charge.refund_attempt, *charge.refunds_waiting}
    paid = (
        one
        for one in charge.attempts
        if one.outcome is Outcome.SUCCEEDED
        and one.decided_at == charge.settled_at
        and one.id not in unwanted
    )
    return next(paid, None)


def money_kept(charge: Charge) -> Money:
    """What its invoice has of a settled charge: all of it, less what a bank took back."""
    paid = None if charge.recorded else settled_by(charge)
    return charge.amount if paid is None else charge.amount - taken_back(paid)


# --- the invoice -----------------------------------------------------------------------------


def reversed_payment(charge: Charge, attempt: Attempt, change: Money, now: datetime) -> Payment:
    """What the invoice says of a `change` in what a bank holds: above 0 it took more, below 0 it
    gave some again."""
    return Payment(
        kind=PaymentKind.REVERSAL if change.minor > 0 else PaymentKind.REINSTATED,
        at=now,
        amount=-change,
        charge_id=charge.id,
        brand=attempt.card.brand,
        last4=attempt.card.last4,
    )


def with_payment(invoice: Invoice, payment: Payment, now: datetime) -> Invoice:
    """The invoice with one more payment of either sign: open while charged and paid differ either
    way, else closed. It keeps its number."""
    paid = invoice.model_copy(update={"payments": (*invoice.payments, payment)})
    if paid.state is InvoiceState.VOID:
        return paid
    if paid.total == paid.paid:
        return paid.model_copy(
            update={"state": InvoiceState.CLOSED, "closed_at": now, "failed_at": None}
        )
    return paid.model_copy(update={"state": InvoiceState.OPEN, "closed_at": None})


# --- packs and subscriptions -----------------------------------------------------------------


def frozen_as(invoice: Invoice, pack: Pack, now: datetime) -> Pack:
    """A pack as its invoice wants it: frozen while what paid for it is `reversed`, usable again
    once it is paid. Of one that has ended there is nothing to freeze."""
    if pack.invoice_id != invoice.id or pack.ended_at is not None:
        return pack
    if invoice.reversed == (pack.frozen_at is not None):
        return pack
    return pack.model_copy(update={"frozen_at": now if invoice.reversed else None})


def counted_as(
    before: Invoice, after: Invoice, packs: Iterable[Pack], subscription: "Subscription"
) -> "Subscription":
    """A subscription with its payments counted anew when one of them is taken back, or comes
    again: reversed ones don't count ([COMMIT]). An invoice is a payment of the subscriptions whose
    packs it brought; `packs` are the customer's. Nothing else about a subscription changes."""
    paid = any(
        one.invoice_id == after.id and one.subscription_id == subscription.id for one in packs
    )
    if not paid or before.reversed == after.reversed:
        return subscription
    step = -1 if after.reversed else 1
    made = max(0, subscription.payments_made + step)
    return subscription.model_copy(update={"payments_made": made})


def owed_as(invoice: Invoice, reservation: Reservation, now: datetime) -> Reservation:
    """A reservation as the invoice behind it wants it, when its payment is taken back or comes
    again: what has begun unpaid is outstanding ([BOOK]). Its places stay booked."""
    if reservation.invoice_id != invoice.id or reservation.waived:
        return reservation
    if invoice.owed.minor <= 0:
        return reservation.model_copy(update={"invoiced": None, "outstanding": False})
    begun = reservation.state in _TAKEN and reservation.starts_at <= now
    return reservation.model_copy(update={"invoiced": invoice.owed, "outstanding": begun})


_TAKEN = frozenset(
    {ReservationState.BOOKED, ReservationState.REDEEMED, ReservationState.CANCELLED_LATE}
)


# --- what was used ---------------------------------------------------------------------------


class Use(NamedTuple):
    """A reservation that credits of a pack went to; `credits` is 0 for an unlimited one. `at` is
    when it begins (UTC), `zone` its location's. `over`: they are used up, and not only held for
    what is to come."""

    reservation_id: str
    name: str
    credits: int
    over: bool
    at: datetime | None = None
    zone: str = "UTC"


class Uses(NamedTuple):
    """Where the credits of one pack went, by its ledger."""

    pack: Pack
    uses: tuple[Use, ...] = ()
    deducted: int = 0
    """Taken off by staff."""
    expired: int = 0

    @property
    def used(self) -> tuple[Use, ...]:
        return tuple(one for one in self.uses if one.over)

    @property
    def held(self) -> tuple[Use, ...]:
        return tuple(one for one in self.uses if not one.over)


_TAKES_AND_GIVES_BACK = {
    EntryKind.HOLD: 1,
    EntryKind.RELEASE: -1,
    EntryKind.RESTORE: -1,
}


def uses_of(pack: Pack, entries: Iterable[Entry]) -> Uses:
    """Where a pack's credits went. `entries` are all of its ledger, in any order."""
    own = [one for one in entries if one.pack_id == pack.id]
    reservations = dict.fromkeys(one.reservation_id for one in own if one.reservation_id)
    uses = [one for name in reservations if (one := _use(name, own)) is not None]
    return Uses(
        pack=pack,
        uses=tuple(sorted(uses, key=lambda one: (one.at or pack.bought_at, one.reservation_id))),
        deducted=-sum(one.delta for one in own if one.kind is EntryKind.DEDUCT),
        expired=-sum(one.delta for one in own if one.kind is EntryKind.EXPIRE),
    )


def _use(reservation_id: str, entries: Sequence[Entry]) -> Use | None:
    """None when all that was held for it came back."""
    of_it = [one for one in entries if one.reservation_id == reservation_id]
    if sum(_TAKES_AND_GIVES_BACK.get(one.kind, 0) for one in of_it) <= 0:
        return None
    moved = (one.delta for one in of_it if one.kind in _TAKES_AND_GIVES_BACK)
    last = max(of_it, key=lambda one: (one.at, one.id))
    return Use(
        reservation_id=reservation_id,
        name=last.activity_name or last.reason,
        at=last.activity_at,
        zone=last.activity_zone or "UTC",
        credits=-sum(moved),
        over=any(one.kind is EntryKind.REDEEM for one in of_it),
    )
