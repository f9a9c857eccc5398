"""What becomes of a checkout whose charge was decided ([CHECKOUT], [SETTLE])."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.domain import collecting
from shared.domain.cart import Cart, counted, with_lines
from shared.domain.fulfilment import fulfil
from shared.domain.invoice import Invoice, InvoiceState, Payment, close
from shared.domain.order import Due, invoice_lines
from shared.domain.outcome import Outcome
from shared.operations import tell
from shared.operations.books import Books, location_of, payment_of
from shared.store import transactions
from shared.store.timeline import TimelineEvent

if TYPE_CHECKING:
    from shared.domain.charge import Attempt, Charge
    from shared.domain.customer import Customer
    from shared.domain.pack import Pack
    from shared.domain.subscription import Subscription
    from shared.operations.context import Context
    from shared.store.items import Row
    from shared.store.records import Submission


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


def checkout_not_paid(context: Context, books: Books, recorded: Charge) -> None:
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


def _released(cart: Cart, waiting: tuple[Row[Subscription], ...], context: Context) -> Cart:
    """The cart that nobody pays for any more, without the next packs of subscriptions that ended
    meanwhile."""
    waits = {row.value.id for row in waiting}
    lines = tuple(
        one for one in cart.lines if one.next_pack is None or one.next_pack.subscription_id in waits
    )
    kept = cart if lines == cart.lines else with_lines(cart, lines, context.now())
    return kept.model_copy(update={"claimed_by": None})
