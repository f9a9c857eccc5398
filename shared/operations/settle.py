"""Record what became of an attempt: the one place where it is done ([SETTLE]).

The direct answer of the provider, its webhook and the check of unknown charges all come here. It
is one transaction on the condition that the charge stands as it was read; whoever comes second
reads again, finds the outcome recorded and does nothing.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shared.domain import collecting
from shared.domain.cart import Cart, counted, with_lines
from shared.domain.charge import (
    UNDECIDED_OUTCOMES,
    Attempt,
    Charge,
    Outcome,
    Purpose,
    record_outcome,
)
from shared.domain.customer import Customer
from shared.domain.fulfilment import fulfil
from shared.domain.granting import grant_period_pack
from shared.domain.invoice import Invoice, InvoiceState, Payment, PaymentKind, close
from shared.domain.order import Due, invoice_lines
from shared.domain.pack import Pack
from shared.domain.pausing import ended_by_pause
from shared.domain.product import Location
from shared.domain.subscription import Subscription, SubscriptionState, next_slot_at
from shared.operations import invoices, tell
from shared.operations.context import Context
from shared.operations.giving_back import give_up_place
from shared.operations.giving_up import give_up_period
from shared.providers.port import ChargeResult
from shared.store import accounts, transactions
from shared.store.engine import Lost, Ref, Row, read
from shared.store.records import Submission, TimelineEvent

SETTLE_TRIES = 8


class Settled(StrEnum):
    RECORDED = "recorded"
    ALREADY = "already"
    UNKNOWN_CHARGE = "unknown_charge"


@dataclass(frozen=True)
class Books:
    """What a charge touches, as it was last read."""

    charge: Row[Charge]
    customer: Row[Customer]
    subscription: Row[Subscription] | None = None
    invoice: Row[Invoice] | None = None
    cart: Row[Cart] | None = None
    renewing: tuple[Row[Subscription], ...] = ()
    """The subscriptions whose next packs a checkout pays ([RECUR])."""


@dataclass(frozen=True)
class Recorded:
    """Money that staff recorded ([PAY]): the payment, who did it, and the press of the button."""

    payment: Payment
    event: TimelineEvent
    submission: tuple[str, Submission]


def open_books(customer_id: str, source: str) -> Books | None:
    """Read a charge and what it touches: two round trips. None when there is no such charge."""
    charge_ref = accounts.charge(customer_id, source)
    charge = read(charge_ref).get(charge_ref)
    if charge is None:
        return None
    return reopen(charge)


def reopen(charge: Row[Charge]) -> Books:
    """Read what a charge touches, and the charge itself again: one round trip."""
    value = charge.value
    customer_id = value.customer_id
    head = accounts.head(customer_id)
    subscription = accounts.subscription(customer_id, value.subscription_id or "")
    invoice = accounts.invoice(customer_id, value.invoice_id)
    cart = accounts.cart(accounts.customer_pk(customer_id), value.location_id)
    of_checkout = value.purpose is Purpose.CHECKOUT
    renewing = _renewing_refs(value)
    touched: list[Ref[Any]] = [cart, *renewing] if of_checkout else [subscription, invoice]
    found = read(charge.ref, head, *touched)
    now_charge, customer = found.get(charge.ref), found.get(head)
    assert now_charge is not None and customer is not None
    if not of_checkout:
        return Books(now_charge, customer, found.get(subscription), found.get(invoice))
    going_on = tuple(row for row in map(found.get, renewing) if row is not None)
    return Books(now_charge, customer, cart=found.get(cart), renewing=going_on)


def _renewing_refs(charge: Charge) -> list[Ref[Subscription]]:
    return [
        accounts.subscription(charge.customer_id, line.next_pack.subscription_id)
        for line in charge.order
        if line.next_pack is not None
    ]


def renewing(charge: Charge) -> tuple[Row[Subscription], ...]:
    """The subscriptions whose next packs a checkout pays: one round trip when there are any."""
    refs = _renewing_refs(charge)
    if not refs:
        return ()
    found = read(*refs)
    return tuple(row for row in map(found.get, refs) if row is not None)


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
        complete_checkout(context, books, recorded, attempt)
    elif newly_settled and recorded.purpose is Purpose.INVOICE:
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
        _complete_period(context, books, recorded, attempt)
    elif not is_last or recorded.given_up or recorded.outcome in UNDECIDED_OUTCOMES:
        transactions.record_try(charge=books.charge, recorded=recorded)
    elif recorded.purpose is Purpose.CHECKOUT:
        _checkout_not_paid(context, books, recorded)
    elif recorded.purpose is Purpose.INVOICE:
        _invoice_not_paid(context, books, recorded)
    else:
        _period_not_paid(context, books, recorded, attempt)


def _owed_back(charge: Charge) -> tuple[str | None, ...]:
    """The attempts whose money goes back, or went."""
    return charge.refund_attempt, *charge.refunds_waiting


def location_of(context: Context, location_id: str) -> Location:
    """Where it was sold; a location is never taken out of the catalogue."""
    location = context.catalogue.location(location_id)
    assert location is not None, f"location {location_id} is gone"
    return location


def payment_of(charge: Charge, attempt: Attempt | None, context: Context) -> Payment:
    """What the invoice says of the money that came."""
    if attempt is None:
        return Payment(kind=PaymentKind.NOTHING_DUE, at=context.now(), amount=charge.amount)
    return Payment(
        kind=PaymentKind.CARD,
        at=context.now(),
        amount=charge.amount,
        charge_id=charge.id,
        brand=attempt.card.brand,
        last4=attempt.card.last4,
    )


def complete_checkout(
    context: Context,
    books: Books | None,
    settled: Charge,
    attempt: Attempt | None,
    *,
    customer: Row[Customer] | None = None,
    cart: Row[Cart] | None = None,
    renewing: tuple[Row[Subscription], ...] = (),
    submission: tuple[str, Submission] | None = None,
    payment: Payment | None = None,
) -> None:
    """Everything an order brings, in one transaction; `payment` is what staff recorded of it.
    Without `books` nothing was to be paid by card, and the charge itself is new. Of a subscription
    that ended while its next pack was being paid the pack is granted, and nothing more comes
    ([RECUR])."""
    now = context.now()
    customer = books.customer if books else customer
    cart = books.cart if books else cart
    renewing = books.renewing if books else renewing
    assert customer is not None
    location = location_of(context, settled.location_id)
    brought = fulfil(
        settled.order,
        charge_id=settled.id,
        customer_id=settled.customer_id,
        location=location,
        invoice_id=settled.invoice_id,
        now=now,
    )
    lines = invoice_lines(settled.order)
    invoice = None
    if lines:
        invoice = close(
            Invoice(
                id=settled.invoice_id,
                customer_id=settled.customer_id,
                location_id=settled.location_id,
                state=InvoiceState.OPEN,
                created_at=settled.created_at,
                lines=lines,
                tax_name=settled.tax_name,
                source=settled.source,
            ),
            payment or payment_of(settled, attempt, context),
            now,
        )
    emptied = _emptied(cart, settled, context)
    counts = {**customer.value.cart_counts}
    if emptied is not None:
        counts[settled.location_id] = emptied.count
    changed = customer.value.model_copy(
        update={
            "access": tuple(dict.fromkeys((*customer.value.access, *brought.access))),
            "cart_counts": counts,
            "trials_used": _with_trials(customer.value, settled),
        }
    )
    messages = tell.order(context, changed, invoice, brought.subscriptions)
    transactions.settle_checkout(
        charge=books.charge if books else None,
        settled=settled,
        cart=cart,
        emptied=emptied,
        customer=customer,
        changed=changed,
        invoice=invoice,
        granted=brought.granted,
        subscriptions=brought.subscriptions,
        renewed=_going_on(renewing, brought.next_packs),
        messages=messages,
        events=_started(context, settled, brought.subscriptions),
        submission=submission,
    )


def _started(
    context: Context, settled: Charge, begun: tuple[Subscription, ...]
) -> list[TimelineEvent]:
    """Who started a subscription for its customer ([ACCESS])."""
    if not settled.started_by:
        return []
    return [
        TimelineEvent(
            id=context.new_id(),
            at=context.now(),
            by=settled.started_by,
            what="start",
            about=one.terms.name,
            subscription_id=one.id,
            after=one.state.value,
        )
        for one in begun
    ]


def _going_on(
    renewing: tuple[Row[Subscription], ...], paid: tuple[Pack, ...]
) -> list[tuple[Row[Subscription], Subscription]]:
    of = {(pack.subscription_id, pack.period): pack for pack in paid}
    return [
        (row, collecting.settle_by_hand(row.value, pack))
        for row in renewing
        if (pack := of.get((row.value.id, row.value.next_period))) is not None
        and not row.value.over
    ]


def _emptied(cart: Row[Cart] | None, charge: Charge, context: Context) -> Cart | None:
    """The cart without what was bought, when it is still the one that was paid for."""
    if cart is None or cart.value.token != charge.source:
        return None
    return with_lines(cart.value, (), context.now()).model_copy(update={"claimed_by": None})


def trials_in(charge: Charge) -> frozenset[str]:
    return frozenset(one.product_id for one in charge.order if one.due is Due.AFTER_TRIAL)


def _with_trials(customer: Customer, charge: Charge) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*customer.trials_used, *sorted(trials_in(charge)))))


def _checkout_not_paid(context: Context, books: Books, recorded: Charge) -> None:
    """A decline creates nothing and keeps the cart ([CHECKOUT]); while the customer is to
    confirm, the cart stays claimed."""
    if recorded.outcome is Outcome.AUTHENTICATION_REQUIRED:
        transactions.record_try(charge=books.charge, recorded=recorded)
        return
    cart, customer = books.cart, books.customer.value
    waiting = tuple(row for row in books.renewing if not row.value.over)
    released = None
    if cart is not None and cart.value.claimed_by == recorded.id:
        released = _released(cart.value, waiting, context)
        customer = counted(customer, released)
    reserved = trials_in(recorded)
    left = tuple(one for one in customer.trials_used if one not in reserved)
    transactions.release_checkout(
        charge=books.charge,
        declined=recorded,
        cart=cart,
        released=released,
        customer=books.customer,
        changed=customer.model_copy(update={"trials_used": left}),
        waiting=waiting,
    )


def _invoice_not_paid(context: Context, books: Books, recorded: Charge) -> None:
    """A place that had to be paid is given back; another invoice stays open ([BOOK])."""
    waiting = recorded.outcome is Outcome.AUTHENTICATION_REQUIRED
    if not waiting and recorded.holds_place and books.invoice is not None:
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


def _released(cart: Cart, waiting: tuple[Row[Subscription], ...], context: Context) -> Cart:
    """The cart that nobody pays for any more, without the next packs of subscriptions that ended
    meanwhile."""
    waits = {row.value.id for row in waiting}
    lines = tuple(
        one for one in cart.lines if one.next_pack is None or one.next_pack.subscription_id in waits
    )
    kept = cart if lines == cart.lines else with_lines(cart, lines, context.now())
    return kept.model_copy(update={"claimed_by": None})


def _complete_period(context: Context, books: Books, settled: Charge, attempt: Attempt) -> None:
    subscription, invoice = books.subscription, books.invoice
    assert subscription is not None and invoice is not None and settled.period is not None
    write_paid_period(
        context,
        charge=books.charge,
        settled=settled,
        subscription=subscription,
        invoice=invoice,
        customer=books.customer,
        attempt=attempt,
    )


def write_paid_period(
    context: Context,
    *,
    charge: Row[Charge],
    settled: Charge,
    subscription: Row[Subscription],
    invoice: Row[Invoice],
    customer: Row[Customer],
    attempt: Attempt | None,
    recorded: Recorded | None = None,
    cart: tuple[Row[Cart], Cart] | None = None,
) -> None:
    """A period is paid: its pack, the next period, the receipts ([GRANT]); by an attempt, by what
    staff recorded, or since nothing was to be paid. `cart` held its next pack, and is without it
    then ([RECUR])."""
    now = context.now()
    assert settled.period is not None
    location = location_of(context, settled.location_id)
    granted = grant_period_pack(
        pack_id=f"{settled.id}-p{settled.period}",
        entry_id=context.new_id(),
        subscription=subscription.value,
        period=settled.period,
        location=location,
        invoice_id=settled.invoice_id,
        now=now,
    )
    renewed, skipped = collecting.settle_period(subscription.value, granted.pack, now)
    if renewed.state is SubscriptionState.PAUSED:
        held = ended_by_pause(renewed, granted.pack)
        granted = granted.model_copy(update={"pack": held})
    payment = recorded.payment if recorded else payment_of(settled, attempt, context)
    closed = close(invoice.value, payment, now)
    changed = collecting.without_past_due(customer.value, subscription.value.id)
    if cart is not None:
        changed = counted(changed, cart[1])
    messages = tell.period_paid(context, changed, renewed, closed, granted.pack)
    notices = [tell.periods_skipped(context, renewed, skipped)] if skipped else []
    transactions.settle_period(
        charge=charge,
        settled=settled,
        invoice=invoice,
        closed=closed,
        subscription=subscription,
        renewed=renewed,
        customer=customer,
        changed=changed,
        granted=granted,
        cart=cart[0] if cart else None,
        changed_cart=cart[1] if cart else None,
        messages=messages,
        notices=notices,
        events=[recorded.event] if recorded else [],
        submission=recorded.submission if recorded else None,
    )


def _period_not_paid(context: Context, books: Books, recorded: Charge, attempt: Attempt) -> None:
    """A try of a period was declined, or waits for the customer ([RETRY], [PASTDUE])."""
    subscription, invoice, customer = books.subscription, books.invoice, books.customer
    assert subscription is not None and invoice is not None
    collection = subscription.value.collection
    if collection is None or collection.source != recorded.source:
        transactions.record_try(charge=books.charge, recorded=recorded)
        return
    now = context.now()
    if recorded.outcome is Outcome.CANCELLED and next_slot_at(subscription.value) is not None:
        transactions.record_try(charge=books.charge, recorded=recorded)
        return
    waiting = recorded.outcome is Outcome.AUTHENTICATION_REQUIRED
    told_before = waiting and books.charge.value.outcome is Outcome.AUTHENTICATION_REQUIRED
    failing = collecting.mark_failing(subscription.value)
    last_chance_gone = next_slot_at(failing) is None
    if last_chance_gone and not waiting:
        give_up_period(
            context,
            charge=books.charge,
            recorded=recorded,
            subscription=subscription,
            invoice=invoice,
            customer=customer,
        )
        return
    entry = collecting.past_due_of(failing, recorded)
    transactions.record_try(
        charge=books.charge,
        recorded=recorded,
        invoice=invoice,
        failed=invoice.value.model_copy(update={"failed_at": now}),
        subscription=subscription,
        changed_subscription=failing,
        customer=customer,
        changed_customer=collecting.with_past_due(customer.value, entry),
        messages=(
            []
            if told_before
            else [tell.try_failed(context, customer.value, failing, recorded, attempt)]
        ),
    )
