"""What a subscription keeps of the packs that its payments brought ([GRANT])."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.domain.pack import next_turn
from shared.domain.subscription import PACKS_REMEMBERED

if TYPE_CHECKING:
    from shared.domain.pack import Pack
    from shared.domain.subscription import Subscription


def remember_pack(subscription: Subscription, pack: Pack) -> Subscription:
    """The subscription knows its last paid pack, which the next one brings to its end. A trial's
    pack and those with a validity of their own end by themselves. One that recurs by itself knows
    when the next one comes by the pack's expiry ([RECUR])."""
    recurring = subscription.recurring
    if recurring is not None:
        turn = next_turn(pack)
        fresh = {"expected_at": turn.at if turn else None, "turn": None}
        recurring = recurring.model_copy(update=fresh)
    return subscription.model_copy(
        update={
            "recurring": recurring,
            "last_pack_id": pack.id if pack.expires_with_next else None,
            "last_pack_period": pack.period,
            "packs": (*subscription.packs, pack.id)[-PACKS_REMEMBERED:],
        }
    )
