"""What always holds, whatever crashed, repeated or raced.

Pure checks of one customer's collection as it was read at one moment, beside what the provider has
of the customer; the daily audit, the tests and the simulation use the same ones. A breach is a bug
or lost data, never a normal state.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from pydantic import BaseModel

from shared.domain import asked_for
from shared.domain.by import By
from shared.domain.cart import Cart
from shared.domain.charge import Charge, Purpose, RefundState
from shared.domain.due import Moment, utc_text
from shared.domain.ending import EndReason
from shared.domain.invoice import RECORDED, Invoice, InvoiceState, PaymentKind
from shared.domain.message import Message, MessageKind, message_key
from shared.domain.money import Money, total
from shared.domain.order import invoice_lines
from shared.domain.outcome import OPEN_OUTCOMES, Outcome
from shared.domain.pack import Entry, Pack
from shared.domain.provider_charge import ProviderCharge
from shared.domain.reservation import Reservation, ReservationState, Seat
from shared.domain.reversal import money_kept, taken_back
from shared.domain.subscription import Collection, Subscription, SubscriptionState
from shared.domain.told_of_end import KIND_OF_END

if TYPE_CHECKING:
    from shared.domain.activity import Activity
    from shared.domain.customer import Customer

TICKS = timedelta(minutes=2)
"""Nothing that is due waits longer than two ticks of the sweep, unless it is leased or parked."""

UNSETTLED_FOR = timedelta(minutes=10)
"""How long a success at the provider may wait to be recorded before it is looked at as lost."""

CLOCKS_DIFFER = timedelta(minutes=5)
"""How far a provider's clock may be from ours: what began so close to where its list begins may
not be on it."""


class Rule(StrEnum):
    ONE_SUCCESS = "one_success"
    """Of a charge's successes at most one was settled, and the others are paid back ([ONCE])."""
    SETTLED_HAS_INVOICE = "settled_has_invoice"
    INVOICE_ADDS_UP = "invoice_adds_up"
    """A closed invoice is paid exactly; an open one is not."""
    LEDGER_ADDS_UP = "ledger_adds_up"
    """The sum of a pack's entries is what it has left, never below 0 ([LEDGER])."""
    OPEN_HAS_CHECK = "open_has_check"
    """An outcome that is open has a next check."""
    DUE_IS_NEXT_MOMENT = "due_is_next_moment"
    NOT_OVERDUE = "not_overdue"
    INDEX_HAS_ITEM = "index_has_item"
    """No entry of the due index without the item that it stands for."""
    COLLECTION_HAS_CHARGE = "collection_has_charge"
    PAST_DUE_IS_SHOWN = "past_due_is_shown"
    """The head shows exactly the subscriptions that are failing ([PASTDUE])."""
    POLICY_IS_KEPT = "policy_is_kept"
    """A failing charge is tried in exactly the policy's slots ([RETRY])."""
    PERIOD_PAID_ONCE = "period_paid_once"
    NOT_BEFORE_ITS_MOMENT = "not_before_its_moment"
    """No period is asked for before it is to be charged ([2359])."""
    HOLDS_MATCH = "holds_match"
    """What packs hold is what live reservations say that holds them, and the reverse ([LEDGER])."""
    PLACES_ADD_UP = "places_add_up"
    """An activity's taken places are those of its seats and its offers, never more than it has
    ([PLACES])."""
    TOLD = "told"
    """What was settled, ended or paid back has its message ([OUTBOX])."""
    REVERSED_IS_FROZEN = "reversed_is_frozen"
    """What an invoice brought is frozen exactly while a bank holds what had paid it, and it is not
    paid again ([REVERSE])."""
    UNPAID_IS_ASKED_FOR = "unpaid_is_asked_for"
    """A pack that waits to be paid has an open invoice, or is over ([BOOK])."""
    ASKED_IS_OWED = "asked_is_owed"
    """What a reservation says it is asked for is what its open invoice asks ([BOOK])."""
    PAYMENT_IS_WANTED = "payment_is_wanted"
    """A payment of an invoice that is under way is of an open one, or goes back ([ONCE])."""
    PROVIDER_AGREES = "provider_agrees"
    """What the provider took and kept is what we settled, charge by charge."""
    NEXT_PACK_IS_CARTED = "next_pack_is_carted"
    """A next pack that waits to be paid by hand lies in the cart once, and nothing else of the kind
    does ([RECUR])."""
    READABLE = "readable"
    """A customer's items can be read by this version."""


