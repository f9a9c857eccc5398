"""What customers hold: packs and subscriptions, which lie side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.store import kinds  # noqa: F401 - says how each kind is stored
from shared.store.engine import (
    PAGE_LIMIT,
    AccountItem,
    Page,
    Ref,
    query,
    query_kinds,
)
from shared.store.people import customer_pk

if TYPE_CHECKING:
    from shared.domain.pack import Pack
    from shared.domain.subscription import Subscription


HOLDINGS_LIMIT = 300


def subscription(customer_id: str, subscription_id: str) -> Ref[Subscription]:
    from shared.domain.subscription import Subscription

    return Ref(
        AccountItem,
        customer_pk(customer_id),
        f"subscription#{subscription_id}",
        Subscription,
    )


def pack(customer_id: str, pack_id: str) -> Ref[Pack]:
    from shared.domain.pack import Pack

    return Ref(AccountItem, customer_pk(customer_id), f"pack#{pack_id}", Pack)


def subscriptions_of(
    customer_id: str, *, limit: int = PAGE_LIMIT, after: str | None = None
) -> Page[Subscription]:
    from shared.domain.subscription import Subscription

    return query(
        AccountItem,
        customer_pk(customer_id),
        "subscription#",
        Subscription,
        limit=limit,
        after=after,
    )


def packs_of(customer_id: str, *, limit: int = PAGE_LIMIT, after: str | None = None) -> Page[Pack]:
    from shared.domain.pack import Pack

    return query(
        AccountItem,
        customer_pk(customer_id),
        "pack#",
        Pack,
        limit=limit,
        after=after,
    )


def holdings_of(customer_id: str) -> tuple[tuple[Subscription, ...], tuple[Pack, ...]]:
    """A customer's subscriptions and packs, newest first, in one round trip: as many as
    `HOLDINGS_LIMIT`, the subscriptions before the packs."""
    from shared.domain.pack import Pack
    from shared.domain.subscription import Subscription

    rows = query_kinds(
        AccountItem,
        customer_pk(customer_id),
        {"pack": Pack, "subscription": Subscription},
        limit=HOLDINGS_LIMIT,
    )
    values = [row.value for row in rows]
    return (
        tuple(one for one in values if isinstance(one, Subscription)),
        tuple(one for one in values if isinstance(one, Pack)),
    )
