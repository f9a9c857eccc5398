"""Staff pause and resume a customer's subscription ([PAUSE])."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from shared.domain import pausing
from shared.domain.errors import Conflict
from shared.domain.pack import Pack
from shared.domain.subscription import (
    PausedBy,
    Subscription,
    SubscriptionState,
    next_try_at,
    pay_by,
)
from shared.operations.cancel import load
from shared.operations.giving_up import last_pack, packs_in_pause
from shared.operations.staff import require_change, their_subscription, written_down
from shared.store import transactions
from shared.store.items import Lost, Row

if TYPE_CHECKING:
    from shared.domain.customer import Customer
    from shared.operations.context import Context
    from shared.store.staff import StaffMember

PAUSE_TRIES = 5

Packs = list[tuple[Row[Pack], Pack]]


def pause(
    context: Context, staff: StaffMember, row: Row[Subscription] | None
) -> tuple[Subscription, Customer]:
    """Nothing is charged, tried or announced until it is resumed. A charge whose outcome is open
    goes on being asked about, and a late success is settled; the pause stands. Once more answers
    the same. Raises `Conflict` for what is over."""

    def change(value: Subscription) -> tuple[Subscription, Packs]:
        paused = pausing.pause(value, PausedBy.STAFF, context.now())
        return paused, packs_in_pause(paused)

    return _change(context, staff, row, "pause", change)


def resume(
    context: Context, staff: StaffMember, row: Row[Subscription] | None
) -> tuple[Subscription, Customer]:
    """It goes on as what it was, whoever or whatever paused it; what the pause passed over is never
    caught up. Once more answers the same. Raises `Conflict` for what is over."""

    def change(value: Subscription) -> tuple[Subscription, Packs]:
        now = context.now()
        pack = last_pack(value)
        freed = None if pack is None else pausing.freed_by_resuming(pack.value, now)
        packs = [(pack, freed)] if pack and freed and freed != pack.value else []
        return pausing.resume(value, now), packs

    return _change(context, staff, row, "resume", change)


def _change(
    context: Context,
    staff: StaffMember,
    row: Row[Subscription] | None,
    what: str,
    change: Callable[[Subscription], tuple[Subscription, Packs]],
) -> tuple[Subscription, Customer]:
    found = their_subscription(staff, row)
    require_change(staff)
    for _ in range(PAUSE_TRIES):
        subscription, customer = load(found.customer_id, found.id)
        value = subscription.value
        changed, packs = change(value)
        if changed == value:
            return value, customer.value
        told = _shown(customer.value, changed)
        event = written_down(
            context,
            staff,
            what,
            subscription_id=value.id,
            before=value.state.value,
            after=changed.state.value,
        )
        try:
            transactions.change_subscription(
                subscription=subscription,
                changed=changed,
                customer=customer,
                changed_customer=told,
                packs=packs,
                events=[event],
            )
        except Lost:
            continue
        return changed, told
    raise Conflict("Something else changed this subscription at the same moment. Try again.")


def _shown(customer: Customer, subscription: Subscription) -> Customer:
    """Every page says when the next try is, and that there is none in a pause ([PASTDUE])."""
    said = {
        "next_try_at": next_try_at(subscription),
        "paused": subscription.state is SubscriptionState.PAUSED,
        "pay_by": pay_by(subscription),
    }
    past_due = tuple(
        one.model_copy(update=said) if one.subscription_id == subscription.id else one
        for one in customer.past_due
    )
    return customer.model_copy(update={"past_due": past_due})