@dataclass(frozen=True)
class Breach:
    rule: Rule
    item: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.rule.value}: {self.item} {self.detail}".rstrip()


@dataclass(frozen=True)
class Queued:
    """How an item stands in the due index, beside the `moment` that its content asks for."""

    item: str
    moment: Moment | None
    due_at: str | None
    due_for: str | None

    @property
    def parked(self) -> bool:
        return self.due_at is None and self.due_for is not None

    @property
    def leased(self) -> bool:
        return self.due_at is not None and self.due_for is not None


@dataclass
class CustomerBooks:
    """One customer's collection. `whole` is False when it was too long to be read to its end:
    then only what can be said of each item by itself is checked."""

    customer: Customer
    subscriptions: list[Subscription] = field(default_factory=list)
    charges: list[Charge] = field(default_factory=list)
    invoices: list[Invoice] = field(default_factory=list)
    packs: list[Pack] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    reservations: list[Reservation] = field(default_factory=list)
    carts: list[Cart] = field(default_factory=list)
    messages: set[str] = field(default_factory=set)
    """Their keys."""
    queue: list[Queued] = field(default_factory=list)
    whole: bool = True

    def add(self, value: BaseModel) -> None:
        match value:
            case Subscription():
                self.subscriptions.append(value)
            case Charge():
                self.charges.append(value)
            case Invoice():
                self.invoices.append(value)
            case Pack():
                self.packs.append(value)
            case Entry():
                self.entries.append(value)
            case Reservation():
                self.reservations.append(value)
            case Cart():
                self.carts.append(value)
            case Message():
                self.messages.update(one.key for one in value.each)
            case _:
                pass


def breaches(books: CustomerBooks, now: datetime) -> list[Breach]:
    """Everything that does not hold in a customer's own books, in no particular order."""
    found = [*queue_breaches(books.queue, now), *_charges(books.charges)]
    found += _invoices(books.invoices)
    if books.whole:
        found += [
            *_settled(books),
            *_ledgers(books),
            *_holds(books),
            *_asked_for(books),
            *_frozen(books),
            *_subscriptions(books),
            *_next_packs(books),
            *_told(books),
        ]
    return found


# --- the queue -------------------------------------------------------------------------------


def queue_breaches(queue: Sequence[Queued], now: datetime) -> Iterator[Breach]:
    """Items that wait for another moment than their content asks for, or for one that is past."""
    for one in queue:
        if one.parked:
            continue
        if not one.leased:
            wanted = (
                None if one.moment is None else f"{utc_text(one.moment.at)}#{one.moment.worker}"
            )
            stands = None if one.due_at is None else "#".join(one.due_at.split("#")[:2])
            if wanted != stands:
                yield Breach(Rule.DUE_IS_NEXT_MOMENT, one.item, f"{stands} instead of {wanted}")
        # Of a lease, this is its end: whoever held it is gone, and the next sweep takes it.
        # As text, since an item of another version may name a worker that is not known here.
        if one.due_at is not None and one.due_at < utc_text(now - TICKS):
            yield Breach(Rule.NOT_OVERDUE, one.item, one.due_at)


# --- charges and invoices --------------------------------------------------------------------


def _charges(charges: Sequence[Charge]) -> Iterator[Breach]:
    for charge in charges:
        successes = [one for one in charge.attempts if one.outcome is Outcome.SUCCEEDED]
        wanted = charge.settled_at is not None and not charge.recorded
        if len(successes) > wanted and charge.refund is RefundState.NONE:
            detail = f"{len(successes)} successes, {'one' if wanted else 'none'} settled"
            yield Breach(Rule.ONE_SUCCESS, charge.source, detail)
        if charge.outcome in OPEN_OUTCOMES and charge.next_check_at is None:
            yield Breach(Rule.OPEN_HAS_CHECK, charge.source)
        if wanted and charge.amount and not successes:
            yield Breach(Rule.ONE_SUCCESS, charge.source, "settled without a success")


