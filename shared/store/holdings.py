"""What customers hold: packs and subscriptions, which lie side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel

from shared.store import kinds  # noqa: F401 - says how each kind is stored
from shared.store.items import AccountItem, Ref, Row
from shared.store.newest import AT_ONCE, everything, newest
from shared.store.people import customer_pk
from shared.store.reading import PAGE_LIMIT, Page, query, query_kinds

if TYPE_CHECKING:
    from shared.domain.pack import Pack
    from shared.domain.subscription import Subscription


def subscription(customer_id: str, subscription_id: str) -> Ref[Subscription]:
    from shared.domain.subscription import Subscription

    return Ref(
        AccountItem,
        customer_pk(customer_id),
        f"subscription#{subscription_id}",
        Subscription,
    )


def pack(customer_id: str, pack_id: str) -> Ref[Pack]:
    """Wherever it lies: those that are put away lie under `ended-pack#`."""
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
    """Those that something may still come of; the others are `ended_packs_of`. Newest first by when
    they were asked for, as their ids are. `after` is an id."""
    from shared.domain.pack import Pack

    return newest(customer_id, "pack", Pack, limit=limit, after=after)


def live_packs_of(customer_id: str) -> tuple[Row[Pack], ...]:
    """All that something may still come of."""
    return everything(lambda after: packs_of(customer_id, limit=AT_ONCE, after=after))


def ended_packs_of(
    customer_id: str, *, limit: int = PAGE_LIMIT, after: str | None = None
) -> Page[Pack]:
    """Packs that are put away (`pack.put_away`), in the same order."""
    from shared.domain.pack import Pack

    return newest(customer_id, "ended-pack", Pack, limit=limit, after=after)


def holdings_of(customer_id: str) -> tuple[tuple[Subscription, ...], tuple[Pack, ...]]:
    """All of a customer's subscriptions, and all the packs that something may still come of, newest
    first: mostly one round trip."""
    from shared.domain.pack import Pack
    from shared.domain.subscription import Subscription

    kinds_held: dict[str, type[BaseModel]] = {"pack": Pack, "subscription": Subscription}
    pk = customer_pk(customer_id)
    rows = everything(
        lambda after: query_kinds(AccountItem, pk, kinds_held, limit=AT_ONCE, after=after)
    )
    values = [row.value for row in rows]
    return (
        tuple(one for one in values if isinstance(one, Subscription)),
        tuple(one for one in values if isinstance(one, Pack)),
    )
