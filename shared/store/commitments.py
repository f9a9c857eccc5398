"""Which agreements for a minimum of payments are not fulfilled yet, by location ([COMMIT]).

Beside each such subscription lies a pointer, written with it in the same transaction; whoever lists
them reads the subscriptions themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from shared.store import accounts
from shared.store.writing import Write, overwrite

if TYPE_CHECKING:
    from shared.domain.subscription import Subscription


def commitment_writes(changed: Iterable[Subscription]) -> list[Write]:
    """The pointers of `changed`, as they are now. One writer at a time: the subscription is in the
    same transaction. One that is fulfilled or over is marked, and goes by itself."""
    pointed_at = [one for one in changed if one.terms.minimum_payments]
    if not pointed_at:
        return []
    from shared.store.listed import Commitment

    return [
        overwrite(
            accounts.commitment(one.location_id, one.id),
            Commitment(
                customer_id=one.customer_id,
                subscription_id=one.id,
                since=one.created_at,
                done=one.over or not one.payments_remaining,
            ),
        )
        for one in pointed_at
    ]
