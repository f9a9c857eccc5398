"""What becomes of a period whose charge was decided ([GRANT], [RETRY], [SETTLE])."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from shared.domain import collecting
from shared.domain.granting import grant_period_pack
from shared.domain.invoice import Invoice, Payment, close
from shared.domain.outcome import Outcome
from shared.domain.pack import period_pack_id
from shared.domain.pausing import ended_by_pause
from shared.domain.subscription import Subscription, SubscriptionState, next_slot_at
from shared.operations import tell
from shared.operations.books import Books, location_of, payment_of
from shared.operations.giving_up import give_up_period
from shared.store import transactions

if TYPE_CHECKING:
    from shared.domain.cart import Cart
    from shared.domain.charge import Attempt, Charge
    from shared.domain.customer import Customer
    from shared.operations.context import Context
    from shared.store.items import Row
    from shared.store.records import Submission
    from shared.store.timeline import TimelineEvent


class Recorded(NamedTuple):
    """Money that staff recorded ([PAY]): the payment, who did it, and the press of the button."""

    payment: Payment
    event: TimelineEvent
    submission: tuple[str, Submission]


def complete_period(context: Context, books: Books, settled: Charge, attempt: Attempt) -> None:
    """The money of a period has come, by this attempt ([GRANT])."""
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
        pack_id=period_pack_id(settled.id, settled.period),
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
        granted = granted._replace(pack=held)
    payment = recorded.payment if recorded else payment_of(settled, attempt, context)
    closed = close(invoice.value, payment, now)
    changed = collecting.without_past_due(customer.value, subscription.value.id)
    if cart is not None:
        from shared.domain.cart import counted

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


def period_not_paid(context: Context, books: Books, recorded: Charge, attempt: Attempt) -> None:
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
