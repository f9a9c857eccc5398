"""Good books of a customer, made by the domain's own functions, and the provider's beside them.

Ada bought a monthly subscription and a pack of ten on 31 January 2026 in New York. She used a
credit. February's renewal was declined once and paid a day later; March's fails on a card that is
lost. A second subscription ended after six slots. A payment that nobody waited for was paid back.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar

from pydantic import BaseModel

from shared.domain import charge as charges
from shared.domain import collecting
from shared.domain import invoice as invoices
from shared.domain import pack as packs
from shared.domain import subscription as subscriptions
from shared.domain.by import By
from shared.domain.calendar import Frequency
from shared.domain.card import Card
from shared.domain.charge import Charge, Purpose, RefundState
from shared.domain.customer import Customer
from shared.domain.due import Moment, due_text
from shared.domain.ending import EndReason
from shared.domain.fulfilment import fulfil
from shared.domain.granting import Granted, grant_period_pack
from shared.domain.invariants import (
    Breach,
    CustomerBooks,
    Queued,
    breaches,
    provider_breaches,
)
from shared.domain.invoice import Invoice, InvoiceLine, InvoiceState, Payment, PaymentKind
from shared.domain.ledger import adjust
from shared.domain.message import MessageKind, message_key
from shared.domain.money import Money
from shared.domain.order import OrderLine, invoice_lines
from shared.domain.outcome import Outcome
from shared.domain.pack import Entry, Pack
from shared.domain.product_kind import ProductKind
from shared.domain.provider_charge import ProviderCharge
from shared.domain.subscription import Subscription, SubscriptionState
from shared.domain.told_of_end import KIND_OF_END
from shared.operations.packs import run_out
from tests.unit.subscription_samples import NEW_YORK, collected, terms_of, utc

NOW = utc("2026-04-01 12:00")
PRICE = Money(minor=4900, currency="USD")
CARD = Card(
    id="card", provider="sandbox", token="t", brand="visa", last4="4242", exp_month=1, exp_year=2030
)

_MOMENTS: dict[type[BaseModel], Callable[[Any], Moment | None]] = {
    Charge: charges.next_moment,
    Invoice: invoices.next_moment,
    Pack: packs.next_moment,
    Subscription: subscriptions.next_moment,
}

E = TypeVar("E", bound=BaseModel)


@dataclass
class Told:
    """Books, what the provider has of the same customer, and when both are looked at."""

    books: CustomerBooks
    at_provider: list[ProviderCharge] = field(default_factory=list)
    now: datetime = NOW
    since: datetime | None = None

    def wrong(self) -> list[Breach]:
        found = breaches(self.books, self.now)
        return found + provider_breaches(
            self.books.charges, self.at_provider, since=self.since, now=self.now
        )

    def charge(self, source: str) -> Charge:
        return next(one for one in self.books.charges if one.source == source)

    def subscription(self, subscription_id: str) -> Subscription:
        return next(one for one in self.books.subscriptions if one.id == subscription_id)

    def taken(self, charge_id: str) -> ProviderCharge:
        return next(one for one in self.at_provider if one.id == charge_id)


def changed(values: list[E], value: E, **update: Any) -> E:
    """Puts an altered copy in the place of `value`."""
    altered = value.model_copy(update=update)
    values[values.index(value)] = altered
    return altered


def queued(name: str, moment: Moment | None, **other: Any) -> Queued:
    """How an item stands in the index when it was just written."""
    due_at = None if moment is None else due_text(moment, name)
    return Queued(**{"item": name, "moment": moment, "due_at": due_at, "due_for": None, **other})


def charge_of(source: str, invoice_id: str, **other: Any) -> Charge:
    values: dict[str, Any] = {
        "id": f"c-{source}",
        "source": source,
        "purpose": Purpose.PERIOD,
        "customer_id": "ada",
        "location_id": "ny",
        "amount": PRICE,
        "description": "Month",
        "invoice_id": invoice_id,
        "created_at": utc("2026-01-31 15:00"),
        **other,
    }
    return Charge(**values)


def tried(charge: Charge, outcome: Outcome, at: datetime, by: By = By.CLOCK) -> Charge:
    """One more attempt, and what became of it at once."""
    begun = charges.begin_attempt(charge, card=CARD, provider_customer="cus", by=by, now=at)
    if outcome is Outcome.ATTEMPTING:
        return begun
    return recorded(begun, outcome, at)


def recorded(charge: Charge, outcome: Outcome, at: datetime, attempt: int = -1) -> Charge:
    attempt_id = charge.attempts[attempt].id
    after = charges.record_outcome(
        charge, attempt_id, outcome, now=at, provider_charge_id=f"ch_{attempt_id}"
    )
    assert after is not None
    return after


def at_provider(charge: Charge) -> list[ProviderCharge]:
    """What the provider has of a charge when nothing went wrong between it and us."""
    return [
        ProviderCharge(
            id=f"ch_{one.id}",
            charge_ref=charge.ref,
            amount=one.amount,
            succeeded=one.outcome is Outcome.SUCCEEDED,
            refunded_minor=(
                one.amount.minor
                if charge.refund is RefundState.DONE and charge.refund_attempt == one.id
                else 0
            ),
            created_at=one.started_at,
        )
        for one in charge.attempts
    ]


def invoice_of(invoice_id: str, **other: Any) -> Invoice:
    line = InvoiceLine(name="Month", unit=PRICE, amount=PRICE, tax=Money.zero("USD"))
    values: dict[str, Any] = {
        "id": invoice_id,
        "customer_id": "ada",
        "location_id": "ny",
        "state": InvoiceState.OPEN,
        "created_at": utc("2026-01-31 15:00"),
        "lines": (line,),
        **other,
    }
    return Invoice(**values)


def paid(invoice: Invoice, charge: Charge, at: datetime) -> Invoice:
    """Closed by the charge's money, and numbered."""
    payment = Payment(kind=PaymentKind.CARD, at=at, amount=charge.amount, charge_id=charge.id)
    return invoices.close(invoice, payment, at).model_copy(update={"number": f"NY-{invoice.id}"})


