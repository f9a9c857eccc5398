"""Reservations of customers, newest first by when they were made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.store import kinds  # noqa: F401 - says how each kind is stored
from shared.store.engine import PAGE_LIMIT, AccountItem, Page, Ref, query
from shared.store.people import customer_pk

if TYPE_CHECKING:
    from shared.domain.reservation import Reservation


def reservation(customer_id: str, reservation_id: str) -> Ref[Reservation]:
    """Under `visit#`, so that packs and subscriptions lie side by side for `holdings_of`."""
    from shared.domain.reservation import Reservation

    return Ref(AccountItem, customer_pk(customer_id), f"visit#{reservation_id}", Reservation)


def reservations_of(
    customer_id: str, *, limit: int = PAGE_LIMIT, after: str | None = None
) -> Page[Reservation]:
    """Newest first by when they were made."""
    from shared.domain.reservation import Reservation

    return query(
        AccountItem,
        customer_pk(customer_id),
        "visit#",
        Reservation,
        limit=limit,
        after=after,
    )
