"""The moment at which a pack is to be followed by the next one ([RECUR])."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.domain.pack import Pack, next_turn
from shared.operations.collect import Renewed, renew
from shared.store import accounts, transactions
from shared.store.items import Lost
from shared.store.reading import read

if TYPE_CHECKING:
    from shared.domain.recurring import Turn
    from shared.domain.subscription import Subscription
    from shared.operations.context import Context


def turn(context: Context, customer_id: str, pack_id: str) -> Renewed:
    """A pack's moment has come: its subscription is told, once, and then does what is due as on any
    other renewal. If that is cut short it is due by itself; while it is paused, or another period
    is still being paid, it waits. Two events of one moment are one."""
    ref = accounts.pack(customer_id, pack_id)
    row = read(ref).get(ref)
    come = next_turn(row.value) if row else None
    if row is None or come is None or come.at > context.now():
        return Renewed.NOTHING_DUE
    pack = row.value
    subscription_ref = accounts.subscription(customer_id, pack.subscription_id or "")
    subscription = read(subscription_ref).get(subscription_ref)
    told = _told(subscription.value, pack, come) if subscription else None
    try:
        transactions.turn_pack(
            pack=row,
            turned=pack.model_copy(update={"turned": True}),
            subscription=subscription,
            told=told,
        )
    except Lost:
        return Renewed.LOST
    if subscription is None or told is None:
        return Renewed.SKIPPED
    return renew(context, customer_id, subscription.value.id)


def _told(subscription: Subscription, pack: Pack, come: Turn) -> Subscription | None:
    """The subscription that knows of the turn; None when it is over, or has gone on already."""
    recurring = subscription.recurring
    if recurring is None or recurring.turn is not None or subscription.over:
        return None
    if pack.period is None or subscription.next_period != pack.period + 1:
        return None
    return subscription.model_copy(
        update={"recurring": recurring.model_copy(update={"turn": come})}
    )