def good_books() -> Told:
    """All of the module's story, as it stands at `NOW`: nothing in it is wrong."""
    told = Told(CustomerBooks(customer=Customer(id="ada", email="a@b.c", created_at=NOW)))
    month = _buys(told)
    month = _february(told, month)
    _march(told, month)
    _another_that_ended(told)
    _paid_back(told)
    listed: list[tuple[str, BaseModel]] = [
        *((f"subscription#{one.id}", one) for one in told.books.subscriptions),
        *((f"charge#{one.source}", one) for one in told.books.charges),
        *((f"invoice#{one.id}", one) for one in told.books.invoices),
        *((f"pack#{one.id}", one) for one in told.books.packs),
    ]
    told.books.queue = [queued(name, _MOMENTS[type(one)](one)) for name, one in listed]
    told.at_provider = [one for charge in told.books.charges for one in at_provider(charge)]
    return told


def _line(kind: ProductKind, **other: Any) -> OrderLine:
    line = InvoiceLine(name="P", unit=PRICE, amount=PRICE, tax=Money.zero("USD"))
    return OrderLine(product_id="p", kind=kind, name="P", line=line, **other)


def _granted(books: CustomerBooks, granted: Granted) -> None:
    books.packs.append(granted.pack)
    books.entries.append(granted.entry)


def _say(books: CustomerBooks, kind: MessageKind, told: str) -> None:
    books.messages.add(message_key(kind, told))


def _buys(told: Told) -> Subscription:
    at, books = utc("2026-01-31 15:00"), told.books
    order = (
        _line(
            ProductKind.SUBSCRIPTION,
            terms=terms_of(),
            frequency=Frequency.MONTHLY,
            starts_on=date(2026, 1, 31),
        ),
        _line(ProductKind.PACKAGE, terms=terms_of(credits=10, validity_days=90)),
    )
    charge = charge_of("cart.1", "i0", purpose=Purpose.CHECKOUT, order=order, amount=PRICE * 2)
    charge = tried(charge, Outcome.SUCCEEDED, at, By.CUSTOMER)
    invoice = invoice_of("i0", lines=invoice_lines(order), source="cart.1")
    brought = fulfil(
        order, charge_id="c", customer_id="ada", location=NEW_YORK, invoice_id="i0", now=at
    )
    books.charges.append(charge)
    books.invoices.append(paid(invoice, charge, at))
    for granted in brought.granted:
        _granted(books, granted)
    ten = books.packs[-1]
    left, used = adjust(ten, -1, entry_id="e1", now=utc("2026-02-10 15:00"), reason="Came", by="s")
    books.packs[-1] = left
    books.entries.append(used)
    (subscription,) = brought.subscriptions
    _say(books, MessageKind.INVOICE, "i0")
    _say(books, MessageKind.SUBSCRIPTION_PURCHASED, subscription.id)
    return subscription


def _opened(subscription: Subscription, invoice_id: str) -> tuple[Subscription, Charge, Invoice]:
    """The next period at its own moment."""
    period = subscription.next_period
    source = f"{subscription.id}.{period:05d}"
    opened = collected(subscription)
    assert opened.collection is not None
    named = {"source": source, "invoice_id": invoice_id}
    opened = opened.model_copy(update={"collection": opened.collection.model_copy(update=named)})
    of_period = {"subscription_id": subscription.id, "period": period}
    return (
        opened,
        charge_of(source, invoice_id, **of_period),
        invoice_of(invoice_id, source=source, **of_period),
    )