def _invoices(invoices: Sequence[Invoice]) -> Iterator[Breach]:
    paid_periods: set[tuple[str, int]] = set()
    for invoice in invoices:
        match invoice.state:
            case InvoiceState.CLOSED if invoice.owed:
                yield Breach(Rule.INVOICE_ADDS_UP, invoice.id, "closed, but not paid exactly")
            case InvoiceState.OPEN if not invoice.owed and invoice.total:
                yield Breach(Rule.INVOICE_ADDS_UP, invoice.id, "open, but nothing is owed")
            case _:
                pass
        if invoice.subscription_id is None or invoice.period is None:
            continue
        period = (invoice.subscription_id, invoice.period)
        if invoice.state is InvoiceState.CLOSED:
            if period in paid_periods:
                yield Breach(Rule.PERIOD_PAID_ONCE, invoice.id, str(period))
            paid_periods.add(period)


def _settled(books: CustomerBooks) -> Iterator[Breach]:
    invoices = {one.id: one for one in books.invoices}
    for charge in books.charges:
        if charge.settled_at is None:
            continue
        invoice = invoices.get(charge.invoice_id)
        if invoice is None:
            if charge.purpose is not Purpose.CHECKOUT or invoice_lines(charge.order):
                yield Breach(Rule.SETTLED_HAS_INVOICE, charge.source)
            continue
        own = [one for one in invoice.payments if one.charge_id == charge.id]
        kinds = RECORDED if charge.recorded else _BY_CARD
        moved = [one.amount for one in own if one.kind in kinds]
        taken_back_once = any(one.kind is PaymentKind.REVERSAL for one in invoice.payments)
        closed = invoice.state is InvoiceState.CLOSED or taken_back_once
        if not closed or (
            charge.amount and total(moved, charge.amount.currency) != money_kept(charge)
        ):
            yield Breach(Rule.SETTLED_HAS_INVOICE, charge.source, "paid otherwise")


_BY_CARD = frozenset({PaymentKind.CARD, PaymentKind.REVERSAL, PaymentKind.REINSTATED})
"""What an invoice says of a charge's money: that it came, went back to a bank, and came again."""


def _asked_for(books: CustomerBooks) -> Iterator[Breach]:
    invoices = {one.id: one for one in books.invoices}
    for rule, wrong in (
        (Rule.UNPAID_IS_ASKED_FOR, asked_for.unpaid_packs(books.packs, invoices)),
        (Rule.ASKED_IS_OWED, asked_for.reservations(books.reservations, invoices)),
        (Rule.PAYMENT_IS_WANTED, asked_for.charges(books.charges, invoices)),
    ):
        for item, detail in wrong:
            yield Breach(rule, item, detail)


def provider_breaches(
    charges: Sequence[Charge],
    at_provider: Sequence[ProviderCharge],
    *,
    since: datetime | None,
    now: datetime,
    provider: str | None = None,
) -> list[Breach]:
    """Where a provider's books and ours differ: money that it kept and we did not settle, took
    twice, or took in another amount; and what we settled and it does not have.

    `charges` are all of the customer; `at_provider` is everything that `provider` (None: the only
    one) has of the customer since `since` (None: ever). An outcome that is still being asked
    about, or is being paid back, is no difference yet; nor is a success that is younger than
    `UNSETTLED_FOR`.
    """
    ours = {one.ref: one for one in charges}
    kept = [one for one in at_provider if one.kept]
    times = Counter(one.charge_ref for one in kept if one.charge_ref in ours)
    found = [
        Breach(Rule.PROVIDER_AGREES, ref, f"{times[ref]} payments were kept")
        for ref in times
        if times[ref] > 1 and not _in_motion(ours[ref])
    ]
    for one in kept:
        charge = ours.get(one.charge_ref)
        if charge is None:
            found.append(Breach(Rule.PROVIDER_AGREES, one.id, f"{one.charge_ref} is not ours"))
        elif _asked(charge, one) != one.amount:
            found.append(Breach(Rule.PROVIDER_AGREES, charge.ref, f"took {one.amount}"))
        elif (
            times[charge.ref] == 1
            and one.id not in _settled_by(charge, provider)
            and not _in_motion(charge)
            and one.created_at + UNSETTLED_FOR < now
        ):
            found.append(Breach(Rule.PROVIDER_AGREES, charge.ref, f"{one.id} was never settled"))
    names = {one.id for one in kept}
    began = None if since is None else since + CLOCKS_DIFFER
    for charge in charges:
        paid_by = [one for one in charge.attempts if one.outcome is Outcome.SUCCEEDED]
        lately = began is None or all(one.started_at >= began for one in paid_by)
        settled = _settled_by(charge, provider)
        if lately and settled and not settled & names:
            found.append(Breach(Rule.PROVIDER_AGREES, charge.ref, "settled, but never taken"))
    return found


