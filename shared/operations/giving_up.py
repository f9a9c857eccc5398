"""The last slot of a period has failed: what the merchant's policy then says ([RETRY])."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from shared.domain import collecting
from shared.domain.collected_by import CollectedBy
from shared.domain.dunning import Then
from shared.domain.ending import EndReason
from shared.domain.invoice import Invoice, void
from shared.domain.pausing import ended_by_pause, pause
from shared.domain.subscription import PausedBy, Subscription, SubscriptionState
from shared.operations import tell
from shared.store import accounts, transactions
from shared.store.reading import read

if TYPE_CHECKING:
    from shared.domain.charge import Charge
    from shared.domain.customer import Customer
    from shared.domain.pack import Pack
    from shared.operations.context import Context
    from shared.store.items import Row


def give_up_period(
    context: Context,
    *,
    charge: Row[Charge],
    recorded: Charge,
    subscription: Row[Subscription],
    invoice: Row[Invoice],
    customer: Row[Customer],
) -> None:
    """Cancel the subscription and void its invoice, or pause it, or leave it open. The charge is
    given up when cancelled: a success that comes in later is refunded."""
    collection = subscription.value.collection
    assert collection is not None
    now = context.now()
    failing = collecting.mark_failing(subscription.value)
    notice = tell.subscription_failed(context, customer.value, failing, recorded)
    if collection.policy.then is not Then.CANCEL:
        left = _left_open(failing, now)
        ending = packs_in_pause(left) if left.state is SubscriptionState.PAUSED else []
        transactions.record_try(
            charge=charge,
            recorded=recorded,
            invoice=invoice,
            failed=_not_paid(invoice.value, left, now),
            subscription=subscription,
            changed_subscription=left,
            customer=customer,
            changed_customer=collecting.with_past_due(
                customer.value, collecting.past_due_of(left, recorded)
            ),
            packs=ending,
            # A slot that passed without a try has nothing new to tell.
            messages=(
                [tell.try_failed(context, customer.value, left, recorded, recorded.last)]
                if recorded.last and recorded.last != charge.value.last
                else []
            ),
            # A try that a person starts later may fail too: staff know already.
            notices=[] if collection.exhausted else [notice],
        )
        return
    over = collecting.end(
        subscription.value, SubscriptionState.CANCELLED, EndReason.PAYMENT_FAILED, now
    )
    ending = packs_to_end(over)
    transactions.record_try(
        charge=charge,
        recorded=recorded.model_copy(update={"given_up": True}),
        invoice=invoice,
        failed=void(invoice.value, now),
        subscription=subscription,
        changed_subscription=over,
        customer=customer,
        changed_customer=collecting.without_past_due(customer.value, over.id),
        packs=ending,
        messages=[
            tell.cancelled(
                context,
                customer.value,
                over,
                pack=ending[0][1] if ending else None,
                waived=invoice.value.owed,
                refused=recorded.last is not None and recorded.last.merchants_trouble,
            )
        ],
        notices=[notice],
    )


def _left_open(failing: Subscription, now: datetime) -> Subscription:
    """What is owed stays owed, and no slot is left: paused, or waiting for a payment. Once it was
    resumed by hand, a try that a person starts does not pause it again."""
    collection = failing.collection
    assert collection is not None
    exhausted = {"collection": collection.model_copy(update={"exhausted": True})}
    left = failing.model_copy(update=exhausted)
    paused = left.state is SubscriptionState.PAUSED
    if collection.policy.then is not Then.PAUSE or collection.exhausted or paused:
        return left
    return pause(left, PausedBy.POLICY, now)


def packs_in_pause(subscription: Subscription) -> list[tuple[Row[Pack], Pack]]:
    """The last pack of a subscription that is paused, where the pause ends it."""
    row = last_pack(subscription)
    if row is None:
        return []
    ended = ended_by_pause(subscription, row.value)
    return [] if ended == row.value else [(row, ended)]


def _not_paid(invoice: Invoice, subscription: Subscription, now: datetime) -> Invoice:
    """Nothing has failed where no card is asked: it is still to be paid ([PAY])."""
    if subscription.collected_by is CollectedBy.RECORDING:
        return invoice
    return invoice.model_copy(update={"failed_at": now})


def packs_to_end(subscription: Subscription) -> list[tuple[Row[Pack], Pack]]:
    """The last unlimited pack of a subscription that is over ends with the paid period; a
    counted one is left as it is, without an expiry ([GRANT]). One round trip when there is one."""
    ends_at = collecting.unlimited_pack_ends_at(subscription)
    row = None if ends_at is None else last_pack(subscription)
    if row is None or row.value.ended_at is not None:
        return []
    return [(row, row.value.model_copy(update={"expires_at": ends_at, "expires_with_next": False}))]


def last_pack(subscription: Subscription) -> Row[Pack] | None:
    """The pack that the next period's brings to its end. One round trip when there is one."""
    if subscription.last_pack_id is None:
        return None
    ref = accounts.pack(subscription.customer_id, subscription.last_pack_id)
    return read(ref).get(ref)