def _february(told: Told, subscription: Subscription) -> Subscription:
    books = told.books
    opened, charge, invoice = _opened(subscription, "i1")
    charge = tried(charge, Outcome.DECLINED, utc("2026-02-28 04:59"))
    failing = collecting.use_slot(collecting.mark_failing(opened), utc("2026-03-01 04:59"))
    at = utc("2026-03-01 04:59")
    charge = tried(charge, Outcome.SUCCEEDED, at)
    granted = grant_period_pack(
        pack_id="p1",
        entry_id="e2",
        subscription=failing,
        period=1,
        location=NEW_YORK,
        invoice_id="i1",
        now=at,
    )
    settled, _ = collecting.settle_period(failing, granted.pack, at)
    former = books.packs[0]
    begins = granted.pack.usable_from
    books.packs[0], entry = run_out(former, "e3", begins, begins, "Renewed")
    books.entries.append(entry)
    _granted(books, granted)
    changed(books.packs, granted.pack, replaced=True)
    books.charges.append(charge)
    books.invoices.append(paid(invoice, charge, at))
    _say(books, MessageKind.INVOICE, "i1")
    _say(books, MessageKind.RENEWAL_RECEIPT, "i1")
    return settled


def _march(told: Told, subscription: Subscription) -> None:
    """Slot 0 was declined for good, so the next one passed."""
    opened, charge, invoice = _opened(subscription, "i2")
    charge = tried(charge, Outcome.DECLINED_FINAL, utc("2026-03-31 03:59"))
    failing = collecting.mark_failing(opened)
    failing = collecting.pass_slot(collecting.use_slot(failing, utc("2026-04-01 03:59")))
    told.books.subscriptions.append(failing)
    told.books.charges.append(charge)
    told.books.invoices.append(invoice)
    shown = collecting.past_due_of(failing, charge)
    told.books.customer = collecting.with_past_due(told.books.customer, shown)


def _another_that_ended(told: Told) -> None:
    """Weekly, and its last slot failed on 17 January 2026 (example 4 without the last try)."""
    bought = Subscription(
        id="gone",
        customer_id="ada",
        location_id="ny",
        zone=NEW_YORK.zone,
        state=SubscriptionState.ACTIVE,
        terms=terms_of(),
        frequency=Frequency.WEEKLY,
        anchor=date(2026, 1, 5),
        created_at=utc("2026-01-05 15:00"),
        first_invoice_id="i",
        next_period=1,
        payments_made=1,
    )
    failing, charge, invoice = _opened(bought, "i3")
    charge = tried(charge, Outcome.DECLINED, utc("2026-01-12 04:59"))
    for day in range(13, 18):
        failing = collecting.use_slot(failing, utc(f"2026-01-{day} 04:59"))
        charge = tried(charge, Outcome.DECLINED, utc(f"2026-01-{day} 04:59"))
    over = collecting.end(
        collecting.mark_failing(failing),
        SubscriptionState.CANCELLED,
        EndReason.PAYMENT_FAILED,
        utc("2026-01-17 04:59"),
    )
    told.books.subscriptions.append(over)
    told.books.charges.append(charge.model_copy(update={"given_up": True}))
    told.books.invoices.append(invoice.model_copy(update={"state": InvoiceState.VOID}))
    _say(told.books, MessageKind.SUBSCRIPTION_PURCHASED, "gone")
    _say(told.books, KIND_OF_END[EndReason.PAYMENT_FAILED], "gone")


def _paid_back(told: Told) -> None:
    """A checkout that was taken for lost, whose money had moved all the same."""
    charge = late_success("cart.2")
    charge = charges.record_refund(charge, RefundState.DONE, utc("2026-03-12 12:01"))
    told.books.charges.append(charge)
    _say(told.books, MessageKind.REFUND, f"{charge.refund_attempt}-refund")


def late_success(source: str) -> Charge:
    """Its money is owed back since noon of 12 March 2026."""
    charge = charge_of(source, "never", purpose=Purpose.CHECKOUT)
    charge = tried(charge, Outcome.UNKNOWN, utc("2026-03-10 12:00"), By.CUSTOMER)
    charge = recorded(charge, Outcome.DECLINED, utc("2026-03-11 12:00"))
    return recorded(charge, Outcome.SUCCEEDED, utc("2026-03-12 12:00"))


def entry_of(pack_id: str, delta: int) -> Entry:
    kind = packs.EntryKind.GRANT if delta > 0 else packs.EntryKind.DEDUCT
    return Entry(
        id="more", pack_id=pack_id, customer_id="ada", kind=kind, delta=delta, left=None, at=NOW
    )