def _asked(charge: Charge, seen: ProviderCharge) -> Money:
    """What was asked for by the attempt that the provider has: an open invoice of which a part was
    paid meanwhile asks for less."""
    attempt = charge.attempt_at(seen.id)
    return charge.amount if attempt is None else attempt.amount


def _settled_by(charge: Charge, provider: str | None) -> set[str | None]:
    """What the provider calls the money that settled a charge and was not paid back; nothing
    while none did."""
    if charge.settled_at is None or charge.recorded:
        return set()
    back = charge.refund_attempt if charge.refund is RefundState.DONE else None
    return {
        one.provider_charge_id
        for one in charge.attempts
        if one.outcome is Outcome.SUCCEEDED
        and one.id != back
        and taken_back(one) < one.amount
        and provider in (None, one.card.provider)
    }


def _in_motion(charge: Charge) -> bool:
    return charge.outcome in OPEN_OUTCOMES or charge.refund in (RefundState.DUE, RefundState.FAILED)


# --- packs -----------------------------------------------------------------------------------


def _ledgers(books: CustomerBooks) -> Iterator[Breach]:
    sums: dict[str, int] = {}
    for entry in books.entries:
        sums[entry.pack_id] = sums.get(entry.pack_id, 0) + entry.delta
    for pack in books.packs:
        left = 0 if pack.left is None else pack.left
        if pack.id not in sums:
            yield Breach(Rule.LEDGER_ADDS_UP, pack.id, "no entry")
        elif left < 0 or sums[pack.id] != left:
            yield Breach(Rule.LEDGER_ADDS_UP, pack.id, f"{sums[pack.id]} in entries, {left} left")


def _holds(books: CustomerBooks) -> Iterator[Breach]:
    held = Counter(
        (one.pack_id, reservation.id, one.credits)
        for reservation in books.reservations
        if reservation.state is ReservationState.BOOKED
        for one in reservation.held
    )
    booked = Counter(
        (pack.id, one.reservation_id, one.credits) for pack in books.packs for one in pack.booked
    )
    for (pack_id, reservation_id, credits_), count in ((held - booked) + (booked - held)).items():
        detail = f"{count} times {credits_} credits for {reservation_id} on one side only"
        yield Breach(Rule.HOLDS_MATCH, pack_id, detail)


def _frozen(books: CustomerBooks) -> Iterator[Breach]:
    reversed_ = {one.id for one in books.invoices if one.reversed}
    for pack in books.packs:
        if pack.ended_at is None and (pack.frozen_at is not None) != (pack.invoice_id in reversed_):
            detail = "not frozen" if pack.frozen_at is None else "frozen for no reversal"
            yield Breach(Rule.REVERSED_IS_FROZEN, pack.id, detail)


def places_breaches(activity: Activity, seats: Sequence[Seat]) -> list[Breach]:
    """Where an activity's taken places differ from who has them."""
    booked = sum(one.participants for one in seats if one.state is ReservationState.BOOKED)
    done = sum(one.participants for one in seats if one.state is ReservationState.REDEEMED)
    offered = sum(one.participants for one in activity.waiting if one.offered_until is not None)
    if activity.taken != booked + done + offered:
        detail = f"{activity.taken} taken: {booked} booked, {done} redeemed, {offered} offered"
        return [Breach(Rule.PLACES_ADD_UP, activity.id, detail)]
    if activity.taken > activity.places:
        return [Breach(Rule.PLACES_ADD_UP, activity.id, f"{activity.taken} of {activity.places}")]
    return []


# --- subscriptions ---------------------------------------------------------------------------


def _subscriptions(books: CustomerBooks) -> Iterator[Breach]:
    charges = {one.source: one for one in books.charges}
    failing: set[str] = set()
    for one in books.subscriptions:
        yield from _moments(one, books.charges)
        if one.failed_collection is not None:
            yield from _slots(one, one.failed_collection, charges)
            if one.failed_collection.slots_used != one.failed_collection.policy.tries:
                yield Breach(Rule.POLICY_IS_KEPT, one.id, "given up before its last slot")
        elif one.end_reason is EndReason.PAYMENT_FAILED:
            yield Breach(Rule.POLICY_IS_KEPT, one.id, "given up without a failing charge")
        collection = one.collection
        if collection is None:
            if one.state is SubscriptionState.PAST_DUE:
                yield Breach(Rule.PAST_DUE_IS_SHOWN, one.id, "past due without a charge")
            continue
        charge = charges.get(collection.source)
        if charge is None or charge.settled_at is not None or charge.given_up:
            yield Breach(Rule.COLLECTION_HAS_CHARGE, one.id, collection.source)
        yield from _slots(one, collection, charges)
        if collection.failing:
            failing.add(one.id)
    shown = {entry.subscription_id for entry in books.customer.past_due}
    if shown != failing:
        yield Breach(Rule.PAST_DUE_IS_SHOWN, books.customer.id, f"{shown} instead of {failing}")


