"""What always holds, whatever crashed, repeated or raced.

Pure checks of one customer's collection as it was read at one moment; the daily audit and the
tests use the same ones. A breach is a bug or lost data, never a normal state.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import BaseModel

from shared.domain.charge import OPEN_OUTCOMES, Charge, Purpose, RefundState
from shared.domain.customer import Customer
from shared.domain.due import Moment, due_moment, utc_text
from shared.domain.invoice import Invoice, InvoiceState, PaymentKind
from shared.domain.order import invoice_lines
from shared.domain.pack import Entry, Pack
from shared.domain.subscription import Subscription, SubscriptionState

TICKS = timedelta(minutes=2)
"""Nothing that is due waits longer than two ticks of the sweep, unless it is leased or parked."""


class Rule(StrEnum):
    ONE_SUCCESS = "one_success"
    """At most one attempt of a charge succeeded and was kept ([ONCE])."""
    SETTLED_HAS_INVOICE = "settled_has_invoice"
    INVOICE_ADDS_UP = "invoice_adds_up"
    """A closed invoice is paid exactly; an open one is not."""
    LEDGER_ADDS_UP = "ledger_adds_up"
    """The sum of a pack's entries is what it has left, never below 0 ([LEDGER])."""
    OPEN_HAS_CHECK = "open_has_check"
    """An outcome that is open has a next check."""
    DUE_IS_NEXT_MOMENT = "due_is_next_moment"
    NOT_OVERDUE = "not_overdue"
    COLLECTION_HAS_CHARGE = "collection_has_charge"
    PAST_DUE_IS_SHOWN = "past_due_is_shown"
    """The head shows exactly the subscriptions that are failing ([PASTDUE])."""
    TRIES_WITHIN_POLICY = "tries_within_policy"
    PERIOD_PAID_ONCE = "period_paid_once"


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
            case _:
                pass


def breaches(books: CustomerBooks, now: datetime) -> list[Breach]:
    """Everything that does not hold, in no particular order."""
    found = [*_queue(books.queue, now), *_charges(books.charges), *_invoices(books.invoices)]
    if books.whole:
        found += [*_settled(books), *_ledgers(books), *_subscriptions(books)]
    return found


def _queue(queue: Sequence[Queued], now: datetime) -> Iterator[Breach]:
    for one in queue:
        if one.parked or one.leased:
            continue
        wanted = None if one.moment is None else f"{utc_text(one.moment.at)}#{one.moment.worker}"
        stands = None if one.due_at is None else "#".join(one.due_at.split("#")[:2])
        if wanted != stands:
            yield Breach(Rule.DUE_IS_NEXT_MOMENT, one.item, f"{stands} instead of {wanted}")
        if one.due_at is not None and due_moment(one.due_at)[0] + TICKS < now:
            yield Breach(Rule.NOT_OVERDUE, one.item, one.due_at)


def _charges(charges: Sequence[Charge]) -> Iterator[Breach]:
    for charge in charges:
        successes = [one for one in charge.attempts if one.outcome == "succeeded"]
        kept = len(successes) - (charge.refund is not RefundState.NONE)
        if kept > 1:
            yield Breach(Rule.ONE_SUCCESS, charge.source, f"{kept} successes")
        if charge.outcome in OPEN_OUTCOMES and charge.next_check_at is None:
            yield Breach(Rule.OPEN_HAS_CHECK, charge.source)
        if charge.settled_at is not None and charge.amount and not successes:
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
            if charge.purpose is Purpose.PERIOD or invoice_lines(charge.order):
                yield Breach(Rule.SETTLED_HAS_INVOICE, charge.source)
            continue
        by_card = [one for one in invoice.payments if one.kind is PaymentKind.CARD]
        if invoice.state is not InvoiceState.CLOSED or (
            charge.amount and [one.amount for one in by_card] != [charge.amount]
        ):
            yield Breach(Rule.SETTLED_HAS_INVOICE, charge.source, "paid otherwise")


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


def _subscriptions(books: CustomerBooks) -> Iterator[Breach]:
    charges = {one.source: one for one in books.charges}
    failing: set[str] = set()
    for one in books.subscriptions:
        collection = one.collection
        if collection is None:
            if one.state is SubscriptionState.PAST_DUE:
                yield Breach(Rule.PAST_DUE_IS_SHOWN, one.id, "past due without a charge")
            continue
        charge = charges.get(collection.source)
        if charge is None or charge.settled_at is not None or charge.given_up:
            yield Breach(Rule.COLLECTION_HAS_CHARGE, one.id, collection.source)
        if collection.slots_used > collection.policy.tries:
            yield Breach(Rule.TRIES_WITHIN_POLICY, one.id, str(collection.slots_used))
        if collection.failing:
            failing.add(one.id)
    shown = {entry.subscription_id for entry in books.customer.past_due}
    if shown != failing:
        yield Breach(Rule.PAST_DUE_IS_SHOWN, books.customer.id, f"{shown} instead of {failing}")
