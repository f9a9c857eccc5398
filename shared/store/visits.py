"""Reservations of customers, newest first by when they were made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.store import kinds  # noqa: F401 - says how each kind is stored
from shared.store.items import AccountItem, Ref, Row
from shared.store.newest import AT_ONCE, everything, newest
from shared.store.people import customer_pk
from shared.store.reading import PAGE_LIMIT, Page

if TYPE_CHECKING:
    from shared.domain.reservation import Reservation


def reservation(customer_id: str, reservation_id: str) -> Ref[Reservation]:
    """Wherever it lies: under `visit#`, so that packs and subscriptions lie side by side for
    `holdings_of`; the past ones under `ended-visit#`."""
    from shared.domain.reservation import Reservation

    return Ref(AccountItem, customer_pk(customer_id), f"visit#{reservation_id}", Reservation)


def reservations_of(
    customer_id: str, *, limit: int = PAGE_LIMIT, after: str | None = None
) -> Page[Reservation]:
    """All but the past ones, `past_reservations_of`. `after` is an id."""
    from shared.domain.reservation import Reservation

    return newest(customer_id, "visit", Reservation, limit=limit, after=after)


def live_reservations_of(customer_id: str) -> tuple[Row[Reservation], ...]:
    """All but the past ones."""
    return everything(lambda after: reservations_of(customer_id, limit=AT_ONCE, after=after))


def past_reservations_of(
    customer_id: str, *, limit: int = PAGE_LIMIT, after: str | None = None
) -> Page[Reservation]:
    """Reservations that are over (`reservation.is_past`), in the same order."""
    from shared.domain.reservation import Reservation

    return newest(customer_id, "ended-visit", Reservation, limit=limit, after=after)