def _slots(
    subscription: Subscription, collection: Collection, charges: dict[str, Charge]
) -> Iterator[Breach]:
    charge = charges.get(collection.source)
    tried = 0 if charge is None else sum(one.by is By.CLOCK for one in charge.attempts)
    used, passed = collection.slots_used, collection.slots_passed
    if used > collection.policy.tries or tried + passed != used:
        detail = f"{tried} tries and {passed} slots without one in {used}"
        yield Breach(Rule.POLICY_IS_KEPT, subscription.id, detail)


def _moments(subscription: Subscription, charges: Sequence[Charge]) -> Iterator[Breach]:
    for charge in charges:
        if charge.subscription_id != subscription.id or charge.period is None:
            continue
        to_be_charged = subscription.charged_at(charge.period)
        if to_be_charged is None:
            continue
        if any(one.started_at < to_be_charged for one in charge.attempts):
            yield Breach(Rule.NOT_BEFORE_ITS_MOMENT, charge.source)


def _next_packs(books: CustomerBooks) -> Iterator[Breach]:
    """A cart that is being paid may hold the next pack of what has ended meanwhile."""
    waiting = Counter(
        (one.id, one.next_period) for one in books.subscriptions if one.in_cart and not one.over
    )
    held: Counter[tuple[str, int]] = Counter()
    claimed: set[tuple[str, int]] = set()
    for cart in books.carts:
        for line in cart.lines:
            if line.next_pack is not None:
                named = line.next_pack.subscription_id, line.next_pack.period
                held[named] += 1
                claimed |= {named} if cart.claimed_by else set()
    for named in (waiting - held) + (held - waiting):
        if named not in claimed or named in waiting:
            yield Breach(Rule.NEXT_PACK_IS_CARTED, named[0], f"{held[named]} times in a cart")
    paid = Counter(
        (line.next_pack.subscription_id, line.next_pack.period)
        for charge in books.charges
        if charge.settled_at is not None
        for line in charge.order
        if line.next_pack is not None
    )
    paid.update(
        (one.subscription_id, one.period)
        for one in books.invoices
        if one.subscription_id is not None
        and one.period is not None
        and one.state is InvoiceState.CLOSED
    )
    for (subscription_id, period), times in paid.items():
        if times > 1 and any(
            one.id == subscription_id and one.recurring for one in books.subscriptions
        ):
            yield Breach(Rule.PERIOD_PAID_ONCE, subscription_id, f"{period} {times} times")


# --- messages --------------------------------------------------------------------------------


def _told(books: CustomerBooks) -> Iterator[Breach]:
    for key in _to_be_told(books):
        if key not in books.messages:
            yield Breach(Rule.TOLD, books.customer.id, f"no {key}")


def _to_be_told(books: CustomerBooks) -> Iterator[str]:
    invoices = {one.id for one in books.invoices}
    recurring = {one.id for one in books.subscriptions if one.recurring is not None}
    for charge in books.charges:
        if charge.settled_at is not None and charge.invoice_id in invoices:
            yield message_key(MessageKind.INVOICE, charge.invoice_id)
            if charge.purpose is Purpose.PERIOD:
                recurs = charge.subscription_id in recurring
                receipt = MessageKind.NEXT_PACK_DEBITED if recurs else MessageKind.RENEWAL_RECEIPT
                yield message_key(receipt, charge.invoice_id)
        if charge.refund is RefundState.DONE:
            yield message_key(MessageKind.REFUND, f"{charge.refund_attempt}-refund")
    for one in books.subscriptions:
        bought = (
            MessageKind.SUBSCRIPTION_PURCHASED
            if one.trial_days is None
            else MessageKind.TRIAL_STARTED
        )
        yield message_key(bought, one.id)
        if one.over and one.end_reason is not None:
            yield message_key(KIND_OF_END[one.end_reason], one.id)
